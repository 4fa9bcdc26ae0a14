//! Why a server does not start.
//! In: causes. Out: a sentence that says what to try, with its cause behind it.

use std::net::SocketAddr;

use fer_vision::VisionError;

/// Errors of starting the server.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// A detector cannot be made.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The address is beyond this machine, and nobody asked for that.
    #[error("{0}: other machines could reach this address: add --allow-remote to let them in with a token")]
    Beyond(SocketAddr),
    /// The address cannot be listened on.
    #[error("{address}: {problem}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What was expected, and what to try.
        problem: &'static str,
        /// The system's reason.
        #[source]
        cause: std::io::Error,
    },
    /// There is no place for uploaded videos.
    #[error(
        "there is no folder for videos: is there space, and may you write there? TMPDIR names another place"
    )]
    Storage(#[source] std::io::Error),
    /// The system gives the server something it needs not.
    #[error("the system gives the server no {what}")]
    System {
        /// A thread, randomness.
        what: &'static str,
        /// The system's reason.
        #[source]
        cause: std::io::Error,
    },
}
