//! The audit of a data set.

use fer_data::{Face, Split, audit::audit, export};

use crate::fixtures::{noise, samples};

#[test]
fn an_audit_counts_copies_contradictions_blanks_and_damage() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("fer2013.csv");
    let [mut train, mut validation, test] = Split::ALL.map(|split| samples(split, 2));
    train.samples[7].face = train.samples[0].face.clone(); // a copy with the same label
    train.samples[8].face = train.samples[2].face.clone(); // and one with another
    validation.samples[3].face = train.samples[3].face.clone(); // a copy across splits
    train.samples[4].face = Face::blank(128);
    let mut almost = Face::blank(128);
    almost.pixels_mut()[0] = 255;
    train.samples[5].face = almost;
    export::write_csv(&path, &[&train, &validation, &test]).expect("a CSV file");
    let mut text = std::fs::read_to_string(&path).expect("the file");
    text.push_str("0,1 2 3,Training\n");
    std::fs::write(&path, text).expect("the file");

    let audit = audit(&path, None).expect("an audit");
    let table = audit.to_string().replace(&folder.path().display().to_string(), "…");
    insta::assert_snapshot!(table, @r"
    …/fer2013.csv

    faces         angry disgust   fear  happy neutral    sad surprise     all
    train             2       2      2      2       2      2        2      14
    validation        2       2      2      2       2      2        2      14
    test              2       2      2      2       2      2        2      14

    distinct faces  39 of 42
    exact copies    3 groups, 6 faces in them
                    2 copies beyond the first within train
                    0 copies beyond the first within validation
                    0 copies beyond the first within test
                    1 of validation also in train
                    0 of test also in train
                    0 of test also in validation
    contradictory   1 groups of copies with different labels
    blank           1 faces of one grey value
    near-constant   1 more that deviate by less than 5
    train pixels    mean 127.2284, deviation 68.4286
    unusable        1 samples
                    row 43: 3 pixel values, expected 48 × 48 = 2304
    ");
    let json = serde_json::to_value(&audit).expect("JSON");
    assert_eq!(json["copies"]["distinct"], 39);
    assert_eq!(json["copies"]["groups"][1]["contradictory"], true);
    assert_eq!(json["blank"][0]["source"], "row 5");
}

#[test]
fn pixel_statistics_are_those_of_all_pixels_together() {
    let halves = [Face::blank(100), Face::blank(200)];
    let found = fer_data::audit::statistics(&halves).expect("two faces");
    assert_eq!((found.mean, found.deviation), (150.0, 50.0));
    assert_eq!(fer_data::audit::statistics([]), None);
    let one = fer_data::audit::statistics([&noise(1)]).expect("one face");
    assert!((one.mean - 127.5).abs() < 5.0 && (one.deviation - 73.9).abs() < 3.0, "{one:?}");
}
