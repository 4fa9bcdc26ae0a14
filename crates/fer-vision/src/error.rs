//! What can go wrong between a picture and a reading.
//! In: causes. Out: one sentence that says what was expected and found, with its cause behind it.

use fer_base::Cause;

/// Errors of finding and reading faces.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// An option is out of range.
    #[error("{0}")]
    Options(String),
    /// The detector, or its file, cannot be used.
    #[error("face detector: {problem}")]
    Detect {
        /// What was expected and found, and what to try.
        problem: String,
        /// What made it fail, if there is more to say.
        #[source]
        cause: Option<Cause>,
    },
    /// The network failed.
    #[error("model: {problem}")]
    Classify {
        /// What was expected and found.
        problem: String,
        /// What made it fail, if there is more to say.
        #[source]
        cause: Option<Cause>,
    },
}

impl VisionError {
    /// A detector that cannot be used, with nothing behind it.
    #[must_use]
    pub fn detect(problem: impl Into<String>) -> Self {
        Self::Detect { problem: problem.into(), cause: None }
    }

    /// A detector that failed for this cause.
    #[must_use]
    pub fn detect_for(problem: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Detect { problem: problem.into(), cause: Some(cause.into()) }
    }

    /// A network that failed, with nothing behind it.
    #[must_use]
    pub fn classify(problem: impl Into<String>) -> Self {
        Self::Classify { problem: problem.into(), cause: None }
    }
}
