//! The cameras Linux knows, by number, device and name.
//! In: `/sys/class/video4linux`. Out: [`Camera`]s.
//! Knows nothing of opening them.

use std::path::{Path, PathBuf};

/// A camera, as the system lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Camera {
    /// Its number: `0` for `/dev/video0`.
    pub index: i32,
    /// Its device file.
    pub device: PathBuf,
    /// Its name, or empty.
    pub name: String,
}

/// All cameras, by number; empty where the system lists none.
#[must_use]
pub fn cameras() -> Vec<Camera> {
    cameras_in(Path::new("/sys/class/video4linux"))
}

fn cameras_in(folder: &Path) -> Vec<Camera> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut cameras: Vec<Camera> = entries
        .filter_map(|entry| {
            let file_name = entry.ok()?.file_name().into_string().ok()?;
            let index = file_name.strip_prefix("video")?.parse().ok()?;
            let name = std::fs::read_to_string(folder.join(&file_name).join("name")).unwrap_or_default();
            Some(Camera { index, device: Path::new("/dev").join(file_name), name: name.trim().to_owned() })
        })
        .collect();
    cameras.sort_by_key(|camera| camera.index);
    cameras
}
