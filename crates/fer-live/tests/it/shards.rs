//! Many photos in shards: disjoint, complete, and resumable after a kill at any moment.
#![expect(clippy::disallowed_methods, reason = "a wait for a program has an end")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use fer_drawn::Scene;

use crate::program::{program, refused, run, text};

/// Photos of nobody, one person and two, and two damaged ones.
fn photos(folder: &Path, n: u64) -> PathBuf {
    let photos = folder.join("photos");
    fs::create_dir(&photos).unwrap();
    for number in 0..n {
        let picture = Scene::new(number, (number % 3) as usize, 240, 180).frame(Duration::ZERO);
        picture.save(photos.join(format!("{number:03}.png"))).unwrap();
    }
    fs::write(photos.join("001-cut.jpg"), [0xff, 0xd8, 0xff]).unwrap();
    fs::write(photos.join("004-none.png"), "no picture").unwrap();
    photos
}

/// Reads a shard; returns its table and its list of damaged photos.
fn read(photos: &Path, shard: &str, out: &Path) -> (String, String) {
    let output = run(&["--input", text(photos), "--shard", shard, "--out", text(out), "--quiet"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!beside(out, ".partial").exists() && !beside(out, ".damaged.tsv.partial").exists());
    (fs::read_to_string(out).unwrap(), fs::read_to_string(beside(out, ".damaged.tsv")).unwrap_or_default())
}

fn beside(out: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", out.display()))
}

#[test]
fn the_union_of_the_shards_is_the_whole_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path(), 9);
    let out = |name: &str| folder.path().join(name);
    let (whole, damaged) = read(&photos, "0/1", &out("whole.csv"));
    let (head, rows) = whole.split_once('\n').unwrap();
    assert!(rows.lines().count() >= 9, "{whole}");
    let listed: Vec<&str> = damaged.lines().collect();
    assert_eq!(listed.len(), 2, "{damaged}");
    assert!(listed[0].starts_with("1\t") && listed[0].contains("001-cut.jpg: damaged: the JPEG is cut off"));
    for n in [2, 5, 20] {
        let shards: Vec<(String, String)> =
            (0..n).map(|i| read(&photos, &format!("{i}/{n}"), &out(&format!("{i}-of-{n}.csv")))).collect();
        let tables = shards.iter().map(|(table, _)| table.strip_prefix(head).unwrap());
        assert_eq!(tables.map(|table| &table[1..]).collect::<String>(), rows, "{n} shards");
        assert_eq!(shards.iter().map(|(_, listed)| listed.as_str()).collect::<String>(), damaged);
    }
    let csv = out("plain.csv");
    run(&["--input", text(&photos), "--csv", text(&csv), "--quiet"]);
    assert_eq!(fs::read_to_string(csv).unwrap(), whole, "as without shards");
}

/// What the list of damaged photos holds while the table's byte `at` is written: all before that row's photo.
fn listed_by(whole: &(String, String), at: usize) -> String {
    let position = |line: &str, by: char, field: usize| line.split(by).nth(field)?.parse::<u64>().ok();
    let row = whole.0[..at].matches('\n').count().min(whole.0.lines().count() - 1);
    let photo = whole.0.lines().nth(row).and_then(|row| position(row, ',', 1));
    whole.1.split_inclusive('\n').filter(|line| position(line, '\t', 0) < photo).collect()
}

#[test]
fn a_run_killed_at_any_byte_goes_on_to_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path(), 6);
    let whole = read(&photos, "0/1", &folder.path().join("whole.csv"));
    let out = folder.path().join("part.csv");
    let (n, step) = (whole.0.len(), whole.0.len() / 40 + 1);
    for at in (0..n).step_by(step).chain([n - 1, n]) {
        let listed = listed_by(&whole, at);
        // Or killed a few bytes into the list's next line.
        let into_next = whole.1[..whole.1.len().min(listed.len() + 3)].to_owned();
        for list in [listed, into_next] {
            fs::write(beside(&out, ".partial"), &whole.0[..at]).unwrap();
            fs::write(beside(&out, ".damaged.tsv.partial"), &list).unwrap();
            assert_eq!(read(&photos, "0/1", &out), whole, "killed at byte {at}, list {list:?}");
            fs::remove_file(&out).unwrap();
            fs::remove_file(beside(&out, ".damaged.tsv")).unwrap();
        }
    }
}

#[test]
fn a_killed_process_leaves_what_the_next_one_needs() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path(), 40);
    let whole = read(&photos, "0/1", &folder.path().join("whole.csv"));
    let out = folder.path().join("part.csv");
    let arguments = ["--input", text(&photos), "--out", text(&out), "--quiet"];
    let mut child = program().args(arguments).stdin(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let is_begun = || fs::read_to_string(beside(&out, ".partial")).is_ok_and(|rows| rows.lines().count() > 3);
    while !is_begun() && !out.exists() {
        assert!(Instant::now() < end, "no row in a minute");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(read(&photos, "0/1", &out), whole);
    let again = run(&["--input", text(&photos), "--out", text(&out)]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already, whole"));
}

#[test]
fn a_list_is_read_in_its_own_order() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path(), 3);
    let list = folder.path().join("photos.txt");
    let path = |name: &str| photos.join(name).display().to_string();
    fs::write(&list, format!("{}\r\n\n{}\nnowhere.png\n", path("002.png"), path("000.png"))).unwrap();
    let (table, damaged) = read(&list, "0/1", &folder.path().join("out.csv"));
    let inputs: Vec<&str> = table.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(inputs.first().copied(), Some(path("002.png").as_str()));
    assert_eq!(inputs.last().copied(), Some(path("000.png").as_str()));
    assert!(damaged.starts_with("2\tnowhere.png\tnowhere.png: cannot be read"), "{damaged}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path(), 3);
    let input = text(&photos);
    let out = folder.path().join("part.csv").display().to_string();
    let check = |arguments: &[&str], code: i32, part: &str| {
        let (found, said) = refused(arguments);
        assert_eq!((found, said.contains(part)), (code, true), "{arguments:?}: {said}");
    };
    check(&["--input", input, "--shard", "1/3"], 2, "--out");
    check(&["--input", input, "--shard", "3/3", "--out", &out], 2, "expected I/N");
    check(&["--input", input, "--out", "part.parquet"], 2, "expected a name that ends in .csv");
    check(&["--input", input, "--out", &out, "--json", "-"], 2, "--out and --json: expected one of them");
    check(&["--input", "drawn", "--headless", "--out", &out], 2, "--out is for photos");
    check(&["--input", input, "--out", "/nowhere/part.csv"], 5, "is the folder there and writable?");
    let (whole, _) = read(&photos, "0/1", Path::new(&out));
    let other = folder.path().join("other.csv");
    let refused = "begun with other photos or another shard";
    for shard in ["1/3", "2/3"] {
        fs::write(beside(&other, ".partial"), &whole).unwrap();
        check(&["--input", input, "--shard", shard, "--out", text(&other)], 5, refused);
        assert_eq!(fs::read_to_string(beside(&other, ".partial")).unwrap(), whole, "it is left as it was");
    }
    let (last, _) = read(&photos, "2/3", &folder.path().join("last.csv"));
    fs::write(beside(&other, ".partial"), last).unwrap();
    check(&["--input", input, "--out", text(&other)], 5, refused);
}
