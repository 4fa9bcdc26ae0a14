//! An output is never an input, nor a file in one, nor another output.

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

#[test]
fn a_file_anywhere_in_a_folder_that_is_read_is_an_input() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let class = data.join("train/happy");
    fs::create_dir_all(&class).unwrap();
    let [face, beside] = [class.join("3.png"), root.path().join("beside.json")];
    fs::write(&face, "a face").unwrap();
    fs::write(&beside, "{}").unwrap();
    let refused = |output: &Path| refuse_overlaps(&[("--data", &data)], &[("--json", output)]);
    let text = refused(&face).unwrap_err().to_string().replace(&root.path().display().to_string(), "…");
    assert_eq!(text, "--json …/data/train/happy/3.png: a file in --data …/data; choose another");
    assert!(refused(&data.join("train/../train/happy/3.png")).is_err());
    assert_eq!(refused(&class.join("4.png")), Ok(()), "a new file");
    assert_eq!(refused(&data.join("../beside.json")), Ok(()), "the way leads out again");
    assert_eq!(refused(&beside), Ok(()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        let [link, inside] = [root.path().join("link.png"), class.join("outside.png")];
        symlink(&face, &link).unwrap();
        symlink(&beside, &inside).unwrap();
        symlink(root.path().join("sad"), data.join("sad")).unwrap();
        fs::create_dir(root.path().join("sad")).unwrap();
        fs::write(root.path().join("sad/5.png"), "a face").unwrap();
        assert!(refused(&link).is_err(), "a link into the folder");
        assert!(refused(&inside).is_err(), "a link in the folder");
        assert!(refused(&data.join("sad/5.png")).is_err(), "a linked folder in the folder");
        assert!(refused(&beside).is_err(), "what a link in the folder stands for");
        assert!(refused(&root.path().join("sad/5.png")).is_err(), "a file of a linked folder");
        let hard = root.path().join("hard.png");
        fs::hard_link(&face, &hard).unwrap();
        assert!(refused(&hard).is_err(), "another name of a file in the folder");
        symlink(&data, data.join("sad/round")).unwrap();
        fs::write(root.path().join("other.json"), "{}").unwrap();
        assert_eq!(refused(&root.path().join("other.json")), Ok(()), "links in a circle end");
    }
}
