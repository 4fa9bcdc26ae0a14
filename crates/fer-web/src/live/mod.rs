//! What is read as it happens: the browser's camera, and the server's own.
//! In: frames. Out: readings and annotated pictures, to the page.

pub(crate) mod camera;
pub(crate) mod hub;
mod protocol;
pub(crate) mod streams;
