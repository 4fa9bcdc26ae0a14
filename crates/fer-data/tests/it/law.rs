//! The split is law: what learns never sees a test sample.

use std::fs;

use fer_data::{LoadOptions, Split, load_learning, load_split};

use crate::fixtures::{csv_text, noise, pixels, put, put_classes, told};

#[test]
fn damaged_test_rows_do_not_disturb_learning_and_are_refused_in_evaluation() {
    let good = pixels(5);
    let learnable = format!("emotion,pixels,Usage\n1,{good},Training\n2,{good},PublicTest\n");
    for damaged in
        ["9,1 2 3,PrivateTest", "x,,PrivateTest", "0,é ÿ,PrivateTest", "0,1,PrivateTest,more,columns"]
    {
        let (folder, path) = csv_text(&format!("{learnable}{damaged}\n"));
        let (_clean_folder, clean) = csv_text(&learnable);
        let options = LoadOptions::default();
        let learning = load_learning(&path, &options).expect("test rows are passed over");
        assert_eq!(learning, load_learning(&clean, &options).expect("a good file"));
        let error = told(load_split(&path, Split::Test, &options), folder.path());
        assert!(error.starts_with("…/fer2013.csv, row 3: "), "{error}");
    }
}

#[test]
fn test_files_are_never_opened_for_learning() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train"], &["cat", "dog"]);
    for class in ["cat", "dog"] {
        let test = folder.path().join("test").join(class);
        put(&test.join("PublicTest_1.png"), &noise(7));
        fs::write(test.join("PrivateTest_1.png"), "no picture").expect("a file");
        fs::write(test.join("PrivateTest_2.png"), "").expect("a file");
        // Opening this one, to read or even to look at its first bytes, fails.
        #[cfg(unix)]
        std::os::unix::fs::symlink("/no/such/target", test.join("PrivateTest_3.png")).expect("a link");
    }
    let options = LoadOptions::default();
    let learning = load_learning(folder.path(), &options).expect("test files are not opened");
    assert_eq!((learning.train.len(), learning.validation.len()), (4, 2));
    for split in [Split::Train, Split::Validation] {
        assert!(load_split(folder.path(), split, &options).is_ok());
    }
    assert!(load_split(folder.path(), Split::Test, &options).is_err());
}

#[test]
fn a_validation_folder_makes_all_of_the_test_folder_test() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
    put(&folder.path().join("test/cat/PublicTest_1.png"), &noise(50));
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("three folders");
    assert_eq!(learning.validation.len(), 4);
    let test = load_split(folder.path(), Split::Test, &LoadOptions::default()).expect("test");
    assert_eq!(test.samples.samples[0].face, noise(50));
}

#[test]
fn a_private_test_file_is_test_in_whatever_folder_it_stands() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
    fs::write(folder.path().join("train/cat/PrivateTest_9.png"), "no picture").expect("a file");
    put(&folder.path().join("validation/dog/privatetest_9.png"), &noise(51));
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("not opened");
    assert_eq!((learning.train.len(), learning.validation.len()), (4, 4));
}

#[test]
fn a_test_folder_without_kaggles_names_is_no_validation() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "test"], &["cat", "dog"]);
    let error = told(load_learning(folder.path(), &LoadOptions::default()), folder.path());
    insta::assert_snapshot!(error, @"…: no samples for validation; 4 samples are for test; expected rows of Usage PublicTest, a folder validation/<class>, or files test/<class>/PublicTest_*; or carve it out of train: fer-train --set data.validation_fraction=0.1, fer-eval --validation-fraction 0.1");
    let options = LoadOptions { validation_fraction: Some(0.5), ..LoadOptions::default() };
    let learning = load_learning(folder.path(), &options).expect("carved out of train");
    assert_eq!(learning.train.len() + learning.validation.len(), 4);
    let test = load_split(folder.path(), Split::Test, &options).expect("test");
    assert_eq!(test.samples.len(), 4);
}
