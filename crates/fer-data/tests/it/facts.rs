//! The facts with one owner: expressions, labels, splits, and how a picture becomes network input.

use fer_data::{
    Emotion, Face, Labels, Split, argmax,
    face::{DEVIATION, MEAN, PIXELS, normalize, to_gray},
};
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};

use crate::fixtures::{noise, samples};

#[test]
fn label_order_is_alphabetical_as_folders_sort() {
    let labels = Labels::fer2013();
    assert!(labels.names().is_sorted());
    assert!(Emotion::FER2013.iter().all(|e| labels.index_of(e.name()) == Some(e.index())));
    assert!(
        Emotion::ALL.iter().enumerate().all(|(i, e)| e.index() == i && Emotion::from_index(i) == Some(*e))
    );
    assert_eq!(Emotion::from_index(8), None);
}

#[test]
fn fer2013_codes_are_those_of_the_challenge() {
    let names: Vec<_> = (0..7).filter_map(Emotion::from_fer2013_code).map(Emotion::name).collect();
    assert_eq!(names, ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]);
    assert_eq!(Emotion::from_fer2013_code(7), None);
    let there_and_back = |e: Emotion| e.fer2013_code().and_then(Emotion::from_fer2013_code);
    assert!(Emotion::FER2013.iter().all(|&e| there_and_back(e) == Some(e)));
    assert_eq!(Emotion::Contempt.fer2013_code(), None);
}

#[test]
fn a_label_set_is_named_after_its_data_set_and_knows_no_more_than_it() {
    assert_eq!((Labels::fer2013().len(), Labels::ferplus().len()), (7, 8));
    assert_eq!(Labels::ferplus().names()[..7], *Labels::fer2013().names());
    assert_eq!(Labels::fer2013().index_of("contempt"), None);
    assert_eq!(Labels::ferplus().index_of("Contemptuous"), Some(7));
}

#[test]
fn names_and_synonyms_lead_to_the_expression() {
    assert!(Emotion::ALL.iter().all(|&e| Emotion::from_name(e.name()) == Some(e)));
    assert_eq!(Emotion::from_name(" Happiness "), Some(Emotion::Happy));
    assert_eq!(Emotion::from_name("Contempt"), Some(Emotion::Contempt));
    assert_eq!(Emotion::from_name("bored"), None);
    assert_eq!(Labels::fer2013().index_of("Sadness"), Some(Emotion::Sad.index()));
    assert_eq!(Labels::custom(vec!["Cat".into(), "Dog".into()]).index_of("dog"), Some(1));
    assert_eq!(Labels::fer2013().index_of("dog"), None);
}

#[test]
fn splits_know_their_words() {
    for split in Split::ALL {
        assert_eq!(Split::from_fer2013_usage(split.fer2013_usage()), Some(split));
        assert_eq!(Split::from_folder_name(&split.name().to_uppercase()), Some(split));
        assert_eq!(Split::from_folder_name(split.fer2013_usage()), Some(split));
    }
    assert_eq!(Split::from_fer2013_usage("training"), None, "FER-2013 has one spelling");
    assert_eq!(Split::from_folder_name("images"), None);
}

#[test]
fn file_names_say_test_more_loudly_than_folders() {
    let of = |folder, name, has_validation| Split::of_file(folder, name, has_validation);
    assert_eq!(of(Split::Test, "PublicTest_1.jpg", false), Split::Validation);
    assert_eq!(of(Split::Test, "PublicTest_1.jpg", true), Split::Test);
    assert_eq!(of(Split::Train, "PrivateTest_1.jpg", false), Split::Test);
    assert_eq!(of(Split::Train, "PublicTest_1.jpg", false), Split::Train);
    assert_eq!(of(Split::Test, "PublicTests.jpg", false), Split::Test);
    assert_eq!(of(Split::Validation, "Training_1.jpg", false), Split::Validation);
    assert_eq!(of(Split::Train, "é", false), Split::Train);
}

#[test]
fn normalisation_is_one_line_with_two_constants() {
    let mut face = Face::blank(0);
    face.pixels_mut()[1] = 255;
    let mut input = [0.0; PIXELS];
    normalize(&face, &mut input);
    assert_eq!(input[0], -MEAN / DEVIATION);
    assert_eq!(input[1], (255.0 - MEAN) / DEVIATION);
}

#[test]
fn colours_become_grey_by_bt_601() {
    let picture = |rgb| DynamicImage::ImageRgb8(RgbImage::from_pixel(1, 1, Rgb(rgb)));
    let grey = |rgb| to_gray(&picture(rgb)).get_pixel(0, 0).0[0];
    assert_eq!([grey([255, 0, 0]), grey([0, 255, 0]), grey([0, 0, 255])], [76, 150, 29]);
    assert_eq!(grey([255, 255, 255]), 255);
}

#[test]
fn a_picture_of_the_right_size_is_not_resampled_and_a_larger_one_is_averaged() {
    let face = noise(1);
    assert_eq!(Face::from_gray(&face.to_gray()), face);
    // A board of single pixels, black and white, is grey from afar.
    let board = GrayImage::from_fn(480, 480, |x, y| Luma([if (x + y) % 2 == 0 { 0 } else { 255 }]));
    assert!(Face::from_gray(&board).pixels().iter().all(|p| (120..=135).contains(p)));
}

#[test]
fn the_hash_names_labels_pixels_and_their_order() {
    let one = samples(Split::Train, 1);
    assert_eq!(one.hash().len(), 64);
    assert_eq!(one.hash(), samples(Split::Train, 1).hash());
    let mut other = one.clone();
    other.samples.swap(0, 1);
    assert_ne!(other.hash(), one.hash());
    let mut other = one.clone();
    other.samples[0].label = 1;
    assert_ne!(other.hash(), one.hash());
    let mut other = one.clone();
    other.samples[0].face.pixels_mut()[0] ^= 1;
    assert_ne!(other.hash(), one.hash());
    assert_eq!(one.counts(), [1; 7]);
}

#[test]
fn the_largest_value_wins_and_the_first_of_equals() {
    assert_eq!(argmax(&[0.1, 0.7, 0.2]), Some(1));
    assert_eq!(argmax(&[0.4, 0.4, 0.2]), Some(0));
    assert_eq!(argmax(&[f32::NEG_INFINITY, f32::NEG_INFINITY]), Some(0));
}

#[test]
fn a_row_with_a_nan_wherever_it_stands_and_an_empty_row_have_no_largest_value() {
    for idx in 0..3 {
        let mut row = [0.5, 1.0, 0.25];
        row[idx] = f64::NAN;
        assert_eq!(argmax(&row), None, "{row:?}");
    }
    assert_eq!(argmax::<f32>(&[]), None);
}
