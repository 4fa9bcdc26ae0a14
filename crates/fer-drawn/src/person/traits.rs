//! What people differ in: everything about a face that does not change with expression.
//! In: nothing. Out: proportions, colours and styles, as types.

use crate::brush::Ink;

/// Skin colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skin {
    /// Index into the tones, 0 (lightest) to [`super::Person::TONES`] - 1.
    pub(crate) tone: usize,
    pub(crate) base: Ink,
    /// Freckles, `0..=1`.
    pub(crate) freckles: f32,
}

/// Proportions of the head; 1 is usual.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadShape {
    pub(crate) width: f32,
    pub(crate) length: f32,
    /// Width of the jaw, about `0.9..1.1`.
    pub(crate) jaw: f32,
    /// Fullness of the cheeks, about `-1..1`.
    pub(crate) cheeks: f32,
    /// Sharpness of the features, 0 soft to 1 rugged.
    pub(crate) rugged: f32,
}

/// Eyes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EyeStyle {
    /// Half the distance between the eyes, head units.
    pub(crate) apart: f32,
    pub(crate) size: f32,
    /// Slant of the eyes: positive raises the outer corners.
    pub(crate) slant: f32,
    /// How open the eyes rest; 1 is usual.
    pub(crate) height: f32,
    pub(crate) iris: Ink,
    /// Weight of the lashes, `0..=1`.
    pub(crate) lashes: f32,
}

/// Brows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BrowStyle {
    pub(crate) ink: Ink,
    /// Full width at the thickest point, head units.
    pub(crate) width: f32,
    pub(crate) arch: f32,
    /// Distance above the eyes added to the usual one.
    pub(crate) height: f32,
}

/// Nose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoseStyle {
    pub(crate) width: f32,
    pub(crate) length: f32,
    /// Roundness of the tip, `0..=1`.
    pub(crate) bulb: f32,
}

/// Mouth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MouthStyle {
    /// Half the width at rest, head units.
    pub(crate) width: f32,
    /// Fullness of the lips; 1 is usual.
    pub(crate) full: f32,
    pub(crate) ink: Ink,
    /// The side a sneer is on: -1 or 1.
    pub(crate) side: f32,
}

/// Hair on the head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hair {
    pub(crate) style: HairStyle,
    pub(crate) ink: Ink,
    /// Which side it is parted on: -1 or 1.
    pub(crate) part: f32,
}

/// How the hair is worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HairStyle {
    Buzz,
    SideParted,
    Bob,
    Curly,
}

/// Glasses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glasses {
    pub(crate) round: bool,
    pub(crate) ink: Ink,
}
