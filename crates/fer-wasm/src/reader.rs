//! A model in memory → readings of pictures and streams.
//! In: the model's files; pictures. Out: [`Reading`]s, found and steadied as fer-live does unless told otherwise.

use std::sync::Arc;
use std::time::Duration;

use fer_model::{ModelCard, ModelFiles, Predictor};
use fer_vision::haar::{HaarDetector, HaarOptions};
use fer_vision::{Analyzer, Finder, FinderOptions, Frame, Reading, SmoothOptions, VisionError, columns, ms};
use image::RgbImage;
use serde_json::{Value, json};

use crate::error::PageError;

/// A model, ready to read pictures and streams.
pub struct PageReader {
    classifier: Arc<Predictor>,
    card: ModelCard,
    photos: Analyzer,
}

/// A camera or a video: its faces are followed from frame to frame.
pub struct PageStream {
    analyzer: Analyzer,
    n_frames: u64,
}

impl PageReader {
    /// A reader of a model's `card.json` and weights.
    ///
    /// # Errors
    /// [`PageError::Model`] when the files are damaged or do not belong together.
    pub fn new(card_json: &[u8], weights: &[u8]) -> Result<Self, PageError> {
        let predictor = Predictor::from_bytes(ModelFiles { card_json, weights })?;
        let card = predictor.card().clone();
        let classifier = Arc::new(predictor);
        let photos = analyzer(HaarOptions::default().photo(card.verifier.is_some()), &card, &classifier)?;
        Ok(Self { classifier, card, photos })
    }

    /// What the server answers to `GET /v1/model`; the server's own input and limits are not there.
    #[must_use]
    pub fn describe(&self) -> Value {
        let smoothing = SmoothOptions::default();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "labels": self.card.labels.names(),
            "columns": columns(&self.card.labels),
            "uncertain_below": smoothing.uncertain_below,
            "margin": smoothing.margin,
            "half_life_ms": ms(smoothing.half_life),
            "source": null,
            "card": self.card,
        })
    }

    /// Reads one picture alone.
    ///
    /// # Errors
    /// [`PageError::Vision`] when the detector or the network failed.
    pub fn photo(&mut self, picture: &RgbImage) -> Result<Reading, PageError> {
        Ok(self.photos.analyze_photo(picture)?)
    }

    /// A new camera or video, in which no face is known yet.
    ///
    /// # Errors
    /// [`PageError::Vision`] when the detector cannot be made.
    pub fn stream(&self) -> Result<PageStream, PageError> {
        let analyzer = analyzer(HaarOptions::default(), &self.card, &self.classifier)?;
        Ok(PageStream { analyzer, n_frames: 0 })
    }
}

impl PageStream {
    /// Reads the next frame, at its time in ms since the stream's start; a time below 0 counts as 0.
    ///
    /// # Errors
    /// [`PageError::Vision`] when the detector or the network failed.
    pub fn read(&mut self, picture: RgbImage, time_ms: f64) -> Result<Reading, PageError> {
        let timestamp = Duration::try_from_secs_f64(time_ms / 1e3).unwrap_or(Duration::ZERO);
        let frame = Frame { picture, timestamp, index: self.n_frames };
        self.n_frames += 1;
        Ok(self.analyzer.analyze(&frame)?)
    }
}

fn analyzer(
    detector: HaarOptions,
    card: &ModelCard,
    classifier: &Arc<Predictor>,
) -> Result<Analyzer, VisionError> {
    let finding = FinderOptions { crop_factor: card.input.crop_factor, ..FinderOptions::default() };
    let finder = Finder::new(Box::new(HaarDetector::new(detector)?), finding);
    Ok(Analyzer::new(finder, Arc::<Predictor>::clone(classifier), SmoothOptions::default()))
}
