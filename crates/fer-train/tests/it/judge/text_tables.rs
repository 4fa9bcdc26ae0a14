//! Tables, character for character.

use fer_data::Labels;
use fer_train::judge::text_tables::{classification_report, confusion_table};
use insta::assert_snapshot;

use crate::judge::confusion::worked;

fn labels() -> Labels {
    Labels::custom(["a", "b", "c"].map(str::to_owned).to_vec())
}

/// The expected text was printed by scikit-learn's `classification_report` for the same counts.
#[test]
fn the_report_is_laid_out_as_scikit_learns() {
    let expected = [
        "              precision    recall  f1-score   support",
        "",
        "           a       0.62      0.71      0.67         7",
        "           b       0.80      0.80      0.80         5",
        "           c       0.33      0.25      0.29         4",
        "",
        "    accuracy                           0.62        16",
        "   macro avg       0.59      0.59      0.58        16",
        "weighted avg       0.61      0.62      0.61        16",
        "",
    ];
    assert_eq!(classification_report(&labels(), &worked()), expected.join("\n"));
}

#[test]
fn a_long_class_name_widens_the_first_column() {
    let labels = Labels::custom(["a name of its own", "b", "c"].map(str::to_owned).to_vec());
    let report = classification_report(&labels, &worked());
    assert!(report.starts_with("                   precision"));
    assert!(report.contains("\na name of its own       0.62      0.71"));
}

#[test]
fn the_confusion_table_says_which_way_it_reads() {
    assert_snapshot!(confusion_table(&labels(), &worked()), @r"
    label \ predicted  a  b  c
                    a  5  1  1
                    b  0  4  1
                    c  3  0  1
    ");
}
