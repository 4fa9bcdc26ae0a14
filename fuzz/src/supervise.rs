//! One process a target, watched from outside: what aborts or hangs cannot tell of itself.
//! In: targets, a time. Out: a row a target on stdout; findings in files.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{
    plan::{MOST_TIME, Plan, memory_folder, save_finding, ticks},
    targets::{self, TARGETS, Target},
};

/// Waiting for ever takes no processor time.
const STUCK: Duration = Duration::from_secs(120);

/// Runs the targets named, or all; how many findings there are.
pub(crate) fn run(names: &[String], plan: &Plan) -> Result<usize> {
    let chosen: Vec<&Target> = match names {
        [] => TARGETS.iter().filter(|target| !target.on_request).collect(),
        names => names.iter().map(|name| targets::named(name)).collect::<Result<_>>()?,
    };
    println!("| door | inputs | findings |\n| --- | ---: | ---: |");
    let (mut n_inputs, mut n_findings) = (0, 0);
    for target in chosen {
        let before = count(&plan.findings, target.name);
        let n = watched(target, plan)?;
        let found = count(&plan.findings, target.name) - before;
        println!("| {}: {} | {n} | {found} |", target.name, target.door);
        n_inputs += n;
        n_findings += found;
    }
    println!("| all | {n_inputs} | {n_findings} |");
    Ok(n_findings)
}

/// A target's findings; other targets may be at work on the same folder.
fn count(folder: &Path, target: &str) -> usize {
    let is_its = |name: &str| name.starts_with(&format!("{target}-")) && name.ends_with(".txt");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_str().is_some_and(is_its)).count()
}

/// Runs one target until its time is over, again after each end before that; how many inputs it had.
fn watched(target: &Target, plan: &Plan) -> Result<u64> {
    let end = Instant::now() + plan.time;
    let (mut n, mut attempt) = (0, 0);
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        let seed = plan.seed.wrapping_add(attempt * 1_000_003);
        n += once(target, &Plan { time: left, seed, findings: plan.findings.clone() })?;
        attempt += 1;
    }
    Ok(n)
}

fn once(target: &Target, plan: &Plan) -> Result<u64> {
    let state = tempfile::NamedTempFile::new_in(memory_folder())?;
    let mut worker = Command::new(std::env::current_exe()?)
        .args(["work", target.name, "--seed", &plan.seed.to_string()])
        .args(["--seconds", &plan.time.as_secs_f64().to_string()])
        .arg("--state")
        .arg(state.path())
        .arg("--findings")
        .arg(&plan.findings)
        .spawn()?;
    let stuck = wait(&mut worker, state.path())?;
    let status = worker.wait()?;
    let (n, input) = read_state(state.path()).context("a worker that never began")?;
    let problem = stuck.or_else(|| (!status.success()).then(|| format!("the process ended with {status}")));
    if let Some(problem) = problem {
        save_finding(&plan.findings, target.name, &problem, &input)?;
    }
    Ok(n)
}

/// Waits for the worker's end; one that is stuck is ended, and why it was.
fn wait(worker: &mut Child, state: &Path) -> Result<Option<String>> {
    let mut last = (0, Instant::now(), Duration::ZERO);
    loop {
        if worker.try_wait()?.is_some() {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(100));
        let stat = fs::read_to_string(format!("/proc/{}/stat", worker.id())).unwrap_or_default();
        let used = ticks(&stat).unwrap_or_default();
        let n = read_state(state).map_or(0, |(n, _)| n);
        if n != last.0 {
            last = (n, Instant::now(), used);
        }
        let is_slow = used.saturating_sub(last.2) > 2 * MOST_TIME;
        if is_slow || last.1.elapsed() > STUCK {
            worker.kill()?;
            let took = if is_slow { used.saturating_sub(last.2) } else { last.1.elapsed() };
            return Ok(Some(format!("no end after {:.0} s", took.as_secs_f64())));
        }
    }
}

/// Inputs given so far, and the last of them.
fn read_state(path: &Path) -> Option<(u64, Vec<u8>)> {
    let bytes = fs::read(path).ok()?;
    let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let n_bytes = usize::try_from(number(8)?).ok()?;
    Some((number(0)?, bytes.get(16..16 + n_bytes)?.to_vec()))
}
