//! The cameras Linux knows, by number, device and name.
//! In: `/sys/class/video4linux`, else `/dev`. Out: [`Camera`]s.

use std::path::{Path, PathBuf};

/// A camera, as the system lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Camera {
    /// Its number: `0` for `/dev/video0`.
    pub index: i32,
    /// Its device file.
    pub device: PathBuf,
    /// Its name, or `unnamed`.
    pub name: String,
}

/// All cameras, by number; empty where the system lists none.
#[must_use]
pub fn cameras() -> Vec<Camera> {
    let listed = cameras_in(Path::new("/sys/class/video4linux"));
    // A container may have the devices and not the list.
    if listed.is_empty() { cameras_in(Path::new("/dev")) } else { listed }
}

fn cameras_in(folder: &Path) -> Vec<Camera> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut cameras: Vec<Camera> = entries
        .filter_map(|entry| {
            let file_name = entry.ok()?.file_name().into_string().ok()?;
            let index = file_name.strip_prefix("video")?.parse().ok()?;
            let name = std::fs::read_to_string(folder.join(&file_name).join("name")).unwrap_or_default();
            let name = if name.trim().is_empty() { "unnamed" } else { name.trim() }.to_owned();
            Some(Camera { index, device: Path::new("/dev").join(file_name), name })
        })
        .collect();
    cameras.sort_by_key(|camera| camera.index);
    cameras
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_listed_by_number_with_their_names() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for entry in ["video10", "video2", "v4l-subdev0", "videos", "null"] {
            std::fs::create_dir(folder.path().join(entry)).expect("room for a folder");
        }
        std::fs::write(folder.path().join("video10/name"), "USB Camera: front\n").expect("room for a name");
        let camera = |index, name: &str| Camera {
            index,
            device: PathBuf::from(format!("/dev/video{index}")),
            name: name.to_owned(),
        };
        let expected = [camera(2, "unnamed"), camera(10, "USB Camera: front")];
        assert_eq!(cameras_in(folder.path()), expected);
        assert_eq!(cameras_in(Path::new("no-such-folder")), []);
    }
}
