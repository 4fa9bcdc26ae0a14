//! The card: what it refuses, and that JSON loses nothing.

use fer_data::Labels;
use fer_model::{Architecture, ModelCard, net::BlockPlan};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::fixtures::card;

/// An error and its causes, as a program prints them.
fn told(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", told(cause)))
}

/// The complaint about a card with one field changed.
fn complaint(pointer: &str, value: Value) -> String {
    let mut card = card();
    card.weights.file = "weights.safetensors".to_owned();
    let mut json: Value = serde_json::from_str(&card.to_json()).unwrap();
    *json.pointer_mut(pointer).unwrap() = value;
    ModelCard::from_json(json.to_string().as_bytes(), "card.json").unwrap_err().to_string()
}

#[test]
fn a_card_reads_back_as_it_was_written() {
    let mut card = card();
    card.weights.file = "weights.safetensors".to_owned();
    card.temperature = 1.234_567;
    let read = ModelCard::from_json(card.to_json().as_bytes(), "card.json").unwrap();
    assert_eq!(read, card);
}

#[test]
fn a_card_of_a_later_format_is_refused_before_its_fields_are_read() {
    let json = br#"{ "schema": 2, "fer_version": "9.1.0", "anything": [] }"#;
    let error = ModelCard::from_json(json, "card.json").unwrap_err().to_string();
    assert_snapshot!(error, @"card.json: card schema 2 (written by fer 9.1.0), this fer reads schema 1: update fer, or train again");
}

#[test]
fn text_that_is_no_card_is_refused() {
    let error = told(&ModelCard::from_json(b"weights", "card.json").unwrap_err());
    assert_snapshot!(error, @"card.json: not a model card of fer: expected value at line 1 column 1");
    let error = told(&ModelCard::from_json(br#"{"schema": 1}"#, "card.json").unwrap_err());
    assert_snapshot!(error, @"card.json: not a model card of fer: missing field `fer_version` at line 1 column 13");
}

#[test]
fn another_label_order_is_refused_with_both_orders() {
    let labels = json!(["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]);
    assert_snapshot!(complaint("/labels", labels), @"card.json: label order is angry, disgust, fear, happy, sad, surprise, neutral, expected angry, disgust, fear, happy, neutral, sad, surprise");
}

#[test]
fn labels_that_are_not_the_datas_are_refused() {
    let data = Labels::custom(vec!["cat".to_owned(), "dog".to_owned()]);
    let error = card().expect_labels(&data, "card.json").unwrap_err().to_string();
    assert_snapshot!(error, @"card.json: label order is angry, disgust, fear, happy, neutral, sad, surprise, expected cat, dog");
}

#[test]
fn another_architecture_than_expected_is_refused() {
    let error = card().expect_architecture(Architecture::Base, "card.json").unwrap_err().to_string();
    assert_snapshot!(error, @"card.json: architecture is tiny, expected base");
}

#[test]
fn fields_that_this_build_cannot_serve_are_refused_with_the_difference() {
    assert_snapshot!(complaint("/architecture", json!("resnet50")), @"card.json: architecture is resnet50, expected one of tiny, small, base, vgg");
    assert_snapshot!(complaint("/input/mean", json!(127.5)), @"card.json: normalisation is mean 127.5, deviation 65, expected mean 129.5, deviation 65");
    assert_snapshot!(complaint("/input/side", json!(64)), @"card.json: input side is 64, expected 48");
    assert_snapshot!(complaint("/temperature", json!(0.0)), @"card.json: temperature is 0, expected 0.05 to 20");
    assert_snapshot!(complaint("/temperature", json!(1e9)), @"card.json: temperature is 1000000000, expected 0.05 to 20");
    assert_snapshot!(complaint("/input/crop_factor", json!(0.1)), @"card.json: input crop_factor is 0.1, expected 0.5 to 4");
    assert_snapshot!(complaint("/weights/file", json!("../other/weights")), @"card.json: weights.file is ../other/weights, expected a file name beside the card");
    assert!(complaint("/n_parameters", json!(12)).contains("n_parameters is 12, expected "));
}

#[test]
fn blocks_that_are_no_network_are_refused() {
    let mut card = card();
    card.weights.file = "weights.safetensors".to_owned();
    card.blocks = vec![BlockPlan::Plain { width: 16, convs: 1_000_000_000, pool: false }];
    let error = ModelCard::from_json(card.to_json().as_bytes(), "card.json").unwrap_err().to_string();
    assert_snapshot!(error, @"card.json: blocks is 16 plain ×1000000000 as number 0, expected 1 to 64 convolutions");
}

#[test]
fn labels_that_cannot_be_shown_are_refused() {
    let labels = |first: &str| json!([first, "dog", "bird"]);
    assert_snapshot!(complaint("/labels", labels("\u{1b}[31m")), @r#"card.json: labels is "\u{1b}[31m", expected names without control characters"#);
    assert_snapshot!(complaint("/labels", labels(" ")), @r#"card.json: labels is " ", expected names without control characters"#);
}

#[test]
fn two_labels_of_one_name_are_refused() {
    let labels = json!(["cat", "dog", "cat"]);
    assert_snapshot!(complaint("/labels", labels), @"card.json: labels is cat twice, expected each name once");
}

#[test]
fn a_card_of_before_the_crop_factor_means_crops_as_fer2013s() {
    let mut card = card();
    card.weights.file = "weights.safetensors".to_owned();
    let mut json: Value = serde_json::from_str(&card.to_json()).unwrap();
    json["input"].as_object_mut().unwrap().remove("crop_factor");
    let read = ModelCard::from_json(json.to_string().as_bytes(), "card.json").unwrap();
    assert_eq!(read.input.crop_factor, 1.02);
    card.input.crop_factor = 1.3;
    let read = ModelCard::from_json(card.to_json().as_bytes(), "card.json").unwrap();
    assert_eq!(read.input.crop_factor, 1.3, "a model of other crops says so");
}
