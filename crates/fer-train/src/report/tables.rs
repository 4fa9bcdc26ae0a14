//! The report's tables.
//! In: figures. Out: HTML tables.

use std::fmt::Write;

use fer_data::Labels;

use super::escape;
use crate::judge::confusion::{ClassMetrics, ConfusionMatrix};
use crate::judge::summary::Summary;

/// The headline figures.
pub(super) fn figures(summary: &Summary) -> String {
    let interval = |[low, high]: [f64; 2]| format!("{:.2} to {:.2} %", 100.0 * low, 100.0 * high);
    let mut rows = vec![
        ("accuracy", percent(summary.accuracy), format!("95 % interval {}", interval(summary.accuracy_ci95))),
        ("top-2", percent(summary.top2), "the label is among the two most probable".to_owned()),
        ("macro-F1", percent(summary.macro_f1), "every class counts equally".to_owned()),
        ("balanced accuracy", percent(summary.balanced_accuracy), "mean recall over classes".to_owned()),
        ("NLL", format!("{:.4}", summary.nll), "nats, before the temperature".to_owned()),
        ("Brier", format!("{:.4}", summary.brier), "0 to 2, before the temperature".to_owned()),
        ("ECE", percent(summary.ece), "15 bins, before the temperature".to_owned()),
        ("ECE, calibrated", percent(summary.ece_calibrated), "after the card's temperature".to_owned()),
        ("speed", format!("{:.0}", summary.images_per_second), "images a second".to_owned()),
    ];
    if let Some(unseen) = &summary.duplicates_removed {
        let note = format!(
            "95 % interval {}; {} images left, {} stand in the training data",
            interval(unseen.accuracy_ci95),
            unseen.n,
            unseen.n_removed
        );
        rows.insert(1, ("duplicates removed", percent(unseen.accuracy), note));
    }
    let mut table = "<div class=\"wide\"><table>\n<tbody>\n".to_owned();
    for (name, value, note) in rows {
        let _ = writeln!(table, "<tr><th>{name}</th><td>{value}</td><th>{note}</th></tr>");
    }
    table + "</tbody>\n</table></div>\n"
}

/// Two matrices: counts, and shares of each label's images.
pub(super) fn confusion(labels: &Labels, matrix: &ConfusionMatrix) -> String {
    let count = |count: u64, _: f64| count.to_string();
    let share = |_: u64, share: f64| format!("{:.1}", 100.0 * share);
    one_matrix(labels, matrix, "Counts: row = label, column = prediction", count)
        + &one_matrix(labels, matrix, "Per cent of each label’s images", share)
}

fn one_matrix(
    labels: &Labels,
    matrix: &ConfusionMatrix,
    caption: &str,
    cell: impl Fn(u64, f64) -> String,
) -> String {
    let mut table = format!(
        "<div class=\"wide\"><table class=\"matrix\">\n<caption>{caption}</caption>\n<thead><tr><th></th>"
    );
    for name in labels.names() {
        let _ = write!(table, "<th scope=\"col\">{}</th>", escape(name));
    }
    table += "</tr></thead>\n<tbody>\n";
    for (name, counts) in labels.names().iter().zip(matrix.rows()) {
        let support: u64 = counts.iter().sum();
        let _ = write!(table, "<tr><th scope=\"row\">{}</th>", escape(name));
        for &count in counts {
            let share = count as f64 / support.max(1) as f64;
            let _ = write!(table, "<td style=\"--share:{:.0}%\">{}</td>", 75.0 * share, cell(count, share));
        }
        table += "</tr>\n";
    }
    table + "</tbody>\n</table></div>\n"
}

/// Precision, recall, F1 and support by class and on average.
pub(super) fn by_class(labels: &Labels, matrix: &ConfusionMatrix) -> String {
    let mut table = "<div class=\"wide\"><table>\n<thead><tr><th></th><th>precision</th><th>recall</th><th>F1</th><th>images</th></tr></thead>\n<tbody>\n".to_owned();
    for (name, class) in labels.names().iter().zip(matrix.classes()) {
        table += &class_row("class", &escape(name), &class);
    }
    table += &class_row("average", "macro average", &matrix.macro_average());
    table += &class_row("average", "weighted average", &matrix.weighted_average());
    table + "</tbody>\n</table></div>\n"
}

fn class_row(kind: &str, name: &str, class: &ClassMetrics) -> String {
    let ClassMetrics { precision, recall, f1, support } = class;
    format!(
        "<tr class=\"{kind}\"><th scope=\"row\">{name}</th><td>{precision:.3}</td><td>{recall:.3}</td><td>{f1:.3}</td><td>{support}</td></tr>\n"
    )
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}
