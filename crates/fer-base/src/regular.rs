//! Files to read that are files.
//! In: a path. Out: an open file, its bytes, its text; or that it is a pipe or a device.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// Opens a file to read. A pipe or a device, on which opening or reading may wait for ever, is refused.
///
/// # Errors
/// The system's, and `InvalidInput` for what is neither a file nor a folder.
pub fn open(path: &Path) -> io::Result<File> {
    let is = fs::metadata(path)?;
    if !is.is_file() && !is.is_dir() {
        let advice = "a pipe or a device: copy it into a file first";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, advice));
    }
    File::open(path)
}

/// All bytes of a file.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All text of a file.
///
/// # Errors
/// As [`open`], and `InvalidData` for what is not UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    io::read_to_string(open(path)?)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_refused_before_it_is_opened() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo is there").success());
        let error = read(&path).expect_err("nobody writes").to_string();
        assert_eq!(error, "a pipe or a device: copy it into a file first");
        fs::write(folder.path().join("file"), "text").expect("there is room");
        assert_eq!(read_to_string(&folder.path().join("file")).expect("it is there"), "text");
    }
}
