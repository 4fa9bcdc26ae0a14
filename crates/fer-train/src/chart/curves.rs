//! Training and validation over a run's epochs, as a picture.
//! In: values by epoch. Out: an SVG, one panel a quantity.

use std::fmt::Write;

use super::ticks::Ticks;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 300.0;
const MARGIN: f64 = 46.0;
const TRAIN_COLOUR: &str = "#7b8794";
const VALIDATION_COLOUR: &str = "#c2410c";

/// One quantity over epochs: `(epoch, value)`, epochs from 1 and rising; a value that is no number is
/// left out.
pub(crate) struct Panel {
    /// The quantity and its unit.
    pub(crate) title: &'static str,
    /// On the training split.
    pub(crate) train: Vec<(usize, f64)>,
    /// On the validation split.
    pub(crate) validation: Vec<(usize, f64)>,
}

/// Panels side by side.
#[must_use]
pub(crate) fn svg(panels: &[Panel]) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        panels.len() as f64 * WIDTH
    );
    for (idx, content) in panels.iter().enumerate() {
        panel(&mut text, idx as f64 * WIDTH, content);
    }
    text.push_str("</svg>\n");
    text
}

fn panel(text: &mut String, left: f64, Panel { title, train, validation }: &Panel) {
    let all = || train.iter().chain(validation).map(|(_, value)| *value).filter(|v| v.is_finite());
    let (low, high) = (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max));
    // Without a finite value there is nothing to draw but the frame.
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let ticks = Ticks::around(low, high);
    let (low, high) = (ticks.low(), ticks.high());
    let last = train.last().map_or(2, |(epoch, _)| (*epoch).max(2)) as f64;
    let x = |epoch: usize| left + MARGIN + (epoch as f64 - 1.0) / (last - 1.0) * (WIDTH - 1.5 * MARGIN);
    let y = |value: f64| HEIGHT - MARGIN - (value - low) / (high - low) * (HEIGHT - 2.0 * MARGIN);
    label(text, left + MARGIN, 22.0, title, "#111");
    label(text, left + WIDTH - 190.0, 22.0, "training", TRAIN_COLOUR);
    label(text, left + WIDTH - 120.0, 22.0, "validation", VALIDATION_COLOUR);
    label(text, left + WIDTH / 2.0, HEIGHT - 10.0, "epoch", "#111");
    for &value in &ticks.values {
        label(text, left + 6.0, y(value) + 4.0, &format!("{value:.0$}", ticks.decimals), "#555");
        line(text, &[(left + MARGIN, y(value)), (left + WIDTH - MARGIN / 2.0, y(value))], "#e5e7eb", 1.0);
    }
    let whole = |epoch: &f64| *epoch >= 1.0 && *epoch <= last && epoch.fract() == 0.0;
    for epoch in Ticks::around(0.0, last).values.into_iter().filter(whole) {
        label(text, x(epoch as usize) - 4.0, HEIGHT - MARGIN + 16.0, &epoch.to_string(), "#555");
    }
    for (points, colour) in [(train, TRAIN_COLOUR), (validation, VALIDATION_COLOUR)] {
        let finite = points.iter().filter(|(_, value)| value.is_finite());
        let points: Vec<_> = finite.map(|&(epoch, value)| (x(epoch), y(value))).collect();
        line(text, &points, colour, 1.8);
    }
}

fn label(text: &mut String, x: f64, y: f64, words: &str, colour: &str) {
    writeln!(text, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{words}</text>")
        .expect("writing to a string cannot fail");
}

fn line(text: &mut String, points: &[(f64, f64)], colour: &str, width: f64) {
    let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    writeln!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
        points.join(" ")
    )
    .expect("writing to a string cannot fail");
}
