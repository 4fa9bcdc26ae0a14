//! The user's words for an input → what it is.
//! In: `0`, `/dev/video2`, a camera's name, a file, a folder, a glob, an address, `-`, `drawn`. Out: [`Input`].

use std::fmt;
use std::path::{Path, PathBuf};

use fer_data::picture::{has_picture_name, is_heif};
use fer_drawn::Data;
use fer_stream::StreamError;

use super::camera_names::{Camera, cameras};
use super::gif::GifSource;

/// Something frames come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A camera, by its number.
    Camera(i32),
    /// A video file, or an animated GIF.
    Video(PathBuf),
    /// Photos: one, those of a folder, or those a glob matches, in the order of their paths; or those of a list,
    /// in its own order.
    Photos(Vec<PathBuf>),
    /// An RTSP, HTTP or other address.
    Address(String),
    /// Standard input.
    Stdin,
    /// The built-in drawn scene.
    Drawn,
}

impl Input {
    /// What the words mean: a known word, a camera's number, an address, an existing file or folder,
    /// a glob, or part of a camera's name, in this order.
    ///
    /// # Errors
    /// [`StreamError::Open`] when they mean nothing that is there.
    pub fn parse(words: &str) -> Result<Self, StreamError> {
        Self::parse_with(words, &cameras())
    }

    /// As [`Input::parse`]; of a folder all photos, those of the folders in it too.
    ///
    /// # Errors
    /// [`StreamError::Open`] when they mean nothing that is there.
    pub fn parse_recursive(words: &str) -> Result<Self, StreamError> {
        if !Path::new(words).is_dir() {
            return Self::parse(words);
        }
        photos_like(&Path::new(&glob::Pattern::escape(words)).join("**/*").display().to_string())
    }

    fn parse_with(words: &str, cameras: &[Camera]) -> Result<Self, StreamError> {
        let path = Path::new(words);
        match words {
            "-" => Ok(Self::Stdin),
            Data::DRAWN => Ok(Self::Drawn),
            _ if words.contains("://") => Ok(Self::Address(words.to_owned())),
            _ => {
                if let Some(index) = camera_index(words) {
                    return Ok(Self::Camera(index));
                }
                if is_pipe(path) {
                    return Err(nothing(words, "a pipe: give what it holds on standard input, --input -"));
                }
                if path.is_dir() {
                    return photos_in(path);
                }
                if path.is_file() && has_extension(path, &["txt"]) {
                    return photos_listed(path);
                }
                if path.exists() {
                    return Ok(if is_photo(path) && !GifSource::is_animated(path) {
                        Self::Photos(vec![path.to_owned()])
                    } else {
                        Self::Video(path.to_owned())
                    });
                }
                if words.contains(['*', '?', '[']) {
                    return photos_like(words);
                }
                camera_named(words, cameras)
            }
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Camera(index) => write!(f, "camera {index}"),
            Self::Video(path) => write!(f, "{}", path.display()),
            Self::Photos(paths) if paths.len() == 1 => write!(f, "{}", paths[0].display()),
            Self::Photos(paths) => write!(f, "{} photos", paths.len()),
            Self::Address(address) => f.write_str(&without_password(address)),
            Self::Stdin => f.write_str("-"),
            Self::Drawn => f.write_str(Data::DRAWN),
        }
    }
}

/// `rtsp://user:password@host/` must not end up in messages and tables.
fn without_password(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => match rest.split_once('@') {
            Some((user, host)) if !user.contains('/') => format!("{scheme}://…@{host}"),
            _ => address.to_owned(),
        },
        None => address.to_owned(),
    }
}

fn camera_index(words: &str) -> Option<i32> {
    words.strip_prefix("/dev/video").unwrap_or(words).parse().ok().filter(|index| *index >= 0)
}

fn camera_named(words: &str, cameras: &[Camera]) -> Result<Input, StreamError> {
    let wanted = words.to_lowercase();
    let found = cameras.iter().find(|camera| camera.name.to_lowercase().contains(&wanted));
    found.map(|camera| Input::Camera(camera.index)).ok_or_else(|| {
        let names: Vec<String> =
            cameras.iter().map(|camera| format!("{} ({})", camera.index, camera.name)).collect();
        let known = if names.is_empty() {
            "there are no cameras".to_owned()
        } else {
            format!("the cameras are {}", names.join(", "))
        };
        nothing(words, &format!("no such file, folder or camera; {known}"))
    })
}

/// Whether opening a path would wait for somebody who writes.
#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|is| is.file_type().is_fifo() || is.file_type().is_socket())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// Whether a file begins like a photo; a file that merely has a photo's name is told apart when it is read.
fn is_photo(path: &Path) -> bool {
    has_picture_name(path) || {
        let mut start = [0; 16];
        let read =
            fer_base::regular::open(path).and_then(|mut file| std::io::Read::read(&mut file, &mut start));
        // A stream of JPEGs begins like one JPEG: there, the name decides.
        let is_stream = has_extension(path, &["mjpeg", "mjpg"]);
        let is_picture = |start: &[u8]| image::guess_format(start).is_ok() || is_heif(start);
        !is_stream && read.is_ok_and(|n| is_picture(&start[..n]))
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

fn photos_in(folder: &Path) -> Result<Input, StreamError> {
    let unreadable =
        |error: std::io::Error| StreamError::open_for(folder.display(), "the folder cannot be read", error);
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let entries = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let (folders, others): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files: Vec<PathBuf> = others.into_iter().filter(|path| path.is_file()).collect();
    let words = folder.display().to_string();
    if !folders.is_empty() && !files.iter().any(|path| has_picture_name(path)) {
        return Err(nothing(&words, "no photos in it, but folders: --recursive reads those too"));
    }
    some_photos(words, files)
}

/// The photos a file names, one path a line, blank lines left out; relative paths start at the working folder.
fn photos_listed(list: &Path) -> Result<Input, StreamError> {
    let text = fer_base::regular::read_to_string(list)
        .map_err(|error| StreamError::open_for(list.display(), "the list cannot be read", error))?;
    let paths: Vec<PathBuf> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(PathBuf::from).collect();
    if paths.is_empty() {
        return Err(nothing(&list.display().to_string(), "no path in the list, expected one a line"));
    }
    Ok(Input::Photos(paths))
}

fn photos_like(pattern: &str) -> Result<Input, StreamError> {
    let paths = glob::glob(pattern)
        .map_err(|error| StreamError::open_for(pattern, "no pattern of file names", error))?;
    some_photos(pattern.to_owned(), paths.filter_map(Result::ok).collect())
}

fn some_photos(words: String, mut paths: Vec<PathBuf>) -> Result<Input, StreamError> {
    paths.retain(|path| has_picture_name(path));
    paths.sort();
    if paths.is_empty() {
        return Err(nothing(&words, "no photos there (jpg, png, bmp, gif, tiff, webp, pnm)"));
    }
    Ok(Input::Photos(paths))
}

fn nothing(words: &str, problem: &str) -> StreamError {
    StreamError::open(words, problem)
}
