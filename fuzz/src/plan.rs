//! What supervisor, workers and targets agree on.
//! In: a plan. Out: where findings and small files go, and how time is counted.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;

/// What a run is asked to do.
pub(crate) struct Plan {
    /// For each target.
    pub(crate) time: Duration,
    /// Of everything random.
    pub(crate) seed: u64,
    /// Where findings go.
    pub(crate) findings: PathBuf,
}

/// No input may take longer.
pub(crate) const MOST_TIME: Duration = Duration::from_secs(5);

/// Where small files cost no disk.
pub(crate) fn memory_folder() -> PathBuf {
    let folder = PathBuf::from("/dev/shm");
    if folder.is_dir() { folder } else { std::env::temp_dir() }
}

/// Processor time in a line of `/proc/…/stat`, user and system.
pub(crate) fn ticks(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let [user, system] = [fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?];
    Some(Duration::from_millis(10 * (user + system)))
}

/// Puts an input that broke a promise, and which one, into files.
pub(crate) fn save_finding(folder: &Path, target: &str, problem: &str, input: &[u8]) -> Result<()> {
    fs::create_dir_all(folder)?;
    let name = format!("{target}-{:.12}", fer_model::card::sha256_hex(input));
    fs::write(folder.join(format!("{name}.bin")), input)?;
    fs::write(folder.join(format!("{name}.txt")), format!("{problem}\n"))?;
    eprintln!("{target}: {problem}: {name}.bin");
    Ok(())
}
