//! How two heads become one reading: what the table says is what the written card gives.

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use fer_data::{Face, LabelSet, Labels, Learning, LoadOptions, Split, load_learning};
use fer_model::card::HeadCard;
use fer_model::checkpoint::load_card;
use fer_model::net::NetPlan;
use fer_model::{Architecture, ModelCard, Predictor, Tta};
use fer_net::Net;
use fer_net::checkpoint::{self, save};
use fer_train::console::Watcher;
use fer_train::judge::calibrate::combine::{Combination, combine, combined};
use fer_train::judge::input::{Cutting, Inputs};
use tempfile::tempdir;

use crate::fixtures::cpu;

const N_TRAIN: usize = 35;

/// FER-2013's code of each of our labels.
const CODES: [u8; 7] = [0, 1, 2, 3, 6, 4, 5];

/// The columns of FER+'s table, by our labels.
const VOTED: [usize; 8] = [4, 3, 6, 5, 0, 1, 2, 7];

fn two_heads(folder: &Path) -> Predictor {
    let heads = vec![
        HeadCard::new(LabelSet::Fer2013, Labels::fer2013(), 0.5),
        HeadCard::new(LabelSet::FerPlus, Labels::ferplus(), 0.5),
    ];
    let plan = NetPlan::of_one_trunk(Architecture::Tiny.blocks());
    let card = ModelCard::with_heads(Architecture::Tiny, &plan, heads, "2026-01-31");
    save(folder, &Net::of_plan(&plan, card.n_logits(), 0.0, &cpu()), &card).unwrap();
    Predictor::load(folder).unwrap()
}

/// How many training faces there are of each label.
const COUNTS: [usize; 7] = [20, 3, 3, 3, 2, 2, 2];

/// Training faces of which most show the first label, and validation faces whose labels are what each head says
/// itself, but for every fifth.
fn data(folder: &Path, predictor: &Predictor) -> Inputs {
    let faces: Vec<Face> =
        fer_drawn::samples(Split::Train, 20, 3).samples.into_iter().map(|sample| sample.face).collect();
    let said = |head| predictor.clone().of_head(head).unwrap().predict(&faces, Tta::None);
    let (own, plus) = (said(LabelSet::Fer2013), said(LabelSet::FerPlus));
    let taught: Vec<usize> = COUNTS.iter().enumerate().flat_map(|(label, &n)| vec![label; n]).collect();
    let mut csv = "emotion,pixels,Usage\n".to_owned();
    let mut votes =
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
            .to_owned();
    for (idx, face) in faces.iter().enumerate() {
        let usage = if idx < N_TRAIN { "Training" } else { "PublicTest" };
        let (label, voted) = match idx {
            idx if idx < N_TRAIN => (taught[idx], taught[idx]),
            idx if idx % 5 == 0 => (idx % 7, idx % 7),
            idx => (own[idx].label(), plus[idx].label()),
        };
        let pixels: Vec<String> = face.pixels().iter().map(u8::to_string).collect();
        writeln!(csv, "{},{},{usage}", CODES[label], pixels.join(" ")).unwrap();
        let row: Vec<&str> = VOTED.iter().map(|&label| if label == voted { "10" } else { "0" }).collect();
        writeln!(votes, "{usage},fer{idx:07}.png,{},0,0", row.join(",")).unwrap();
    }
    let [data, ferplus] = ["fer2013.csv", "fer2013new.csv"].map(|name| folder.join(name));
    fs::write(&data, csv).unwrap();
    fs::write(&ferplus, votes).unwrap();
    Inputs {
        model: folder.to_owned(),
        data,
        ferplus: Some(ferplus),
        skip_bad: false,
        validation_fraction: None,
        map: Default::default(),
        cutting: Cutting::AsItIs,
    }
}

/// Top-1 in per cent of the reading that a card makes of the network, on what the file calls validation.
fn accuracy(folder: &Path, card: ModelCard) -> f64 {
    let net = checkpoint::load(folder, &cpu()).unwrap().0;
    let validation = learning(folder).validation.samples;
    let faces: Vec<Face> = validation.iter().map(|sample| sample.face.clone()).collect();
    let said = fer_net::predictor(&net, card).predict(&faces, Tta::None);
    let n_right = said.iter().zip(&validation).filter(|(said, sample)| said.label() == sample.label).count();
    100.0 * n_right as f64 / validation.len() as f64
}

fn learning(folder: &Path) -> Learning {
    let options = LoadOptions { ferplus: Some(folder.join("fer2013new.csv")), ..LoadOptions::default() };
    load_learning(&folder.join("fer2013.csv"), &options).unwrap()
}

fn watched(work: impl FnOnce(&mut Watcher<'_>) -> String) -> String {
    work(&mut Watcher { notice: &|_| (), progress: &mut |_, _| ControlFlow::Continue(()) })
}

#[test]
fn the_table_shows_what_the_card_gives_once_it_is_written() {
    let folder = tempdir().unwrap();
    let predictor = two_heads(folder.path());
    let inputs = data(folder.path(), &predictor);
    let before = load_card(folder.path()).unwrap();
    let table = watched(|watcher| combine(&predictor, &inputs, None, watcher).unwrap());
    assert_eq!(load_card(folder.path()).unwrap(), before, "a look changes nothing");
    let train = learning(folder.path()).train;
    for (ferplus, adjust) in [(0.0, 0.0), (0.4, 0.5), (1.0, 0.0), (0.2, 0.25)] {
        let starts = [ferplus.to_string(), adjust.to_string()];
        let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let row = rows.rfind(|row| row.starts_with(&[&starts[0], &starts[1]])).unwrap();
        let card = combined(&before, Combination { ferplus, adjust }, &train);
        let reached = accuracy(folder.path(), card);
        assert!((reached - row[2].parse::<f64>().unwrap()).abs() < 0.006, "{reached}, {starts:?} in {table}");
    }
}

#[test]
fn a_combination_is_written_with_temperatures_that_fit_or_not_at_all() {
    let folder = tempdir().unwrap();
    let predictor = two_heads(folder.path());
    let inputs = data(folder.path(), &predictor);
    let before = load_card(folder.path()).unwrap();
    let chosen = Some(Combination { ferplus: 0.0, adjust: 0.0 });
    let mut watcher = Watcher { notice: &|_| (), progress: &mut |_, _| ControlFlow::Continue(()) };
    let result = combine(&predictor, &inputs, chosen, &mut watcher);
    let card = load_card(folder.path()).unwrap();
    match result {
        Ok(_) => {
            assert_eq!(card.heads.iter().map(|head| head.weight).collect::<Vec<_>>(), [1.0, 0.0]);
            assert!(card.temperature != before.temperature && !card.temperatures.is_empty());
        }
        // Untrained weights have no temperature for most seeds.
        Err(error) => {
            assert!(error.to_string().contains("as for untrained weights"), "{error}");
            assert_eq!(card, before);
        }
    }
}

#[test]
fn an_adjusted_head_gains_what_a_labels_share_took_from_it() {
    let folder = tempdir().unwrap();
    let predictor = two_heads(folder.path());
    data(folder.path(), &predictor);
    let train = learning(folder.path()).train;
    let card = combined(predictor.card(), Combination { ferplus: 0.4, adjust: 0.5 }, &train);
    assert_eq!(card.heads.iter().map(|head| head.weight).collect::<Vec<_>>(), [0.6, 0.4]);
    for head in &card.heads {
        for (offset, count) in head.offsets.iter().zip(COUNTS) {
            let expected = -0.5 * (count as f32 / N_TRAIN as f32).ln();
            assert!((offset - expected).abs() < 1e-4, "{offset}, expected {expected}");
        }
    }
}

#[test]
fn a_model_of_one_head_has_nothing_to_combine() {
    let folder = tempdir().unwrap();
    let predictor = two_heads(folder.path());
    let inputs = data(folder.path(), &predictor);
    let single = ModelCard { heads: Vec::new(), ..predictor.card().clone() };
    let net = Net::new(Architecture::Tiny, 7, 0.0, &cpu());
    let single = fer_net::predictor(&net, single);
    let mut watcher = Watcher { notice: &|_| (), progress: &mut |_, _| ControlFlow::Continue(()) };
    let error = combine(&single, &inputs, None, &mut watcher).unwrap_err();
    assert!(error.to_string().contains("has not two heads"), "{error}");
}
