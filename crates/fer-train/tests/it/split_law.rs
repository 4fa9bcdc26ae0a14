//! The split is law: only fer-eval can name the test split.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Training reaches its data through `load_learning`, which has no place for test samples; what
/// could reach them is `load_split`, `load_judged` or `drawn::samples` with the test split.
#[test]
fn no_source_but_fer_eval_names_the_test_split_or_its_loader() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 10, "the sources were found");
    let naming = |word: &str| -> Vec<String> {
        let names = files.iter().filter(|path| fs::read_to_string(path).unwrap().contains(word));
        names.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(naming("Split::Test"), ["fer-eval.rs"]);
    assert_eq!(naming("load_split"), Vec::<String>::new());
    let loading: Vec<&PathBuf> =
        files.iter().filter(|path| fs::read_to_string(path).unwrap().contains("load_judged")).collect();
    assert!(matches!(loading[..], [path] if path.ends_with("judge/input/mod.rs")), "{loading:?}");
    // Its functions are visible to the folder judge/ alone, in which only fer-eval's jobs call them.
    let loader = fs::read_to_string(loading[0]).unwrap();
    assert!(!loader.contains("pub fn load") && !loader.contains("pub(crate) fn load"));
    for job in ["judge::job", "judge::robustness::{Probing"] {
        assert_eq!(naming(job), ["fer-eval.rs"], "fer-eval's jobs, which nothing else starts");
    }
    assert_eq!(naming("super::job"), Vec::<String>::new());
    assert_eq!(naming("Split::ALL"), Vec::<String>::new());
}
