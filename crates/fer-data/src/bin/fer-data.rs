//! Looks at data sets.
//! In: a command line. Out: an audit as table or JSON.

// A program, unlike the library, talks to its user.
#![allow(clippy::print_stderr)]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use fer_base::{OutputError, Overlap, atomic, chain, exit, refuse_overlaps, terminal};
use fer_data::{DataError, audit};

/// Looks at data sets of facial expressions.
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
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Nothing has used the pool yet, so it takes the size; should it not, the work is done all the same.
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global().ok();
    let Command::Audit { path, ferplus, json } = arguments.command;
    match look(&path, ferplus.as_deref(), json.as_deref()) {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            eprintln!("fer-data: {}", chain(error.as_ref()));
            ExitCode::from(code(error.as_ref()))
        }
    }
}

fn code(error: &(dyn std::error::Error + 'static)) -> u8 {
    let data = exit::find::<DataError>(error);
    let data = data.or_else(|| exit::find::<Overlap>(error)).or_else(|| exit::find::<OutputError>(error));
    data.unwrap_or(exit::OUTPUT)
}

fn look(path: &Path, ferplus: Option<&Path>, json: Option<&Path>) -> Result<()> {
    let inputs: Vec<_> =
        [Some(("the data", path)), ferplus.map(|votes| ("--ferplus", votes))].into_iter().flatten().collect();
    refuse_overlaps(&inputs, &json.map(|file| ("--json", file)).into_iter().collect::<Vec<_>>())?;
    eprintln!("reading {}", terminal::line(&path.to_string_lossy()));
    let audit = audit::audit(path, ferplus)?;
    let text = || serde_json::to_string_pretty(&audit).context("the audit does not fit JSON");
    match json {
        Some(file) if file == Path::new("-") => print(&text()?),
        Some(file) => {
            atomic::save(file, text()?.as_bytes())?;
            eprintln!("wrote {}", terminal::line(&file.to_string_lossy()));
            print(&audit.to_string())
        }
        None => print(&audit.to_string()),
    }
}

/// Prints a result; `print!` would panic when the reader, such as `head`, has gone.
fn print(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{}", text.trim_end()).context("the result cannot be printed")
}
