//! The program: its exit codes and what it says.

use std::process::{Command, Output};

use fer_base::exit;

use crate::fixtures::csv_file;

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
