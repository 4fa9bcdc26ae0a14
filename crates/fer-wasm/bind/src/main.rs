//! The compiled library → what a page imports: a module of JavaScript beside the WebAssembly.
//! In: the library's .wasm file and a folder. Out: fer_wasm.js and fer_wasm_bg.wasm in it.

use anyhow::{Context, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, folder] = arguments.as_slice() else { bail!("expected LIBRARY.wasm FOLDER") };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(library).typescript(false).remove_name_section(true).remove_producers_section(true);
    bindgen.web(true)?.generate(folder).with_context(|| format!("{library} cannot be bound"))
}
