//! The reader behind the page, natively: what WebAssembly makes of it, tests/browser says.

mod reader;
