//! Cargo looks at a crate's build dependencies only where it has a build script.
//! In: nothing. Out: nothing.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
