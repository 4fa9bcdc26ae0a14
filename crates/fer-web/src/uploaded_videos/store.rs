//! Where uploaded videos lie: a folder on disk, locked while its server lives, with one budget for all.
//! In: bytes that are about to be written. Out: a [`VideoPlace`] with room for them, or why there is none.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tempfile::TempDir;

use crate::{
    limits::Limits,
    problem::{Problem, ProblemKind},
};

/// How the folder of a server's videos begins.
const PREFIX: &str = "fer-videos-";

/// The file in it that is locked while the server lives.
const LOCK: &str = "lock";

/// A folder for videos, removed with everything in it when the server ends.
pub(crate) struct Store {
    folder: TempDir,
    /// Held, never read: the system lets go of it when the process ends, however that is.
    _lock: File,
    budget: Arc<Budget>,
}

impl Store {
    /// A new store in the system's temporary folder, and an end to those of servers that were killed.
    ///
    /// # Errors
    /// The system's, when there is no place for files.
    pub(crate) fn open(limits: &Limits) -> io::Result<Self> {
        Self::open_in(&std::env::temp_dir(), limits)
    }

    fn open_in(parent: &Path, limits: &Limits) -> io::Result<Self> {
        remove_left_behind(parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // Locked before it has its name: another server never sees it free.
        let unnamed = folder.path().join("lock.new");
        let lock = File::create(&unnamed)?;
        lock.try_lock()?;
        fs::rename(unnamed, folder.path().join(LOCK))?;
        let used = Mutex::new(Used { n_videos: 0, n_bytes: 0 });
        let budget = Budget { n_videos: limits.videos, n_bytes: limits.all_video_bytes, used };
        Ok(Self { folder, _lock: lock, budget: Arc::new(budget) })
    }

    /// A place for one more video.
    ///
    /// # Errors
    /// [`ProblemKind::Busy`] when as many are uploaded, waiting or read as may be, else as [`write_failed`] says.
    pub(crate) fn place(&self) -> Result<VideoPlace, Problem> {
        self.budget.enter()?;
        // From here on the place gives back what it took, also when there is no folder for it.
        let mut place =
            VideoPlace { folder: None, budget: Arc::clone(&self.budget), n_bytes: 0, is_unread: true };
        let folder = tempfile::tempdir_in(self.folder.path()).map_err(|error| write_failed(&error))?;
        place.folder = Some(folder);
        Ok(place)
    }
}

/// Removes the stores of servers that are gone: nobody holds their lock, so nobody else will.
fn remove_left_behind(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_store = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // A store whose lock has no name yet is being opened.
        if is_store
            && let Ok(lock) = File::open(entry.path().join(LOCK))
            && lock.try_lock().is_ok()
        {
            // Another user's folder is not ours to remove.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// What all videos together may take.
struct Budget {
    n_videos: usize,
    n_bytes: u64,
    used: Mutex<Used>,
}

struct Used {
    n_videos: usize,
    n_bytes: u64,
}

impl Budget {
    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> Result<(), Problem> {
        let mut used = self.lock();
        if used.n_videos >= self.n_videos {
            let detail = format!(
                "{} videos are being uploaded or read already: try again when one is done",
                used.n_videos
            );
            return Err(Problem::new(ProblemKind::Busy, detail));
        }
        used.n_videos += 1;
        Ok(())
    }

    fn take(&self, n_bytes: u64) -> Result<(), Problem> {
        let mut used = self.lock();
        if used.n_bytes.saturating_add(n_bytes) > self.n_bytes {
            let detail = format!(
                "the videos of all clients may take {} MiB together: try again when one is done",
                self.n_bytes >> 20
            );
            return Err(Problem::new(ProblemKind::Busy, detail));
        }
        used.n_bytes += n_bytes;
        Ok(())
    }
}

/// The place of one video, from its first byte until it is forgotten; gives back what it took.
pub(crate) struct VideoPlace {
    /// `None` only while the place is made.
    folder: Option<TempDir>,
    budget: Arc<Budget>,
    n_bytes: u64,
    is_unread: bool,
}

impl VideoPlace {
    /// The uploaded file.
    pub(crate) fn original(&self) -> PathBuf {
        self.path("video")
    }

    /// The annotated copy.
    pub(crate) fn annotated(&self) -> PathBuf {
        self.path("annotated.mp4")
    }

    fn path(&self, name: &str) -> PathBuf {
        let folder = self.folder.as_ref().expect("a place that was handed out has its folder");
        folder.path().join(name)
    }

    /// Makes sure that there is room for so many bytes in all.
    ///
    /// # Errors
    /// [`ProblemKind::Busy`] when the videos of all clients would take too much together.
    pub(crate) fn reserve(&mut self, n_bytes: u64) -> Result<(), Problem> {
        let more = n_bytes.saturating_sub(self.n_bytes);
        self.budget.take(more)?;
        self.n_bytes += more;
        Ok(())
    }

    /// The video is read: only the annotated copy is needed from now on, and another video may come.
    pub(crate) fn is_read(&mut self) {
        // A file that is gone already takes no room.
        drop(fs::remove_file(self.original()));
        let n_kept = fs::metadata(self.annotated()).map_or(0, |file| file.len());
        let mut used = self.budget.lock();
        used.n_bytes = used.n_bytes - self.n_bytes + n_kept;
        used.n_videos -= usize::from(self.is_unread);
        (self.n_bytes, self.is_unread) = (n_kept, false);
    }
}

impl Drop for VideoPlace {
    fn drop(&mut self) {
        // First the files, then their room: what is promised to others is there.
        drop(self.folder.take());
        let mut used = self.budget.lock();
        used.n_bytes -= self.n_bytes;
        used.n_videos -= usize::from(self.is_unread);
    }
}

/// Why a file of the store cannot be written: a full disk is 507, all else our failure.
#[must_use]
pub(crate) fn write_failed(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Problem::new(
            ProblemKind::StorageFull,
            format!("no room for the video ({error}): free some, or set TMPDIR to another disk"),
        ),
        _ => Problem::new(ProblemKind::Failed, format!("keeping the video: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(videos: usize, all_video_bytes: u64) -> Limits {
        Limits { videos, all_video_bytes, ..Limits::default() }
    }

    fn kind<T>(result: Result<T, Problem>) -> Option<ProblemKind> {
        result.err().map(|problem| problem.kind)
    }

    #[test]
    fn the_store_of_a_running_server_stays_and_that_of_a_killed_one_goes() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let running = Store::open_in(parent.path(), &limits(1, 10)).expect("room");
        let place = running.place().expect("a place");
        fs::write(place.original(), "frames").expect("room for a file");
        let killed = Store::open_in(parent.path(), &limits(1, 10)).expect("room");
        let Store { folder, _lock: lock, budget: _ } = killed;
        // A killed process removes nothing and holds no lock.
        let left = folder.keep();
        drop(lock);
        let other = parent.path().join("someone-elses");
        fs::create_dir(&other).expect("room for a folder");
        let next = Store::open_in(parent.path(), &limits(1, 10)).expect("room");
        assert!(!left.exists(), "the store of the killed server is gone");
        assert!(place.original().exists(), "the video of the running server is there");
        assert!(other.exists() && next.folder.path().exists());
    }

    #[test]
    fn a_store_ends_with_its_server() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        drop(Store::open_in(parent.path(), &limits(1, 10)).expect("room"));
        assert_eq!(fs::read_dir(parent.path()).expect("it is there").count(), 0);
    }

    #[test]
    fn videos_share_one_budget_from_their_first_byte_and_give_it_back() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open_in(parent.path(), &limits(2, 100)).expect("room");
        let mut first = store.place().expect("a place");
        first.reserve(60).expect("room");
        let mut second = store.place().expect("a place");
        assert_eq!(kind(store.place()), Some(ProblemKind::Busy), "two places");
        assert_eq!(kind(second.reserve(41)), Some(ProblemKind::Busy), "60 of 100 bytes are taken");
        second.reserve(40).expect("room");
        second.reserve(30).expect("it has room for them already");
        fs::write(first.annotated(), [0; 10]).expect("room for a file");
        first.is_read();
        let mut third = store.place().expect("the first one is read");
        assert_eq!(kind(third.reserve(51)), Some(ProblemKind::Busy), "its copy takes 10 bytes");
        third.reserve(50).expect("room");
        drop((first, second, third));
        let mut again = store.place().expect("a place");
        again.reserve(100).expect("all is given back");
    }

    #[test]
    fn a_full_disk_is_told_from_a_failure() {
        let problem = |kind: io::ErrorKind| write_failed(&kind.into()).kind;
        assert_eq!(problem(io::ErrorKind::StorageFull), ProblemKind::StorageFull);
        assert_eq!(problem(io::ErrorKind::QuotaExceeded), ProblemKind::StorageFull);
        assert_eq!(problem(io::ErrorKind::PermissionDenied), ProblemKind::Failed);
    }
}
