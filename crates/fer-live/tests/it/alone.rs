//! The program as somebody has it who was given this one file: elsewhere, with nothing beside it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use fer_drawn::Scene;

/// A copy of the program in a folder of its own, two below `place`: wherever it looks for a model, there is none.
fn copied_to(place: &Path) -> PathBuf {
    let folder = place.join("some").join("where");
    std::fs::create_dir_all(&folder).unwrap();
    let copy = folder.join("fer-live");
    std::fs::copy(env!("CARGO_BIN_EXE_fer-live"), &copy).unwrap();
    copy
}

/// What the copy says when it is run beside itself, told nothing by the environment.
fn said(copy: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(copy);
    let output = command
        .args(arguments)
        .current_dir(copy.parent().unwrap())
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_copy_of_the_program_alone_reads_a_face() {
    let place = tempfile::tempdir().unwrap();
    let copy = copied_to(place.path());
    let doctor = said(&copy, &["doctor", "--device", "cpu"]);
    for line in
        ["  cascade    OpenCV's frontal face, built in", "  model      built in (angry, disgust, fear,"]
    {
        assert!(doctor.lines().any(|said| said.starts_with(line)), "{line}\n{doctor}");
    }
    let photo = place.path().join("photo.png");
    Scene::new(3, 1, 640, 480).frame(Duration::from_millis(900)).save(&photo).unwrap();
    let table = said(&copy, &["--input", photo.to_str().unwrap()]);
    assert!(table.contains("640×480, 1 face\nface  box"), "{table}");
}
