//! The readings of photos as one JSON document.
//! In: entries. Out: a list with an object a photo, written at the end.

use std::io::{self, Write};

use fer_data::Labels;
use serde_json::{Map, Value, json};

use super::json_lines::rounded;
use super::recorder::{Format, Recorded, Recorder, Suits};

/// One document for all photos.
pub(super) const FORMAT: Format = Format {
    ending: "json",
    media_type: "application/json",
    help: "Photos: write the readings as one JSON document; - for standard output",
    suits: Suits::Photos,
    begin: |writer, labels| Ok(Box::new(JsonDocument { writer, labels: labels.clone(), photos: Vec::new() })),
};

/// Collects readings, and writes them as one document.
struct JsonDocument<W: Write> {
    writer: W,
    labels: Labels,
    photos: Vec<Value>,
}

impl<W: Write> Recorder for JsonDocument<W> {
    fn record(&mut self, entry: &Recorded<'_>) -> io::Result<()> {
        self.photos.push(photo(entry, &self.labels));
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.writer, &self.photos)?;
        writeln!(self.writer)?;
        self.writer.flush()
    }
}

fn photo(entry: &Recorded<'_>, labels: &Labels) -> Value {
    let faces = entry.reading.faces.iter().map(|face| {
        let probabilities: Map<String, Value> =
            labels.names().iter().cloned().zip(face.probabilities.iter().map(|&p| rounded(p, 1e6))).collect();
        json!({
            "face": face.track,
            "box": face.face_box,
            "probabilities": probabilities,
            "label": face.label.map(|label| labels.name(label)),
            "confidence": rounded(face.confidence, 1e6),
        })
    });
    let (width, height) = entry.size;
    json!({
        "input": entry.input,
        "width": width,
        "height": height,
        "faces": faces.collect::<Vec<Value>>(),
    })
}
