//! What can go wrong between a source and a reading.
//! In: causes. Out: one sentence that says where, expected, found and what to try.

/// Errors of fer-live's library.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// An option makes no sense, alone or with another one.
    #[error("{0}")]
    Config(String),
    /// A source could not be opened.
    #[error("{input}: {reason}")]
    Open {
        /// The input as the user wrote it.
        input: String,
        /// What was expected, found, and what to try.
        reason: String,
    },
    /// A source failed while it was read.
    #[error("{input}, frame {frame}: {reason}")]
    Read {
        /// The input as the user wrote it.
        input: String,
        /// Position of the frame that could not be read.
        frame: u64,
        /// What was found, and what to try.
        reason: String,
    },
    /// A camera or a display is not there, or not ours to use.
    #[error("{device}: {reason}")]
    Device {
        /// The camera or display.
        device: String,
        /// What was found, and what to try.
        reason: String,
    },
    /// The detector failed.
    #[error("face detector: {0}")]
    Detect(String),
    /// The network or its model folder failed.
    #[error("model: {0}")]
    Model(String),
    /// An output could not be written.
    #[error("{path}: {reason}")]
    Write {
        /// The file.
        path: String,
        /// What failed, and what to try.
        reason: String,
    },
}
