//! The house rules that a machine can check, over the whole workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Files below a folder with one of the endings, built and fetched ones left out.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "runs", "node_modules", ".git", "datasets"].contains(&name.as_str()) {
            files(&path, endings, found);
        } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    sources_of("crates")
}

/// All Rust of a folder, tests and examples too: path and text.
fn rust_of(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&workspace().join(folder), &["rs"], &mut found);
    let below = |path: &PathBuf| {
        let short = path.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned();
        (short, fs::read_to_string(path).unwrap())
    };
    found.iter().map(below).collect()
}

fn sources_of(folder: &str) -> Vec<(String, String)> {
    let sources: Vec<_> = rust_of(folder).into_iter().filter(|(path, _)| path.contains("/src/")).collect();
    assert!(sources.len() > if folder == "crates" { 100 } else { 5 }, "the sources were found");
    sources
}

#[track_caller]
fn none(breaches: Vec<&String>, rule: &str) {
    assert!(breaches.is_empty(), "{rule}: {breaches:?}");
}

#[test]
fn every_source_opens_with_in_and_out() {
    let sources = sources();
    let breaches = sources.iter().filter(|(_, text)| {
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        !(head.len() >= 2 && head.join("\n").contains("In:") && head.join("\n").contains("Out:"))
    });
    none(breaches.map(|(path, _)| path).collect(), "`//! …`, `//! In: … Out: …`");
}

#[test]
fn no_source_has_a_name_that_says_nothing() {
    let sources = sources();
    let empty = ["utils.rs", "util.rs", "common.rs", "helpers.rs", "misc.rs"];
    let breaches = sources.iter().filter(|(path, _)| empty.iter().any(|name| path.ends_with(name)));
    none(breaches.map(|(path, _)| path).collect(), "a file is named after its idea");
}

#[test]
fn no_two_modules_of_a_crate_differ_by_a_plural_alone() {
    let mut crates: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (path, _) in sources().into_iter().filter(|(path, _)| !path.contains("/bin/")) {
        let (name, file) = path.split_once("/src/").unwrap();
        let modules = crates.entry(name.to_owned()).or_default();
        let said = file.trim_end_matches(".rs").split('/');
        for module in said.filter(|module| !["mod", "lib", "main"].contains(module)) {
            modules.entry(module.to_owned()).or_insert_with(|| path.clone());
        }
    }
    let alike = crates.values().flat_map(|modules| {
        let plural = |(one, path): (&String, &String)| {
            modules.get(&format!("{one}s")).map(|other| format!("{path} and {other}"))
        };
        modules.iter().filter_map(plural)
    });
    none(
        alike.collect::<Vec<_>>().iter().collect(),
        "two modules, told apart by an s: say what one of them does",
    );
}

#[test]
fn every_file_that_the_map_names_exists() {
    let map = fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    let ours = ["crates/", "python/", "scripts/"];
    let named: Vec<&str> =
        map.split('`').filter(|word| ours.iter().any(|folder| word.starts_with(folder))).collect();
    assert!(named.len() > 30, "the map names files: {named:?}");
    let missing = named.into_iter().filter(|path| !workspace().join(path).exists());
    let missing: Vec<String> = missing.map(str::to_owned).collect();
    none(missing.iter().collect(), "ARCHITECTURE.md names files that are there");
}

#[test]
fn a_folder_is_a_story_of_about_ten_files() {
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    for (path, _) in sources() {
        let (folder, _) = path.rsplit_once('/').unwrap();
        *folders.entry(folder.to_owned()).or_default() += 1;
    }
    let scripts = fs::read_dir(workspace().join("scripts")).unwrap().count();
    folders.insert("scripts".to_owned(), scripts);
    let full = folders.into_iter().filter(|(_, n)| *n > 12).map(|(folder, n)| format!("{folder}: {n}"));
    none(full.collect::<Vec<_>>().iter().collect(), "a folder has at most twelve files");
}

/// Modules that a file names by `crate::` or `super::`, apart from those it stands in or that stand in it.
fn imports(own: &str, text: &str, modules: &BTreeMap<String, String>) -> BTreeSet<String> {
    let (story, _) = text.split_once("\nmod tests {").unwrap_or((text, ""));
    let parent = own.rsplit_once("::").map_or(String::new(), |(parent, _)| format!("{parent}::"));
    let flat = flattened(&story.replace("super::", &format!("crate::{parent}")));
    let named = flat.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        rest[..end].trim_end_matches(':').to_owned()
    });
    let module = |path: String| {
        let mut path = path.as_str();
        while !modules.contains_key(path) {
            (path, _) = path.rsplit_once("::")?;
        }
        Some(path.to_owned())
    };
    let apart = |other: &String| {
        let within = |a: &str, b: &str| a == b || a.starts_with(&format!("{b}::"));
        !within(own, other) && !within(other, own)
    };
    named.filter_map(module).filter(apart).collect()
}

/// Every `use crate::a::{b, c::{d, e}}` as `crate::a::b crate::a::c::d crate::a::c::e`, after the text itself.
fn flattened(text: &str) -> String {
    let mut flat = text.to_owned();
    for import in text.split("use crate::").skip(1) {
        let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let Some((start, tree)) = import.split_once('{').filter(|(start, _)| start.chars().all(is_path))
        else {
            continue;
        };
        let mut prefixes = vec![format!("crate::{start}")];
        let mut word = String::new();
        for c in tree.chars() {
            match c {
                '{' => {
                    let prefix = format!("{}{word}", prefixes[prefixes.len() - 1]);
                    prefixes.push(prefix);
                    word.clear();
                }
                ',' | '}' => {
                    flat += &format!(" {}{word}", prefixes[prefixes.len() - 1]);
                    word.clear();
                    if c == '}' {
                        prefixes.pop();
                    }
                    if prefixes.is_empty() {
                        break;
                    }
                }
                c if c.is_whitespace() => {}
                c => word.push(c),
            }
        }
    }
    flat
}

#[test]
fn imports_run_down_and_never_in_a_circle() {
    let mut crates: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let sources = sources().into_iter().chain(sources_of("fuzz"));
    for (path, text) in sources.filter(|(path, _)| !path.contains("/bin/")) {
        let (name, file) = path.trim_start_matches("crates/").split_once("/src/").unwrap();
        let module = file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
        crates.entry(name.to_owned()).or_default().insert(module, text);
    }
    let mut circles = Vec::new();
    for (name, modules) in &crates {
        let mut edges: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (module, text) in modules {
            edges.insert(module, imports(module, text, modules));
        }
        // Whoever imports nothing that is left, or is imported by nobody who is left, is taken away until
        // only circles stand, and what joins them.
        loop {
            let left: BTreeSet<String> = edges.keys().map(|module| (*module).to_owned()).collect();
            let wanted: BTreeSet<String> = edges.values().flatten().cloned().collect();
            edges.retain(|module, imported| {
                wanted.contains(*module) && imported.iter().any(|other| left.contains(other))
            });
            if edges.len() == left.len() {
                break;
            }
        }
        circles.extend(edges.into_keys().map(|module| format!("{name}: {module}")));
    }
    none(circles.iter().collect(), "files that import each other");
}

#[test]
fn only_its_owner_spells_an_expression() {
    let sources = sources();
    let breaches = sources
        .iter()
        .filter(|(path, text)| text.contains("\"surprise\"") && !path.ends_with("fer-data/src/emotion.rs"));
    none(breaches.map(|(path, _)| path).collect(), "expressions are named by emotion.rs alone");
}

#[test]
fn crates_know_only_what_they_may() {
    let sources = sources();
    let names = |folder: &'static str, word: &'static str| {
        move |(path, text): &&(String, String)| path.contains(folder) && text.contains(word)
    };
    none(
        sources.iter().filter(names("fer-data/src", "use burn")).map(|s| &s.0).collect(),
        "no Burn in fer-data",
    );
    none(
        sources
            .iter()
            .filter(|(path, text)| {
                (text.contains("use opencv::") || text.contains(" opencv::")) && !path.contains("src/opencv/")
            })
            .map(|s| &s.0)
            .collect(),
        "OpenCV is named in fer-live/src/opencv alone",
    );
    none(
        sources.iter().filter(names("fer-live/src", "fer_train")).map(|s| &s.0).collect(),
        "fer-live knows nothing of training",
    );
    none(
        sources
            .iter()
            .filter(|(path, text)| text.contains("TcpListener::bind") && !path.contains("fer-web/src/"))
            .map(|s| &s.0)
            .collect(),
        "only fer-web listens",
    );
}

/// The workspace denies it; a crate that takes that back must be the kernels'.
#[test]
fn unsafe_code_stands_in_the_kernels_alone() {
    let word = concat!("(unsafe", "_code");
    let others =
        sources().into_iter().filter(|(path, text)| !path.contains("fer-kernels/") && text.contains(word));
    none(others.map(|(path, _)| path).collect::<Vec<_>>().iter().collect(), "only fer-kernels may be unsafe");
}

#[test]
fn nothing_is_left_to_do_in_passing() {
    let sources = sources();
    let breaches = sources.iter().filter(|(_, text)| text.contains("TODO") || text.contains("FIXME"));
    none(breaches.map(|(path, _)| path).collect(), "what is left goes to the issue tracker");
}

#[test]
fn no_code_is_commented_out_and_no_test_left_out() {
    let found: Vec<_> = ["crates", "python", "fuzz"].into_iter().flat_map(rust_of).collect();
    assert!(found.len() > 200, "the sources and tests were found");
    let left_out = concat!("#[", "ignore");
    let is_code = |line: &str| line.trim_start().starts_with("// ") && line.ends_with([';', '{', '}']);
    let breaches = found.iter().filter(|(_, text)| text.contains(left_out) || text.lines().any(is_code));
    none(
        breaches.map(|(path, _)| path).collect(),
        "git remembers old code; a test that cannot run everywhere is none",
    );
}

#[test]
fn a_program_is_a_table_of_contents() {
    let sources = sources();
    let main_lines = |text: &str| {
        let begin = text.find("\nfn main()").or_else(|| text.find("\nasync fn main()"))?;
        Some(text[begin + 1..].lines().take_while(|line| *line != "}").count() + 1)
    };
    let mains: Vec<_> = sources.iter().filter_map(|(path, text)| Some((path, main_lines(text)?))).collect();
    assert!(mains.len() >= 5, "the programs were found: {mains:?}");
    none(
        mains.iter().filter(|(_, n)| *n > 40).map(|(path, _)| *path).collect(),
        "`main` parses, loads, runs, reports: at most 40 lines",
    );
}

/// No licence of a public expression data set allows its photographs to be passed on.
#[test]
fn no_photographs_are_in_the_repository() {
    let mut found = Vec::new();
    files(&workspace(), &["jpg", "jpeg", "tif", "tiff", "bmp", "webp", "gif"], &mut found);
    assert!(found.is_empty(), "{found:?}");
    let mut drawn = Vec::new();
    files(&workspace(), &["png"], &mut drawn);
    drawn.retain(|path| !path.starts_with(workspace().join("docs/images")));
    assert!(drawn.is_empty(), "pictures of drawn faces are in docs/images: {drawn:?}");
}

/// A target that is not built to be tested saves its build, and would hide a test.
#[test]
fn what_is_not_built_to_be_tested_has_no_test() {
    let mut hidden = Vec::new();
    for (path, text) in sources() {
        let (folder, _) = path.split_once("/src/").unwrap();
        let manifest = fs::read_to_string(workspace().join(folder).join("Cargo.toml")).unwrap();
        let says = |target: &str, line: &str| {
            let mut parts = manifest.split("\n[").filter(|part| part.starts_with(target));
            parts.any(|part| part.lines().any(|found| found == line))
        };
        let is_program = path.contains("/bin/") || path.ends_with("/src/main.rs");
        let target = if is_program { "[bin]]" } else { "lib]" };
        // Fences come in pairs, and `text` behind the first one says that it is no example.
        let fences = text.lines().filter(|line| line.trim_start().starts_with("//") && line.contains("```"));
        let has_example = fences.step_by(2).any(|line| line.ends_with("```"));
        let hides_test = says(target, "test = false") && text.contains("#[test]");
        if hides_test || says("lib]", "doctest = false") && has_example {
            hidden.push(path);
        }
    }
    none(hidden.iter().collect(), "no test where `test = false`, no example where `doctest = false`");
}
