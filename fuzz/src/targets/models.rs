//! What a model is made of: card, weights, checkpoints, configs, detectors.
//! In: bytes. Out: what their readers say; what they take is then used.

use burn::{module::Module, store::ModuleRecord, tensor::Device};
use burn_train::checkpoint::Checkpoint;
use fer_data::{Face, Labels};
use fer_model::{Architecture, ModelCard, ModelFiles, Predictor, Tta, card::sha256_hex};
use fer_net::{Net, checkpoint};
use fer_train::config::Config;
use fer_vision::{
    DetectFaces,
    haar::{Cascade, CascadeSearch, HaarDetector, HaarOptions},
    yunet::{YuNetDetector, YuNetOptions},
};

use super::{Door, Target, words};
use crate::{plan::memory_folder, seeds};

#[path = "../../../crates/fer-vision/tests/it/bright_yunet.rs"]
mod bright_yunet;

pub(super) const CARD: Target = Target {
    name: "card",
    door: "a model's card",
    seeds: || {
        [include_bytes!("../../../models/small/card.json").to_vec(), fresh().0.to_json().into_bytes()].into()
    },
    words: &[
        b"\"schema\"",
        b"\"blocks\"",
        b"\"labels\"",
        b"\"heads\"",
        b"\"temperature\"",
        b"\"weights\"",
        b"null",
        b"[]",
        b"{}",
        b"\"fer2013\"",
        b"\"ferplus\"",
        b"\"own\"",
        b"1e999",
        b"\\u0000",
        b"../",
        b"true",
        b"[[",
        b",",
    ],
    open: card,
    on_request: false,
};

pub(super) const WEIGHTS: Target = Target {
    name: "weights",
    door: "a model's weights, under a card that names their hash",
    seeds: || vec![fresh().1],
    words: &[
        b"F32",
        b"F16",
        b"U8",
        b"I64",
        b"BF16",
        b"shape",
        b"data_offsets",
        b"dtype",
        b"__metadata__",
        b"[0,0]",
        b"{}",
    ],
    open: weights,
    on_request: false,
};

pub(super) const CHECKPOINT: Target = Target {
    name: "checkpoint",
    door: "a checkpoint's record of the weights",
    seeds: || vec![record()],
    words: &[
        b"NRUB",
        b"BURN",
        b"F32",
        b"\xa1",
        b"\xbf",
        b"\xff",
        b"\x9f",
        b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
    open: checkpoints,
    on_request: false,
};

pub(super) const CONFIG: Target = Target {
    name: "config",
    door: "a config",
    seeds: || {
        let text = include_str!("../../../configs/fer2013-small.toml");
        let whole = Config::parse(text, &[]).map(|config| config.to_toml()).unwrap_or_default();
        vec![text.into(), include_bytes!("../../../configs/drawn.toml").to_vec(), whole.into_bytes()]
    },
    words: &[
        b"[model]",
        b"[data]",
        b"[train]",
        b"[schedule]",
        b"= ",
        b"[[model.blocks]]",
        b"\"cosine\"",
        b"\"plateau\"",
        b"nan",
        b"inf",
        b"-0.0",
        b"\"\"\"",
        b"'''",
        b"{",
        b"}",
        b"\\uD800",
        b"1979-05-27",
        b"train.epochs = ",
        b"#",
    ],
    open: config,
    on_request: false,
};

pub(super) const CASCADE: Target = Target {
    name: "cascade",
    door: "a cascade in OpenCV's XML, and a search with it",
    seeds: || vec![seeds::CASCADE.into()],
    words: &[
        b"<_>",
        b"</_>",
        b"<rects>",
        b"<stages>",
        b"<features>",
        b"<tilted>1",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"&lt;",
        b"-1",
        b"1e400",
        b"nan",
        b"<height>",
        b"<width>",
        b"<internalNodes>",
    ],
    open: cascade,
    on_request: false,
};

pub(super) const YUNET: Target = Target {
    name: "yunet",
    door: "a detector's ONNX file, and a search with it",
    seeds: || vec![bright_yunet::bright_yunet(bright_yunet::Bright::default())],
    words: &[
        b"cls_8",
        b"kps_32",
        b"Conv",
        b"Reshape",
        b"AveragePool",
        b"Transpose",
        b"Sigmoid",
        b"input",
        b"\x08\x07",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ],
    open: yunet,
    on_request: false,
};

/// An untrained model: its card and weights.
fn fresh() -> (ModelCard, Vec<u8>) {
    let folder = tempfile::tempdir_in(memory_folder()).expect("there is room for a folder");
    let net = Net::new(Architecture::Tiny, 7, 0.0, &Device::flex());
    let card = ModelCard::new(Architecture::Tiny, Labels::fer2013(), "2026-01-31");
    let card = checkpoint::save(folder.path(), &net, &card).expect("there is room for a model");
    let weights = std::fs::read(folder.path().join(&card.weights.file)).expect("it was written");
    (card, weights)
}

fn card() -> Door {
    Box::new(|bytes| {
        let read = ModelCard::from_json(bytes, "card");
        if let Ok(card) = &read {
            let again = ModelCard::from_json(card.to_json().as_bytes(), "card");
            if again.as_ref().ok() != Some(card) {
                return Err(format!("written and read again it is another: {}", words(again)));
            }
        }
        Ok(words(read))
    })
}

fn weights() -> Door {
    let card = fresh().0;
    Box::new(move |bytes| {
        let mut card = card.clone();
        (card.weights.n_bytes, card.weights.sha256) = (bytes.len(), sha256_hex(bytes));
        let json = card.to_json();
        let files = ModelFiles { card_json: json.as_bytes(), weights: bytes };
        let predictor = Predictor::from_bytes(files);
        Ok(words(predictor.map(|predictor| predictor.predict(&[Face::blank(9)], Tta::None))))
    })
}

fn record() -> Vec<u8> {
    let net = Net::new(Architecture::Tiny, 7, 0.0, &Device::flex());
    let path = tempfile::tempdir_in(memory_folder()).expect("there is room for a folder");
    let file = path.path().join("model-1.bpk");
    Checkpoint::save(net.into_record(), file.clone()).expect("there is room for a record");
    std::fs::read(file).expect("it was written")
}

fn checkpoints() -> Door {
    let folder = tempfile::tempdir_in(memory_folder()).expect("there is room for a folder");
    let net = Net::new(Architecture::Tiny, 7, 0.0, &Device::flex());
    Box::new(move |bytes| {
        let path = folder.path().join("model-1.bpk");
        std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
        match <ModuleRecord as Checkpoint>::load(path) {
            Ok(record) => {
                Ok(net.clone().try_load_record(record).map_or_else(|e| e.to_string(), |_| "sound".to_owned()))
            }
            Err(error) => Ok(error.to_string()),
        }
    })
}

fn config() -> Door {
    Box::new(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        match Config::parse(&text, &[]) {
            Ok(config) => match Config::parse(&config.to_toml(), &[]) {
                Ok(again) if again == config => Ok("sound".to_owned()),
                again => Err(format!("written and read again it is another: {:?}", again.err())),
            },
            Err(reason) => Ok(reason),
        }
    })
}

fn cascade() -> Door {
    let picture = seeds::picture();
    Box::new(move |bytes| {
        let cascade = match Cascade::from_xml(&String::from_utf8_lossy(bytes)) {
            Ok(cascade) => cascade,
            Err(error) => return Ok(error.to_string()),
        };
        let options = HaarOptions { neighbours: 0, ..HaarOptions::default() };
        let detector = HaarDetector::with(CascadeSearch::new(cascade), options);
        Ok(words(detector.and_then(|mut detector| detector.detect(&picture))))
    })
}

fn yunet() -> Door {
    let picture = seeds::picture();
    Box::new(move |bytes| {
        let options = YuNetOptions { search_side: 64, ..YuNetOptions::default() };
        match YuNetDetector::from_onnx(bytes.to_vec(), options) {
            Ok(mut detector) => Ok(words(detector.find(&picture))),
            Err(error) => Ok(fer_base::chain(&error)),
        }
    })
}
