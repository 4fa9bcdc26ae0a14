//! How much a model loses under each perturbation.
//! In: an evaluation of the faces as they are, and one for each perturbation. Out: text, Markdown, JSON.

use std::fmt::Write;

use fer_base::terminal;
use serde::Serialize;

use crate::judge::evaluate::Evaluation;
use crate::judge::figures;

/// The figures under one condition, shares `0..=1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Condition {
    /// The perturbation's name, or `clean`.
    pub name: &'static str,
    /// What it does.
    pub what: &'static str,
    /// Share of right predictions (top-1).
    pub accuracy: f64,
    /// What the accuracy of clean faces is above this one; below 0 where this one is better.
    pub drop: f64,
    /// Every class with images counted equally.
    pub macro_f1: f64,
    /// Calibration error over 15 bins, after the card's temperature.
    pub ece_calibrated: f64,
}

/// The table, the worst condition first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RobustnessTable {
    /// What was judged, on what.
    pub protocol: String,
    /// Images judged under each condition.
    pub n: usize,
    /// Faces as they are.
    pub clean: Condition,
    /// Faces perturbed, the largest drop first; equal ones in the order of the perturbations.
    pub conditions: Vec<Condition>,
}

impl Condition {
    /// The figures of an evaluation, compared with the accuracy of clean faces.
    #[must_use]
    pub fn new(name: &'static str, what: &'static str, evaluation: &Evaluation, clean: f64) -> Self {
        let figures = figures::of(evaluation);
        let value = |key| {
            let figure = figures.iter().find(|figure| figure.key == key);
            figure.expect("the keys are those of figures.rs").value
        };
        let accuracy = value("accuracy");
        Self {
            name,
            what,
            accuracy,
            drop: clean - accuracy,
            macro_f1: value("macro_f1"),
            ece_calibrated: value("ece_calibrated"),
        }
    }

    fn cells(&self) -> [String; 4] {
        let percent = |share: f64| format!("{:.2}", 100.0 * share);
        // Minus nothing is nothing.
        let drop = percent(self.drop + 0.0);
        [percent(self.accuracy), drop, percent(self.macro_f1), percent(self.ece_calibrated)]
    }
}

impl RobustnessTable {
    /// Ranks the conditions by what they cost.
    #[must_use]
    pub fn new(protocol: String, n: usize, clean: Condition, mut conditions: Vec<Condition>) -> Self {
        conditions.sort_by(|a, b| b.drop.total_cmp(&a.drop));
        Self { protocol, n, clean, conditions }
    }

    /// The table for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}\n\n{:<16}{:>9}{:>9}{:>12}{:>8}\n",
            terminal::line(&self.protocol),
            "faces",
            "top-1 %",
            "drop",
            "macro-F1 %",
            "ECE %"
        );
        for (condition, mark) in self.rows() {
            let [accuracy, drop, macro_f1, ece] = condition.cells();
            let what = format!("{}{mark}", condition.what);
            let _ =
                writeln!(text, "{:<16}{accuracy:>9}{drop:>9}{macro_f1:>12}{ece:>8}  {what}", condition.name);
        }
        text + "drop: percentage points of top-1 lost against clean faces; ECE after the card's temperature\n"
    }

    /// The table for a document; one sentence a line.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = "| faces | what is done | top-1 % | drop | macro-F1 % | ECE % |\n\
                        | --- | --- | ---: | ---: | ---: | ---: |\n"
            .to_owned();
        for (condition, mark) in self.rows() {
            let [accuracy, drop, macro_f1, ece] = condition.cells();
            let (name, what) = (condition.name, condition.what);
            let _ = writeln!(text, "| {name}{mark} | {what} | {accuracy} | {drop} | {macro_f1} | {ece} |");
        }
        format!(
            "{text}\n{}.\nDrop: percentage points of top-1 lost against clean faces; ECE after the card's temperature.\n",
            self.protocol
        )
    }

    /// The table as indented JSON with a final line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a table holds only strings and numbers") + "\n"
    }

    /// Clean faces, and then the conditions with the first one marked, if it costs anything.
    fn rows(&self) -> impl Iterator<Item = (&Condition, &'static str)> {
        let mark = |(idx, condition): (usize, &Condition)| idx == 0 && condition.drop > 0.0;
        let marked = self.conditions.iter().enumerate();
        let marked = marked
            .map(move |(idx, condition)| (condition, if mark((idx, condition)) { " ◀ worst" } else { "" }));
        std::iter::once((&self.clean, "")).chain(marked)
    }
}
