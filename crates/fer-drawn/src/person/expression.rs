//! Apparent expressions as weights, and the muscles that each person moves for them.
//! In: weights of the expressions. Out: [`Muscles`], the positions of the movable parts.

use fer_data::Emotion;

use crate::brush::Dice;

/// A blend of the apparent expressions: weights in the order of [`Emotion::ALL`], each at
/// least 0, together at most 1; what is missing to 1 is a resting face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expression([f32; Emotion::COUNT]);

impl Expression {
    /// One expression at an intensity, brought into `0..=1`.
    #[must_use]
    pub fn of(emotion: Emotion, intensity: f32) -> Self {
        let mut weights = [0.0; Emotion::COUNT];
        weights[emotion.index()] = intensity;
        Self::from_weights(weights)
    }

    /// A blend: negative weights (and NaN) become 0, and a sum above 1 is scaled down to 1.
    #[must_use]
    pub fn from_weights(weights: [f32; Emotion::COUNT]) -> Self {
        let weights = weights.map(|w| w.max(0.0));
        let sum: f32 = weights.iter().sum();
        Self(if sum > 1.0 { weights.map(|w| w / sum) } else { weights })
    }

    /// The weights, in label order.
    #[must_use]
    pub fn weights(&self) -> &[f32; Emotion::COUNT] {
        &self.0
    }

    /// The expression that is `t` of the way from this one to the other, `t` in `0..=1`.
    #[must_use]
    pub fn towards(&self, other: &Self, t: f32) -> Self {
        let mut weights = self.0;
        for (weight, goal) in weights.iter_mut().zip(other.0) {
            *weight += (goal - *weight) * t;
        }
        Self::from_weights(weights)
    }
}

/// A movable part of the face. Positions run over about `-1..=1`; 0 is at rest.
///
/// Most follow the action units of Ekman and Friesen's Facial Action Coding System.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Muscle {
    /// Raises (AU 1) or lowers (AU 4) the inner ends of the brows.
    BrowInner,
    /// Raises (AU 2) or lowers the outer ends of the brows.
    BrowOuter,
    /// Draws the brows together (AU 4).
    BrowPinch,
    /// Opens the upper lids wide (AU 5) or lets them sink.
    EyeOpen,
    /// Raises the lower lids (AU 6, 7).
    LidLower,
    /// Raises the cheeks (AU 6).
    Cheek,
    /// Wrinkles the nose (AU 9).
    NoseWrinkle,
    /// Raises the upper lip (AU 10).
    UpperLip,
    /// Raises (AU 12) or lowers (AU 15) the mouth's corners.
    Corner,
    /// Stretches the mouth (AU 20) or rounds it (AU 18).
    Stretch,
    /// Drops the jaw (AU 26, 27).
    Jaw,
    /// Parts the lips with the jaw closed (AU 25).
    Part,
    /// Presses the lips together (AU 23, 24).
    Press,
    /// Shows the upper teeth.
    TeethUpper,
    /// Shows the lower teeth.
    TeethLower,
    /// Pushes the lower lip up (AU 17).
    Pout,
    /// Raises one side of the upper lip.
    Sneer,
    /// Looks to a side: positive is to the right of the picture.
    GazeX,
    /// Looks down.
    GazeY,
    /// Closes the eyes (AU 43, 45).
    Blink,
}

/// How many muscles there are.
const COUNT: usize = Muscle::Blink as usize + 1;

/// Positions of all muscles.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Muscles([f32; COUNT]);

impl std::ops::Index<Muscle> for Muscles {
    type Output = f32;
    fn index(&self, muscle: Muscle) -> &f32 {
        &self.0[muscle as usize]
    }
}

impl std::ops::IndexMut<Muscle> for Muscles {
    fn index_mut(&mut self, muscle: Muscle) -> &mut f32 {
        &mut self.0[muscle as usize]
    }
}

impl Muscles {
    /// Adds the other positions times a weight.
    pub(crate) fn add(&mut self, other: &Self, weight: f32) {
        for (position, more) in self.0.iter_mut().zip(other.0) {
            *position += more * weight;
        }
    }

    /// Moves every muscle that is in use by a random part of its position.
    fn vary(&mut self, dice: &mut Dice, part: f32) {
        for position in &mut self.0 {
            *position *= 1.0 + dice.bell(part);
        }
    }

    /// A face at rest: hardly tense, the corners of the mouth a trace up, as friendly faces rest.
    pub(crate) fn resting(dice: &mut Dice) -> Self {
        let mut muscles = Self::slack(dice, 0.04);
        muscles[Muscle::Corner] += 0.06;
        muscles
    }

    /// A little random tension, as every resting face has.
    pub(crate) fn slack(dice: &mut Dice, deviation: f32) -> Self {
        use Muscle::{BrowInner, BrowOuter, Corner, EyeOpen, GazeX, GazeY, LidLower, Part, Press, Stretch};
        let mut muscles = Self::default();
        for muscle in [BrowInner, BrowOuter, Corner, EyeOpen, LidLower, Stretch] {
            muscles[muscle] = dice.bell(deviation);
        }
        for muscle in [Press, Part] {
            muscles[muscle] = dice.bell(deviation).max(0.0);
        }
        for muscle in [GazeX, GazeY] {
            muscles[muscle] = dice.bell(2.0 * deviation);
        }
        muscles
    }
}

/// How one person shows each expression: one of its variants, with its own accents.
pub(crate) fn manner(dice: &mut Dice) -> [Muscles; Emotion::COUNT] {
    Emotion::ALL.map(|emotion| {
        let mut muscles = Muscles::default();
        let variants = variants(emotion);
        // Contempt is no expression of FER-2013: it takes no chance, so that the seven do not depend on it.
        let variant = if emotion == Emotion::Contempt { variants[0] } else { dice.pick(variants) };
        for &(muscle, position) in variant {
            muscles[muscle] = position;
        }
        if emotion != Emotion::Contempt {
            muscles.vary(dice, 0.10);
        }
        muscles
    })
}

type Variant = &'static [(Muscle, f32)];

/// The ways to show an expression.
///
/// Sources: the prototypes of Ekman and Friesen (1978), and what 48×48 pixels can still show.
#[rustfmt::skip] // Tables: one muscle a line would hide the shape of an expression.
#[expect(clippy::too_many_lines, reason = "a table of numbers, one row a muscle")]
fn variants(emotion: Emotion) -> &'static [Variant] {
    use Muscle::{
        BrowInner, BrowOuter, BrowPinch, Cheek, Corner, EyeOpen, GazeY, Jaw, LidLower, NoseWrinkle, Part, Pout,
        Press, Sneer, Stretch, TeethLower, TeethUpper, UpperLip,
    };
    match emotion {
        Emotion::Angry => &[
            // Lips pressed.
            &[
                (BrowInner, -1.0), (BrowOuter, 0.25), (BrowPinch, 1.0), (EyeOpen, 0.15), (LidLower, 0.6),
                (NoseWrinkle, 0.25), (Corner, -0.5), (Press, 0.8), (Stretch, 0.15), (Pout, 0.35),
            ],
            // Teeth bared.
            &[
                (BrowInner, -1.05), (BrowOuter, 0.3), (BrowPinch, 1.0), (EyeOpen, 0.2), (LidLower, 0.6),
                (NoseWrinkle, 0.45), (Corner, -0.35), (Stretch, 0.15), (Part, 0.95), (UpperLip, 0.25),
                (TeethUpper, 1.0), (TeethLower, 1.0),
            ],
            // Shouting.
            &[
                (BrowInner, -1.05), (BrowOuter, 0.3), (BrowPinch, 1.0), (EyeOpen, 0.1), (LidLower, 0.6),
                (NoseWrinkle, 0.4), (Corner, -0.3), (Stretch, 0.05), (Jaw, 0.55), (Part, 0.3), (UpperLip, 0.2),
                (TeethUpper, 0.8), (TeethLower, 0.6),
            ],
        ],
        Emotion::Disgust => &[
            // Lip curled, mouth closed.
            &[
                (BrowInner, -0.5), (BrowOuter, -0.4), (BrowPinch, 0.5), (EyeOpen, -0.65), (LidLower, 0.95),
                (Cheek, 0.5), (NoseWrinkle, 1.0), (UpperLip, 0.9), (Corner, -0.55), (Sneer, 0.6), (Pout, 0.7),
            ],
            // Upper teeth bared.
            &[
                (BrowInner, -0.5), (BrowOuter, -0.35), (BrowPinch, 0.5), (EyeOpen, -0.65), (LidLower, 1.0),
                (Cheek, 0.55), (NoseWrinkle, 1.1), (UpperLip, 1.1), (Corner, -0.5), (Part, 0.55), (Sneer, 0.5),
                (TeethUpper, 0.8), (Pout, 0.3),
            ],
        ],
        Emotion::Fear => &[
            // Mouth stretched open.
            &[
                (BrowInner, 0.9), (BrowOuter, 0.05), (BrowPinch, 0.7), (EyeOpen, 1.0), (Corner, -0.45),
                (Stretch, 0.75), (Jaw, 0.32), (Part, 0.3), (TeethLower, 0.7),
            ],
            // Teeth clenched.
            &[
                (BrowInner, 0.9), (BrowOuter, 0.0), (BrowPinch, 0.7), (EyeOpen, 1.0), (Corner, -0.5),
                (Stretch, 0.95), (Part, 0.75), (TeethUpper, 0.9), (TeethLower, 0.9),
            ],
        ],
        Emotion::Happy => &[
            // A broad smile.
            &[
                (BrowInner, 0.1), (BrowOuter, 0.15), (EyeOpen, -0.15), (LidLower, 0.6), (Cheek, 0.9), (Corner, 1.0),
                (Stretch, 0.55), (Part, 0.9), (TeethUpper, 1.0),
            ],
            // Laughing.
            &[
                (BrowInner, 0.25), (BrowOuter, 0.25), (EyeOpen, -0.35), (LidLower, 0.85), (Cheek, 1.0),
                (Corner, 1.0), (Stretch, 0.5), (Jaw, 0.5), (Part, 0.35), (TeethUpper, 1.0),
            ],
            // Lips closed.
            &[
                (BrowInner, 0.1), (BrowOuter, 0.1), (EyeOpen, -0.1), (LidLower, 0.55), (Cheek, 0.85), (Corner, 1.05),
                (Stretch, 0.5), (Press, 0.25),
            ],
        ],
        Emotion::Neutral => &[&[]],
        Emotion::Sad => &[
            // Corners down, lids heavy.
            &[
                (BrowInner, 0.85), (BrowOuter, -0.5), (BrowPinch, 0.55), (EyeOpen, -0.4), (Corner, -1.0),
                (Stretch, -0.05), (Pout, 0.75), (GazeY, 0.45),
            ],
            // Lip trembling, slightly open.
            &[
                (BrowInner, 0.9), (BrowOuter, -0.5), (BrowPinch, 0.6), (EyeOpen, -0.35), (LidLower, 0.25),
                (Corner, -0.95), (Stretch, 0.1), (Part, 0.25), (Pout, 0.4), (GazeY, 0.2),
            ],
        ],
        Emotion::Surprise => &[
            // A round mouth.
            &[
                (BrowInner, 1.0), (BrowOuter, 1.05), (EyeOpen, 1.0), (Stretch, -0.7), (Jaw, 0.75), (Part, 0.2),
            ],
            // The jaw dropped.
            &[
                (BrowInner, 0.95), (BrowOuter, 1.0), (EyeOpen, 0.9), (Stretch, -0.4), (Jaw, 0.95), (Part, 0.2),
                (TeethUpper, 0.4),
            ],
        ],
        // One side of the lip raised, lids heavy.
        Emotion::Contempt => &[&[
            (BrowInner, -0.35), (BrowOuter, 0.45), (EyeOpen, -0.65), (LidLower, 0.35), (Corner, 0.35), (Stretch, 0.3),
            (Press, 0.7), (Sneer, 1.0), (GazeY, 0.4),
        ]],
    }
}
