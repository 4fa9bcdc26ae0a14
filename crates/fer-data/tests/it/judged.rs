//! What evaluation alone may ask for: mapped classes, whole folders, photographs to be cut.

use std::fs;

use fer_data::{
    ClassMap, ClassRule, Face, Labels, LoadOptions, Loaded, Part, Reason, Split, load_judged, load_learning,
    load_split,
};
use image::{DynamicImage, GrayImage};

use crate::fixtures::{noise, pixels, put, put_classes, samples, skip_bad, told};

fn mapped(rules: &[&str]) -> LoadOptions {
    let rules = rules.iter().map(|rule| rule.parse::<ClassRule>().unwrap()).collect();
    LoadOptions { map: ClassMap::new(rules).unwrap(), ..LoadOptions::default() }
}

fn names(loaded: &Loaded) -> (Vec<String>, Vec<usize>) {
    (loaded.samples.labels.names().to_vec(), loaded.samples.counts())
}

#[test]
fn classes_are_renamed_joined_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    put_classes(folder.path(), &["validation"], &["grin", "Happiness", "contempt", "sad"]);
    // What is left out is not opened.
    fs::write(folder.path().join("validation/contempt/broken.png"), "no picture").unwrap();
    let mut options = mapped(&["GRIN=joy", "scorn=-"]);
    assert_eq!(options.map.left_out(), ["scorn"]);
    options.labels = Some(Labels::fer2013());
    let loaded = load_split(folder.path(), Split::Validation, &options).unwrap();
    assert_eq!(loaded.samples.counts(), [0, 0, 0, 4, 0, 2, 0]);
    assert_eq!(loaded.samples.len(), 6);
    options.map = ClassMap::default();
    let error = told(load_split(folder.path(), Split::Validation, &options), folder.path());
    assert!(error.contains("class `contempt` is not one of the expected classes angry"), "{error}");
}

#[test]
fn a_rule_that_maps_nothing_or_twice_is_refused() {
    for text in ["happy", "=happy", "happy=", "", "="] {
        let error = text.parse::<ClassRule>().unwrap_err();
        assert!(error.contains("expected class=other, or class=- to leave it out"), "{text}: {error}");
    }
    let twice = ["joy=happy", "Happiness=-"].map(|rule| rule.parse().unwrap()).to_vec();
    let error = ClassMap::new(twice).unwrap_err().to_string();
    assert_eq!(error, "the class map is two rules for `Happiness`, expected one a class");
    let folder = tempfile::tempdir().unwrap();
    put_classes(folder.path(), &["validation"], &["grin", "sad"]);
    let error = told(load_split(folder.path(), Split::Validation, &mapped(&["grim=sad"])), folder.path());
    assert_eq!(error, "…: classes grin, sad, expected `grim` among them, which is to be mapped");
}

#[test]
fn a_folder_without_splits_is_judged_whole_and_one_with_splits_is_not() {
    let folder = tempfile::tempdir().unwrap();
    put_classes(folder.path(), &[""], &["cat", "dog"]);
    let options = LoadOptions::default();
    let whole = |path| load_judged(path, Part::Whole, &options, None);
    let loaded = whole(folder.path()).unwrap();
    assert_eq!(names(&loaded), (vec!["cat".to_owned(), "dog".to_owned()], vec![2, 2]));
    assert!(load_split(folder.path(), Split::Validation, &options).is_err());

    put(&folder.path().join("dog/PrivateTest_1.png"), &noise(70));
    let error = told(whole(folder.path()), folder.path());
    assert!(error.starts_with("…: files named PrivateTest_*, expected a folder of classes without splits"));

    let folder = tempfile::tempdir().unwrap();
    put_classes(&folder.path().join("images"), &["train", "test"], &["cat", "dog"]);
    let error = told(whole(folder.path()), folder.path());
    assert!(
        error.starts_with("…: folders of splits, expected a folder of classes without splits"),
        "{error}"
    );
    let csv = folder.path().join("faces.csv");
    fs::write(&csv, format!("emotion,pixels,Usage\n1,{},PrivateTest\n", pixels(5))).unwrap();
    assert!(told(whole(&csv), folder.path()).starts_with("…/faces.csv: a file, expected a folder"));
    assert!(
        told(whole(&folder.path().join("no")), folder.path()).starts_with("…/no: no such file or folder")
    );
}

#[test]
fn one_split_is_the_same_by_either_road() {
    let folder = tempfile::tempdir().unwrap();
    put_classes(folder.path(), &["train", "validation", "test"], &["cat", "dog"]);
    for split in Split::ALL {
        let options = LoadOptions::default();
        let judged = load_judged(folder.path(), Part::Split(split), &options, None).unwrap();
        assert_eq!(judged, load_split(folder.path(), split, &options).unwrap());
    }
}

#[test]
fn photographs_are_cut_at_their_full_size_and_those_without_a_face_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let photograph = |name: &str, value: u8| {
        let path = folder.path().join("cat").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        GrayImage::from_pixel(300, 200, image::Luma([value])).save(path).unwrap();
    };
    photograph("a.png", 40);
    photograph("b.png", 90);
    put(&folder.path().join("dog/c.png"), &noise(1));
    let cut = |picture: &DynamicImage| match (picture.width(), picture.to_luma8().get_pixel(0, 0).0[0]) {
        (300, 90) => Err(Reason::NoFace),
        (width, _) => Ok(Face::blank((width / 2) as u8)),
    };
    // Nothing is to be skipped, and yet a photograph without a face is no reason to refuse.
    let loaded = load_judged(folder.path(), Part::Whole, &LoadOptions::default(), Some(&cut)).unwrap();
    let faces: Vec<&Face> = loaded.samples.samples.iter().map(|sample| &sample.face).collect();
    assert_eq!(faces, [&Face::blank(150), &Face::blank(24)]);
    let skipped: Vec<String> = loaded.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(skipped, [format!("{}: no face is found in it", folder.path().join("cat/b.png").display())]);

    let nothing = |_: &DynamicImage| Err(Reason::NoFace);
    let error = told(load_judged(folder.path(), Part::Whole, &skip_bad(), Some(&nothing)), folder.path());
    assert!(error.starts_with("…: no face, expected a folder"), "{error}");
}

#[test]
fn faces_of_a_csv_file_are_neither_cut_nor_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("faces.csv");
    fer_data::export::write_csv(&csv, &[&samples(Split::Validation, 1)]).unwrap();
    let part = Part::Split(Split::Validation);
    let cut = |picture: &DynamicImage| Ok(Face::from_picture(picture));
    let error = told(load_judged(&csv, part, &LoadOptions::default(), Some(&cut)), folder.path());
    assert!(error.ends_with("expected a folder of classes to search faces in"), "{error}");
    let error = told(load_judged(&csv, part, &mapped(&["sad=-"]), None), folder.path());
    assert!(error.ends_with("expected a folder of classes to map classes of"), "{error}");
}

#[test]
fn learning_knows_no_whole_folder() {
    // Judging a folder whole opens nothing to what learns: without a split of its own, it must carve.
    let folder = tempfile::tempdir().unwrap();
    put_classes(folder.path(), &[""], &["cat", "dog"]);
    let error = told(load_learning(folder.path(), &LoadOptions::default()), folder.path());
    assert!(error.contains("no samples for validation"), "{error}");
}
