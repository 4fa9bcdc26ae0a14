//! FER+ votes joined by row.

use std::path::PathBuf;

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
fn votes_become_soft_labels_by_row_and_not_by_name() {
    let (_folder, path, options) = rows(VOTES);
    let learning = load_learning(&path, &options).expect("votes that fit");
    let soft = learning.train.samples[0].soft.as_deref().expect("votes");
    let mut expected = [0.0; 7];
    expected[Emotion::Neutral.index()] = 0.25;
    expected[Emotion::Happy.index()] = 0.75;
    assert_eq!(soft, expected);
    assert_eq!(learning.train.samples[0].label, Emotion::Happy.index(), "the label stays FER-2013's");
    let sure = learning.train.samples[1].soft.as_deref().expect("one vote");
    assert_eq!(sure[Emotion::Angry.index()], 1.0);
    assert_eq!(learning.validation.samples[0].soft, None, "contempt is none of the seven");
    let eight = LoadOptions { labels: Some(Labels::ferplus()), ..options };
    let learning = load_learning(&path, &eight).expect("a label set that has contempt");
    let soft = learning.validation.samples[0].soft.as_deref().expect("votes for contempt");
    assert_eq!(soft, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(learning.train.samples[0].soft.as_deref().expect("votes")[7], 0.2);
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
