//! What can go wrong between Python and a reading.
//! In: causes. Out: an exception of `fer_rs.errors`, whose text is the product's own with its causes behind it.

use std::path::PathBuf;

use fer_base::chain;
use fer_data::picture::PictureError;
use fer_model::ModelError;
use fer_vision::VisionError;
use pyo3::PyErr;

/// The package's exceptions, which are defined in Python so that each can have two bases.
mod exceptions {
    pyo3::import_exception!(fer_rs.errors, OptionError);
    pyo3::import_exception!(fer_rs.errors, PictureError);
    pyo3::import_exception!(fer_rs.errors, PictureNotFoundError);
    pyo3::import_exception!(fer_rs.errors, DetectorError);
    pyo3::import_exception!(fer_rs.errors, ModelError);
}

/// Errors of the Python package. The text leaves the cause to [`std::error::Error::source`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// An argument makes no sense.
    #[error("{0}")]
    Option(String),
    /// A picture's file cannot be read.
    #[error("{path}: cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        cause: std::io::Error,
    },
    /// Bytes are no picture.
    #[error("{name}: {}", .cause.advice())]
    Picture {
        /// The picture's file, or what it was given as.
        name: String,
        /// What is wrong with it.
        #[source]
        cause: PictureError,
    },
    /// A model folder cannot be used.
    #[error("the model in {folder}")]
    Model {
        /// The folder, or the name of a model in the package.
        folder: String,
        /// Why not.
        #[source]
        cause: ModelError,
    },
    /// The detector or the network failed.
    #[error(transparent)]
    Vision(#[from] VisionError),
}

impl From<ReadError> for PyErr {
    fn from(error: ReadError) -> Self {
        let text = chain(&error);
        match error {
            ReadError::Option(_) | ReadError::Vision(VisionError::Options(_)) => {
                exceptions::OptionError::new_err(text)
            }
            ReadError::File { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
                exceptions::PictureNotFoundError::new_err(text)
            }
            ReadError::File { .. } | ReadError::Picture { .. } => exceptions::PictureError::new_err(text),
            ReadError::Vision(VisionError::Detect { .. }) => exceptions::DetectorError::new_err(text),
            ReadError::Model { .. } | ReadError::Vision(VisionError::Classify { .. }) => {
                exceptions::ModelError::new_err(text)
            }
        }
    }
}
