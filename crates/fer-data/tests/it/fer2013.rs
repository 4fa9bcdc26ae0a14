//! FER-2013's CSV file.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use fer_data::{Labels, LoadOptions, Split, load_learning, load_split};
use proptest::prelude::*;

use crate::fixtures::{content, csv_file, csv_text, noise, pixels, put_classes, skip_bad, told};

fn compress(bytes: &[u8], format: &str) -> Vec<u8> {
    match format {
        "gz" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
        "xz" => {
            let options = lzma_rust2::XzOptions::with_preset(1);
            let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).expect("memory");
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
        _ => zstd::encode_all(bytes, 1).expect("memory"),
    }
}

#[test]
fn a_csv_file_gives_back_the_faces_that_were_written() {
    let (_folder, path, splits) = csv_file(3);
    let learning = load_learning(&path, &LoadOptions::default()).expect("a good file");
    assert_eq!(content(&learning.train), content(&splits[0]));
    assert_eq!(content(&learning.validation), content(&splits[1]));
    assert_eq!(learning.train.samples[4].source.to_string(), "row 5");
    let test = load_split(&path, Split::Test, &LoadOptions::default()).expect("a good file");
    assert_eq!(content(&test.samples), content(&splits[2]));
}

#[test]
fn a_compressed_csv_file_gives_the_same_faces_whatever_its_name() {
    let (folder, path, splits) = csv_file(2);
    let text = fs::read(path).expect("the file");
    for format in ["gz", "xz", "zst"] {
        for name in [format!("a.csv.{format}"), "misnamed.csv".to_owned()] {
            let path = folder.path().join(name);
            fs::write(&path, compress(&text, format)).expect("a file");
            let learning = load_learning(&path, &LoadOptions::default()).expect(format);
            assert_eq!(content(&learning.train), content(&splits[0]), "{format}");
        }
    }
}

#[test]
fn a_truncated_compressed_file_is_refused_even_when_bad_samples_are_skipped() {
    let (folder, path, _) = csv_file(6);
    let text = fs::read(path).expect("the file");
    for (format, name) in [("gz", "gzip"), ("xz", "xz"), ("zst", "zstd")] {
        let path = folder.path().join(format);
        let whole = compress(&text, format);
        for share in [2, 3, 50] {
            fs::write(&path, &whole[..whole.len() - whole.len() / share]).expect("a file");
            let error = told(load_learning(&path, &skip_bad()), folder.path());
            let expected = format!("…/{format}: the {name} data breaks off or is damaged after row ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}

#[test]
fn the_header_may_have_spaces_and_another_order() {
    let text = format!("emotion, Usage, pixels\n3, Training,{}\n6,PublicTest ,{}\n", pixels(1), pixels(2));
    let (_folder, path) = csv_text(&text);
    let learning = load_learning(&path, &LoadOptions::default()).expect("the Kaggle variant");
    assert_eq!(learning.train.labels.name(learning.train.samples[0].label), "happy");
    assert_eq!(learning.validation.labels.name(learning.validation.samples[0].label), "neutral");
    assert_eq!(learning.validation.samples[0].face.pixels()[2303], 2);
}

#[test]
fn windows_line_ends_quotes_and_a_byte_order_mark_do_no_harm() {
    let text = format!(
        "\u{feff}emotion,pixels,Usage\r\n\"0\",\"{}\",Training\r\n0,{} ,PublicTest\r\n",
        pixels(7),
        pixels(8)
    );
    let (_folder, path) = csv_text(&text);
    let learning = load_learning(&path, &LoadOptions::default()).expect("a good file");
    assert_eq!((learning.train.len(), learning.validation.len()), (1, 1));
}

/// What is said about a file whose second row is `row`, the others being good.
fn refusal(row: &str) -> String {
    let good = pixels(9);
    let text = format!("emotion,pixels,Usage\n0,{good},Training\n{row}\n1,{good},PublicTest\n");
    let (folder, path) = csv_text(&text);
    let skipped = load_learning(&path, &skip_bad()).expect("one row is left out").skipped;
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0].to_string().starts_with("row 2: "), "{}", skipped[0]);
    let error = told(load_learning(&path, &LoadOptions::default()), folder.path());
    let advice = "; repair or remove it, or skip damaged samples (--skip-bad)";
    let (start, _) = error.split_once(advice).expect("what to try");
    start.to_owned()
}

#[test]
fn every_bad_row_is_refused_with_its_number() {
    let good = pixels(9);
    let one_less = good.rsplit_once(' ').expect("many").0;
    insta::assert_snapshot!(refusal(&format!("0,{one_less},Training")), @"…/fer2013.csv, row 2: 2303 pixel values, expected 48 × 48 = 2304");
    insta::assert_snapshot!(refusal(&format!("0,{good} 9,Training")), @"…/fer2013.csv, row 2: 2305 pixel values, expected 48 × 48 = 2304");
    insta::assert_snapshot!(refusal("0,,Training"), @"…/fer2013.csv, row 2: 0 pixel values, expected 48 × 48 = 2304");
    insta::assert_snapshot!(refusal(&format!("0,9 x7 {good},Training")), @"…/fer2013.csv, row 2: pixel 2 is `x7`, expected a number from 0 to 255");
    insta::assert_snapshot!(refusal(&format!("0,256 {one_less},Training")), @"…/fer2013.csv, row 2: pixel 1 is `256`, expected a number from 0 to 255");
    insta::assert_snapshot!(refusal(&format!("0,-1 {one_less},Training")), @"…/fer2013.csv, row 2: pixel 1 is `-1`, expected a number from 0 to 255");
    insta::assert_snapshot!(refusal(&format!("7,{good},Training")), @"…/fer2013.csv, row 2: label `7`, expected 0 to 6");
    insta::assert_snapshot!(refusal(&format!("happy,{good},Training")), @"…/fer2013.csv, row 2: label `happy`, expected 0 to 6");
    insta::assert_snapshot!(refusal(&format!("0,{good},Train")), @"…/fer2013.csv, row 2: Usage `Train`, expected Training, PublicTest, PrivateTest");
    insta::assert_snapshot!(refusal(&format!("0,{good}")), @"…/fer2013.csv, row 2: 2 columns, expected 3");
    insta::assert_snapshot!(refusal(&format!("0,{good},Training,1")), @"…/fer2013.csv, row 2: 4 columns, expected 3");
}

/// A file whose second of three rows is `row`: the error, and how many faces are read when it is skipped.
fn around(row: &str) -> (String, usize) {
    let good = pixels(9);
    let text = format!("emotion,pixels,Usage\n0,{good},Training\n{row}\n1,{good},PublicTest\n");
    let (folder, path) = csv_text(&text);
    let error = told(load_learning(&path, &LoadOptions::default()), folder.path());
    let skipping = load_learning(&path, &skip_bad()).expect("one row is left out");
    assert_eq!(skipping.skipped.len(), 1);
    (error, skipping.train.len() + skipping.validation.len())
}

#[test]
fn a_stray_quote_damages_its_row_and_none_behind_it() {
    let good = pixels(9);
    for row in [
        format!("\"0,{good},Training"),
        format!("0,\"{good},Training"),
        format!("0,{good},\"Training"),
        format!("0,\"{good}\" ,Training"),
    ] {
        let (error, n) = around(&row);
        assert!(error.starts_with("…/fer2013.csv, row 2: a stray quote"), "{error}");
        assert_eq!(n, 2);
    }
    let test =
        format!("emotion,pixels,Usage\n0,{good},Training\n\"0,{good},PrivateTest\n1,{good},PublicTest\n");
    let (_folder, path) = csv_text(&test);
    assert!(load_learning(&path, &LoadOptions::default()).is_ok(), "a damaged test row disturbs nothing");
}

#[test]
fn an_endless_row_is_refused_with_its_number_and_passed_over_on_request() {
    let (error, n) = around(&"9 ".repeat(200_000));
    assert!(error.starts_with("…/fer2013.csv, row 2: longer than 65536 bytes"), "{error}");
    assert_eq!(n, 2);
}

/// A table of a header and a block, many times over, compressed.
fn bomb(block: &[u8], n: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("bomb.csv.zst");
    let mut bomb = zstd::Encoder::new(fs::File::create(&path).expect("a file"), 1).expect("memory");
    bomb.write_all(b"emotion,pixels,Usage\n").expect("room");
    (0..n).for_each(|_| bomb.write_all(block).expect("room"));
    bomb.finish().expect("room");
    (folder, path)
}

/// Far more than a test may take of memory: 4 GB of zeros behind a header, in a few hundred kilobytes.
#[test]
fn a_decompression_bomb_is_refused_by_its_first_row() {
    let (folder, path) = bomb(&[b'0'; 1 << 20], 4096);
    assert!(fs::metadata(&path).expect("the file").len() < 1 << 20);
    let error = told(load_learning(&path, &LoadOptions::default()), folder.path());
    assert!(error.starts_with("…/bomb.csv.zst, row 1: longer than 65536 bytes"), "{error}");
}

/// Gigabytes of lines in a few kilobytes: of nothing, of damaged rows, of one long row that is passed over.
#[test]
fn lines_without_an_end_are_refused_also_where_bad_ones_are_left_out() {
    for (name, line, n) in
        [("empty", "\n", 400_000), ("bad", "3,\"\n255\n", 200_000), ("long", "9 9 9 9 9 9 9 ", 6_000_000)]
    {
        let (folder, path) = bomb(line.repeat(1000).as_bytes(), n / 1000);
        let error = told(load_learning(&path, &skip_bad()), folder.path());
        let expected =
            if name == "long" { "rows that are too long, without an end" } else { "more than 300000 lines" };
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn an_endless_header_is_refused() {
    let error = refused_file(&"emotion,pixels,Usage,".repeat(5000));
    assert!(error.contains("expected the columns emotion, pixels, Usage of fer2013.csv"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_does_not_hang() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is part of POSIX");
    assert!(made.success());
    let error = told(load_learning(&pipe, &LoadOptions::default()), folder.path());
    insta::assert_snapshot!(error, @"…/pipe.csv: cannot be read: a pipe or a device: copy it into a file first");
    put_classes(&folder.path().join("faces"), &["train", "validation"], &["cat", "dog"]);
    fs::rename(&pipe, folder.path().join("faces/train/cat/pipe.png")).expect("renamed");
    let skipped = load_learning(&folder.path().join("faces"), &skip_bad()).expect("the rest is good").skipped;
    assert!(
        skipped[0]
            .to_string()
            .ends_with("pipe.png: not a readable image: a pipe or a device: copy it into a file first")
    );
}

/// The labels of the models in the repository, as their cards say them.
#[test]
fn the_label_lists_of_the_shipped_models_read_the_csv() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let (_folder, path, splits) = csv_file(1);
    let mut n_models = 0;
    for entry in fs::read_dir(models).expect("the models") {
        let Ok(card) = fs::read(entry.expect("an entry").path().join("card.json")) else { continue };
        let card: serde_json::Value = serde_json::from_slice(&card).expect("a card");
        let labels: Labels = serde_json::from_value(card["labels"].clone()).expect("labels");
        let options = LoadOptions { labels: Some(labels), ..LoadOptions::default() };
        let test = load_split(&path, Split::Test, &options).expect("the model's labels");
        assert_eq!(content(&test.samples), content(&splits[2]));
        n_models += 1;
    }
    assert!(n_models > 0, "the models were found");
}

#[test]
fn a_label_set_without_one_of_the_seven_is_refused() {
    let (folder, path, _) = csv_file(1);
    let options = LoadOptions { labels: Some(Labels::custom(vec!["cat".into()])), ..LoadOptions::default() };
    let error = told(load_split(&path, Split::Test, &options), folder.path());
    insta::assert_snapshot!(error, @"…/fer2013.csv: class `angry` is not one of the expected classes cat");
    let eight = LoadOptions { labels: Some(Labels::ferplus()), ..LoadOptions::default() };
    assert_eq!(
        load_split(&path, Split::Test, &eight).expect("it has the seven").samples.counts(),
        [1, 1, 1, 1, 1, 1, 1, 0]
    );
}

fn refused_file(text: &str) -> String {
    let (folder, path) = csv_text(text);
    told(load_learning(&path, &LoadOptions::default()), folder.path())
}

#[test]
fn a_file_that_is_no_fer2013_csv_is_refused_with_what_it_is() {
    insta::assert_snapshot!(refused_file(""), @"…/fer2013.csv: the file is empty (0 bytes), expected a CSV file with the columns emotion, pixels, Usage");
    insta::assert_snapshot!(refused_file("PK\u{3}\u{4}and so on"), @"…/fer2013.csv: a zip archive, expected a CSV file with the columns emotion, pixels, Usage; unpack it first");
    insta::assert_snapshot!(refused_file("emotion,pixels\n0,1 2 3\n"), @"…/fer2013.csv: the first line is `emotion, pixels`, expected the columns emotion, pixels, Usage of fer2013.csv");
    insta::assert_snapshot!(refused_file("<!DOCTYPE html><title>Sign in</title>\n"), @"…/fer2013.csv: the first line is `<!DOCTYPE html><title>Sign in</title>`, expected the columns emotion, pixels, Usage of fer2013.csv");
    insta::assert_snapshot!(refused_file("emotion,pixels,Usage\n"), @"…/fer2013.csv: no samples for train; expected rows of Usage Training, or a folder train/<class>");
    let only_train = format!("emotion,pixels,Usage\n0,{},Training\n", pixels(1));
    insta::assert_snapshot!(refused_file(&only_train), @"…/fer2013.csv: no samples for validation; expected rows of Usage PublicTest, a folder validation/<class>, or files test/<class>/PublicTest_*; or carve it out of train: fer-train --set data.validation_fraction=0.1, fer-eval --validation-fraction 0.1");
    let missing =
        told(load_learning(Path::new("/no/such/file.csv"), &LoadOptions::default()), Path::new("/no"));
    insta::assert_snapshot!(missing, @"…/such/file.csv: no such file or folder; datasets/README.md says where data comes from");
}

#[test]
fn settings_outside_their_range_are_refused() {
    let nowhere = told(load_learning(Path::new(""), &LoadOptions::default()), Path::new("/no"));
    insta::assert_snapshot!(nowhere, @"the data path is empty, expected a FER-2013 CSV file or a folder of classes");
    let (folder, path, _) = csv_file(1);
    for fraction in [0.0, 1.0, -0.5, f32::NAN] {
        let options = LoadOptions { validation_fraction: Some(fraction), ..LoadOptions::default() };
        let error = told(load_learning(&path, &options), folder.path());
        assert_eq!(error, format!("validation_fraction is {fraction}, expected a share above 0 and below 1"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_face_and_code_survives_the_file(seed in any::<u64>(), code in 0_u8..7) {
        let face = noise(seed);
        let words: Vec<String> = face.pixels().iter().map(u8::to_string).collect();
        let row = format!("{code},{}", words.join(" "));
        let (_folder, path) = csv_text(&format!("emotion,pixels,Usage\n{row},Training\n{row},PublicTest\n"));
        let learning = load_learning(&path, &LoadOptions::default()).expect("a good file");
        let expected = fer_data::Emotion::from_fer2013_code(code).expect("a code").index();
        prop_assert_eq!(&learning.train.samples[0].face, &face);
        prop_assert_eq!(learning.train.samples[0].label, expected);
        prop_assert_eq!(&learning.validation.samples[0].face, &face);
    }

    #[test]
    fn any_bytes_are_loaded_or_refused_and_no_row_is_lost(
        rows in prop::collection::vec("[ 0-9a-zA-Z.;\u{00e9}-]{0,40}(,[ 0-9a-z-]{0,40}){0,3}(,(Training|PublicTest|PrivateTest))?", 0..20)
    ) {
        // A line without a character is no row of a CSV file.
        let rows: Vec<_> = rows.into_iter().filter(|row| !row.is_empty()).collect();
        let good = pixels(3);
        let text = format!("emotion,pixels,Usage\n0,{good},Training\n0,{good},PublicTest\n{}\n", rows.join("\n"));
        let (_folder, path) = csv_text(&text);
        let learning = load_learning(&path, &skip_bad()).expect("two good rows");
        let test = load_split(&path, Split::Test, &skip_bad());
        let n_test = rows.iter().filter(|row| row.split(',').nth(2) == Some("PrivateTest")).count();
        let seen = learning.train.len() + learning.validation.len() + learning.skipped.len();
        prop_assert_eq!(seen + n_test, rows.len() + 2);
        prop_assert!(test.is_err(), "no row made up here has 2304 pixels");
    }

    #[test]
    fn a_file_of_any_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for start in [&b""[..], &b"emotion,pixels,Usage\n"[..], &[0x28, 0xb5, 0x2f, 0xfd][..], &[0x1f, 0x8b][..]] {
            let path = folder.path().join("file");
            fs::write(&path, [start, &bytes].concat()).expect("a file");
            prop_assert!(load_learning(&path, &skip_bad()).is_err());
        }
    }
}

#[test]
fn faces_with_two_labels_in_train_are_dropped_on_request_and_stay_in_validation() {
    let (twice, once) = (pixels(5), pixels(7));
    let (_folder, path) = csv_text(&format!(
        "emotion,pixels,Usage\n3,{twice},Training\n3,{once},Training\n3,{once},Training\n0,{twice},Training\n6,{twice},PublicTest\n"
    ));
    let whole = load_learning(&path, &LoadOptions::default()).expect("sound rows");
    assert_eq!((whole.train.len(), whole.validation.len()), (4, 1));
    let options = LoadOptions { drop_contradictory: true, ..LoadOptions::default() };
    let learning = load_learning(&path, &options).expect("sound rows");
    let kept: Vec<String> = learning.train.samples.iter().map(|sample| sample.source.to_string()).collect();
    assert_eq!((kept, learning.validation.len()), (vec!["row 2".to_owned(), "row 3".to_owned()], 1));
    let skipped: Vec<String> = learning.skipped.iter().map(ToString::to_string).collect();
    let said = "the same face has another label elsewhere";
    assert_eq!(skipped, [format!("row 1: {said}"), format!("row 4: {said}")]);
}
