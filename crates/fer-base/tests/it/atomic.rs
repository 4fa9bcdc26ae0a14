//! Files and folders that are whole or absent.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use fer_base::{ExitCode, OutputError, atomic, exit};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    atomic::write(&path, b"old").unwrap();
    atomic::write(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(folder.path()), ["card.json"]);
}

#[test]
fn a_staged_file_stands_only_once_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    atomic::write(&path, b"old").unwrap();
    let staged = atomic::stage(&path, b"new").unwrap();
    assert_eq!(staged.path(), path);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    drop(staged);
    assert_eq!(names(folder.path()), ["card.json"], "a drop removes it");
    atomic::stage(&path, b"new").unwrap().commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn what_a_killed_process_left_is_swept_and_what_is_being_written_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    fs::write(folder.path().join(".card.json.123.tmp"), "half").unwrap();
    fs::create_dir(folder.path().join(".card.json.456.part")).unwrap();
    let others: [PathBuf; 2] = [".other.json.1.tmp", "card.json.tmp"].map(|name| folder.path().join(name));
    others.iter().for_each(|path| fs::write(path, "mine").unwrap());
    let locked = folder.path().join(".card.json.789.tmp");
    let lock = File::create(&locked).unwrap();
    lock.lock().unwrap();
    atomic::write(&path, b"new").unwrap();
    let mut left = vec![".card.json.789.tmp", ".other.json.1.tmp", "card.json", "card.json.tmp"];
    assert_eq!(names(folder.path()), left);
    drop(lock);
    atomic::write(&path, b"newer").unwrap();
    left.remove(0);
    assert_eq!(names(folder.path()), left);
}

#[cfg(unix)]
#[test]
fn others_may_read_a_new_file_as_the_umask_says() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    fs::write(folder.path().join("plain"), "").unwrap();
    atomic::write(&folder.path().join("whole"), b"").unwrap();
    assert_eq!(mode("whole"), mode("plain"));
    fs::create_dir(folder.path().join("plain folder")).unwrap();
    atomic::folder::<OutputError>(&folder.path().join("whole folder"), |_| Ok(())).unwrap();
    assert_eq!(mode("whole folder"), mode("plain folder"));
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_not_replaced() {
    // Through a link: a test run by root must not be able to replace the real one.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("null");
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    atomic::write(&link, b"gone").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_folder_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/run");
    let fill = |part: &Path| {
        fs::write(part.join("a"), "content").map_err(OutputError::at(part))?;
        assert!(!path.exists(), "it has no name yet");
        Ok::<_, OutputError>(())
    };
    atomic::folder(&path, fill).unwrap();
    assert_eq!(names(&path), ["a"]);
    let taken = atomic::folder(&path, |_| Ok::<_, OutputError>(())).unwrap_err();
    assert!(taken.to_string().contains("something stands there already: "), "{taken}");
    assert_eq!(taken.exit_code(), exit::OUTPUT);
    let other = folder.path().join("other");
    let broken =
        |part: &Path| Err(OutputError { path: part.to_owned(), source: std::io::Error::other("full") });
    assert!(atomic::folder(&other, broken).is_err());
    assert_eq!(names(folder.path()), ["new"]);
    assert_eq!(names(&folder.path().join("new")), ["run"]);
}

#[test]
fn saving_makes_the_folders_and_says_what_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/c.json");
    atomic::save(&path, b"1").unwrap();
    let error = atomic::save(&path.join("d"), b"1").unwrap_err();
    assert_eq!(error.path, path.join("d"), "a file cannot be a folder");
    assert!(atomic::write(Path::new("/"), b"1").is_err());
}
