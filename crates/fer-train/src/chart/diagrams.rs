//! The report's diagrams as inline SVG.
//! In: the points of a diagram. Out: a figure; colours come from the page's style.

use std::fmt::Write;

use super::ticks::Ticks;
use crate::judge::probabilities::{Bin, N_BINS, RiskPoint};

/// The plot's square in the SVG, and what surrounds it.
const SIDE: f64 = 320.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 10.0;
/// Height of the count bars below the reliability diagram.
const BARS: f64 = 50.0;
/// Points of a curve: more are not visible.
const N_POINTS: usize = 300;

/// Accuracy against confidence, the diagonal, and the counts of each bin.
pub(crate) fn reliability(bins: &[Bin; N_BINS], before: Option<&[Bin; N_BINS]>, caption: &str) -> String {
    let mut plot = axes("confidence", "accuracy", &Ticks::around(0.0, 100.0));
    plot += &polyline("ideal", &[(0.0, 0.0), (1.0, 1.0)]);
    if let Some(before) = before {
        plot += &polyline("before", &filled(before));
    }
    let points = filled(bins);
    plot += &polyline("curve", &points);
    for (x, y) in points {
        let _ = writeln!(plot, "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"/>", px(x), py(y));
    }
    plot += &count_bars(bins);
    figure(&plot, TOP + SIDE + 44.0 + BARS, "Reliability diagram", caption)
}

/// Risk against coverage.
pub(crate) fn risk_coverage(points: &[RiskPoint], caption: &str) -> String {
    let highest = points.iter().map(|point| point.risk).fold(0.0, f64::max);
    let ticks = Ticks::around(0.0, if highest > 0.0 { 100.0 * highest } else { 1.0 });
    let top = ticks.high() / 100.0;
    let step = points.len().div_ceil(N_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    let kept = points.iter().enumerate().filter(|(idx, _)| idx % step == 0 || *idx == last);
    let curve: Vec<(f64, f64)> = kept.map(|(_, point)| (point.coverage, point.risk / top)).collect();
    let plot = axes("coverage", "risk", &ticks) + &polyline("curve", &curve);
    figure(&plot, TOP + SIDE + 40.0, "Risk–coverage curve", caption)
}

fn filled(bins: &[Bin; N_BINS]) -> Vec<(f64, f64)> {
    bins.iter().filter(|bin| bin.n > 0).map(|bin| (bin.confidence, bin.accuracy)).collect()
}

fn count_bars(bins: &[Bin; N_BINS]) -> String {
    let most = bins.iter().map(|bin| bin.n).max().unwrap_or(0).max(1) as f64;
    let (width, floor) = (SIDE / N_BINS as f64, TOP + SIDE + 42.0 + BARS);
    let mut bars = String::new();
    for (idx, bin) in bins.iter().enumerate() {
        let height = BARS * bin.n as f64 / most;
        let _ = writeln!(
            bars,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{} images</title></rect>",
            LEFT + idx as f64 * width,
            floor - height,
            width - 1.0,
            bin.n
        );
    }
    bars
}

/// A frame with ticks in per cent: `vertical_ticks` from 0 up, the horizontal ones from 0 to 100.
fn axes(horizontal: &str, vertical: &str, vertical_ticks: &Ticks) -> String {
    let mut svg =
        format!("<rect class=\"axis\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\"/>\n");
    for value in Ticks::around(0.0, 100.0).values {
        let (x, y) = (px(value / 100.0), TOP + SIDE + 16.0);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{value:.0}</text>");
    }
    for value in &vertical_ticks.values {
        let (x, y) = (LEFT - 6.0, py(value / vertical_ticks.high()) + 4.0);
        let decimals = vertical_ticks.decimals;
        let _ =
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{value:.decimals$}</text>");
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{horizontal}, %</text>\
         <text x=\"12\" y=\"{:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 12 {:.1})\">{vertical}, %</text>",
        px(0.5),
        TOP + SIDE + 32.0,
        py(0.5),
        py(0.5)
    );
    svg
}

/// A line through points of the unit square.
fn polyline(class: &str, points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points.iter().map(|&(x, y)| format!("{:.1},{:.1}", px(x), py(y))).collect();
    format!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.join(" "))
}

fn px(x: f64) -> f64 {
    LEFT + SIDE * x
}

fn py(y: f64) -> f64 {
    TOP + SIDE * (1.0 - y)
}

fn figure(plot: &str, height: f64, title: &str, caption: &str) -> String {
    let width = LEFT + SIDE + 14.0;
    format!(
        "<figure>\n<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n{plot}</svg>\n<figcaption>{caption}</figcaption>\n</figure>\n"
    )
}
