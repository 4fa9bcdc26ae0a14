//! Many photos, or a share of them, into one file that survives a kill at any moment.
//! In: paths, a shard. Out: one CSV, the list of damaged photos; progress with a rate and an end.
#![expect(clippy::disallowed_methods, reason = "progress tells a rate and an end")]

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fer_base::chain;
use fer_data::Labels;
use fer_stream::StreamError;
use fer_stream::record::Recorded;
use fer_vision::{Analyzer, recorded_name};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output_files::name;
use super::shard_file::{ShardFile, damaged_path};
use super::{Ended, Streams};
use crate::cli::WatchArgs;
use crate::error::LiveError;
use crate::source::read_photo;

/// How often progress is told where there is no terminal for a bar.
const EVERY: Duration = Duration::from_secs(60);

/// Reads the photos of this run's shard.
pub(super) fn run(
    args: &WatchArgs,
    path: &Path,
    photos: &[PathBuf],
    mut analyzer: Analyzer,
    labels: &Labels,
    stop: &AtomicBool,
    streams: &mut Streams<'_>,
) -> Result<Ended, LiveError> {
    if path.exists() {
        notice(
            args,
            streams,
            &format!("{} is there already, whole: remove it to read again", path.display()),
        );
        return Ok(Ended::Done);
    }
    let shard = args.shard.unwrap_or_default().range(photos.len());
    let named = |at: u64| {
        let at = usize::try_from(at).ok().filter(|at| shard.contains(at))?;
        Some(recorded_name(&name(&photos[at])))
    };
    let (mut file, next) = ShardFile::open(path, labels, shard.start as u64, named)?;
    let progress = PhotoProgress::new(args, shard.len() as u64, next - shard.start as u64);
    for (photo, at) in photos[next as usize..shard.end].iter().zip(next..) {
        if stop.load(Ordering::Relaxed) {
            progress.bar.finish_and_clear();
            notice(args, streams, &format!("{}: interrupted; the same command goes on", path.display()));
            return Ok(Ended::Interrupted);
        }
        let input = name(photo);
        let read = read_photo(photo).and_then(|picture| {
            Ok((analyzer.analyze_photo(&picture).map_err(StreamError::from)?, picture.dimensions()))
        });
        match read {
            Ok((mut reading, size)) => {
                reading.frame = at;
                file.add(&Recorded { input: &input, size, reading: &reading })?;
            }
            Err(error @ (StreamError::Open { .. } | StreamError::Read { .. })) => {
                file.add_damaged(at, &input, &chain(&error))?;
            }
            Err(error) => return Err(error.into()),
        }
        progress.count(file.n_damaged(), streams);
    }
    let told = summary(shard.len(), file.n_damaged(), path);
    file.finish()?;
    progress.bar.finish_and_clear();
    notice(args, streams, &told);
    Ok(Ended::Done)
}

fn notice(args: &WatchArgs, streams: &mut Streams<'_>, text: &str) {
    if !args.quiet {
        streams.notice(text);
    }
}

fn summary(n_photos: usize, n_damaged: usize, path: &Path) -> String {
    let shown = path.display();
    match n_damaged {
        0 => format!("{shown}: {n_photos} photos"),
        _ => {
            let list = damaged_path(path);
            format!("{shown}: {n_photos} photos, {n_damaged} of them damaged: {}", list.display())
        }
    }
}

/// A bar on a terminal, else a line now and then.
struct PhotoProgress {
    bar: ProgressBar,
    told: std::cell::Cell<Option<Instant>>,
}

impl PhotoProgress {
    /// Of `n` photos, `n_done` were read before.
    fn new(args: &WatchArgs, n: u64, n_done: u64) -> Self {
        let shown = std::io::stderr().is_terminal() && !args.quiet;
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} photos, {per_sec}, {eta} left, {msg} damaged")
                .expect("the template names known keys");
        let bar = ProgressBar::with_draw_target(Some(n), target).with_style(style).with_position(n_done);
        bar.reset_eta();
        let told = (!shown && !args.quiet).then(Instant::now);
        Self { bar, told: std::cell::Cell::new(told) }
    }

    fn count(&self, n_damaged: usize, streams: &mut Streams<'_>) {
        self.bar.set_message(n_damaged.to_string());
        self.bar.inc(1);
        if self.told.get().is_some_and(|told| told.elapsed() >= EVERY) {
            self.told.set(Some(Instant::now()));
            let (done, n) = (self.bar.position(), self.bar.length().unwrap_or_default());
            let (rate, left) = (self.bar.per_sec(), HumanDuration(self.bar.eta()));
            streams.notice(&format!(
                "{done} of {n} photos, {rate:.1} a second, {left} left, {n_damaged} damaged"
            ));
        }
    }
}
