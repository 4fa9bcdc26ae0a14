//! The same for scripts, by wasm-bindgen.
//! In: what JavaScript has: typed arrays, numbers. Out: JSON texts, or an `Error` with the words of [`PageError`].

use fer_base::chain;
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

use crate::error::PageError;
use crate::pixels::rgb;
use crate::reader::{PageReader, PageStream};

/// See [`PageReader`].
#[wasm_bindgen]
pub struct Reader(PageReader);

/// See [`PageStream`].
#[wasm_bindgen]
pub struct Stream(PageStream);

#[wasm_bindgen]
impl Reader {
    /// A reader of a model's `card.json` and weights.
    ///
    /// # Errors
    /// As [`PageReader::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(card_json: &[u8], weights: &[u8]) -> Result<Reader, JsError> {
        PageReader::new(card_json, weights).map(Self).map_err(|error| told(&error))
    }

    /// The same, with faces found by YuNet, the content of whose ONNX file is `onnx`.
    ///
    /// # Errors
    /// As [`PageReader::with_yunet`].
    #[cfg(feature = "yunet")]
    pub fn with_yunet(card_json: &[u8], weights: &[u8], onnx: Vec<u8>) -> Result<Reader, JsError> {
        PageReader::with_yunet(card_json, weights, onnx).map(Self).map_err(|error| told(&error))
    }

    /// The model, as `GET /v1/model` answers.
    #[must_use]
    pub fn describe(&self) -> String {
        self.0.describe().to_string()
    }

    /// Reads one picture alone; RGBA bytes.
    ///
    /// # Errors
    /// As [`PageReader::photo`].
    pub fn photo(&mut self, rgba: &[u8], width: u32, height: u32) -> Result<String, JsError> {
        let reading = rgb(rgba, width, height).and_then(|picture| self.0.photo(&picture));
        reading.map(|reading| json(&reading)).map_err(|error| told(&error))
    }

    /// A new camera or video.
    ///
    /// # Errors
    /// As [`PageReader::stream`].
    pub fn stream(&self) -> Result<Stream, JsError> {
        self.0.stream().map(Stream).map_err(|error| told(&error))
    }
}

#[wasm_bindgen]
impl Stream {
    /// Reads the next frame; RGBA bytes, time in ms.
    ///
    /// # Errors
    /// As [`PageStream::read`].
    pub fn read(&mut self, rgba: &[u8], width: u32, height: u32, time_ms: f64) -> Result<String, JsError> {
        let reading = rgb(rgba, width, height).and_then(|picture| self.0.read(picture, time_ms));
        reading.map(|reading| json(&reading)).map_err(|error| told(&error))
    }
}

fn json(reading: &fer_vision::Reading) -> String {
    serde_json::to_string(reading).expect("readings hold only JSON values")
}

fn told(error: &PageError) -> JsError {
    JsError::new(&chain(error))
}
