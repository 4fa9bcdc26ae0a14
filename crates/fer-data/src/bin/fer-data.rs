//! Looks at data sets, and draws one.
//! In: a command line. Out: an audit as table or JSON, or folders of drawn faces.

// A program, unlike the library, talks to its user.
#![allow(clippy::print_stderr)]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use fer_data::{DataError, Split, audit, drawn, exit, export, write_atomically};

/// Looks at data sets of facial expressions, and draws one.
#[derive(Parser)]
#[command(version, about, after_help = exit::HELP)]
struct Arguments {
    /// CPU threads; 0 means one a core.
    #[arg(long, value_name = "N", global = true, default_value_t = 0)]
    threads: usize,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Count classes, copies, contradictory labels, blank faces and damaged samples.
    ///
    /// Reads every split that is there, test included; it counts, and chooses nothing.
    #[command(after_help = exit::HELP)]
    Audit {
        /// FER-2013 as CSV (plain, .gz, .xz, .zst), or a folder of classes.
        path: PathBuf,
        /// FER+ votes (fer2013new.csv), joined to the CSV by row.
        #[arg(long, value_name = "FILE")]
        ferplus: Option<PathBuf>,
        /// Write everything found as JSON; `-` prints it instead of the table.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
    /// Draw faces: train/<class>/*.png and validation/<class>/*.png, and a contact sheet.
    #[command(after_help = exit::HELP)]
    Draw {
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
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Nothing has used the pool yet, so it takes the size; should it not, the work is done all the same.
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global().ok();
    let done = match arguments.command {
        Command::Audit { path, ferplus, json } => look(&path, ferplus.as_deref(), json.as_deref()),
        Command::Draw { out, people, validation_people, seed } => {
            draw(&out, people as usize, validation_people as usize, seed)
        }
    };
    match done {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            eprintln!("fer-data: {error:#}");
            ExitCode::from(error.downcast_ref().map_or(exit::OUTPUT, DataError::exit_code))
        }
    }
}

fn look(path: &Path, ferplus: Option<&Path>, json: Option<&Path>) -> Result<()> {
    eprintln!("reading {}", path.display());
    let audit = audit::audit(path, ferplus)?;
    let text = || serde_json::to_string_pretty(&audit).context("the audit does not fit JSON");
    match json {
        Some(file) if file == Path::new("-") => print(&text()?),
        Some(file) => {
            write_atomically(file, text()?.as_bytes())?;
            eprintln!("wrote {}", file.display());
            print(&audit.to_string())
        }
        None => print(&audit.to_string()),
    }
}

/// Prints a result; `print!` would panic when the reader, such as `head`, has gone.
fn print(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{}", text.trim_end()).context("the result cannot be printed")
}

fn draw(out: &Path, people: usize, validation_people: usize, seed: u64) -> Result<()> {
    eprintln!("drawing {people} people for train and {validation_people} for validation, seed {seed}");
    let train = drawn::samples(Split::Train, people, seed);
    let validation = drawn::samples(Split::Validation, validation_people, seed);
    export::write_folders(out, &[&train, &validation])?;
    let sheet = out.join("sheet.png");
    export::contact_sheet(&train, people.min(20))
        .save(&sheet)
        .with_context(|| format!("{}: cannot be written", sheet.display()))?;
    let n = train.len() + validation.len();
    print(&format!("{n} faces in {}; {} shows some of them", out.display(), sheet.display()))?;
    eprintln!("next: fer-data audit {}", out.display());
    Ok(())
}
