//! An output is never an input, nor another output.

use std::{fs, path::Path};

use fer_base::{ExitCode, exit, refuse_overlaps, same_file::same_file};

#[test]
fn the_same_file_is_seen_through_spellings_and_links() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    fs::write(&clip, "frames").unwrap();
    let name = folder.path().file_name().unwrap();
    assert!(same_file(&clip, &folder.path().join("..").join(name).join("clip.mp4")));
    assert!(!same_file(&clip, &folder.path().join("other.mp4")), "one is not there yet");
    let new = folder.path().join("new.csv");
    assert!(same_file(&new, &folder.path().join("./new.csv")), "neither is there yet");
    #[cfg(unix)]
    {
        let [hard, soft, dangling] = ["hard", "soft", "dangling"].map(|name| folder.path().join(name));
        fs::hard_link(&clip, &hard).unwrap();
        std::os::unix::fs::symlink("clip.mp4", &soft).unwrap();
        std::os::unix::fs::symlink("new.csv", &dangling).unwrap();
        assert!(same_file(&clip, &hard) && same_file(&soft, &hard));
        assert!(same_file(&dangling, &new), "both would be written to one place");
    }
}

#[test]
fn an_overlap_names_both_options_and_ends_with_the_code_of_usage() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    fs::write(&clip, "frames").unwrap();
    let inputs = [("--input", clip.as_path())];
    let overlap = refuse_overlaps(&inputs, &[("--csv", &clip)]).unwrap_err();
    let text = overlap.to_string().replace(&folder.path().display().to_string(), "…");
    assert_eq!(text, "--csv …/clip.mp4: the same file as --input …/clip.mp4; choose another");
    assert_eq!(overlap.exit_code(), exit::USAGE);
    let out = Path::new("out.csv");
    assert!(refuse_overlaps(&inputs, &[("--csv", out), ("--jsonl", out)]).is_err());
    assert_eq!(refuse_overlaps(&inputs, &[("--csv", out), ("--jsonl", Path::new("out.jsonl"))]), Ok(()));
}

#[test]
fn standard_input_is_not_standard_output_and_devices_hold_nothing() {
    let standard = Path::new("-");
    assert_eq!(refuse_overlaps(&[("--input", standard)], &[("--csv", standard)]), Ok(()));
    assert!(refuse_overlaps(&[], &[("--csv", standard), ("--jsonl", standard)]).is_err());
    #[cfg(unix)]
    {
        let null = Path::new("/dev/null");
        assert_eq!(refuse_overlaps(&[], &[("--csv", null), ("--jsonl", null)]), Ok(()));
    }
}
