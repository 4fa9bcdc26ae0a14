//! One target's process: damages inputs, gives them to the door, watches what comes of them.
//! In: a target, a time. Out: findings in files; how far it is, in the file that its supervisor reads.

use std::{
    collections::HashSet,
    fs::{self, File},
    os::unix::fs::FileExt,
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    mutate::{Kin, mutate},
    plan::{MOST_TIME, Plan, save_finding, ticks},
    targets::Target,
};

/// Nor the process more memory, in MiB.
const MOST_MEMORY: u64 = 1 << 10;

/// Inputs that are kept to be damaged further.
const POOL: usize = 3000;

/// Panics of all threads since the last input, also those that somebody catches.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Works until the time is over.
pub(crate) fn run(target: &Target, plan: &Plan, state: &Path) -> Result<()> {
    note_panics();
    stay_on_one_thread()?;
    let state = File::options().write(true).open(state)?;
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let mut pool = (target.seeds)();
    let mut door = (target.open)();
    let mut seen = HashSet::new();
    let end = Instant::now() + plan.time;
    let mut n = 0_u64;
    while Instant::now() < end {
        let mut input = pool[rng.random_range(0..pool.len())].clone();
        // The first ones whole: a seed that does not come through is itself a finding of the target.
        if n >= pool.len() as u64 {
            mutate(&mut input, &Kin { pool: &pool, words: target.words }, &mut rng);
        }
        n += 1;
        note(&state, n, &input)?;
        let (outcome, took) = one(&mut door, &input);
        let too_slow =
            (took > MOST_TIME).then(|| format!("took {:.1} s of processor time", took.as_secs_f64()));
        let too_much =
            (took > Duration::from_millis(2) || n.is_multiple_of(256)).then(too_much_memory).flatten();
        match outcome {
            Ok(outcome) => {
                if let Some(problem) = too_slow.or(too_much) {
                    save_finding(&plan.findings, target.name, &problem, &input)?;
                    // Its memory is measured at its highest: what follows would all be blamed.
                    break;
                }
                if seen.insert(shape(&outcome)) && pool.len() < POOL {
                    pool.push(input);
                }
            }
            Err(problem) => {
                if seen.insert(shape(&problem)) {
                    save_finding(&plan.findings, target.name, &problem, &input)?;
                }
                door = (target.open)();
            }
        }
    }
    note(&state, n, &[])
}

/// What comes of one input; for a person.
pub(crate) fn replay(target: &Target, input: &[u8]) -> Result<String> {
    note_panics();
    stay_on_one_thread()?;
    let (outcome, took) = one(&mut (target.open)(), input);
    let memory = memory().context("this system does not tell how much memory is used")?;
    Ok(format!("{outcome:?}; {:.3} s, {memory} MiB at most", took.as_secs_f64()))
}

type Door = Box<dyn FnMut(&[u8]) -> Result<String, String>>;

/// Gives an input to a door: what came of it, or the promise that it broke; and its time.
fn one(door: &mut Door, input: &[u8]) -> (Result<String, String>, Duration) {
    let start = (Instant::now(), processor_time());
    let outcome = catch_unwind(AssertUnwindSafe(|| door(input)));
    let mut took = start.0.elapsed();
    // Others use the machine, too: what counts is the processor's time.
    if took > MOST_TIME {
        took = processor_time() - start.1;
    }
    let panics = std::mem::take(&mut *PANICS.lock().expect("no holder panics"));
    let outcome = outcome.unwrap_or_else(|_| Err("panicked".to_owned()));
    (if panics.is_empty() { outcome } else { Err(format!("panic: {}", panics.join("; "))) }, took)
}

/// Small inputs are done sooner than another thread wakes.
fn stay_on_one_thread() -> Result<()> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global()?)
}

fn note_panics() {
    set_hook(Box::new(|info| {
        let words = info.to_string().replace('\n', " ");
        if let Ok(mut panics) = PANICS.lock() {
            panics.push(words);
        }
    }));
}

/// How far the work is, and the input that is about to be given.
fn note(state: &File, n: u64, input: &[u8]) -> Result<()> {
    let mut bytes = Vec::with_capacity(16 + input.len());
    bytes.extend(n.to_le_bytes());
    bytes.extend((input.len() as u64).to_le_bytes());
    bytes.extend(input);
    Ok(state.write_all_at(&bytes, 0)?)
}

/// The words without their numbers and quotations: what kind of outcome it is.
fn shape(outcome: &str) -> String {
    let mut shape = String::new();
    for c in outcome.chars().take(160) {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if !(c == '0' && shape.ends_with('0')) {
            shape.push(c);
        }
    }
    shape
}

fn too_much_memory() -> Option<String> {
    memory().filter(|mib| *mib > MOST_MEMORY).map(|mib| format!("took {mib} MiB of memory"))
}

/// Memory of this process at its highest, in MiB.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib >> 10)
}

/// Processor time of all threads of this process; Linux counts it in hundredths of a second.
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks(&stat).unwrap_or_default()
}
