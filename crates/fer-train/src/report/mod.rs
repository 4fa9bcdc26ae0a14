//! An evaluation as one HTML file that needs nothing else.
//! In: an evaluation, its figures and its samples. Out: the page's text.

mod html_tables;
mod mistakes;

use fer_data::Samples;

use crate::chart::diagrams;
use crate::judge::evaluate::Evaluation;
use crate::judge::summary::Summary;

const STYLE: &str = include_str!("style.css");

/// The report of an evaluation. It holds pictures of the judged faces: the reader's own data.
#[must_use]
pub fn report_html(evaluation: &Evaluation, summary: &Summary, samples: &Samples) -> String {
    let matrix = evaluation.confusion_matrix();
    let sections = [
        section("Figures", &html_tables::figures(summary)),
        section("Confusion matrix", &html_tables::confusion(&evaluation.labels, &matrix)),
        section("By class", &html_tables::by_class(&evaluation.labels, &matrix)),
        section("Are the probabilities honest?", &reliability(evaluation)),
        section("What if it may say “uncertain”?", &risk_coverage(evaluation)),
        section("The most confident mistakes", &mistakes::gallery(evaluation, samples)),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>fer evaluation: {part}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Evaluation on the {part}</h1>\n<p class=\"protocol\">{protocol}.</p>\n{left_out}\
         <p>Labels are <em>apparent expressions</em>: how a face looks to raters, not what a person feels.</p>\n\
         {sections}</main>\n</body>\n</html>\n",
        part = evaluation.part,
        protocol = escape(&summary.protocol),
        left_out = summary.left_out().map(|words| format!("<p>{words}.</p>\n")).unwrap_or_default(),
        sections = sections.concat(),
    )
}

fn reliability(evaluation: &Evaluation) -> String {
    let (before, after) = (evaluation.uncalibrated(), evaluation.calibrated());
    let mut caption = format!(
        "Accuracy against confidence in {} bins; on the diagonal a confidence of 70 % is right 70 % of the time. Bars below count the images.",
        crate::judge::probabilities::N_BINS
    );
    if evaluation.temperature != 1.0 {
        caption += &format!(" Dashed: before the temperature {:.3}.", evaluation.temperature);
    }
    let dashed = (evaluation.temperature != 1.0).then(|| before.reliability());
    diagrams::reliability(&after.reliability(), dashed.as_ref(), &caption)
}

fn risk_coverage(evaluation: &Evaluation) -> String {
    let caption = "Share of wrong predictions among the most confident images, against the share of images that are answered at all.";
    diagrams::risk_coverage(&evaluation.calibrated().risk_coverage(), caption)
}

fn section(title: &str, content: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{content}</section>\n")
}

/// Text that is safe between tags and in attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
