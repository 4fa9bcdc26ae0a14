//! The built programs, with damaged files of every kind.
//! In: bytes as a file. Out: the exit code, which must be a documented one, and the last line of standard error.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{Door, Target};
use crate::{plan::memory_folder, seeds};

pub(super) const PROGRAMS: Target = Target {
    name: "programs",
    door: "the built programs (folder in FER_BIN)",
    seeds: || {
        let with = |kind: u8, bytes: Vec<u8>| [vec![kind], bytes].concat();
        let mut all: Vec<Vec<u8>> = seeds::pictures().into_iter().map(|picture| with(0, picture)).collect();
        all.extend([
            with(1, seeds::fer2013()),
            with(2, include_bytes!("../../../configs/drawn.toml").to_vec()),
        ]);
        all.extend(seeds::compressed(&seeds::fer2013()).into_iter().map(|table| with(1, table)));
        all.extend([
            with(3, include_bytes!("../../../models/tiny/card.json").to_vec()),
            with(4, seeds::CASCADE.into()),
        ]);
        all.push(with(5, seeds::pictures()[0].repeat(2)));
        all
    },
    words: super::pictures::WORDS,
    open,
    on_request: true,
};

/// docs/exit-codes.md.
const DOCUMENTED: [i32; 7] = [0, 2, 3, 4, 5, 6, 130];

fn open() -> Door {
    let bin = std::env::var("FER_BIN").unwrap_or_else(|_| "target/release".to_owned());
    let folder = tempfile::tempdir_in(memory_folder()).expect("there is room for a folder");
    Box::new(move |bytes| {
        let Some((kind, bytes)) = bytes.split_first() else { return Ok("empty".to_owned()) };
        let (mut command, input) = command(Path::new(&bin), *kind, folder.path());
        fs::write(&input, bytes).map_err(|error| error.to_string())?;
        let stdin = fs::File::open(&input).map_err(|error| error.to_string())?;
        let ended = command
            .stdin(stdin)
            .stdout(Stdio::null())
            .output()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let said = said.lines().last().unwrap_or_default();
        match ended.status.code() {
            Some(code) if DOCUMENTED.contains(&code) => Ok(format!("{kind} {code} {said}")),
            _ => Err(format!("{command:?} ended with {}: {said}", ended.status)),
        }
    })
}

/// A program that reads a file, and where the file is.
fn command(bin: &Path, kind: u8, folder: &Path) -> (Command, std::path::PathBuf) {
    let (program, name, before, after): (&str, &str, &[&str], &[&str]) = match kind % 6 {
        0 => ("fer-live", "photo.jpg", &["--headless", "--input"], &["--json", "/dev/null"]),
        1 => ("fer-data", "table.csv", &["audit"], &[]),
        2 => ("fer-train", "config.toml", &["--print-config", "--config"], &[]),
        3 => ("fer-eval", "model/card.json", &["export", "--onnx", "/dev/null", "--model"], &[]),
        4 => (
            "fer-live",
            "cascade.xml",
            &["--headless", "--input", "drawn", "--frames", "2", "--cascade"],
            &[],
        ),
        _ => ("fer-live", "stream", &["--headless", "--input", "-", "--frames", "5"], &[]),
    };
    let input = folder.join(name);
    let mut command = Command::new(bin.join(program));
    command.args(before);
    match kind % 6 {
        3 => {
            let model = folder.join("model");
            // A folder that is there already is as good.
            drop(fs::create_dir(&model));
            command.arg(model);
        }
        5 => {}
        _ => {
            command.arg(&input);
        }
    }
    command.args(after).env_remove("DISPLAY");
    (command, input)
}
