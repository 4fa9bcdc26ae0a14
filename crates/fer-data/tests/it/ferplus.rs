//! FER+ votes joined by row.

use std::path::PathBuf;

use fer_data::Votes;
use fer_data::{Emotion, Labels, LoadOptions, Split, load_learning, load_split};
use tempfile::TempDir;

use crate::fixtures::{csv_text, pixels, put_classes, told};

const HEADER: &str =
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";

/// A CSV file of four rows and votes for them; the image names lie, as the real ones do.
fn rows(votes: &str) -> (TempDir, PathBuf, LoadOptions) {
    let good = pixels(5);
    let (folder, path) = csv_text(&format!(
        "emotion,pixels,Usage\n3,{good},Training\n0,{good},Training\n6,{good},PublicTest\n6,{good},PrivateTest\n"
    ));
    let file = folder.path().join("votes.csv");
    std::fs::write(&file, format!("{HEADER}{votes}")).expect("votes");
    let options = LoadOptions { ferplus: Some(file), ..LoadOptions::default() };
    (folder, path, options)
}

const VOTES: &str = "Training,fer0000031.png,2,6,0,0,0,0,0,2,0,0\n\
                     Training,,0,0,0,0,1,0,0,0,2,7\n\
                     PublicTest,fer0000000.png,0,0,0,0,0,0,0,6,4,0\n\
                     PrivateTest,fer0000001.png,no,one,reads,this,0,0,0,0,0,0\n";

#[test]
fn votes_join_by_row_and_not_by_name() {
    let (_folder, path, options) = rows(VOTES);
    let learning = load_learning(&path, &options).expect("votes that fit");
    let votes = learning.train.samples[0].votes.expect("votes");
    let mut expected = [0.0; Emotion::FERPLUS.len()];
    expected[Emotion::Neutral.index()] = 0.2;
    expected[Emotion::Happy.index()] = 0.6;
    expected[Emotion::Contempt.index()] = 0.2;
    assert_eq!(votes.shares(), Some(expected));
    assert_eq!(learning.train.samples[0].label, Emotion::Happy.index(), "the label stays FER-2013's");
}

/// Votes in the order of FER+'s labels (seven, contempt), then unknown and not a face.
fn votes(counts: [u16; 10]) -> Votes {
    let [emotions @ .., unknown, non_face] = counts;
    Votes { emotions, unknown, non_face, named: true }
}

#[test]
fn single_votes_are_dropped_and_unknown_or_no_face_teaches_nothing() {
    let shares = |counts| votes(counts).shares();
    assert_eq!(shares([0, 0, 0, 6, 2, 1, 1, 0, 0, 0]), Some([0.0, 0.0, 0.0, 0.75, 0.25, 0.0, 0.0, 0.0]));
    assert_eq!(shares([0, 0, 0, 0, 0, 0, 0, 4, 3, 3]).map(|shares| shares[7]), Some(1.0));
    assert_eq!(shares([0, 0, 0, 4, 0, 0, 0, 0, 6, 0]), None, "most say unknown");
    assert_eq!(shares([0, 0, 0, 4, 0, 0, 0, 0, 0, 6]), None, "most say no face");
    assert_eq!(shares([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]), None, "nobody agrees");
}

#[test]
fn a_majority_is_more_than_half_of_the_votes_that_are_not_single() {
    let majority = |counts| votes(counts).majority();
    assert_eq!(majority([0, 0, 0, 5, 3, 1, 1, 0, 0, 0]), Some(Emotion::Happy.index()), "5 of 8");
    assert_eq!(majority([0, 0, 0, 5, 5, 0, 0, 0, 0, 0]), None, "a tie");
    assert_eq!(majority([0, 0, 0, 4, 3, 3, 0, 0, 0, 0]), None, "4 of 10");
    assert_eq!(majority([0, 0, 0, 3, 0, 0, 0, 0, 7, 0]), None, "unknown");
    assert_eq!(majority([2, 0, 0, 0, 0, 0, 0, 6, 2, 0]), Some(7), "contempt");
}

#[test]
fn faces_are_judged_by_the_majority_of_their_raters() {
    let (_folder, path, options) = rows(VOTES);
    let train = load_learning(&path, &options).expect("votes that fit").train;
    let (judged, n_without) = train.clone().by_ferplus_majority();
    assert_eq!((judged.len(), n_without), (1, 1));
    assert_eq!(judged.labels, Labels::ferplus());
    assert_eq!(judged.samples[0].label, Emotion::Happy.index());
    assert_eq!(train.by_ferplus_votes().len(), 1, "the other is no face to most raters");
}

#[test]
fn rows_that_raters_call_no_face_are_dropped_from_train_on_request() {
    let (folder, path, options) = rows(VOTES);
    let options = LoadOptions { drop_non_faces: true, ..options };
    let learning = load_learning(&path, &options).expect("votes that fit");
    assert_eq!((learning.train.len(), learning.validation.len()), (1, 1));
    assert_eq!(learning.skipped[0].to_string(), "row 2: not a face, by FER+ votes");
    let error = told(load_learning(&path, &LoadOptions { ferplus: None, ..options }), folder.path());
    insta::assert_snapshot!(error, @"drop_non_faces is true without FER+ votes, expected ferplus to name fer2013new.csv, whose votes say what is no face");
}

#[test]
fn votes_on_test_rows_are_not_read_for_learning() {
    let (folder, path, options) = rows(VOTES);
    assert!(load_learning(&path, &options).is_ok());
    let error = told(load_split(&path, Split::Test, &options), folder.path());
    assert!(error.contains("row 4: `one` is not a number of votes"), "{error}");
}

#[test]
fn votes_that_do_not_belong_to_the_csv_are_refused() {
    let refused = |votes: &str| {
        let (folder, path, options) = rows(votes);
        told(load_learning(&path, &options), folder.path())
    };
    let lines: Vec<&str> = VOTES.lines().collect();
    insta::assert_snapshot!(refused(&lines[1..].join("\n")), @"…/votes.csv: row 2 is of Usage PublicTest, but of Training in the CSV file; FER+ votes join row i of fer2013new.csv to row i of FER-2013's CSV");
    insta::assert_snapshot!(refused(&lines[..2].join("\n")), @"…/votes.csv: no row 3, only 2 rows; FER+ votes join row i of fer2013new.csv to row i of FER-2013's CSV");
    insta::assert_snapshot!(refused("Train,,0,0,0,0,1,0,0,0,2,7\n"), @"…/votes.csv: row 1: unknown Usage `Train`; FER+ votes join row i of fer2013new.csv to row i of FER-2013's CSV");
    insta::assert_snapshot!(refused("Training,,0,0,0,0,1\n"), @"…/votes.csv: row 1: only 7 columns; FER+ votes join row i of fer2013new.csv to row i of FER-2013's CSV");
}

#[test]
fn votes_cannot_be_joined_to_folders() {
    let (_folder, _, options) = rows(VOTES);
    let faces = tempfile::tempdir().expect("a temporary folder");
    put_classes(faces.path(), &["train", "validation"], &["cat", "dog"]);
    let error = told(load_learning(faces.path(), &options), faces.path());
    assert!(error.contains("… is a folder, whose files carry no row numbers"), "{error}");
    let missing = LoadOptions { ferplus: Some("/no/votes.csv".into()), ..LoadOptions::default() };
    let (_folder, path, _) = rows(VOTES);
    let error = told(load_learning(&path, &missing), faces.path());
    assert!(error.starts_with("/no/votes.csv: no such file"), "{error}");
}
