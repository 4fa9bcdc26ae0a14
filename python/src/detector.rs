//! How faces are found, as Python asks for it, and the finders that do it.
//! In: options. Out: [`Finder`]s, made when they are needed and kept.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use fer_vision::haar::{HaarDetector, HaarOptions};
use fer_vision::yunet::{FILE, MOST_BYTES, YuNetDetector, YuNetError, YuNetOptions};
use fer_vision::{DetectFaces, Finder, FinderOptions, VisionError};

use crate::error::ReadError;

/// How faces are found.
#[derive(Clone, Debug)]
pub(crate) struct DetectorChoice {
    /// YuNet's ONNX file; `None` for the Haar cascade in the package.
    pub(crate) yunet: Option<PathBuf>,
    /// How the cascade searches; YuNet takes its search side from here.
    pub(crate) haar: HaarOptions,
}

impl DetectorChoice {
    /// Refuses YuNet where it would wait for ever: its engine keeps threads of the process that first loaded it,
    /// and a fork takes none along.
    pub(crate) fn refuse_fork(&self) -> Result<(), VisionError> {
        static LOADED_IN: OnceLock<u32> = OnceLock::new();
        let process = std::process::id();
        if self.yunet.is_none() || *LOADED_IN.get_or_init(|| process) == process {
            return Ok(());
        }
        Err(VisionError::detect(
            "YuNet cannot be used after a fork: start processes with multiprocessing's method spawn, \
             or use the Haar cascade",
        ))
    }

    /// Makes the detector.
    pub(crate) fn build(&self) -> Result<Box<dyn DetectFaces>, ReadError> {
        self.refuse_fork()?;
        let Some(path) = &self.yunet else { return Ok(Box::new(HaarDetector::new(self.haar)?)) };
        let options = YuNetOptions { search_side: self.haar.search_side, ..YuNetOptions::default() };
        match YuNetDetector::from_onnx(content(path)?, options) {
            Ok(detector) => Ok(Box::new(detector)),
            Err(YuNetError::Options(problem)) => Err(ReadError::Option(problem)),
            Err(error) => Err(unusable(path, error.into()).into()),
        }
    }
}

fn content(path: &Path) -> Result<Vec<u8>, VisionError> {
    let length = std::fs::metadata(path).map_err(|error| unusable(path, error.into()))?.len();
    if length > MOST_BYTES as u64 {
        let problem = format!("{length} bytes, expected at most {MOST_BYTES}");
        return Err(unusable(path, problem.into()));
    }
    std::fs::read(path).map_err(|error| unusable(path, error.into()))
}

fn unusable(path: &Path, cause: fer_base::Cause) -> VisionError {
    let shown = path.display();
    let problem = format!("{shown}: not a YuNet that can be used, expected {FILE} of opencv_zoo");
    VisionError::detect_for(problem, cause)
}

/// Finders that search alike, one for each thread that needs one.
pub(crate) struct Finders {
    detector: DetectorChoice,
    finding: FinderOptions,
    idle: Mutex<Vec<Finder>>,
}

impl Finders {
    /// Finders that search so; one is made at once, so that options are refused here.
    pub(crate) fn new(detector: DetectorChoice, finding: FinderOptions) -> Result<Self, ReadError> {
        let first = Finder::new(detector.build()?, finding);
        Ok(Self { detector, finding, idle: Mutex::new(vec![first]) })
    }

    /// How faces are cut out.
    pub(crate) fn finding(&self) -> &FinderOptions {
        &self.finding
    }

    /// Lends a finder that nobody else uses meanwhile.
    pub(crate) fn lend<R>(&self, work: impl FnOnce(&mut Finder) -> R) -> Result<R, ReadError> {
        self.detector.refuse_fork()?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut finder = match idle {
            Some(finder) => finder,
            None => Finder::new(self.detector.build()?, self.finding),
        };
        let result = work(&mut finder);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(finder);
        Ok(result)
    }
}
