//! `fer-fuzz`: damaged bytes through every door of fer.
//! In: a target's name, a time. Out: one row a target on stdout; every input that broke a promise, in a file.
//!
//! Stable Rust, no coverage instrumentation: an input is kept to be damaged further when what came of it (an
//! error's words without their numbers) was not seen before.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A program talks to its user.
#![allow(clippy::disallowed_methods)] // How long an input takes is what is measured.

mod mutate;
mod plan;
mod seeds;
mod supervise;
mod targets;
mod work;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{plan::Plan, targets::TARGETS};

/// Sends damaged bytes through every door of fer.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the targets.
    List,
    /// Runs targets, one after the other, each in a process of its own.
    Run {
        /// The targets; all without.
        targets: Vec<String>,
        /// Seconds for each target.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// The same seed damages the same way.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where inputs that broke a promise are put.
        #[arg(long, default_value = "target/fuzz-findings")]
        findings: PathBuf,
    },
    /// Gives one input to a target.
    Replay {
        /// The target.
        target: String,
        /// The input.
        input: PathBuf,
    },
    /// The process of one target; its supervisor watches `state`.
    #[command(hide = true)]
    Work {
        target: String,
        #[arg(long)]
        seconds: f64,
        #[arg(long)]
        seed: u64,
        #[arg(long)]
        state: PathBuf,
        #[arg(long)]
        findings: PathBuf,
    },
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::List => {
            for target in TARGETS {
                println!("{:<12} {}", target.name, target.door);
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Run { targets, seconds, seed, findings } => {
            let plan = Plan { time: Duration::from_secs_f64(seconds), seed, findings };
            let n_broken = supervise::run(&targets, &plan)?;
            Ok(if n_broken == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
        }
        Command::Replay { target, input } => {
            println!("{}", work::replay(targets::named(&target)?, &std::fs::read(input)?)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Work { target, seconds, seed, state, findings } => {
            let plan = Plan { time: Duration::from_secs_f64(seconds), seed, findings };
            work::run(targets::named(&target)?, &plan, &state)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
