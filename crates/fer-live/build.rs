//! Puts the shipped model into the program, where there is one.
//! In: `models/small` of the workspace. Out: its two files in `OUT_DIR`, and the cfg `built_in_model`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rustc-check-cfg=cfg(built_in_model)");
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../..");
    let model = workspace.join("models/small");
    println!("cargo::rerun-if-changed={}", model.display());
    let Ok(card) = fs::read_to_string(model.join("card.json")) else { return Ok(()) };
    // A model folder keeps its weights under one of two names; the card says which.
    let names = ["weights.safetensors", "weights-b.safetensors"];
    let Some(weights) = names.iter().find(|name| card.contains(&format!("\"{name}\""))) else {
        return Ok(());
    };
    if !model.join(weights).is_file() {
        return Ok(());
    }
    let target = Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("model");
    fs::create_dir_all(&target)?;
    fs::write(target.join("card.json"), card)?;
    fs::copy(model.join(weights), target.join("weights.safetensors"))?;
    println!("cargo::rustc-cfg=built_in_model");
    Ok(())
}
