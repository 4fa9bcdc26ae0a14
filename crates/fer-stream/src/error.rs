//! What can go wrong between a source and a record.
//! In: causes. Out: a sentence that says where, expected, found and what to try, with its cause behind it.

use fer_base::Cause;
use fer_vision::VisionError;

/// Errors of sources, of the pipeline and of records. The text leaves the cause to [`std::error::Error::source`].
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Finding or reading faces failed.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// A source could not be opened.
    #[error("{input}: {problem}")]
    Open {
        /// The input as the user wrote it.
        input: String,
        /// What was expected, found, and what to try.
        problem: String,
        /// What made it fail, if there is more to say.
        #[source]
        cause: Option<Cause>,
    },
    /// A source failed while it was read.
    #[error("{input}, frame {frame}: {problem}")]
    Read {
        /// The input as the user wrote it.
        input: String,
        /// Position of the frame that could not be read.
        frame: u64,
        /// What was found, and what to try.
        problem: String,
        /// What made it fail, if there is more to say.
        #[source]
        cause: Option<Cause>,
    },
    /// A camera or a display is not there, or not ours to use.
    #[error("{device}: {problem}")]
    Device {
        /// The camera or display.
        device: String,
        /// What was found, and what to try.
        problem: String,
        /// What made it fail, if there is more to say.
        #[source]
        cause: Option<Cause>,
    },
    /// An output could not be written.
    #[error("{path}: {problem}")]
    Write {
        /// The file.
        path: String,
        /// What failed, and what to try.
        problem: String,
        /// What made it fail, if there is more to say.
        #[source]
        cause: Option<Cause>,
    },
}

impl StreamError {
    /// A source that cannot be opened, with nothing behind it.
    pub fn open(input: impl ToString, problem: impl Into<String>) -> Self {
        Self::Open { input: input.to_string(), problem: problem.into(), cause: None }
    }

    /// A source that cannot be opened for this cause.
    pub fn open_for(input: impl ToString, problem: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Open { input: input.to_string(), problem: problem.into(), cause: Some(cause.into()) }
    }

    /// A device that cannot be used, with nothing behind it.
    pub fn device(device: impl ToString, problem: impl Into<String>) -> Self {
        Self::Device { device: device.to_string(), problem: problem.into(), cause: None }
    }

    /// A device that cannot be used for this cause.
    pub fn device_for(device: impl ToString, problem: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Device { device: device.to_string(), problem: problem.into(), cause: Some(cause.into()) }
    }

    /// An output that is not written, with nothing behind it.
    pub fn write(path: impl ToString, problem: impl Into<String>) -> Self {
        Self::Write { path: path.to_string(), problem: problem.into(), cause: None }
    }

    /// An output that is not written for this cause.
    pub fn write_for(path: impl ToString, problem: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Write { path: path.to_string(), problem: problem.into(), cause: Some(cause.into()) }
    }
}
