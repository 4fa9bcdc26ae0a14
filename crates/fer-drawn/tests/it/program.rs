//! The program: what it writes, its exit codes and what it says.

use std::process::{Command, Output};

use fer_base::exit;
use fer_data::{Labels, LoadOptions, load_learning};

fn fer_draw(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fer-draw")).args(arguments).output().expect("the program runs")
}

fn code(output: &Output) -> u8 {
    output.status.code().expect("an exit code") as u8
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn drawn_folders_can_be_learned_from() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("drawn");
    let out_name = out.to_string_lossy();
    let output = fer_draw(&["--out", &out_name, "--people", "2", "--validation-people", "1"]);
    assert_eq!(code(&output), exit::SUCCESS, "{}", said(&output));
    assert!(out.join("sheet.png").exists());
    let learning = load_learning(&out, &LoadOptions::default()).expect("drawn faces");
    assert_eq!(learning.train.labels, Labels::fer2013());
    assert_eq!((learning.train.counts(), learning.validation.counts()), (vec![2; 7], vec![1; 7]));
    assert!(learning.skipped.is_empty());
}

#[test]
fn bad_options_and_a_taken_folder_have_codes_of_their_own() {
    assert_eq!(code(&fer_draw(&[])), exit::USAGE);
    assert_eq!(code(&fer_draw(&["--out", "x", "--people", "0"])), exit::USAGE);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kept = folder.path().join("kept.txt");
    std::fs::write(&kept, "mine").expect("a file");
    let taken = fer_draw(&["--out", &folder.path().to_string_lossy(), "--people", "1"]);
    assert_eq!(code(&taken), exit::OUTPUT, "{}", said(&taken));
    assert!(kept.exists(), "what stood there is untouched");
    let help = fer_draw(&["--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit codes: 0 done; 2 "));
}
