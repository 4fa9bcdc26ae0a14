//! The report's tables.
//! In: figures. Out: HTML tables.

use std::fmt::Write;

use fer_data::Labels;

use super::escape;
use crate::judge::confusion::{ClassMetrics, ConfusionMatrix};
use crate::judge::summary::Summary;

/// The headline figures.
pub(super) fn figures(summary: &Summary) -> String {
    let mut table = "<div class=\"wide\"><table>\n<tbody>\n".to_owned();
    for row in summary.rows() {
        let (name, value, remark) = (row.name, row.shown(), row.remark());
        let _ = writeln!(table, "<tr><th>{name}</th><td>{value}</td><th>{remark}</th></tr>");
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
