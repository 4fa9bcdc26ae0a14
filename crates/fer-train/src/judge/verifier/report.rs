//! How well a verifier tells faces from what is none.
//! In: face scores. Out: text, JSON, the ROC curve as SVG.

use std::fmt::Write;

use serde_json::json;

/// Face scores, `0..=1`, ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores(Vec<f32>);

impl From<Vec<f32>> for Scores {
    fn from(mut scores: Vec<f32>) -> Self {
        scores.sort_by(f32::total_cmp);
        Self(scores)
    }
}

impl Scores {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The share of scores below a threshold, `0..=1`; 0 where there are no scores.
    #[must_use]
    pub fn share_below(&self, threshold: f32) -> f64 {
        self.0.partition_point(|&score| score < threshold) as f64 / self.0.len().max(1) as f64
    }
}

/// What a verifier says of faces and of what is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VerifierReport {
    /// Of the validation split's faces.
    pub faces: Scores,
    /// Of the same faces, badly framed.
    pub badly_framed: Scores,
    /// Of what the detector finds in held-out pictures without people.
    pub false_finds: Scores,
    /// How many pictures were held out.
    pub n_pictures: usize,
}

/// Shares of faces kept that the table has a row for.
const KEPT: [f64; 5] = [0.999, 0.995, 0.99, 0.98, 0.95];

impl VerifierReport {
    /// The highest threshold that keeps at least this share of the faces, `0..=1`.
    #[must_use]
    pub fn threshold_that_keeps(&self, share: f64) -> f32 {
        let n_lost = ((1.0 - share) * self.faces.len() as f64 + 1e-9) as usize;
        self.faces.0.get(n_lost).copied().unwrap_or(0.0)
    }

    /// Area under the ROC curve: how often a face scores higher than a false find, `0..=1`.
    #[must_use]
    pub fn area_under_roc(&self) -> f64 {
        let below = |&score: &f32| {
            let equal_or_below = self.false_finds.0.partition_point(|&other| other <= score) as f64;
            let below = self.false_finds.0.partition_point(|&other| other < score) as f64;
            (below + equal_or_below) / 2.0
        };
        let pairs = (self.faces.len() * self.false_finds.len()).max(1) as f64;
        self.faces.0.iter().map(below).sum::<f64>() / pairs
    }

    /// Threshold, faces kept, false finds refused, badly framed faces refused.
    fn row(&self, threshold: f32) -> [f64; 4] {
        [
            f64::from(threshold),
            1.0 - self.faces.share_below(threshold),
            self.false_finds.share_below(threshold),
            self.badly_framed.share_below(threshold),
        ]
    }

    /// The figures for a terminal; `chosen` is the model's threshold.
    #[must_use]
    pub fn to_text(&self, chosen: f32) -> String {
        let mut text = format!(
            "{} faces of validation; {} false finds in {} pictures without people that were held out\n\
             area under ROC {:.4}\n\n{:>9}{:>12}{:>22}{:>24}\n",
            self.faces.len(),
            self.false_finds.len(),
            self.n_pictures,
            self.area_under_roc(),
            "threshold",
            "faces kept",
            "false finds refused",
            "badly framed refused"
        );
        let mut line = |threshold: f32, mark: &str| {
            let [threshold, kept, refused, framed] = self.row(threshold);
            let percent = |share: f64| format!("{:.2} %", 100.0 * share);
            let (kept, refused, framed) = (percent(kept), percent(refused), percent(framed));
            let _ = writeln!(text, "{threshold:>9.4}{kept:>12}{refused:>22}{framed:>24}{mark}");
        };
        KEPT.iter().for_each(|&share| line(self.threshold_that_keeps(share), ""));
        line(chosen, "  the model's");
        text
    }

    /// The figures as JSON, with the table for all shares kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        let row = |&share: &f64| {
            let [threshold, kept, refused, framed] = self.row(self.threshold_that_keeps(share));
            json!({
                "threshold": threshold,
                "faces_kept": kept,
                "false_finds_refused": refused,
                "badly_framed_refused": framed,
            })
        };
        let value = json!({
            "n_faces": self.faces.len(),
            "n_false_finds": self.false_finds.len(),
            "n_pictures": self.n_pictures,
            "area_under_roc": self.area_under_roc(),
            "thresholds": KEPT.iter().map(row).collect::<Vec<_>>(),
        });
        serde_json::to_string_pretty(&value).expect("numbers are written") + "\n"
    }

    /// The ROC curve: false finds kept (right) against faces kept (up).
    #[must_use]
    pub fn to_svg(&self) -> String {
        const SIDE: f64 = 320.0;
        let point = |&threshold: &f32| {
            let [_, kept, refused, _] = self.row(threshold);
            format!("{:.1},{:.1}", 40.0 + SIDE * (1.0 - refused), 20.0 + SIDE * (1.0 - kept))
        };
        let mut thresholds: Vec<f32> = self.faces.0.iter().chain(&self.false_finds.0).copied().collect();
        thresholds.sort_by(f32::total_cmp);
        let step = thresholds.len().div_ceil(400).max(1);
        let curve: Vec<String> = thresholds.iter().step_by(step).map(point).collect();
        let (right, down) = (40.0 + SIDE, 20.0 + SIDE);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 390\" font-family=\"sans-serif\" font-size=\"13\">\
             <rect width=\"400\" height=\"390\" fill=\"#fff\"/>\
             <path d=\"M40 20V{down}H{right}\" fill=\"none\" stroke=\"#333\"/>\
             <path d=\"M40 {down}L{right} 20\" stroke=\"#bbb\" stroke-dasharray=\"4\"/>\
             <polyline points=\"{},20 {} 40,{down}\" fill=\"none\" stroke=\"#06c\" stroke-width=\"2\"/>\
             <text x=\"200\" y=\"372\" text-anchor=\"middle\">false finds kept, 0 to 1</text>\
             <text x=\"18\" y=\"180\" text-anchor=\"middle\" transform=\"rotate(-90 18 180)\">faces kept, 0 to 1</text>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">area {:.4}</text></svg>\n",
            right,
            curve.join(" "),
            right - 8.0,
            down - 12.0,
            self.area_under_roc()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(faces: &[f32], false_finds: &[f32]) -> VerifierReport {
        VerifierReport {
            faces: faces.to_vec().into(),
            false_finds: false_finds.to_vec().into(),
            ..VerifierReport::default()
        }
    }

    #[test]
    fn the_threshold_keeps_as_many_as_asked_for_and_no_more() {
        let faces: Vec<f32> = (0..100).map(|at| at as f32 / 100.0).collect();
        let report = report(&faces, &[0.005, 0.5]);
        for (share, lost) in [(1.0, 0), (0.99, 1), (0.95, 5)] {
            let threshold = report.threshold_that_keeps(share);
            assert_eq!(faces.iter().filter(|&&score| score < threshold).count(), lost, "{share}");
        }
        assert_eq!(report.false_finds.share_below(0.01), 0.5);
    }

    #[test]
    fn the_area_counts_pairs_and_ties_as_half() {
        assert_eq!(report(&[0.8, 0.9], &[0.1, 0.2]).area_under_roc(), 1.0);
        assert_eq!(report(&[0.1], &[0.9]).area_under_roc(), 0.0);
        assert_eq!(report(&[0.5, 0.9], &[0.5]).area_under_roc(), 0.75);
    }
}
