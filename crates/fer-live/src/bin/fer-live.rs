//! fer-live: apparent facial expressions from a camera, a video or a photo, as they happen.
//! In: a command line. Out: windows, files, tables; an exit code.

use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use fer_base::{ExitCode as _, chain, exit as code};
use fer_live::app::{Ended, Streams, run};
use fer_live::cli::Cli;
use fer_live::error::LiveError;

// glibc hands large buffers back after every frame; faulting them in again takes longer than reading the face.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keep_pages_small();
    let cli = Cli::parse();
    match read(&cli) {
        Ok(Ended::Done) => ExitCode::SUCCESS,
        Ok(Ended::Interrupted) => ExitCode::from(code::INTERRUPTED),
        Err(error) => {
            eprint_line(&format!("fer-live: {}", chain(&error)));
            ExitCode::from(error.exit_code())
        }
    }
}

fn read(cli: &Cli) -> Result<Ended, LiveError> {
    fer_kernels::set_threads(cli.threads)
        .map_err(|error| LiveError::Config(format!("--threads: {error}")))?;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    // The first signal ends the run well; the second ends the program.
    let handler = move || {
        if asked.swap(true, Ordering::Relaxed) {
            exit(i32::from(code::INTERRUPTED));
        }
    };
    ctrlc::set_handler(handler)?;
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    run(cli, &stop, &mut Streams { out: &mut out, err: &mut err })
}

/// The allocator asks for huge pages, which the system fills up behind its back while the program runs: memory that
/// was given back comes again, 8 to 10 MiB at a time, and 30 MiB more are held from the start on. Measured: see
/// docs/reports/robustness.md.
fn keep_pages_small() {
    // A system that does not know the setting has no huge pages to refuse.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_thp_disable(true).ok();
}

fn eprint_line(text: &str) {
    use std::io::Write;
    // When nobody reads the errors, there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{text}"));
}
