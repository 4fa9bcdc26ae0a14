//! Pictures → faces, for Python.
//! In: pictures, alone or many, and the caller's own boxes. Out: [`FaceRow`]s; one network call for all faces.

use std::path::PathBuf;
use std::sync::Arc;

use fer_model::Predictor;
use fer_vision::haar::HaarOptions;
use fer_vision::{Classify, FaceBox, FinderOptions, Found, FoundFace, SmoothOptions, Smoother, crop};
use image::RgbImage;
use pyo3::prelude::*;
use rayon::prelude::*;

use crate::detector::{DetectorChoice, Finders};
use crate::error::ReadError;
use crate::face::{FaceRow, rows};
use crate::input::{Channels, PictureInput};
use crate::model;
use crate::threads::pool;

/// The options of a reader, a dictionary that `fer_rs.Reader` fills.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ReaderOptions {
    model: String,
    yunet: Option<PathBuf>,
    search_side: Option<u32>,
    smallest_face: Option<u32>,
    neighbours: Option<u32>,
    scale_factor: Option<f64>,
    crop_factor: Option<f32>,
    align: bool,
    uncertain_below: Option<f32>,
    threads: usize,
}

impl ReaderOptions {
    fn check(&self) -> Result<(), ReadError> {
        let refuse = |text: String| Err(ReadError::Option(text));
        if let Some(below) = self.uncertain_below.filter(|below| !(0.0..=1.0).contains(below)) {
            return refuse(format!("uncertain_below: expected 0 to 1, found {below}"));
        }
        if let Some(factor) = self.crop_factor.filter(|factor| !(0.1..=10.0).contains(factor)) {
            return refuse(format!("crop_factor: expected 0.1 to 10, found {factor}"));
        }
        if let Some(side) = self.search_side.filter(|side| !(48..=4096).contains(side)) {
            return refuse(format!("search_side: expected 48 to 4096 pixels, found {side}"));
        }
        if self.align && self.yunet.is_none() {
            return refuse("align: expected a detector that finds eyes: give yunet=FILE".to_owned());
        }
        Ok(())
    }

    /// How faces are found: as usual, but for what was asked for.
    fn detector(&self, usual: HaarOptions) -> DetectorChoice {
        DetectorChoice {
            yunet: self.yunet.clone(),
            haar: HaarOptions {
                scale_factor: self.scale_factor.unwrap_or(usual.scale_factor),
                neighbours: self.neighbours.unwrap_or(usual.neighbours),
                smallest_face: self.smallest_face.unwrap_or(usual.smallest_face),
                search_side: self.search_side.unwrap_or(usual.search_side),
                border: usual.border,
            },
        }
    }
}

/// Left, top, width and height of a face, in the picture's pixels.
type BoxRow = (f32, f32, f32, f32);

/// What a picture gave: its size and faces, or the exception that says why not.
#[derive(IntoPyObject)]
pub(crate) enum Outcome {
    Faces(PictureRow),
    Failed(Py<PyAny>),
}

/// A picture's width, height and faces.
#[derive(IntoPyObject)]
pub(crate) struct PictureRow(u32, u32, Vec<FaceRow>);

/// A picture's width and height, its faces, not yet read, and below which face score they are none.
type SearchedPicture = ((u32, u32), Found, f32);

/// Reads pictures; used through `fer_rs.Reader`.
#[pyclass(frozen, module = "fer_rs._native")]
pub(crate) struct NativeReader {
    predictor: Arc<Predictor>,
    finders: Finders,
    smoothing: SmoothOptions,
    /// How faces are found in frames.
    frames: DetectorChoice,
    threads: usize,
}

#[pymethods]
impl NativeReader {
    #[new]
    fn new(py: Python<'_>, options: ReaderOptions) -> PyResult<Self> {
        Ok(py.detach(|| Self::open(&options))?)
    }

    /// The labels, in the order of the probabilities.
    fn labels(&self) -> Vec<String> {
        self.predictor.labels().names().to_vec()
    }

    /// The model's card as JSON.
    fn card(&self) -> String {
        self.predictor.card().to_json()
    }

    /// Reads pictures: width, height and a list of faces each, or the exception that says why not.
    #[pyo3(signature = (images, channels, boxes))]
    fn read(
        &self,
        py: Python<'_>,
        images: Vec<Bound<'_, PyAny>>,
        channels: Option<&str>,
        boxes: Option<Vec<Option<Vec<BoxRow>>>>,
    ) -> PyResult<Vec<Outcome>> {
        let channels = Channels::parse(channels)?;
        let boxes = boxes.unwrap_or_else(|| images.iter().map(|_| None).collect());
        if boxes.len() != images.len() {
            let (n, found) = (images.len(), boxes.len());
            return Err(ReadError::Option(format!(
                "boxes: expected a list for each of {n} images, found {found}"
            ))
            .into());
        }
        let pool = py.detach(|| pool(self.threads))?;
        let mut searched = Vec::with_capacity(images.len());
        // A few pictures at a time, so that a batch's pixels are never all in memory.
        let group = pool.current_num_threads();
        for (images, boxes) in images.chunks(group).zip(boxes.chunks(group)) {
            py.check_signals()?;
            let inputs: Vec<_> =
                images.iter().map(|image| PictureInput::take(image, channels)).zip(boxes).collect();
            let find = |(input, boxes): (Result<PictureInput, ReadError>, &Option<Vec<BoxRow>>)| {
                self.find(&input?.picture()?, boxes.as_deref())
            };
            searched
                .extend(py.detach(|| pool.install(|| inputs.into_par_iter().map(find).collect::<Vec<_>>())));
        }
        let read = py.detach(|| pool.install(|| self.classify(searched)))?;
        Ok(read.into_iter().map(|outcome| outcome_of(py, outcome)).collect())
    }
}

fn outcome_of(py: Python<'_>, outcome: Result<PictureRow, ReadError>) -> Outcome {
    match outcome {
        Ok(picture) => Outcome::Faces(picture),
        Err(error) => Outcome::Failed(PyErr::from(error).into_value(py).into_any()),
    }
}

impl NativeReader {
    fn open(options: &ReaderOptions) -> Result<Self, ReadError> {
        options.check()?;
        let predictor = pool(options.threads)?.install(|| model::load(&options.model))?;
        let has_verifier = predictor.card().verifier.is_some();
        let finding = FinderOptions {
            crop_factor: options.crop_factor.unwrap_or(predictor.card().input.crop_factor),
            align: options.align,
            ..FinderOptions::default()
        };
        let mut smoothing = SmoothOptions::default();
        smoothing.uncertain_below = options.uncertain_below.unwrap_or(smoothing.uncertain_below);
        Ok(Self {
            finders: Finders::new(options.detector(HaarOptions::default().photo(has_verifier)), finding)?,
            predictor: Arc::new(predictor),
            smoothing,
            frames: options.detector(HaarOptions::default()),
            threads: options.threads,
        })
    }

    /// The faces of one picture, not yet read: those at the caller's boxes, or those that are found.
    fn find(&self, picture: &RgbImage, boxes: Option<&[BoxRow]>) -> Result<SearchedPicture, ReadError> {
        let (found, face_threshold) = match boxes {
            // What the caller calls a face is one.
            Some(boxes) => (own(picture, boxes, self.finders.finding().crop_factor)?, 0.0),
            None => {
                let found = self.finders.lend(|finder| finder.find_photo(picture))??;
                (found, self.predictor.face_threshold())
            }
        };
        Ok((picture.dimensions(), found, face_threshold))
    }

    /// Reads the faces of all pictures in one call of the network.
    fn classify(
        &self,
        searched: Vec<Result<SearchedPicture, ReadError>>,
    ) -> Result<Vec<Result<PictureRow, ReadError>>, ReadError> {
        let crops: Vec<_> = searched.iter().flatten().flat_map(|(_, found, _)| found.crops()).collect();
        let mut read =
            if crops.is_empty() { Vec::new() } else { self.predictor.classify_photo(&crops)? }.into_iter();
        let mut settle = |((width, height), found, face_threshold): SearchedPicture| {
            let classified = read.by_ref().take(found.faces.len()).collect();
            let reading = Smoother::new(self.smoothing.photo()).settle(found, classified, face_threshold);
            PictureRow(width, height, rows(reading))
        };
        Ok(searched.into_iter().map(|searched| searched.map(&mut settle)).collect())
    }

    /// What reads faces.
    pub(crate) fn predictor(&self) -> Arc<Predictor> {
        Arc::clone(&self.predictor)
    }

    /// How faces are found in frames: in a hurry, unless a search side was asked for.
    pub(crate) fn frame_detector(&self) -> DetectorChoice {
        self.frames.clone()
    }

    /// How faces are cut out.
    pub(crate) fn finding(&self) -> FinderOptions {
        *self.finders.finding()
    }

    /// How readings are steadied.
    pub(crate) fn smoothing(&self) -> SmoothOptions {
        self.smoothing
    }

    /// How many threads read; 0 for one a core.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }
}

/// The faces at the caller's boxes, in their order, whatever they show.
fn own(picture: &RgbImage, boxes: &[BoxRow], crop_factor: f32) -> Result<Found, ReadError> {
    let (across, down) = (picture.width() as f32, picture.height() as f32);
    let face = |(&(x, y, width, height), track): (&BoxRow, u64)| {
        let inside = x < across && y < down && x + width > 0.0 && y + height > 0.0;
        if !(width > 0.0 && height > 0.0 && width.max(height) < 1e5 && inside) {
            return Err(ReadError::Option(format!(
                "boxes: expected x, y, width, height of a place in the picture of {across}×{down}, \
                 found {x}, {y}, {width}, {height}"
            )));
        }
        let face_box = FaceBox { x, y, width, height, score: f32::NAN };
        Ok(FoundFace { track, face_box, is_weak: false, crop: Some(crop(picture, &face_box, crop_factor)) })
    };
    let faces = boxes.iter().zip(1..).map(face).collect::<Result<Vec<_>, _>>()?;
    let alive = faces.iter().map(|face| face.track).collect();
    Ok(Found { frame: 0, timestamp: std::time::Duration::ZERO, faces, alive })
}
