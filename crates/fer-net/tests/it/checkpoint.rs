//! Model folders: whole or refused, and never lost.

use std::fs;
use std::path::Path;

use fer_model::checkpoint::{CARD_FILE, PAGE_FILE, WEIGHTS_FILE, load_card, save_card};
use fer_model::{Architecture, ModelCard, Tta};
use fer_net::checkpoint::{load, save};
use fer_net::predictor;
use insta::assert_snapshot;
use tempfile::{TempDir, tempdir};

use crate::fixtures::{cpu, net};
use crate::model::{card, faces};

/// A folder with a saved `tiny` model.
fn saved() -> TempDir {
    let folder = tempdir().unwrap();
    save(folder.path(), &net(), &card()).unwrap();
    folder
}

/// The complaint when a folder is loaded, with the folder's name replaced by `DIR`.
fn complaint(folder: &Path) -> String {
    let error = load(folder, &cpu()).map(|_| ()).unwrap_err().to_string();
    error.replace(&folder.display().to_string(), "DIR")
}

/// Changes the card of a saved model without any check.
fn edit(folder: &Path, change: impl Fn(&mut ModelCard)) {
    let path = folder.join(CARD_FILE);
    let mut card: ModelCard = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut card);
    fs::write(path, card.to_json()).unwrap();
}

fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_saved_model_loads_with_the_same_logits_and_card() {
    let folder = tempdir().unwrap();
    let net = net();
    let written = save(folder.path(), &net, &card()).unwrap();
    let (loaded, read) = load(folder.path(), &cpu()).unwrap();
    assert_eq!(read, written);
    let faces = faces(3);
    let before = predictor(&net, written).predict(&faces, Tta::None);
    let after = predictor(&loaded, read).predict(&faces, Tta::None);
    assert_eq!(before, after);
}

#[test]
fn equal_weights_give_equal_files() {
    let (a, b) = (tempdir().unwrap(), tempdir().unwrap());
    let net = net();
    save(a.path(), &net, &card()).unwrap();
    save(b.path(), &net, &card()).unwrap();
    for file in [WEIGHTS_FILE, CARD_FILE, PAGE_FILE] {
        assert_eq!(fs::read(a.path().join(file)).unwrap(), fs::read(b.path().join(file)).unwrap(), "{file}");
    }
}

#[test]
fn saving_again_replaces_the_model_and_leaves_no_old_file() {
    let folder = saved();
    for _ in 0..3 {
        let card = save(folder.path(), &net(), &card()).unwrap();
        assert_eq!(load(folder.path(), &cpu()).unwrap().1, card);
        let mut expected = vec![CARD_FILE.to_owned(), PAGE_FILE.to_owned(), card.weights.file];
        expected.sort();
        assert_eq!(file_names(folder.path()), expected);
    }
}

#[test]
fn a_kill_between_weights_and_card_leaves_the_old_model() {
    let folder = saved();
    let before = load_card(folder.path()).unwrap();
    fs::write(folder.path().join("weights-b.safetensors"), "half a file").unwrap();
    assert_eq!(load(folder.path(), &cpu()).unwrap().1, before);
    save(folder.path(), &net(), &card()).unwrap();
    assert!(load(folder.path(), &cpu()).is_ok());
}

#[test]
fn a_save_that_fails_leaves_the_old_model() {
    let folder = saved();
    let before = load_card(folder.path()).unwrap();
    // A folder where the new weights should go: the rename fails, as it would on a broken disk.
    fs::create_dir_all(folder.path().join("weights-b.safetensors/taken")).unwrap();
    let error = save(folder.path(), &net(), &card()).unwrap_err().to_string();
    assert!(error.contains("weights-b.safetensors could not be written"), "{error}");
    assert!(error.ends_with("nothing that stood there was changed"), "{error}");
    assert_eq!(load(folder.path(), &cpu()).unwrap().1, before);
    assert!(!file_names(folder.path()).iter().any(|name| name.ends_with(".tmp")));
}

#[test]
fn a_new_temperature_leaves_the_weights_alone() {
    let folder = saved();
    let mut card = load_card(folder.path()).unwrap();
    card.temperature = 1.5;
    save_card(folder.path(), &card).unwrap();
    assert_eq!(load(folder.path(), &cpu()).unwrap().1, card);
    let page = fs::read_to_string(folder.path().join(PAGE_FILE)).unwrap();
    assert!(page.contains("SHA-256 `") && page.contains(&card.weights.sha256));
}

#[test]
fn a_folder_without_a_model_is_refused() {
    assert_snapshot!(complaint(tempdir().unwrap().path()), @"no model card in DIR: was this folder written by fer-train?");
    assert_snapshot!(complaint(Path::new("/nowhere/at/all")), @"no model card in DIR: was this folder written by fer-train?");
    let folder = saved();
    fs::remove_file(folder.path().join(WEIGHTS_FILE)).unwrap();
    assert_snapshot!(complaint(folder.path()), @"no weights in DIR: card.json names weights.safetensors, copy it there or take another checkpoint");
}

#[test]
fn truncated_weights_are_refused_with_both_sizes() {
    let folder = saved();
    let path = folder.path().join(WEIGHTS_FILE);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..1000]).unwrap();
    let expected = format!("DIR/weights.safetensors: 1000 bytes, expected {} as the card says", whole.len());
    assert!(complaint(folder.path()).starts_with(&expected));
}

#[test]
fn one_changed_bit_is_refused() {
    let folder = saved();
    let path = folder.path().join(WEIGHTS_FILE);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(complaint(folder.path()).contains("the file is damaged or belongs to another model"));
}

#[test]
fn weights_of_another_architecture_are_refused_with_the_first_difference() {
    let folder = saved();
    edit(folder.path(), |card| {
        card.architecture = Architecture::Small.name().to_owned();
        card.n_parameters = Architecture::Small.size(card.labels.len()).parameters;
    });
    let error = complaint(folder.path());
    assert!(error.contains("the weights do not fit architecture small with 7 labels: "), "{error}");
    assert!(error.contains("expected"), "{error}");
}

#[test]
fn a_hash_that_fits_bytes_that_are_no_weights_is_refused() {
    let folder = saved();
    let garbage = b"not a safetensors file at all";
    fs::write(folder.path().join(WEIGHTS_FILE), garbage).unwrap();
    edit(folder.path(), |card| {
        card.weights.n_bytes = garbage.len();
        card.weights.sha256 = fer_model::card::sha256_hex(garbage);
    });
    assert!(complaint(folder.path()).contains("not a safetensors file"));
}

/// Saves a `tiny` network after `spoil` changed the tensors it is called with, by name.
fn spoilt(spoil: impl Fn(&str, &mut [f32])) -> TempDir {
    let folder = saved();
    let path = folder.path().join(WEIGHTS_FILE);
    let mut bytes = fs::read(&path).unwrap();
    // Safetensors: the length of a JSON header, the header with each tensor's place, the tensors.
    let start = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..start]).unwrap();
    for (name, tensor) in header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__") {
        let [from, to] = [0, 1].map(|end| start + tensor["data_offsets"][end].as_u64().unwrap() as usize);
        let chunks = bytes[from..to].as_chunks_mut::<4>().0;
        let mut values: Vec<f32> = chunks.iter().map(|value| f32::from_le_bytes(*value)).collect();
        spoil(name, &mut values);
        chunks.iter_mut().zip(values).for_each(|(bytes, value)| *bytes = value.to_le_bytes());
    }
    fs::write(&path, &bytes).unwrap();
    edit(folder.path(), |card| card.weights.sha256 = fer_model::card::sha256_hex(&bytes));
    folder
}

#[test]
fn weights_that_no_training_leaves_behind_are_refused_with_the_tensor() {
    let set = |wanted: &'static str, value: f32| {
        spoilt(move |name, values| {
            if name == wanted {
                values[1] = value;
            }
        })
    };
    let of = |folder: TempDir| complaint(folder.path());
    assert_snapshot!(of(set("head.bias", f32::NAN)), @"DIR/weights.safetensors: head.bias holds NaN, expected finite numbers: take another checkpoint, or train again");
    assert_snapshot!(of(set("blocks.1.first.conv.weight", f32::INFINITY)), @"DIR/weights.safetensors: blocks.1.first.conv.weight holds inf, expected finite numbers: take another checkpoint, or train again");
    assert_snapshot!(of(set("blocks.0.convs.0.norm.running_var", -1.0)), @"DIR/weights.safetensors: blocks.0.convs.0.norm.running_var holds -1, expected a variance of 0 or more: take another checkpoint, or train again");
    // Negative means are as good as any.
    let folder = set("blocks.0.convs.0.norm.running_mean", -1.0);
    assert!(load(folder.path(), &cpu()).is_ok());
}

#[test]
fn a_card_that_could_not_be_read_back_is_not_written() {
    let folder = saved();
    let before = fs::read(folder.path().join(CARD_FILE)).unwrap();
    let mut bad = load_card(folder.path()).unwrap();
    bad.validation = Some(fer_model::card::MetricsCard {
        n: 3,
        accuracy: 0.5,
        macro_f1: 0.5,
        balanced_accuracy: 0.5,
        nll: 1.0,
        ece: f64::NAN,
    });
    for written in [save_card(folder.path(), &bad), save(folder.path(), &net(), &bad).map(drop)] {
        let error = written.unwrap_err().to_string();
        assert!(error.ends_with("card.json: validation is ece NaN, expected finite figures"), "{error}");
    }
    assert_eq!(fs::read(folder.path().join(CARD_FILE)).unwrap(), before);
    assert!(load(folder.path(), &cpu()).is_ok());
}
