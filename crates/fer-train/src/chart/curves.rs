//! A run's epochs as a picture.
//! In: epoch rows. Out: an SVG of loss and accuracy, training and validation.

use std::fmt::Write;

use crate::{chart::ticks::Ticks, run::history::EpochRow};

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 300.0;
const MARGIN: f64 = 46.0;
const TRAIN_COLOUR: &str = "#7b8794";
const VALIDATION_COLOUR: &str = "#c2410c";

/// Two panels side by side: loss and accuracy over epochs.
#[must_use]
pub fn svg(rows: &[EpochRow]) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        2.0 * WIDTH
    );
    let loss: [fn(&EpochRow) -> f64; 2] = [|row| row.train_loss, |row| row.validation_loss];
    let accuracy: [fn(&EpochRow) -> f64; 2] =
        [|row| 100.0 * row.train_accuracy, |row| 100.0 * row.validation_accuracy];
    panel(&mut text, 0.0, "loss", rows, loss);
    panel(&mut text, WIDTH, "accuracy, %", rows, accuracy);
    text.push_str("</svg>\n");
    text
}

fn panel(text: &mut String, left: f64, title: &str, rows: &[EpochRow], values: [fn(&EpochRow) -> f64; 2]) {
    let all = || values.iter().flat_map(|value| rows.iter().map(value)).filter(|v| v.is_finite());
    let (low, high) = (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max));
    // Without a finite value there is nothing to draw but the frame.
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let ticks = Ticks::around(low, high);
    let (low, high) = (ticks.low(), ticks.high());
    let last = rows.last().map_or(2, |row| row.epoch.max(2)) as f64;
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
    for (value, colour) in values.iter().zip([TRAIN_COLOUR, VALIDATION_COLOUR]) {
        let points: Vec<_> = rows
            .iter()
            .filter(|row| value(row).is_finite())
            .map(|row| (x(row.epoch), y(value(row))))
            .collect();
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
