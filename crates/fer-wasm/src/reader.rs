//! A model in memory → readings of pictures and streams.
//! In: the model's files; pictures. Out: [`Reading`]s, found and steadied as fer-live does unless told otherwise.

use std::sync::Arc;
use std::time::Duration;

use fer_model::{ModelCard, ModelFiles, Predictor};
use fer_vision::haar::{HaarDetector, HaarOptions};
use fer_vision::{Analyzer, DetectFaces, Finder, FinderOptions, Frame, Reading, SmoothOptions, columns, ms};
use image::RgbImage;
use serde_json::{Value, json};

use crate::error::PageError;

/// A model, ready to read pictures and streams.
pub struct PageReader {
    classifier: Arc<Predictor>,
    card: ModelCard,
    detector: Detector,
    photos: Analyzer,
}

/// What finds faces.
enum Detector {
    /// The Haar cascade inside.
    Haar,
    /// The user's YuNet, by its file's content.
    #[cfg(feature = "yunet")]
    YuNet(Vec<u8>),
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
        Self::finding(Detector::Haar, card_json, weights)
    }

    /// The same, with faces found by YuNet, given as the content of its ONNX file.
    ///
    /// # Errors
    /// As [`PageReader::new`], and [`PageError::YuNet`] when the file is another one.
    #[cfg(feature = "yunet")]
    pub fn with_yunet(card_json: &[u8], weights: &[u8], onnx: Vec<u8>) -> Result<Self, PageError> {
        Self::finding(Detector::YuNet(onnx), card_json, weights)
    }

    fn finding(detector: Detector, card_json: &[u8], weights: &[u8]) -> Result<Self, PageError> {
        let predictor = Predictor::from_bytes(ModelFiles { card_json, weights })?;
        let card = predictor.card().clone();
        let classifier = Arc::new(predictor);
        let search = HaarOptions::default().photo(card.verifier.is_some());
        let photos = analyzer(detector.build(search)?, &card, &classifier);
        Ok(Self { classifier, card, detector, photos })
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
        let detector = self.detector.build(HaarOptions::default())?;
        Ok(PageStream { analyzer: analyzer(detector, &self.card, &self.classifier), n_frames: 0 })
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

impl Detector {
    /// A detector that knows no face yet; YuNet takes its search side from `search`.
    fn build(&self, search: HaarOptions) -> Result<Box<dyn DetectFaces>, PageError> {
        match self {
            Self::Haar => Ok(Box::new(HaarDetector::new(search)?)),
            #[cfg(feature = "yunet")]
            Self::YuNet(onnx) => {
                use fer_vision::yunet::{YuNetDetector, YuNetOptions};
                let options = YuNetOptions { search_side: search.search_side, ..YuNetOptions::default() };
                Ok(Box::new(YuNetDetector::from_onnx(onnx.clone(), options)?))
            }
        }
    }
}

fn analyzer(detector: Box<dyn DetectFaces>, card: &ModelCard, classifier: &Arc<Predictor>) -> Analyzer {
    let finding = FinderOptions { crop_factor: card.input.crop_factor, ..FinderOptions::default() };
    let finder = Finder::new(detector, finding);
    Analyzer::new(finder, Arc::<Predictor>::clone(classifier), SmoothOptions::default())
}
