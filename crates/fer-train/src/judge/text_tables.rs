//! Evaluation as text: scikit-learn's classification report, and the confusion matrix.
//! In: label names and a confusion matrix. Out: tables for a terminal.

use std::fmt::Write;

use fer_data::Labels;

use crate::judge::confusion::{ClassMetrics, ConfusionMatrix};

/// Digits after the point, scikit-learn's default.
const DIGITS: usize = 2;

/// Precision, recall, F1 and support by class, character for character as scikit-learn's
/// `classification_report(labels, predictions, labels=range(n), target_names=names)` prints it; where
/// classes have no images, the macro average is over the others, which scikit-learn's is not.
#[must_use]
pub fn classification_report(labels: &Labels, matrix: &ConfusionMatrix) -> String {
    let longest = "weighted avg".len();
    let width = labels.names().iter().map(|name| name.chars().count()).fold(longest, usize::max);
    let mut report = format!("{:>width$} ", "");
    for header in ["precision", "recall", "f1-score", "support"] {
        let _ = write!(report, " {header:>9}");
    }
    report += "\n\n";
    for (name, class) in labels.names().iter().zip(matrix.classes()) {
        report += &row(name, width, &class);
    }
    let _ = writeln!(
        report,
        "\n{:>width$}  {:>9} {:>9} {:>9.DIGITS$} {:>9}",
        "accuracy",
        "",
        "",
        matrix.accuracy(),
        matrix.n()
    );
    report += &row("macro avg", width, &matrix.macro_average());
    report += &row("weighted avg", width, &matrix.weighted_average());
    report
}

fn row(name: &str, width: usize, class: &ClassMetrics) -> String {
    let ClassMetrics { precision, recall, f1, support } = class;
    format!("{name:>width$}  {precision:>9.DIGITS$} {recall:>9.DIGITS$} {f1:>9.DIGITS$} {support:>9}\n")
}

/// The counts with a header of predictions; row = label, column = prediction.
#[must_use]
pub fn confusion_table(labels: &Labels, matrix: &ConfusionMatrix) -> String {
    let corner = "label \\ predicted";
    let first = labels.names().iter().map(|name| name.chars().count()).fold(corner.len(), usize::max);
    let counts = matrix.rows().iter().flatten().map(|count| count.to_string().len());
    let cells = labels.names().iter().map(|name| name.chars().count()).chain(counts).fold(0, usize::max);
    let mut table = format!("{corner:>first$}");
    for name in labels.names() {
        let _ = write!(table, "  {name:>cells$}");
    }
    table.push('\n');
    for (name, counts) in labels.names().iter().zip(matrix.rows()) {
        let _ = write!(table, "{name:>first$}");
        for count in counts {
            let _ = write!(table, "  {count:>cells$}");
        }
        table.push('\n');
    }
    table
}
