//! Draws a data set.
//! In: a command line. Out: folders of drawn faces, and a sheet of some of them.

// A program, unlike the library, talks to its user.
#![allow(clippy::print_stderr)]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Parser;
use fer_base::{chain, exit};
use fer_data::{Split, export};

/// Draws faces: train/CLASS/*.png and validation/CLASS/*.png, and a contact sheet.
#[derive(Parser)]
#[command(version, about, after_help = exit::HELP)]
struct Arguments {
    /// CPU threads; 0 means one a core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// The folder to make; it must not exist yet, or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Drawn people in train; each shows every expression once.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    people: u32,
    /// Drawn people in validation; none of them is in train.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    validation_people: u32,
    /// Seed: the same seed draws the same faces.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Nothing has used the pool yet, so it takes the size; should it not, the work is done all the same.
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global().ok();
    let people = [arguments.people, arguments.validation_people].map(|n| n as usize);
    match draw(&arguments.out, people, arguments.seed) {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            eprintln!("fer-draw: {}", chain(error.as_ref()));
            ExitCode::from(exit::OUTPUT)
        }
    }
}

fn draw(out: &Path, [people, validation_people]: [usize; 2], seed: u64) -> Result<()> {
    eprintln!("drawing {people} people for train and {validation_people} for validation, seed {seed}");
    let train = fer_drawn::samples(Split::Train, people, seed);
    let validation = fer_drawn::samples(Split::Validation, validation_people, seed);
    export::write_folders(out, &[&train, &validation])?;
    let sheet = out.join("sheet.png");
    export::contact_sheet(&train, people.min(20))
        .save(&sheet)
        .with_context(|| format!("{}: cannot be written", sheet.display()))?;
    let n = train.len() + validation.len();
    // `println!` would panic when the reader, such as `head`, has gone.
    writeln!(std::io::stdout(), "{n} faces in {}; {} shows some of them", out.display(), sheet.display())
        .context("the result cannot be printed")?;
    eprintln!("next: fer-data audit {}", out.display());
    Ok(())
}
