//! The table of readings as CSV (RFC 4180).
//! In: entries. Out: one row per found face; a frame without one is a row with `success` 0.

use std::io::{self, Write};

use fer_data::Labels;
use fer_vision::{FaceReading, columns, ms, recorded_name};

use super::recorder::{Format, Recorded, Recorder, Suits};

/// One row per face per frame.
pub(super) const FORMAT: Format = Format {
    ending: "csv",
    media_type: "text/csv; charset=utf-8; header=present",
    help: "Write readings as CSV, one row per face per frame; - for standard output",
    suits: Suits::Everything,
    begin: |writer, labels| {
        let mut rows = CsvRows { writer: csv::Writer::from_writer(writer), labels: labels.clone() };
        rows.write([columns(labels).iter().map(|column| recorded_name(column)).collect()])?;
        Ok(Box::new(rows))
    },
};

/// Writes readings as CSV.
struct CsvRows<W: Write> {
    writer: csv::Writer<W>,
    labels: Labels,
}

impl<W: Write> CsvRows<W> {
    fn write(&mut self, rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
        rows.into_iter().try_for_each(|row| self.writer.write_record(row))?;
        self.writer.flush()
    }
}

impl<W: Write> Recorder for CsvRows<W> {
    fn record(&mut self, entry: &Recorded<'_>) -> io::Result<()> {
        self.write(rows(entry, &self.labels))
    }
}

/// The rows of a frame, in the order of [`columns`]; at least one.
/// An uncertain face has an empty label; what is not known is empty.
fn rows(entry: &Recorded<'_>, labels: &Labels) -> Vec<Vec<String>> {
    let reading = entry.reading;
    let place =
        [recorded_name(entry.input), reading.frame.to_string(), format!("{:.3}", ms(reading.timestamp))];
    let mut rows: Vec<Vec<String>> =
        reading.found().map(|face| place.iter().cloned().chain(face_cells(face, labels)).collect()).collect();
    if rows.is_empty() {
        let mut row = place.to_vec();
        row.push("0".to_owned());
        row.resize(columns(labels).len(), String::new());
        rows.push(row);
    }
    rows
}

fn face_cells(face: &FaceReading, labels: &Labels) -> Vec<String> {
    let b = &face.face_box;
    let mut cells = vec!["1".to_owned(), face.track.to_string()];
    cells.extend([b.x, b.y, b.width, b.height, b.score].map(|value| format!("{value:.2}")));
    cells.extend(face.probabilities.iter().chain(&face.smooth).map(|p| format!("{p:.6}")));
    cells.push(face.label.map_or_else(String::new, |label| recorded_name(labels.name(label))));
    cells.push(format!("{:.6}", face.confidence));
    cells
}
