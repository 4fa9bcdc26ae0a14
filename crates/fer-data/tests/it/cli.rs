//! The program: its exit codes and what it says.

use std::process::{Command, Output};

use fer_base::exit;

use crate::fixtures::{csv_file, put_classes};

fn fer_data(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fer-data")).args(arguments).output().expect("the program runs")
}

fn code(output: &Output) -> u8 {
    output.status.code().expect("an exit code") as u8
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_audit_prints_a_table_and_writes_json() {
    let (folder, path, _) = csv_file(1);
    let json = folder.path().join("new/audit.json");
    let output = fer_data(&["audit", &path.to_string_lossy(), "--json", &json.to_string_lossy()]);
    assert_eq!(code(&output), exit::SUCCESS);
    assert!(String::from_utf8_lossy(&output.stdout).contains("distinct faces  21 of 21"));
    let written = std::fs::read(json).expect("the JSON file");
    let written: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!(written["splits"][0]["n"], 7);
    let output = fer_data(&["audit", &path.to_string_lossy(), "--json", "-"]);
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON alone");
    assert_eq!(printed, written);
}

#[test]
fn bad_data_a_bad_option_and_a_bad_place_have_codes_of_their_own() {
    let missing = fer_data(&["audit", "/no/such/data"]);
    assert_eq!(code(&missing), exit::DATA);
    assert!(said(&missing).contains("fer-data: /no/such/data: no such file or folder"));
    assert_eq!(code(&fer_data(&["audit"])), exit::USAGE);
    assert_eq!(code(&fer_data(&["look"])), exit::USAGE);
    let (_folder, path, _) = csv_file(1);
    // A file cannot be a folder, whoever runs this test.
    let inside_a_file = path.join("audit.json");
    let full = fer_data(&["audit", &path.to_string_lossy(), "--json", &inside_a_file.to_string_lossy()]);
    assert_eq!(code(&full), exit::OUTPUT);
    assert!(said(&full).contains("cannot be written"), "{}", said(&full));
}

#[test]
fn help_names_the_exit_codes() {
    for arguments in [&["--help"][..], &["audit", "--help"]] {
        let output = fer_data(arguments);
        assert!(String::from_utf8_lossy(&output.stdout).contains("Exit codes: 0 done; 2 "));
    }
}

#[test]
fn an_audit_is_not_written_over_the_data() {
    let (folder, path, _) = csv_file(1);
    let before = std::fs::read(&path).expect("the file");
    let roundabout = folder.path().join(".").join("fer2013.csv");
    let output = fer_data(&["audit", &path.to_string_lossy(), "--json", &roundabout.to_string_lossy()]);
    assert_eq!(code(&output), exit::USAGE);
    assert!(said(&output).contains("the same file as the data "), "{}", said(&output));
    assert_eq!(std::fs::read(&path).expect("the file"), before);
}

#[test]
fn an_audit_is_not_written_over_a_picture_of_the_data() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
    let path = folder.path().join("train/dog/a_2.png");
    let before = std::fs::read(&path).expect("the picture");
    let [data, json] = [folder.path(), &path].map(|path| path.to_string_lossy().into_owned());
    let output = fer_data(&["audit", &data, "--json", &json]);
    assert_eq!(code(&output), exit::USAGE);
    assert!(said(&output).contains("a_2.png: a file in the data "), "{}", said(&output));
    assert_eq!(std::fs::read(&path).expect("the picture"), before);
    let beside = folder.path().join("audit.json");
    let output = fer_data(&["audit", &data, "--json", &beside.to_string_lossy()]);
    assert_eq!(code(&output), exit::SUCCESS, "{}", said(&output));
}

#[cfg(unix)]
#[test]
fn names_of_classes_and_files_do_not_reach_the_terminal_raw() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "d\u{1b}[2Jog"]);
    std::fs::write(folder.path().join("train/cat/\u{7}.txt"), "").expect("a file");
    let output = fer_data(&["audit", &folder.path().to_string_lossy()]);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("d\\u{1b}[2Jog") && table.contains("\\u{7}.txt"), "{table}");
    assert!(!table.contains(['\u{1b}', '\u{7}']));
    let missing = fer_data(&["audit", "/no/\u{1b}]0;such\u{7}"]);
    assert!(!said(&missing).contains(['\u{1b}', '\u{7}']), "{}", said(&missing));
}
