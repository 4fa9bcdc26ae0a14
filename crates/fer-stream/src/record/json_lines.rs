//! The table of readings as JSON Lines.
//! In: entries. Out: one object per found face; a frame without one is an object with `success` 0.

use std::io::{self, Write};

use fer_data::Labels;
use fer_vision::{FaceReading, ms};
use serde_json::{Map, Value, json};

use super::recorder::{Format, Recorded, Recorder, Suits};

/// One line per face per frame.
pub(super) const FORMAT: Format = Format {
    ending: "jsonl",
    media_type: "application/jsonl",
    help: "Write readings as JSON Lines, one line per face per frame; - for standard output",
    suits: Suits::Everything,
    begin: |writer, labels| Ok(Box::new(JsonLines { writer, labels: labels.clone() })),
};

/// Writes readings as JSON Lines.
struct JsonLines<W: Write> {
    writer: W,
    labels: Labels,
}

impl<W: Write> Recorder for JsonLines<W> {
    /// The lines of a frame go out in one write.
    fn record(&mut self, entry: &Recorded<'_>) -> io::Result<()> {
        let lines: String = rows(entry, &self.labels).iter().map(|row| format!("{row}\n")).collect();
        self.writer.write_all(lines.as_bytes())?;
        self.writer.flush()
    }
}

/// The rows of a frame with the columns of [`columns`](super::csv_rows::columns) as keys; at least one.
/// An uncertain face has the label `null`.
fn rows(entry: &Recorded<'_>, labels: &Labels) -> Vec<Value> {
    let reading = entry.reading;
    let place = json!({"input": entry.input, "frame": reading.frame, "timestamp_ms": ms(reading.timestamp)});
    let place = place.as_object().cloned().unwrap_or_default();
    let mut rows: Vec<Value> = reading.found().map(|face| face_object(place.clone(), face, labels)).collect();
    if rows.is_empty() {
        let mut row = place;
        row.insert("success".to_owned(), json!(0));
        rows.push(Value::Object(row));
    }
    rows
}

fn face_object(mut row: Map<String, Value>, face: &FaceReading, labels: &Labels) -> Value {
    let b = &face.face_box;
    let mut put = |key: &str, value: Value| row.insert(key.to_owned(), value);
    put("success", json!(1));
    put("track", json!(face.track));
    for (key, value) in ["x", "y", "w", "h", "score"].into_iter().zip([b.x, b.y, b.width, b.height, b.score])
    {
        put(key, rounded(value, 100.0));
    }
    for (name, &probability) in labels.names().iter().zip(&face.probabilities) {
        put(name, rounded(probability, 1e6));
    }
    for (name, &probability) in labels.names().iter().zip(&face.smooth) {
        put(&format!("smooth_{name}"), rounded(probability, 1e6));
    }
    put("label", face.label.map_or(Value::Null, |label| json!(labels.name(label))));
    put("confidence", rounded(face.confidence, 1e6));
    Value::Object(row)
}

/// A value rounded as the CSV is, without an `f32`'s tail of digits.
pub(super) fn rounded(value: f32, parts: f64) -> Value {
    json!((f64::from(value) * parts).round() / parts)
}
