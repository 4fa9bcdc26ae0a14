//! The program fer-eval: what it prints, what it writes, and its exit codes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use fer_model::checkpoint::load_card;
use fer_net::checkpoint::save;
use tempfile::{TempDir, tempdir};

use crate::fixtures::{card, net};

fn model() -> TempDir {
    let folder = tempdir().unwrap();
    save(folder.path(), &net(), &card()).unwrap();
    folder
}

fn fer_eval(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fer-eval"))
        .args(arguments)
        .args(if arguments[0] == "export" { &[][..] } else { &["--device", "cpu"] })
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Asserts exit code and a part of stderr.
fn refused(arguments: &[&str], code: i32, complaint: &str) {
    let output = fer_eval(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    assert!(stderr.contains(complaint), "{arguments:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed results");
}

#[test]
fn a_model_is_judged_on_drawn_faces_and_all_outputs_are_written() {
    let (model, out) = (model(), tempdir().unwrap());
    let [json, csv, report] = ["e.json", "e.csv", "e.html"].map(|name| out.path().join(name));
    let mut arguments = vec!["--model", text(model.path()), "--data", "drawn", "--split", "validation"];
    arguments.extend(["--json", text(&json), "--csv", text(&csv), "--report", text(&report)]);
    let output = fer_eval(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout
            .contains("selected by highest validation accuracy, epoch 3 of 4; judged on 420 images of drawn")
    );
    assert!(stdout.contains("weighted avg"));
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(json["n"], 420);
    assert_eq!(fs::read_to_string(csv).unwrap().lines().count(), 421);
    assert!(fs::read_to_string(report).unwrap().ends_with("</html>\n"));
}

#[test]
fn json_on_stdout_stands_alone() {
    let model = model();
    let arguments =
        ["--model", text(model.path()), "--data", "drawn", "--split", "test", "--tta", "flip", "--json", "-"];
    let output = fer_eval(&arguments);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let protocol = json["protocol"].as_str().unwrap();
    assert!(
        protocol.ends_with("test split, which chose nothing of this model; test-time augmentation flip"),
        "{protocol}"
    );
}

#[test]
fn the_drawn_test_split_shares_no_face_with_the_drawn_training_split() {
    let model = model();
    let arguments = [
        "--model",
        text(model.path()),
        "--data",
        "drawn",
        "--split",
        "test",
        "--train-data",
        "drawn",
        "--json",
        "-",
    ];
    let json: serde_json::Value = serde_json::from_slice(&fer_eval(&arguments).stdout).unwrap();
    assert_eq!(json["duplicates_removed"]["n_removed"], 0);
    assert_eq!(json["duplicates_removed"]["n"], 420);
}

#[test]
fn the_temperature_is_written_into_the_card() {
    let model = model();
    let before = load_card(model.path()).unwrap();
    let output = fer_eval(&["calibrate", "--model", text(model.path()), "--data", "drawn"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let after = load_card(model.path()).unwrap();
    if output.status.success() {
        assert_ne!(after.temperature, before.temperature);
        assert_eq!(after.weights, before.weights);
        // The fixture's card names no validation split, so these are other images.
        assert!(stderr.contains("are not the validation split in the model's card"), "{stderr}");
        assert_eq!(after.validation, before.validation);
    } else {
        // Untrained weights may be worse than chance on 420 faces; then the card must be untouched.
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert_eq!(after, before);
    }
}

#[test]
fn calibration_on_test_is_refused() {
    let model = model();
    let arguments = ["calibrate", "--model", text(model.path()), "--data", "drawn", "--split", "test"];
    refused(&arguments, 2, "a temperature fitted on test would be chosen by test");
    assert_eq!(load_card(model.path()).unwrap().temperature, 1.0);
}

#[test]
fn a_model_is_exported() {
    let (model, out) = (model(), tempdir().unwrap());
    let onnx = out.path().join("tiny.onnx");
    let output = fer_eval(&["export", "--model", text(model.path()), "--onnx", text(&onnx)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::metadata(onnx).unwrap().len() > 300_000, "95 thousand parameters of four bytes");
}

#[test]
fn each_kind_of_fault_has_its_exit_code() {
    let (model, empty) = (model(), tempdir().unwrap());
    let dir = text(model.path());
    let judge = |data| ["--model", dir, "--data", data, "--split", "validation"];
    refused(&["--model", dir], 2, "--data");
    refused(&["--model", dir, "--data", "drawn", "--split", "train"], 2, "possible values: validation, test");
    refused(
        &["--model", dir, "--data", "drawn", "--split", "test", "--batch", "0"],
        2,
        "whole number from 1",
    );
    refused(
        &["--model", dir, "--data", "drawn", "--split", "test", "--tta", "five"],
        2,
        "expected none, flip or tencrop",
    );
    let mut twice = judge("/nowhere.csv").to_vec();
    twice.extend(["--validation-fraction", "2"]);
    refused(&twice, 2, "validation_fraction is 2, expected a share above 0 and below 1");
    refused(&[&judge("drawn")[..], &["--threads", "1000"]].concat(), 2, "1000 is not in 0..=256");
    refused(&judge("/nowhere.csv"), 3, "/nowhere.csv: no such file or folder");
    let no_model = ["--model", text(empty.path()), "--data", "drawn", "--split", "test"];
    refused(&no_model, 4, "was this folder written by fer-train?");
    let mut unwritable = judge("drawn").to_vec();
    unwritable.extend(["--report", "/nowhere/at/all/report.html"]);
    refused(&unwritable, 5, "/nowhere/at/all/report.html: cannot be written");
}

#[test]
fn an_output_that_is_an_input_is_refused_and_the_input_stays() {
    let (model, out) = (model(), tempdir().unwrap());
    let dir = text(model.path());
    let data = out.path().join("v.csv");
    fs::write(&data, "emotion,pixels,Usage\n").unwrap();
    for option in ["--csv", "--json", "--report"] {
        let arguments = ["--model", dir, "--data", text(&data), "--split", "validation", option, text(&data)];
        refused(&arguments, 2, &format!("{option} {}: the same file as --data", text(&data)));
    }
    let [card, weights] = ["card.json", "weights.safetensors"].map(|name| model.path().join(name));
    let before = [&card, &weights].map(|path| fs::read(path).unwrap());
    let judge = ["--model", dir, "--data", "drawn", "--split", "validation"];
    refused(&[&judge[..], &["--json", text(&card)]].concat(), 2, "the same file as the model's own file");
    let detour = format!("{dir}/../{}/card.json", model.path().file_name().unwrap().to_str().unwrap());
    refused(&[&judge[..], &["--json", &detour]].concat(), 2, "the same file as the model's own file");
    refused(
        &["export", "--model", dir, "--onnx", text(&weights)],
        2,
        "the same file as the model's own file",
    );
    let both = out.path().join("both");
    let twice = ["--csv", text(&both), "--json", text(&both)];
    refused(&[&judge[..], &twice].concat(), 2, "the same file as --json");
    assert_eq!([&card, &weights].map(|path| fs::read(path).unwrap()), before);
    assert_eq!(fs::read_to_string(&data).unwrap(), "emotion,pixels,Usage\n");
}

/// Makes a small file with its folders.
fn put(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "needed").unwrap();
}

#[test]
fn an_output_is_never_a_file_of_a_folder_that_is_read() {
    let (model, out) = (model(), tempdir().unwrap());
    let [faces, train, rooms] = ["faces", "train", "rooms"].map(|name| out.path().join(name));
    let face = faces.join("validation/happy/00003.png");
    let [seen, room] = [train.join("train/happy/00003.png"), rooms.join("room.png")];
    let votes = out.path().join("votes.csv");
    for path in [&face, &seen, &room, &votes] {
        put(path);
    }
    let judge = ["--model", text(model.path()), "--data", text(&faces), "--split", "validation"];
    let judge = [&judge[..], &["--train-data", text(&train), "--ferplus", text(&votes)]].concat();
    for option in ["--csv", "--json", "--report"] {
        let complaint = |path: &Path, words: &str| format!("{option} {}: {words}", text(path));
        let with = |path| [&judge[..], &[option, path]].concat();
        refused(&with(text(&face)), 2, &complaint(&face, "a file in --data"));
        refused(&with(text(&seen)), 2, &complaint(&seen, "a file in --train-data"));
        refused(&with(text(&votes)), 2, &complaint(&votes, "the same file as --ferplus"));
    }
    let source = ["--model", text(model.path()), "--data", text(&faces)];
    let verify = [&["verifier"][..], &source, &["--scenery", text(&rooms)]].concat();
    for (option, path, folder) in [("--json", &room, "--scenery"), ("--svg", &face, "--data")] {
        refused(&[&verify[..], &[option, text(path)]].concat(), 2, &format!("a file in {folder}"));
    }
    let probe = [&["robustness"][..], &source, &["--markdown", text(&face)]].concat();
    refused(&probe, 2, "a file in --data");
    for path in [&face, &seen, &room, &votes] {
        assert_eq!(fs::read_to_string(path).unwrap(), "needed");
    }
}

#[test]
fn an_output_is_never_a_file_that_a_model_is_shipped_with() {
    let model = model();
    let dir = text(model.path());
    for name in ["config.toml", "epochs.csv", "curves.svg", "MODEL_CARD.md", "ninth-stage/config.toml"] {
        let file = model.path().join(name);
        put(&file);
        let judge = ["--model", dir, "--data", "drawn", "--split", "validation", "--report", text(&file)];
        refused(&judge, 2, "the model's ");
        refused(&["export", "--model", dir, "--onnx", text(&file)], 2, "the model's ");
        assert_eq!(fs::read_to_string(&file).unwrap(), "needed", "{name}");
    }
}

#[test]
fn a_model_is_judged_on_the_share_it_was_trained_with() {
    let folder = tempdir().unwrap();
    let mut card = card();
    card.training.config = "[data]\nvalidation_fraction = 0.25\n".to_owned();
    save(folder.path(), &net(), &card).unwrap();
    let judge = ["--model", text(folder.path()), "--data", "drawn", "--split", "validation"];
    let words = "--validation-fraction 0.5: the model was trained with 0.25";
    refused(&[&judge[..], &["--validation-fraction", "0.5"]].concat(), 2, words);
    let same = fer_eval(&[&judge[..], &["--validation-fraction", "0.25"]].concat());
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stderr));
}
