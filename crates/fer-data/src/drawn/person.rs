//! A drawn person: everything about a face that does not change with expression.
//! In: a seed. Out: [`Person`], proportions and colours.

use super::{
    expression::{Expression, Muscles},
    ink::Ink,
};
use crate::Emotion;

/// A drawn person, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Person {
    pub(super) seed: u64,
    pub(super) skin: Skin,
    pub(super) shape: HeadShape,
    pub(super) eyes: EyeStyle,
    pub(super) brows: BrowStyle,
    pub(super) nose: NoseStyle,
    pub(super) mouth: MouthStyle,
    pub(super) hair: Hair,
    pub(super) beard: Beard,
    pub(super) glasses: Option<Glasses>,
    pub(super) clothes: Clothes,
    /// A colour that sets the person off, for portraits.
    pub(super) backdrop: Ink,
    /// How this person shows each expression.
    pub(super) manner: [Muscles; Emotion::COUNT],
    /// How this person's face rests.
    pub(super) rest: Muscles,
}

/// Skin colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skin {
    /// Index into the tones, 0 (lightest) to [`Person::TONES`] - 1.
    pub(super) tone: usize,
    pub(super) base: Ink,
    /// Freckles, `0..=1`.
    pub(super) freckles: f32,
}

/// Proportions of the head; 1 is usual.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadShape {
    pub(super) width: f32,
    pub(super) length: f32,
    /// Width of the jaw, about `0.9..1.1`.
    pub(super) jaw: f32,
    /// Fullness of the cheeks, about `-1..1`.
    pub(super) cheeks: f32,
    /// Sharpness of the features, 0 soft to 1 rugged.
    pub(super) rugged: f32,
}

/// Eyes.
#[derive(Clone, Copy, Debug)]
pub(super) struct EyeStyle {
    /// Half the distance between the eyes, head units.
    pub(super) apart: f32,
    pub(super) size: f32,
    /// Slant of the eyes: positive raises the outer corners.
    pub(super) slant: f32,
    /// How open the eyes rest; 1 is usual.
    pub(super) height: f32,
    pub(super) iris: Ink,
    /// Weight of the lashes, `0..=1`.
    pub(super) lashes: f32,
}

/// Brows.
#[derive(Clone, Copy, Debug)]
pub(super) struct BrowStyle {
    pub(super) ink: Ink,
    /// Full width at the thickest point, head units.
    pub(super) width: f32,
    pub(super) arch: f32,
    /// Distance above the eyes added to the usual one.
    pub(super) height: f32,
}

/// Nose.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoseStyle {
    pub(super) width: f32,
    pub(super) length: f32,
    /// Roundness of the tip, `0..=1`.
    pub(super) bulb: f32,
}

/// Mouth.
#[derive(Clone, Copy, Debug)]
pub(super) struct MouthStyle {
    /// Half the width at rest, head units.
    pub(super) width: f32,
    /// Fullness of the lips; 1 is usual.
    pub(super) full: f32,
    pub(super) ink: Ink,
    /// The side a sneer is on: -1 or 1.
    pub(super) side: f32,
}

/// Hair on the head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hair {
    pub(super) style: HairStyle,
    pub(super) ink: Ink,
    /// Which side it is parted on: -1 or 1.
    pub(super) part: f32,
}

/// How the hair is worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HairStyle {
    Bald,
    Buzz,
    SideParted,
    Quiff,
    Curly,
    Afro,
    Bob,
    Long,
    Bun,
    Scarf,
}

/// Hair on the face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beard {
    None,
    Stubble,
    Moustache,
    Goatee,
    Full,
}

/// Glasses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glasses {
    pub(super) round: bool,
    pub(super) ink: Ink,
}

/// Clothes at the shoulders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clothes {
    pub(super) ink: Ink,
    pub(super) cut: Cut,
}

/// The neckline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Crew,
    Vee,
    Collar,
    Hood,
}

impl Person {
    /// How many skin tones there are, from light to dark.
    pub const TONES: usize = 8;

    /// The person of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        super::casting::person(seed)
    }

    /// The skin tone, 0 (lightest) to [`Person::TONES`] - 1 (darkest).
    #[must_use]
    pub fn tone(&self) -> usize {
        self.skin.tone
    }

    /// Where this person's muscles are for an expression.
    pub(super) fn muscles(&self, expression: &Expression) -> Muscles {
        let mut muscles = self.rest;
        for (manner, &weight) in self.manner.iter().zip(expression.weights()) {
            muscles.add(manner, weight);
        }
        muscles
    }
}
