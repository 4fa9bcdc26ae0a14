//! The program: what it refuses, in which words and with which exit code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const QUICK: &str = "[model]\narchitecture = 'tiny'\n[data]\ndrawn_train = 4\ndrawn_validation = 2\n\
                     [train]\nepochs = 2\nbatch_size = 14\n[schedule]\nwarmup_epochs = 0.5\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(config: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.path("quick.toml"), config).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fer-train"));
        command
            .current_dir(self.0.path())
            .args(["--config", "quick.toml", "--device", "cpu"])
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn refused(config: &str, arguments: &[&str], code: i32, words: &str) {
    let output = Folder::new(config).run(arguments);
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
}

#[test]
fn a_run_leaves_its_folder_and_is_not_overwritten() {
    let folder = Folder::new(QUICK);
    let output = folder.run(&["--out", "run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for name in [
        "config.toml",
        "environment.json",
        "epochs.csv",
        "epochs.jsonl",
        "curves.svg",
        "checkpoints/model-2.bpk",
        "model/card.json",
        "model/weights.safetensors",
    ] {
        assert!(folder.path("run").join(name).exists(), "{name}");
    }
    assert_eq!(fs::read_to_string(folder.path("run/epochs.csv")).unwrap().lines().count(), 3);
    assert!(stderr(&output).contains("epoch   2/2"), "piped progress is one line an epoch");

    let again = folder.run(&["--out", "run"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("run: exists already: go on with --resume"), "{}", stderr(&again));
}

#[test]
fn resume_needs_a_run_and_the_same_config() {
    let folder = Folder::new(QUICK);
    let output = folder.run(&["--out", "none", "--resume"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("none: no run to resume"), "{}", stderr(&output));
    assert_eq!(folder.run(&["--out", "run"]).status.code(), Some(0));
    let output = folder.run(&["--out", "run", "--resume", "--set", "train.seed=9"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("it has `seed = 1`, this run has `seed = 9`"), "{}", stderr(&output));
}

/// Killed without warning in the second epoch, a run goes on after the first.
#[cfg(unix)]
#[test]
fn a_killed_run_resumes_after_its_last_finished_epoch() {
    let folder = Folder::new(&QUICK.replace("epochs = 2", "epochs = 400"));
    let mut child = folder.command(&["--out", "run"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    while !Path::new(&folder.path("run/checkpoints/scheduler-2.bpk")).exists() {
        assert!(child.try_wait().unwrap().is_none(), "400 epochs are not done yet");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut child = folder
        .command(&["--out", "run", "--resume"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let rows = || fs::read_to_string(folder.path("run/epochs.csv")).unwrap().lines().count();
    let before = rows();
    while rows() < before + 2 {
        assert!(child.try_wait().unwrap().is_none(), "still running");
        std::thread::yield_now();
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("--resume goes on after epoch"), "{}", stderr(&output));
    assert!(folder.path("run/model/card.json").exists(), "an interrupted run leaves its best model");
    let epochs: Vec<String> = fs::read_to_string(folder.path("run/epochs.csv"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect();
    let counted: Vec<String> = (1..=epochs.len()).map(|epoch| epoch.to_string()).collect();
    assert_eq!(epochs, counted, "every epoch once");
}

#[test]
fn a_users_own_classes_train_without_code() {
    let folder = Folder::new(&QUICK.replace("[data]\n", "[data]\npath = 'pets'\n"));
    for split in ["train", "validation"] {
        for (class, shade) in [("cat", 40u8), ("dog", 200)] {
            let class_folder = folder.path("pets").join(split).join(class);
            fs::create_dir_all(&class_folder).unwrap();
            for idx in 0..8u8 {
                let picture = image::GrayImage::from_pixel(60, 50, image::Luma([shade + idx]));
                picture.save(class_folder.join(format!("{idx}.png"))).unwrap();
            }
        }
    }
    let output = folder.run(&["--out", "run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let card = fs::read_to_string(folder.path("run/model/card.json")).unwrap();
    assert!(card.contains("\"cat\"") && card.contains("\"dog\"") && !card.contains("happy"), "{card}");
}

#[test]
fn bad_input_is_refused_with_its_place_and_a_code() {
    refused("[train]\nepoch = 3", &[], 2, "quick.toml: unknown key train.epoch: did you mean train.epochs?");
    refused(
        QUICK,
        &["--set", "train.batch_size=0"],
        2,
        "train.batch_size: expected a value above 0, found 0",
    );
    refused(QUICK, &["--set", "schedule.peak_rate=-1"], 2, "schedule.peak_rate: expected a value above 0");
    refused(QUICK, &["--config", "absent.toml"], 2, "cannot be used multiple times");
    refused(QUICK, &["--data", "absent.csv"], 3, "absent.csv");
    refused(QUICK, &["--data", "."], 3, "fer-train: ");
}

/// Linux's `/dev/full` cannot hold a folder, so the full disk is a file-size limit of the shell's.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_said_and_what_was_written_stays() {
    let folder = Folder::new(&QUICK.replace("epochs = 2", "epochs = 3"));
    let run = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} --config quick.toml --device cpu --out run",
        env!("CARGO_BIN_EXE_fer-train")
    );
    let output = Command::new("bash").args(["-c", &run]).current_dir(folder.0.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("training stopped in epoch"), "{}", stderr(&output));
    let half = fs::read_dir(folder.path("run/checkpoints")).unwrap().filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().contains("part"))
    });
    assert_eq!(half.count(), 0, "no half-written checkpoint is left");
}
