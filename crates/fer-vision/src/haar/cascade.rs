//! A Haar cascade: stages of stumps, each of which compares a sum of rectangles with a threshold.
//! In: OpenCV's XML or the packed form. Out: a [`Cascade`] whose every rectangle lies in its window.

/// A cascade of boosted stumps over upright rectangles.
///
/// A window of a picture is a face when the sum of every stage reaches the stage's threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct Cascade {
    /// Width and height of the window, each 3 to [`Cascade::MAX_SIDE`] pixels.
    pub(super) window: (u8, u8),
    pub(super) stages: Vec<Stage>,
}

impl Cascade {
    /// The cascade's first `n` stages: what they let through looks somewhat like the object.
    #[must_use]
    pub fn first_stages(mut self, n: usize) -> Self {
        self.stages.truncate(n.max(1));
        self
    }

    /// Longest side of a window in pixels: sums over larger ones would not be exact. OpenCV's cascades have
    /// sides of 11 to 38.
    pub const MAX_SIDE: u8 = 128;

    /// Most stages a cascade may have; OpenCV's frontal face has 25.
    pub const MAX_STAGES: usize = 1_000;

    /// Most stumps a cascade may have; OpenCV's frontal face has 2,913.
    pub const MAX_STUMPS: usize = 100_000;

    /// OpenCV's `haarcascade_frontalface_default`, by Rainer Lienhart, which is packed into this crate.
    ///
    /// Its licence is Intel's, of the BSD kind: `frontalface.LICENSE` beside the source.
    #[must_use]
    pub fn frontal_face() -> Self {
        Self::from_packed(FRONTAL_FACE).expect("a test reads the packed cascade")
    }

    /// Width and height of the cascade's window in pixels: no smaller object is found.
    #[must_use]
    pub fn window(&self) -> (u32, u32) {
        (u32::from(self.window.0), u32::from(self.window.1))
    }

    /// How many stumps all stages have together.
    #[must_use]
    pub fn n_stumps(&self) -> usize {
        self.stages.iter().map(|stage| stage.stumps.len()).sum()
    }

    /// How many stages there are.
    #[must_use]
    pub fn n_stages(&self) -> usize {
        self.stages.len()
    }
}

/// The packed frontal-face cascade.
const FRONTAL_FACE: &[u8] = include_bytes!("frontalface.cascade");

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stage {
    /// The sum of the stumps must reach this, less [`THRESHOLD_SLACK`].
    pub(super) threshold: f32,
    /// At least one.
    pub(super) stumps: Vec<Stump>,
}

/// OpenCV lowers every stage's threshold by this when it reads a cascade.
pub(super) const THRESHOLD_SLACK: f32 = 1e-5;

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stump {
    pub(super) feature: Feature,
    /// In units of the window's deviation.
    pub(super) threshold: f32,
    /// What the stage gains where the feature is below the threshold.
    pub(super) below: f32,
    /// What it gains elsewhere.
    pub(super) otherwise: f32,
}

/// Two or three weighted rectangles; the third has weight 0 where there are two.
pub(super) type Feature = [WeightedRect; 3];

/// A rectangle inside the cascade's window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct WeightedRect {
    pub(super) x: u8,
    pub(super) y: u8,
    pub(super) width: u8,
    pub(super) height: u8,
    pub(super) weight: f32,
}

impl WeightedRect {
    pub(super) fn fits(&self, window: (u8, u8)) -> bool {
        let (right, bottom) =
            (u16::from(self.x) + u16::from(self.width), u16::from(self.y) + u16::from(self.height));
        self.x < window.0
            && self.y < window.1
            && right <= u16::from(window.0)
            && bottom <= u16::from(window.1)
    }
}

/// A cascade that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cascade, {place}: expected {expected}, found {found}")]
pub struct CascadeError {
    /// Line of the XML or byte of the packed form.
    pub place: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}
