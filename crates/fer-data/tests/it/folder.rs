//! Folders of classes.

use std::fs;

use fer_data::{Emotion, Face, Labels, LoadOptions, Split, export, load_learning, load_split};
use image::{DynamicImage, ImageBuffer, Luma, Rgb, RgbImage};

use crate::fixtures::{content, noise, put, put_classes, samples, skip_bad, sorted, told};

const EMOTIONS: [&str; 7] = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"];

#[test]
fn folders_and_csv_give_the_same_samples() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let splits = Split::ALL.map(|split| samples(split, 3));
    let (faces, csv) = (folder.path().join("faces"), folder.path().join("faces.csv"));
    export::write_folders(&faces, &splits.each_ref()).expect("folders");
    export::write_csv(&csv, &splits.each_ref()).expect("a CSV file");
    let [from_folders, from_csv] = [faces.clone(), csv.clone()]
        .map(|path| load_learning(&path, &LoadOptions::default()).expect("good data"));
    assert_eq!(sorted(&from_folders.train), sorted(&from_csv.train));
    assert_eq!(sorted(&from_folders.validation), sorted(&from_csv.validation));
    assert_eq!(from_folders.train.labels, from_csv.train.labels);
    assert_eq!(sorted(&from_csv.train), sorted(&splits[0]));
    let [a, b] =
        [faces, csv].map(|path| load_split(&path, Split::Test, &LoadOptions::default()).expect("test"));
    assert_eq!(sorted(&a.samples), sorted(&b.samples));
}

#[test]
fn every_layout_is_understood() {
    let layouts: [(&str, [&str; 2]); 6] = [
        ("", ["train", "validation"]),
        ("", ["Training", "VAL"]),
        ("images", ["train", "validation"]),
        ("images/images", ["train", "valid"]),
        ("archive", ["train", "validation"]),
        ("Images", ["train", "publictest"]),
    ];
    for (above, splits) in layouts {
        let folder = tempfile::tempdir().expect("a temporary folder");
        put_classes(&folder.path().join(above), &splits, &EMOTIONS);
        let learning = load_learning(folder.path(), &LoadOptions::default()).expect(above);
        assert_eq!(learning.train.labels, Labels::fer2013(), "{above}");
        assert_eq!(learning.train.counts(), [2; 7], "{above}");
        assert_eq!(learning.validation.counts(), [2; 7], "{above}");
    }
}

#[test]
fn capitals_and_synonyms_name_the_same_expressions() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let synonyms = ["Anger", "Disgusted", "FEARFUL", "Happiness", "Neutral", "sadness", "Surprised"];
    put_classes(folder.path(), &["train"], &synonyms);
    put_classes(folder.path(), &["validation"], &EMOTIONS);
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("seven expressions");
    assert_eq!(learning.train.labels, Labels::fer2013());
    // Both were made in label order from the same seeds.
    assert_eq!(content(&learning.train), content(&learning.validation));
}

#[test]
fn two_folders_of_one_expression_are_one_class() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &EMOTIONS);
    put(&folder.path().join("train/Happiness/b.png"), &noise(99));
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("seven expressions");
    assert_eq!(learning.train.labels, Labels::fer2013());
    assert_eq!(learning.train.counts()[Emotion::Happy.index()], 3);
}

#[test]
fn kaggles_test_folder_holds_validation_and_test() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train"], &EMOTIONS);
    for (i, class) in EMOTIONS.iter().enumerate() {
        let test = folder.path().join("test").join(class);
        put(&test.join("PublicTest_7.png"), &noise(100 + i as u64));
        put(&test.join("PrivateTest_7.png"), &noise(200 + i as u64));
        put(&test.join("PrivateTest_10.png"), &noise(300 + i as u64));
    }
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("Kaggle's layout");
    assert_eq!(learning.train.counts(), [2; 7]);
    assert_eq!(learning.validation.counts(), [1; 7]);
    assert_eq!(learning.validation.samples[3].face, noise(103));
    let test = load_split(folder.path(), Split::Test, &LoadOptions::default()).expect("test");
    assert_eq!(test.samples.counts(), [2; 7]);
    assert_eq!(test.samples.samples[1].face, noise(300), "PrivateTest_7 stands before PrivateTest_10");
}

#[test]
fn a_users_own_classes_are_labels_in_alphabetical_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["Wink", "happy", "bored"]);
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("three classes");
    assert_eq!(learning.train.labels.names(), ["bored", "happy", "Wink"]);
    assert_eq!(learning.train.counts(), [2; 3]);

    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["Sadness", "Joy"]);
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("two of the seven");
    assert_eq!(learning.train.labels.names(), ["happy", "sad"]);
}

#[test]
fn a_folder_of_classes_without_splits_is_train_and_is_carved_on_request() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &[""], &["cat", "dog"]);
    let options = LoadOptions { validation_fraction: Some(0.5), ..LoadOptions::default() };
    let learning = load_learning(folder.path(), &options).expect("two classes");
    assert_eq!((learning.train.counts(), learning.validation.counts()), (vec![1, 1], vec![1, 1]));
    let error = told(load_learning(folder.path(), &LoadOptions::default()), folder.path());
    assert!(error.contains("--set data.validation_fraction=0.1"), "{error}");
}

#[test]
fn files_are_read_in_natural_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("two classes");
    let names: Vec<_> = learning.train.samples.iter().map(|s| s.source.to_string()).collect();
    let ends = ["cat/a_2.png", "cat/a_10.png", "dog/a_2.png", "dog/a_10.png"];
    for (name, end) in names.iter().zip(ends) {
        assert!(name.ends_with(end), "{name} is not {end}");
    }
}

#[test]
fn a_models_labels_order_the_folders_and_refuse_strangers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["test"], &["happy", "sad"]);
    let options = LoadOptions { labels: Some(Labels::fer2013()), ..LoadOptions::default() };
    let test = load_split(folder.path(), Split::Test, &options).expect("two of the seven");
    assert_eq!(test.samples.counts(), [0, 0, 0, 2, 0, 2, 0]);
    put_classes(folder.path(), &["test"], &["wink"]);
    let error = told(load_split(folder.path(), Split::Test, &options), folder.path());
    insta::assert_snapshot!(error, @"…: class `wink` is not one of the expected classes angry, disgust, fear, happy, neutral, sad, surprise");
}

#[test]
fn pictures_of_any_size_colour_and_format_become_faces() {
    let rgb = DynamicImage::ImageRgb8(RgbImage::from_fn(96, 120, |x, y| Rgb([x as u8, y as u8, 200])));
    let deep: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_fn(48, 48, |x, y| Luma([(x * y * 20) as u16]));
    let deep = DynamicImage::ImageLuma16(deep);
    let clear = DynamicImage::ImageRgba8(rgb.to_rgba8());
    for (picture, name) in [
        (&rgb, "a.png"),
        (&rgb, "a.bmp"),
        (&rgb, "a.tiff"),
        (&rgb, "a.ppm"),
        (&deep, "a.png"),
        (&clear, "a.webp"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
        let path = folder.path().join("train/ape").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        picture.save(&path).expect("a picture");
        let train = load_split(folder.path(), Split::Train, &LoadOptions::default()).expect(name);
        assert_eq!(train.samples.samples[0].face, Face::from_picture(picture), "{name}");
    }
}

#[test]
fn a_picture_is_known_by_its_content_and_not_by_its_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
    let class = folder.path().join("train/cat");
    fs::rename(class.join("a_2.png"), class.join("a_2.jpg")).expect("renamed");
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("a png named jpg");
    assert_eq!(learning.train.samples[0].face, noise(0));
}

#[test]
fn files_that_are_no_pictures_are_listed_and_system_files_ignored() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
    for name in ["notes.txt", "Thumbs.db", ".DS_Store"] {
        fs::write(folder.path().join("train/cat").join(name), "text").expect("a file");
    }
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("two classes");
    assert_eq!(learning.skipped.len(), 1);
    assert!(learning.skipped[0].to_string().ends_with("train/cat/notes.txt: not an image by its extension"));
}

#[test]
fn every_bad_folder_is_refused_with_the_file_named() {
    let refusal = |spoil: &dyn Fn(&std::path::Path)| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
        spoil(folder.path());
        told(load_learning(folder.path(), &LoadOptions::default()), folder.path())
    };
    let zero = refusal(&|root| fs::write(root.join("train/dog/a_1.png"), "").expect("a file"));
    insta::assert_snapshot!(zero, @"…/train/dog/a_1.png: the file is empty (0 bytes), expected an image; repair or remove it, or skip damaged samples (--skip-bad)");
    let garbage = refusal(&|root| fs::write(root.join("train/dog/a_1.png"), "no picture").expect("a file"));
    insta::assert_snapshot!(garbage, @"…/train/dog/a_1.png: not a readable image: The image format could not be determined; repair or remove it, or skip damaged samples (--skip-bad)");
    let cut = refusal(&|root| {
        let path = root.join("validation/cat/a_2.png");
        let bytes = fs::read(&path).expect("a picture");
        fs::write(&path, &bytes[..bytes.len() / 2]).expect("a file");
    });
    assert!(cut.starts_with("…/validation/cat/a_2.png: not a readable image: "), "{cut}");
    let empty_class = refusal(&|root| fs::create_dir(root.join("train/ape")).expect("a folder"));
    insta::assert_snapshot!(empty_class, @"…/train/ape: class `ape` has no samples in train; add some, or remove the class from the other splits");
    let missing_class = refusal(&|root| fs::remove_dir_all(root.join("validation/cat")).expect("removed"));
    insta::assert_snapshot!(missing_class, @"…: class `cat` has no samples in validation; add some, or remove the class from the other splits");
    let no_classes = refusal(&|root| {
        fs::remove_dir_all(root.join("train")).expect("removed");
        fs::create_dir(root.join("train")).expect("a folder");
    });
    insta::assert_snapshot!(no_classes, @"…/train: the folder is empty, expected one folder of images a class, as in train/<class>/*.png");
}

#[test]
fn a_folder_without_class_folders_is_refused_with_what_it_holds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let refused = || told(load_learning(folder.path(), &LoadOptions::default()), folder.path());
    insta::assert_snapshot!(refused(), @"…: the folder is empty, expected one folder of images a class, as in train/<class>/*.png");
    put(&folder.path().join("a.png"), &noise(1));
    insta::assert_snapshot!(refused(), @"…: 1 entries, but no class folders, expected one folder of images a class, as in train/<class>/*.png");
    fs::write(folder.path().join("fer2013.csv.zst"), "").expect("a file");
    insta::assert_snapshot!(refused(), @"…: no class folders, but a file fer2013.csv.zst, expected one folder of images a class, as in train/<class>/*.png, or the path of the CSV file itself");
}

#[test]
fn damaged_pictures_are_skipped_and_listed_on_request() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
    fs::write(folder.path().join("train/dog/a_1.png"), "").expect("a file");
    fs::write(folder.path().join("validation/cat/a_2.png"), "no picture").expect("a file");
    let learning = load_learning(folder.path(), &skip_bad()).expect("the rest is good");
    assert_eq!((learning.train.len(), learning.validation.len()), (4, 3));
    let skipped: Vec<_> = learning.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(skipped.len(), 2);
    assert!(
        skipped
            .iter()
            .any(|s| s.ends_with("train/dog/a_1.png: the file is empty (0 bytes), expected an image"))
    );
    assert!(skipped.iter().any(|s| s.contains("validation/cat/a_2.png: not a readable image")));
}

#[test]
fn contempt_is_the_eighth_expression_of_a_folder_and_stands_last() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &EMOTIONS);
    put_classes(folder.path(), &["train", "validation"], &["Contemptuous"]);
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("eight expressions");
    assert_eq!(learning.train.labels, Labels::ferplus());
    assert_eq!(learning.train.counts(), [2; 8]);
    // Among a user's own classes it is a name like any other.
    put_classes(folder.path(), &["train", "validation"], &["bored"]);
    let learning = load_learning(folder.path(), &LoadOptions::default()).expect("nine classes");
    assert_eq!(learning.train.labels.names()[..3], ["angry", "bored", "contempt"]);
}

#[test]
fn a_picture_that_claims_a_giant_size_is_refused_by_name_and_skipped_on_request() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
    let size = [0xff_u8; 4];
    let gif =
        [b"GIF89a".as_slice(), &size, b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0", &size, b"\0\x02\x02D\x01\0;"]
            .concat();
    assert_eq!(gif.len(), 35);
    fs::write(folder.path().join("train/dog/a_1.gif"), gif).expect("a file");
    let error = told(load_learning(folder.path(), &LoadOptions::default()), folder.path());
    insta::assert_snapshot!(error, @"…/train/dog/a_1.gif: not a readable image: 65535×65535 pixels, expected sides of 1 to 16384 and 200 megapixels at most; repair or remove it, or skip damaged samples (--skip-bad)");
    let learning = load_learning(folder.path(), &skip_bad()).expect("the rest is good");
    assert_eq!((learning.train.len(), learning.skipped.len()), (4, 1));
}

#[test]
fn a_motion_photo_is_read_like_the_photo_it_begins_with() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    put_classes(folder.path(), &["train", "validation"], &["cat", "dog"]);
    let path = folder.path().join("train/cat/a_2.jpg");
    noise(0).to_gray().save(&path).expect("a picture");
    let alone = load_learning(folder.path(), &LoadOptions::default()).expect("a photo");
    let mut bytes = fs::read(&path).expect("the file");
    // What a film holds by chance: a scan behind an end.
    bytes.extend(b"ftypmp42\xff\xd9\0\0\xff\xda\0\0\xff\xd9\xff\xda\0");
    fs::write(&path, bytes).expect("a file");
    assert_eq!(load_learning(folder.path(), &LoadOptions::default()).expect("a photo and a film"), alone);
}
