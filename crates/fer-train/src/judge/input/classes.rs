//! Classes that the data or the model lacks.
//! In: samples, what was left out, a card. Out: a clause that names them; none where both have the same.

use fer_data::Samples;
use fer_model::ModelCard;

/// For instance `no images of disgust; the model has no contempt; macro figures are over the 6 classes
/// with images`.
pub(super) fn missing(samples: &Samples, left_out: &[&str], card: &ModelCard) -> Option<String> {
    let counts = samples.counts();
    let named = samples.labels.names().iter().zip(&counts);
    let absent: Vec<&str> = named.filter(|(_, n)| **n == 0).map(|(name, _)| name.as_str()).collect();
    let heads = card.all_heads();
    let is_scored = |name: &String| heads.iter().any(|head| head.labels.names().contains(name));
    let unscored: Vec<&str> =
        samples.labels.names().iter().filter(|name| !is_scored(name)).map(String::as_str).collect();
    let clause = |words: &str, classes: &[&str]| {
        (!classes.is_empty()).then(|| format!("{words} {}", classes.join(", ")))
    };
    let n_present = counts.iter().filter(|&&n| n > 0).count();
    let macro_figures =
        (!absent.is_empty()).then(|| format!("macro figures are over the {n_present} classes with images"));
    let clauses = [
        clause("left out by --map:", left_out),
        clause("the model never answers", &unscored),
        clause("no images of", &absent),
        macro_figures,
    ];
    let clauses: Vec<String> = clauses.into_iter().flatten().collect();
    (!clauses.is_empty()).then(|| clauses.join("; "))
}
