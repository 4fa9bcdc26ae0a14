//! The worst mistakes, with their faces.
//! In: an evaluation and its samples. Out: a gallery of inline pictures.

use std::fmt::Write;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fer_data::{Face, Samples};
use image::ImageFormat;

use super::escape;
use crate::judge::evaluate::Evaluation;

/// Faces shown: a screenful.
const N_SHOWN: usize = 40;

/// The mistakes of highest confidence: wrong labels in the data often stand among them.
pub(super) fn gallery(evaluation: &Evaluation, samples: &Samples) -> String {
    let worst = worst(evaluation);
    if worst.is_empty() {
        return "<p>There are none.</p>\n".to_owned();
    }
    let mut gallery = "<div class=\"gallery\">\n".to_owned();
    for idx in worst {
        let (sample, prediction) = (&samples.samples[idx], &evaluation.predictions[idx]);
        let _ = writeln!(
            gallery,
            "<figure><img alt=\"\" src=\"data:image/png;base64,{png}\"><figcaption>{label}, read as <b>{predicted}</b> {confidence:.0} %<br>{source}</figcaption></figure>",
            png = STANDARD.encode(png(&sample.face)),
            label = escape(evaluation.labels.name(sample.label)),
            predicted = escape(evaluation.labels.name(prediction.label())),
            confidence = 100.0 * prediction.confidence(),
            source = escape(&sample.source.to_string()),
        );
    }
    gallery + "</div>\n"
}

/// Indices of wrong predictions, the most confident first.
fn worst(evaluation: &Evaluation) -> Vec<usize> {
    let confidence = |idx: &usize| evaluation.predictions[*idx].confidence();
    let is_wrong = |idx: &usize| evaluation.predictions[*idx].label() != evaluation.truth[*idx];
    let mut wrong: Vec<usize> = (0..evaluation.n()).filter(is_wrong).collect();
    wrong.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)));
    wrong.truncate(N_SHOWN);
    wrong
}

fn png(face: &Face) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    face.to_gray().write_to(&mut bytes, ImageFormat::Png).expect("48 × 48 grey pixels encode into memory");
    bytes.into_inner()
}
