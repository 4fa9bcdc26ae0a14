//! The one table of readings, as CSV and as JSON Lines.
//! In: an input's name and a [`Reading`]. Out: one row per found face; a frame without one is a row with `success` 0.

use std::io::Write;

use fer_data::Labels;
use serde_json::{Map, Value, json};

use crate::error::LiveError;
use crate::reading::{FaceReading, Reading, ms};

/// Names of the columns before the probabilities.
const FIRST_COLUMNS: [&str; 10] =
    ["input", "frame", "timestamp_ms", "success", "track", "x", "y", "w", "h", "score"];

/// The names of all columns: place and time, raw probabilities, smoothed ones, label and confidence.
#[must_use]
pub fn csv_header(labels: &Labels) -> Vec<String> {
    let first = FIRST_COLUMNS.iter().map(|name| (*name).to_owned());
    let smooth = labels.names().iter().map(|name| format!("smooth_{name}"));
    let last = ["label".to_owned(), "confidence".to_owned()];
    first.chain(labels.names().iter().cloned()).chain(smooth).chain(last).collect()
}

/// The rows of a frame, in the order of [`csv_header`]; at least one.
/// An uncertain face has an empty label; what is not known is empty.
#[must_use]
pub fn csv_rows(input: &str, reading: &Reading, labels: &Labels) -> Vec<Vec<String>> {
    let place = [input.to_owned(), reading.frame.to_string(), format!("{:.3}", ms(reading.timestamp))];
    let mut rows: Vec<Vec<String>> =
        reading.found().map(|face| place.iter().cloned().chain(face_cells(face, labels)).collect()).collect();
    if rows.is_empty() {
        let mut row = place.to_vec();
        row.push("0".to_owned());
        row.resize(csv_header(labels).len(), String::new());
        rows.push(row);
    }
    rows
}

fn face_cells(face: &FaceReading, labels: &Labels) -> Vec<String> {
    let b = &face.face_box;
    let mut cells = vec!["1".to_owned(), face.track.to_string()];
    cells.extend([b.x, b.y, b.width, b.height, b.score].map(|value| format!("{value:.2}")));
    cells.extend(face.probabilities.iter().chain(&face.smooth).map(|p| format!("{p:.6}")));
    cells.push(face.label.map_or_else(String::new, |label| labels.name(label).to_owned()));
    cells.push(format!("{:.6}", face.confidence));
    cells
}

/// The rows of a frame as JSON objects with the columns of [`csv_header`] as keys; at least one.
/// An uncertain face has the label `null`.
#[must_use]
pub fn json_rows(input: &str, reading: &Reading, labels: &Labels) -> Vec<Value> {
    let place = json!({"input": input, "frame": reading.frame, "timestamp_ms": ms(reading.timestamp)});
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
fn rounded(value: f32, parts: f64) -> Value {
    json!((f64::from(value) * parts).round() / parts)
}

/// Writes readings as CSV.
pub struct CsvRecorder<W: Write> {
    writer: csv::Writer<W>,
    labels: Labels,
    path: String,
}

impl<W: Write> CsvRecorder<W> {
    /// Starts the table with its header; `path` is for messages.
    ///
    /// # Errors
    /// [`LiveError::Write`] when the header cannot be written.
    pub fn new(writer: W, labels: &Labels, path: &str) -> Result<Self, LiveError> {
        let mut recorder =
            Self { writer: csv::Writer::from_writer(writer), labels: labels.clone(), path: path.to_owned() };
        recorder.write([csv_header(labels)])?;
        Ok(recorder)
    }

    /// Adds the rows of a frame and flushes them.
    ///
    /// # Errors
    /// [`LiveError::Write`] when they cannot be written.
    pub fn record(&mut self, input: &str, reading: &Reading) -> Result<(), LiveError> {
        self.write(csv_rows(input, reading, &self.labels))
    }

    fn write(&mut self, rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), LiveError> {
        let written = rows.into_iter().try_for_each(|row| self.writer.write_record(row));
        let flushed = written.and_then(|()| self.writer.flush().map_err(Into::into));
        flushed.map_err(|error| LiveError::Write { path: self.path.clone(), reason: error.to_string() })
    }
}

/// Writes readings as JSON Lines.
pub struct JsonlRecorder<W: Write> {
    writer: W,
    labels: Labels,
    path: String,
}

impl<W: Write> JsonlRecorder<W> {
    /// A recorder that has written nothing; `path` is for messages.
    pub fn new(writer: W, labels: &Labels, path: &str) -> Self {
        Self { writer, labels: labels.clone(), path: path.to_owned() }
    }

    /// Adds the lines of a frame in one write, and flushes them.
    ///
    /// # Errors
    /// [`LiveError::Write`] when they cannot be written.
    pub fn record(&mut self, input: &str, reading: &Reading) -> Result<(), LiveError> {
        let lines: String =
            json_rows(input, reading, &self.labels).iter().map(|row| format!("{row}\n")).collect();
        let written = self.writer.write_all(lines.as_bytes()).and_then(|()| self.writer.flush());
        written.map_err(|error| LiveError::Write { path: self.path.clone(), reason: error.to_string() })
    }
}
