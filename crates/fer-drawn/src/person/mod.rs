//! A drawn person: how it looks, and how it shows an expression.
//! In: a seed. Out: [`Person`], proportions and colours.

mod casting;
mod expression;
mod traits;

use fer_data::Emotion;

use crate::brush::{Dice, Ink};

pub use expression::Expression;
pub(crate) use expression::{Muscle, Muscles};
pub(crate) use traits::{
    BrowStyle, EyeStyle, Glasses, Hair, HairStyle, HeadShape, MouthStyle, NoseStyle, Skin,
};

/// A drawn person, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Person {
    pub(crate) seed: u64,
    pub(crate) skin: Skin,
    pub(crate) shape: HeadShape,
    pub(crate) eyes: EyeStyle,
    pub(crate) brows: BrowStyle,
    pub(crate) nose: NoseStyle,
    pub(crate) mouth: MouthStyle,
    pub(crate) hair: Hair,
    pub(crate) beard: bool,
    pub(crate) glasses: Option<Glasses>,
    /// The colour of the clothes.
    pub(crate) clothes: Ink,
    /// A colour that sets the person off, for portraits.
    pub(crate) backdrop: Ink,
    /// How this person shows each expression.
    pub(crate) manner: [Muscles; Emotion::COUNT],
    /// How this person's face rests.
    pub(crate) rest: Muscles,
}

impl Person {
    /// How many skin tones there are, from light to dark.
    pub const TONES: usize = casting::N_TONES;

    /// The person of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let dice = &mut Dice::new(&[seed, 0x50E5]);
        let rugged = dice.unit();
        let skin = casting::skin(dice);
        let hair = casting::hair(dice, &skin, rugged);
        let beard = casting::beard(dice, rugged);
        Person {
            seed,
            skin,
            shape: casting::head_shape(dice, rugged),
            eyes: casting::eyes(dice, &skin, rugged),
            brows: casting::brows(dice, &hair, rugged),
            nose: casting::nose(dice, rugged),
            mouth: casting::mouth(dice, &skin, rugged),
            hair,
            beard,
            glasses: casting::glasses(dice),
            clothes: casting::clothes(dice),
            backdrop: dice.pick(&casting::BACKDROPS),
            manner: expression::manner(dice),
            rest: Muscles::resting(dice),
        }
    }

    /// The skin tone, 0 (lightest) to [`Person::TONES`] - 1 (darkest).
    #[must_use]
    pub fn tone(&self) -> usize {
        self.skin.tone
    }

    /// Where this person's muscles are for an expression.
    pub(crate) fn muscles(&self, expression: &Expression) -> Muscles {
        let mut muscles = self.rest;
        for (manner, &weight) in self.manner.iter().zip(expression.weights()) {
            muscles.add(manner, weight);
        }
        muscles
    }
}
