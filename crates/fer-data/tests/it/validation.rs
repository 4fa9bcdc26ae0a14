//! A validation split out of train.

use std::{collections::HashSet, path::PathBuf};

use fer_data::{LoadOptions, Samples, Split, export, load_learning, load_split};
use tempfile::TempDir;

use crate::fixtures::{samples, sorted};

fn only_train(train: &Samples) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("train.csv");
    export::write_csv(&path, &[train]).expect("a CSV file");
    (folder, path)
}

fn carving(seed: u64) -> LoadOptions {
    LoadOptions { validation_fraction: Some(0.2), seed, ..LoadOptions::default() }
}

#[test]
fn the_carved_split_has_its_share_of_every_class_and_nothing_is_lost() {
    let all = samples(Split::Train, 10);
    let (_folder, path) = only_train(&all);
    let learning = load_learning(&path, &carving(1)).expect("carved");
    assert_eq!(learning.validation.counts(), [2; 7]);
    assert_eq!(learning.validation.split, Split::Validation);
    let mut both = learning.train.clone();
    both.samples.extend(learning.validation.samples);
    assert_eq!(sorted(&both), sorted(&all));
}

#[test]
fn a_seed_fixes_what_is_carved_for_learning_and_for_evaluation() {
    let (_folder, path) = only_train(&samples(Split::Train, 10));
    let first = load_learning(&path, &carving(1)).expect("carved");
    assert_eq!(first, load_learning(&path, &carving(1)).expect("carved"));
    assert_ne!(first.train, load_learning(&path, &carving(2)).expect("carved").train);
    let validation = load_split(&path, Split::Validation, &carving(1)).expect("carved").samples;
    assert_eq!(first.validation, validation);
    assert_eq!(first.train, load_split(&path, Split::Train, &carving(1)).expect("carved").samples);
}

#[test]
fn copies_of_a_face_stay_on_one_side() {
    let mut all = samples(Split::Train, 4);
    let again: Vec<_> = all.samples.iter().cloned().cycle().take(3 * all.len()).collect();
    all.samples = again;
    let (_folder, path) = only_train(&all);
    for seed in 0..5 {
        let learning = load_learning(&path, &carving(seed)).expect("carved");
        let train: HashSet<_> = learning.train.samples.iter().map(|s| &s.face).collect();
        assert!(learning.validation.samples.iter().all(|s| !train.contains(&s.face)));
        assert_eq!(learning.validation.counts(), [3; 7]);
    }
}

#[test]
fn a_validation_split_of_its_own_is_kept_as_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("both.csv");
    let (train, validation) = (samples(Split::Train, 3), samples(Split::Validation, 1));
    export::write_csv(&path, &[&train, &validation]).expect("a CSV file");
    let learning = load_learning(&path, &carving(1)).expect("two splits");
    assert_eq!(sorted(&learning.validation), sorted(&validation));
    assert_eq!(learning.train.len(), train.len());
}
