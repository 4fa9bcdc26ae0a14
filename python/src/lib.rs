//! The core of the Python package `fer_rs`.
//! In: pictures as Python has them. Out: faces as plain tuples, of which `python/fer_rs` makes its objects.
//! The interpreter's lock is released while pictures are decoded, searched and read.

mod detector;
mod error;
mod face;
mod input;
mod model;
mod reader;
mod threads;
mod tracker;

use std::path::PathBuf;

use fer_data::Labels;
use pyo3::prelude::*;

// As in fer-live: glibc hands large buffers back after every frame; faulting them in again takes longer than
// reading the face.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whether a file is a picture by the ending of its name.
#[pyfunction]
fn has_picture_name(path: PathBuf) -> bool {
    fer_data::picture::has_picture_name(&path)
}

/// The columns of readings as a table, as fer-live names them.
#[pyfunction]
fn columns(labels: Vec<String>) -> Vec<String> {
    fer_vision::columns(&Labels::custom(labels))
}

/// A text as a cell of such a table, which no spreadsheet takes for a formula.
#[pyfunction]
fn recorded_name(text: &str) -> String {
    fer_vision::recorded_name(text)
}

/// Pictures and time to readings; used through `fer_rs`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("MODELS", model::names())?;
    module.add("FER2013", Labels::fer2013().names().to_vec())?;
    module.add_function(wrap_pyfunction!(has_picture_name, module)?)?;
    module.add_function(wrap_pyfunction!(columns, module)?)?;
    module.add_function(wrap_pyfunction!(recorded_name, module)?)?;
    module.add_class::<reader::NativeReader>()?;
    module.add_class::<tracker::NativeTracker>()
}
