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

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

fn rows(folder: &Folder) -> usize {
    fs::read_to_string(folder.path("run/epochs.csv")).unwrap().lines().count() - 1
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_epoch_before() {
    for kind in ["model", "optimizer", "scheduler"] {
        let folder = Folder::new(&QUICK.replace("epochs = 2", "epochs = 3"));
        assert_eq!(folder.run(&["--out", "run"]).status.code(), Some(0));
        cut(&folder.path(&format!("run/checkpoints/{kind}-3.bpk")));
        let output = folder.run(&["--out", "run", "--resume"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let words = format!("epoch 3 is passed over: run/checkpoints/{kind}-3.bpk: damaged or cut short");
        assert!(stderr(&output).contains(&words), "{}", stderr(&output));
        assert!(stderr(&output).contains("epoch   3/3"), "the epoch comes again: {}", stderr(&output));
        assert_eq!(rows(&folder), 3);
    }
}

#[test]
fn without_a_sound_checkpoint_a_resume_is_refused_with_the_file() {
    let folder = Folder::new(QUICK);
    assert_eq!(folder.run(&["--out", "run"]).status.code(), Some(0));
    cut(&folder.path("run/checkpoints/optimizer-1.bpk"));
    cut(&folder.path("run/checkpoints/optimizer-2.bpk"));
    let output = folder.run(&["--out", "run", "--resume"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let end = stderr(&output).lines().last().unwrap().to_owned();
    assert!(
        end.contains("optimizer-2.bpk: damaged") && end.contains("start anew with another --out"),
        "{end}"
    );
}

/// Burn's reader panics on a record of another network: whose hash is missing is not looked into.
#[test]
fn a_record_without_its_hash_is_passed_over_whatever_it_holds() {
    let folder = Folder::new(QUICK);
    assert_eq!(folder.run(&["--out", "run"]).status.code(), Some(0));
    fs::copy(folder.path("run/checkpoints/scheduler-2.bpk"), folder.path("run/checkpoints/optimizer-2.bpk"))
        .unwrap();
    fs::remove_file(folder.path("run/checkpoints/optimizer-2.sha256")).unwrap();
    let output = folder.run(&["--out", "run", "--resume"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let words = "epoch 2 is passed over: run/checkpoints/optimizer-2.bpk: its .sha256 cannot be read";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
}

#[test]
fn a_damaged_row_after_those_needed_stops_no_resume() {
    let folder = Folder::new(QUICK);
    assert_eq!(folder.run(&["--out", "run"]).status.code(), Some(0));
    let rows = fs::read_to_string(folder.path("run/epochs.csv")).unwrap();
    fs::write(folder.path("run/epochs.csv"), format!("{rows}3,0.0")).unwrap();
    fs::write(folder.path("run/checkpoints/model-3.part.bpk"), "half").unwrap();
    let output = folder.run(&["--out", "run", "--resume"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!folder.path("run/checkpoints/model-3.part.bpk").exists(), "leftovers are swept away");
    fs::write(folder.path("run/epochs.csv"), format!("{rows}x").replace("\n2,", "\ntwo,")).unwrap();
    let output = folder.run(&["--out", "run", "--resume"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("epochs.csv: missing or damaged"), "{}", stderr(&output));
    assert!(stderr(&output).contains("row 2 of 2 needed"), "{}", stderr(&output));
}

#[test]
fn a_damaged_run_folder_is_refused_with_the_file_and_what_to_do() {
    let folder = Folder::new(QUICK);
    assert_eq!(folder.run(&["--out", "run"]).status.code(), Some(0));
    for (name, text) in [("environment.json", "{"), ("epochs.csv", "epoch\n"), ("config.toml", "[train\n")] {
        let path = folder.path("run").join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, text).unwrap();
        let output = folder.run(&["--out", "run", "--resume"]);
        assert_eq!(output.status.code(), Some(4), "{name}: {}", stderr(&output));
        let words =
            format!("run/{name}: missing or damaged, the run cannot go on: copy the run folder again");
        assert!(stderr(&output).contains(&words), "{}", stderr(&output));
        fs::write(&path, whole).unwrap();
    }
    for name in ["run/.epochs.csv.17.tmp", "run/model/.card.json.17.tmp", "run/checkpoints/.x.sha256.17.tmp"]
    {
        fs::write(folder.path(name), "half").unwrap();
    }
    assert_eq!(folder.run(&["--out", "run", "--resume"]).status.code(), Some(0));
    let left = Command::new("find").args(["run", "-name", "*.tmp"]).current_dir(folder.0.path()).output();
    assert_eq!(
        String::from_utf8(left.unwrap().stdout).unwrap(),
        "",
        "leftovers of all folders are swept away"
    );
}

#[test]
fn a_start_that_was_killed_leaves_nothing_for_the_next_one_to_stumble_over() {
    let folder = Folder::new(QUICK);
    fs::create_dir_all(folder.path(".run.part/checkpoints")).unwrap();
    fs::write(folder.path(".run.part/config.toml"), "half").unwrap();
    assert_eq!(folder.run(&["--out", "run"]).status.code(), Some(0));
    assert!(!folder.path(".run.part").exists());
}

/// Whoever reads the output may be gone, or its disk full: the run goes on.
#[cfg(target_os = "linux")]
#[test]
fn a_run_survives_readers_that_are_gone_and_a_log_that_is_full() {
    let folder = Folder::new(QUICK);
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let status =
        folder.command(&["--out", "run"]).stdout(std::process::Stdio::null()).stderr(full()).status();
    assert_eq!(status.unwrap().code(), Some(0));
    assert!(folder.path("run/model/card.json").exists());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = folder.command(&["--print-config"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = folder.command(&["--print-config"]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(5), "a result that is lost is an error: {}", stderr(&output));
}

#[test]
fn a_run_that_learns_nothing_says_so_and_so_does_one_that_lost_patience() {
    let folder = with_pets();
    for split in ["train", "validation"] {
        for idx in 0..8u8 {
            let grey = image::GrayImage::from_pixel(60, 50, image::Luma([128]));
            for class in ["cat", "dog"] {
                grey.save(folder.path("pets").join(split).join(class).join(format!("{idx}.png"))).unwrap();
            }
        }
    }
    let more = ["--out", "run", "--set", "train.patience=1", "--set", "train.epochs=9"];
    let output = folder.run(&more);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let words = "no better than chance: always naming the most frequent label is right for 50.00 %";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
    let words = "stopped before epoch 3: validation accuracy has not risen for 1 epochs (train.patience)";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
}

/// Waits until something is there, at most two minutes, while a program is running.
#[cfg(unix)]
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a wait ends, even where what is waited for never comes")]
fn wait(child: &mut std::process::Child, is_there: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !is_there() && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed().as_secs() < 120, "it did not come");
        std::thread::yield_now();
    }
}

/// Stopped before its first epoch ended, by Ctrl-C or without warning, a run starts again.
#[cfg(unix)]
#[test]
fn a_run_stopped_in_its_first_epoch_starts_again_with_resume() {
    for (signal, code) in [("-INT", Some(130)), ("-TERM", Some(130)), ("-KILL", None)] {
        // On a machine that is done with so few faces before the signal is there, more are tried.
        let caught = [120, 480, 1920, 7680].into_iter().any(|n_faces| stopped_in_time(signal, code, n_faces));
        assert!(caught, "{signal} came too late for every number of faces");
    }
}

/// Whether a run could be stopped in its first epoch; if so, it has started again and finished.
#[cfg(unix)]
fn stopped_in_time(signal: &str, code: Option<i32>, n_faces: usize) -> bool {
    let faces = format!("drawn_train = {n_faces}");
    let folder = Folder::new(&QUICK.replace("epochs = 2", "epochs = 1").replace("drawn_train = 4", &faces));
    let mut command = folder.command(&["--out", "run"]);
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait(&mut child, || folder.path("run").exists());
    // A child that has ended cannot be told to; then it was too quick.
    drop(Command::new("kill").args([signal, &child.id().to_string()]).output().unwrap());
    let output = child.wait_with_output().unwrap();
    if folder.path("run/epochs.csv").exists() {
        return false;
    }
    assert_eq!(output.status.code(), code, "{signal}: {}", stderr(&output));
    if code.is_some() {
        let words = "before the first epoch was done; --resume";
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    let output = folder.run(&["--out", "run", "--resume"]);
    assert_eq!(output.status.code(), Some(0), "{signal}: {}", stderr(&output));
    assert!(stderr(&output).contains("no epoch was finished"), "{}", stderr(&output));
    true
}

/// A run that is stopped while its data is still being read says so, and leaves nothing.
#[cfg(unix)]
#[test]
fn ctrl_c_while_the_data_is_loading_is_answered_with_a_word() {
    use std::io::{BufRead, BufReader};
    let folder = Folder::new(QUICK);
    let row = format!("0,{},Training\n", "7 ".repeat(2304));
    fs::write(folder.path("large.csv"), format!("emotion,pixels,Usage\n{}", row.repeat(20_000))).unwrap();
    let mut command = folder.command(&["--out", "run", "--data", "large.csv"]);
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    // The device is told before a hundred megabytes are read.
    assert!(said.next().unwrap().unwrap().starts_with("device: "));
    drop(Command::new("kill").args(["-INT", &child.id().to_string()]).output().unwrap());
    let words: Vec<String> = said.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{words:?}");
    assert_eq!(words, ["interrupted before there was a result: nothing was written"]);
    assert!(!folder.path("run").exists());
}

/// Killed without warning in the second epoch, a run goes on after the first.
#[cfg(unix)]
#[test]
fn a_killed_run_resumes_after_its_last_finished_epoch() {
    // More epochs than any machine does before it is killed.
    let folder = Folder::new(&QUICK.replace("epochs = 2", "epochs = 1000000"));
    let mut child = folder.command(&["--out", "run"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    wait(&mut child, || folder.path("run/checkpoints/scheduler-2.bpk").exists());
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
    wait(&mut child, || rows() >= before + 2);
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

/// Eight flat pictures of two animals for each split, in `pets/`.
fn pets(folder: &Folder) {
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
}

fn with_pets() -> Folder {
    let folder = Folder::new(&QUICK.replace("[data]\n", "[data]\npath = 'pets'\n"));
    pets(&folder);
    folder
}

#[test]
fn a_users_own_classes_train_without_code() {
    let folder = with_pets();
    let output = folder.run(&["--out", "run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let card = fs::read_to_string(folder.path("run/model/card.json")).unwrap();
    assert!(card.contains("\"cat\"") && card.contains("\"dog\"") && !card.contains("happy"), "{card}");
}

#[test]
fn a_damaged_sample_is_refused_or_left_out_with_skip_bad() {
    let folder = with_pets();
    fs::write(folder.path("pets/train/cat/bad.png"), "no picture").unwrap();
    let output = folder.run(&["--out", "run"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("--skip-bad"), "{}", stderr(&output));
    let output = folder.run(&["--out", "run", "--skip-bad"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("1 damaged samples left out:\n  "), "{}", stderr(&output));
    assert!(stderr(&output).contains("bad.png"), "{}", stderr(&output));
}

#[test]
fn a_run_goes_on_with_the_data_it_began_with_and_keeps_its_first_command() {
    let folder = with_pets();
    assert_eq!(folder.run(&["--out", "run"]).status.code(), Some(0));
    let environment = || -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.path("run/environment.json")).unwrap()).unwrap()
    };
    let first = environment();
    assert_eq!(folder.run(&["--out", "run", "--resume"]).status.code(), Some(0));
    let second = environment();
    assert_eq!((&first["command"], &first["started"]), (&second["command"], &second["started"]));
    assert_eq!(second["resumed"][0]["after_epoch"], 2);
    assert!(second["resumed"][0]["command"].as_str().unwrap().ends_with("--resume"), "{second}");

    fs::remove_file(folder.path("pets/validation/dog/3.png")).unwrap();
    let output = folder.run(&["--out", "run", "--resume"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let words = "run: the validation split is not the one this run began with (SHA-256 ";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
}

/// The shipped models read by two label sets, and their blocks are not the preset's: neither may keep anyone
/// from training on with faces of their own.
#[test]
fn a_run_starts_from_a_shipped_model_with_its_blocks_and_the_head_of_the_datas_labels() {
    let folder = Folder::new(QUICK);
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny");
    let init = format!("model.init={:?}", model.display().to_string());
    let still = ["--set", &init, "--set", "schedule.peak_rate=1e-7", "--out", "run"];
    let output = folder.run(&still);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let cards = [model.join("card.json"), folder.path("run/model/card.json")];
    let [own, started] =
        cards.map(|card| serde_json::from_slice::<serde_json::Value>(&fs::read(card).unwrap()).unwrap());
    assert_eq!(own["blocks"], started["blocks"]);
    assert_eq!((own["heads"].as_array().unwrap().len(), &started["labels"]), (2, &own["labels"]));
    assert_eq!(
        folder
            .run(&["--resume", "--set", &init, "--set", "schedule.peak_rate=1e-7", "--out", "run"])
            .status
            .code(),
        Some(0)
    );
}

#[test]
fn a_refused_start_leaves_no_folder_and_is_refused_before_the_data_is_loaded() {
    let folder = Folder::new(QUICK);
    assert_eq!(folder.run(&["--out", "run"]).status.code(), Some(0));
    let other = ["--out", "other", "--set", "model.init=run/model", "--set", "model.architecture=small"];
    let output = folder.run(&other);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(!folder.path("other").exists(), "no folder is left");
    let output = folder.run(&["--out", "run", "--data", "absent.csv"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    fs::write(folder.path("blocked"), "").unwrap();
    let output = folder.run(&["--out", "blocked/run"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot be written"), "{}", stderr(&output));
}

#[test]
fn the_dashboard_falls_back_to_lines_without_a_terminal() {
    let output = Folder::new(QUICK).run(&["--out", "run", "--progress", "dashboard"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("--progress dashboard needs a terminal"), "{}", stderr(&output));
    assert!(stderr(&output).contains("epoch   2/2"), "{}", stderr(&output));
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
    refused(QUICK, &["--set", "data.drop_non_faces=true"], 2, "data.drop_non_faces");
    refused(QUICK, &["--set", "data.validation_fraction=2"], 2, "data.validation_fraction");
    refused(QUICK, &["--threads", "1000"], 2, "1000 is not in 0..=256");
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
    assert!(stderr(&output).contains("training stopped: epoch 1 could not be saved"), "{}", stderr(&output));
    assert!(stderr(&output).contains("make room, then --resume goes on"), "{}", stderr(&output));
    let half = fs::read_dir(folder.path("run/checkpoints")).unwrap().filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().contains("part"))
    });
    assert_eq!(half.count(), 0, "no half-written checkpoint is left");
}
