//! What can go wrong in the program.
//! In: the errors of its parts. Out: one error with its causes behind it, and an exit code.

use fer_base::{Cause, ExitCode, exit};
use fer_model::ModelError;
use fer_stream::StreamError;
use fer_vision::VisionError;

/// Errors of fer-live. The text leaves the cause to [`std::error::Error::source`].
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// An option makes no sense, alone or with another one.
    #[error("{0}")]
    Config(String),
    /// A source, the detector, the network or an output failed.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The server cannot start.
    #[cfg(feature = "web")]
    #[error(transparent)]
    Web(#[from] fer_web::WebError),
    /// Ctrl-C would end the program without finishing its files.
    #[error("signals cannot be caught")]
    Signals(#[from] ctrlc::Error),
    /// The computing device is not there.
    #[error(transparent)]
    Compute(ModelError),
    /// The model folder cannot be used.
    #[error("the model in {folder}")]
    Model {
        /// The folder, or "built in".
        folder: String,
        /// Why not.
        #[source]
        cause: ModelError,
    },
    /// There is no model.
    #[error("no model: {0}")]
    NoModel(String),
}

impl From<VisionError> for LiveError {
    fn from(error: VisionError) -> Self {
        Self::Stream(error.into())
    }
}

impl ExitCode for LiveError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => exit::USAGE,
            Self::Stream(error) => stream_code(error),
            #[cfg(feature = "web")]
            Self::Web(error) => match error {
                fer_web::WebError::Beyond(_) | fer_web::WebError::Vision(_) => exit::USAGE,
                fer_web::WebError::Storage(_) => exit::OUTPUT,
                fer_web::WebError::Address { .. } | fer_web::WebError::System { .. } => exit::DEVICE,
            },
            Self::Signals(_) | Self::Compute(_) => exit::DEVICE,
            Self::Model { .. } | Self::NoModel(_) => exit::MODEL,
        }
    }
}

fn stream_code(error: &StreamError) -> u8 {
    match error {
        StreamError::Open { .. } | StreamError::Read { .. } => exit::DATA,
        StreamError::Device { .. } => exit::DEVICE,
        StreamError::Write { .. } => exit::OUTPUT,
        StreamError::Vision(VisionError::Options(_) | VisionError::Detect { .. }) => exit::USAGE,
        // A network that also writes what it sees fails when the disk is full.
        StreamError::Vision(VisionError::Classify { cause, .. }) => {
            written(cause.as_ref()).map_or(exit::MODEL, stream_code)
        }
    }
}

fn written(cause: Option<&Cause>) -> Option<&StreamError> {
    cause?.downcast_ref()
}
