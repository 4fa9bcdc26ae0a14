//! The model card for people: `MODEL_CARD.md`.
//! In: a card. Out: Markdown, one sentence a line.

use std::fmt::Write;

use fer_data::LabelSet;

use crate::card::{HeadCard, ModelCard};

/// The card as a page.
#[must_use]
pub fn card_page(card: &ModelCard) -> String {
    let sections = [opening(card), measured(card), trained(card), limits().to_owned(), files(card)];
    sections.join("\n")
}

fn opening(card: &ModelCard) -> String {
    let side = card.input.side;
    format!(
        "# A `{architecture}` network for apparent facial expressions\n\n\
         Reads a {side}×{side} grey face and gives a probability for each of: {labels}.\n\
         It was made by fer {version} on {created} and has {parameters} parameters.\n\
         {heads}\
         Selected by: {selection}.\n",
        architecture = card.architecture,
        labels = card.labels.names().join(", "),
        version = card.fer_version,
        created = card.created,
        parameters = card.n_parameters,
        heads = heads(card),
        selection = if card.selection.is_empty() { "not stated" } else { &card.selection },
    )
}

/// What a reading of several heads is made of.
fn heads(card: &ModelCard) -> String {
    let alone =
        |accuracy: f64| format!("; alone {:.2} % of the validation split by these labels", 100.0 * accuracy);
    let head = |head: &HeadCard| {
        let accuracy = head.accuracy.map(alone).unwrap_or_default();
        format!("{} × {} ({}{accuracy})", head.weight, head.set, head.labels.names().join(", "))
    };
    let heads: Vec<String> = card.heads.iter().map(head).collect();
    if heads.is_empty() {
        return String::new();
    }
    let is_adjusted = card.heads.iter().any(|head| !head.offsets.is_empty());
    let adjusted =
        if is_adjusted { " The logits are adjusted for how rare a label is in training." } else { "" };
    format!(
        "A reading adds the logits of its heads, each for a label set: {}.{adjusted}\n",
        heads.join(" + ")
    )
}

fn measured(card: &ModelCard) -> String {
    let mut page = "## Measured on the validation split\n\n".to_owned();
    let Some(metrics) = &card.validation else {
        return page + "Nothing was measured yet: `fer-eval` measures.\n";
    };
    let _ = write!(
        page,
        "| images | accuracy | macro-F1 | balanced accuracy | NLL | ECE |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: |\n\
         | {} | {:.2} % | {:.2} % | {:.2} % | {:.4} | {:.2} % |\n\n\
         Single view, before the temperature{}.\n\
         The validation split also selected these weights, so these figures are optimistic.\n\
         The temperature is {}.\n",
        metrics.n,
        100.0 * metrics.accuracy,
        100.0 * metrics.macro_f1,
        100.0 * metrics.balanced_accuracy,
        metrics.nll,
        100.0 * metrics.ece,
        if card.heads.is_empty() { "" } else { "; the heads combined, judged by the data's own labels" },
        temperature(card),
    );
    page + &verifier(card)
}

fn verifier(card: &ModelCard) -> String {
    let Some(verifier) = &card.verifier else { return String::new() };
    format!(
        "\n## Faces and what is none\n\n\
         One more output says whether a crop shows a face at all; below {threshold:.3} it counts as none.\n\
         That keeps {kept:.2} % of {n_faces} faces of the validation split and refuses {refused:.2} % of {n_none} false finds of the detector in pictures that did not train it.\n\
         Fitted by `{command}`.\n",
        threshold = verifier.threshold,
        kept = 100.0 * verifier.faces_kept,
        refused = 100.0 * verifier.false_finds_refused,
        n_faces = verifier.n[0],
        n_none = verifier.n[1],
        command = verifier.command,
    )
}

fn temperature(card: &ModelCard) -> String {
    let temperature = card.temperature;
    match card.foreign_calibration() {
        _ if temperature == 1.0 => "1: not calibrated".to_owned(),
        Some(on) => {
            format!("{temperature:.4}, fitted on {} images of {}, not on the validation split", on.n, on.data)
        }
        None if card.calibration.as_ref().is_some_and(|on| on.labels == Some(LabelSet::FerPlus)) => {
            format!("{temperature:.4}, fitted on the validation split by the majority of FER+'s raters")
        }
        None => format!("{temperature:.4}, fitted on the validation split"),
    }
}

fn trained(card: &ModelCard) -> String {
    let training = &card.training;
    format!(
        "## Trained\n\n\
         | | |\n| --- | --- |\n\
         | command | `{command}` |\n\
         | data | {data}: {n_train} training and {n_validation} validation faces |\n\
         | training data SHA-256 | `{train_sha256}` |\n\
         | validation data SHA-256 | `{validation_sha256}` |\n\
         | configuration SHA-256 | `{config_sha256}` |\n\
         | seed | {seed} |\n\
         | epoch | {epoch} of {n_epochs} |\n\n\
         The full configuration is in `card.json`.\n",
        command = training.command,
        data = training.data,
        n_train = training.n_train,
        n_validation = training.n_validation,
        train_sha256 = training.train_sha256,
        validation_sha256 = training.validation_sha256,
        config_sha256 = training.config_sha256,
        seed = training.seed,
        epoch = training.epoch,
        n_epochs = training.n_epochs,
    )
}

/// The same for every model: what the outputs are and are not.
///
/// Sources: Barrett et al. 2019, doi 10.1177/1529100619832930; Regulation (EU) 2024/1689, articles
/// 5(1)(f) and 50(3).
const fn limits() -> &'static str {
    "## What it is not\n\n\
     The output is an *apparent expression*: how a face looks to raters, not what a person feels.\n\
     People show expressions with low reliability and specificity (Barrett et al. 2019); a scowl is often not anger.\n\
     Labels of web photographs are noisy, classes are unbalanced, and groups of people are represented unequally.\n\
     How well it reads by age, sex or skin is not known: the training data names none of them. What finds the faces misses profiles and covered faces before they can be read.\n\
     Do not decide anything about a person with it.\n\
     In the European Union, inferring emotions from faces at work and in education is prohibited except for medical or safety reasons (Regulation (EU) 2024/1689, article 5(1)(f)), and exposed persons must be informed (article 50(3)).\n"
}

fn files(card: &ModelCard) -> String {
    let standard =
        if card.standardizes { "; the network brings each face to mean 0 and deviation 1" } else { "" };
    format!(
        "## Files\n\n\
         `card.json`, and `{file}` ({n_bytes} bytes, SHA-256 `{sha256}`).\n\
         Normalisation: (grey value − {mean}) / {deviation}{standard}.\n\
         Cut to {crop_factor} times the side of a Haar cascade's box around the face.\n",
        file = card.weights.file,
        n_bytes = card.weights.n_bytes,
        sha256 = card.weights.sha256,
        mean = card.input.mean,
        deviation = card.input.deviation,
        crop_factor = card.input.crop_factor,
    )
}
