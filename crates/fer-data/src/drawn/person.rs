//! A drawn person: everything about a face that does not change with expression.
//! In: a seed. Out: [`Person`], proportions and colours.
//! Knows nothing of drawing.

use super::{
    dice::Dice,
    expression::{self, Expression, Muscles},
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
    manner: [Muscles; Emotion::COUNT],
    /// How this person's face rests.
    rest: Muscles,
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

const TONES: [Ink; Person::TONES] = [
    Ink::hex(0xF0D3BE),
    Ink::hex(0xEAC4A8),
    Ink::hex(0xE2B18D),
    Ink::hex(0xD49B70),
    Ink::hex(0xBB8053),
    Ink::hex(0x9F6841),
    Ink::hex(0x855537),
    Ink::hex(0x6F462F),
];

impl Person {
    /// How many skin tones there are, from light to dark.
    pub const TONES: usize = 8;

    /// The person of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let dice = &mut Dice::new(&[seed, 0x50E5]);
        let rugged = dice.unit();
        let skin = skin(dice);
        let hair = hair(dice, &skin, rugged);
        let beard = beard(dice, rugged);
        Self {
            seed,
            skin,
            shape: head_shape(dice, rugged),
            eyes: eyes(dice, &skin, rugged),
            brows: brows(dice, &hair, rugged),
            nose: NoseStyle {
                width: dice.range(0.88, 1.16) + 0.08 * rugged,
                length: dice.range(0.92, 1.08),
                bulb: dice.unit(),
            },
            mouth: mouth(dice, &skin, rugged),
            hair,
            beard,
            glasses: glasses(dice),
            clothes: clothes(dice),
            backdrop: dice.pick(&BACKDROPS),
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
    pub(super) fn muscles(&self, expression: &Expression) -> Muscles {
        let mut muscles = self.rest;
        for (manner, &weight) in self.manner.iter().zip(expression.weights()) {
            muscles.add(manner, weight);
        }
        muscles
    }
}

const BACKDROPS: [Ink; 8] = [
    Ink::hex(0xF3E3C8),
    Ink::hex(0xD9E6E0),
    Ink::hex(0xDCE3F0),
    Ink::hex(0xF1D9D0),
    Ink::hex(0xE6DDF0),
    Ink::hex(0xD5E5EC),
    Ink::hex(0xEFE6D8),
    Ink::hex(0xE2E8D0),
];

fn skin(dice: &mut Dice) -> Skin {
    let tone = dice.pick(&[0, 1, 2, 3, 4, 5, 6, 7]);
    let next = TONES[(tone + 1).min(Person::TONES - 1)];
    let base = TONES[tone].mix(next, dice.range(0.0, 0.6));
    let freckles = if tone < 3 && dice.chance(0.3) { dice.range(0.4, 1.0) } else { 0.0 };
    Skin { tone, base, freckles }
}

fn head_shape(dice: &mut Dice, rugged: f32) -> HeadShape {
    HeadShape {
        width: 1.0 + dice.bell(0.025),
        length: 1.0 + dice.bell(0.025) + 0.02 * rugged,
        jaw: 0.95 + 0.12 * rugged + dice.bell(0.03),
        cheeks: dice.bell(0.45),
        rugged,
    }
}

fn eyes(dice: &mut Dice, skin: &Skin, rugged: f32) -> EyeStyle {
    let dark = [(Ink::hex(0x4A2E1C), 3.0), (Ink::hex(0x35221A), 2.0)];
    let light = [
        (Ink::hex(0x4A2E1C), 2.0),
        (Ink::hex(0x6B4A26), 1.0),
        (Ink::hex(0x4F7A9E), 1.5),
        (Ink::hex(0x5E7A4C), 1.0),
        (Ink::hex(0x7D8C96), 0.7),
    ];
    EyeStyle {
        apart: dice.range(0.405, 0.44),
        size: 1.04 - 0.1 * rugged + dice.bell(0.04),
        slant: dice.range(-0.02, 0.04),
        height: 1.0 + dice.bell(0.08),
        iris: if skin.tone >= 4 { dice.weighted(&dark) } else { dice.weighted(&light) },
        lashes: (1.0 - rugged) * dice.range(0.6, 1.0),
    }
}

fn brows(dice: &mut Dice, hair: &Hair, rugged: f32) -> BrowStyle {
    let ink = if hair.ink.luma() > 0.55 { hair.ink.times(0.55) } else { hair.ink.times(0.8) };
    BrowStyle {
        ink,
        width: 0.086 + 0.05 * rugged + dice.bell(0.008),
        arch: dice.range(0.02, 0.07) + 0.03 * (1.0 - rugged),
        height: dice.range(-0.02, 0.03),
    }
}

fn mouth(dice: &mut Dice, skin: &Skin, rugged: f32) -> MouthStyle {
    let painted = Ink::hex(0xB5333F).mix(Ink::hex(0x8E2A4A), dice.unit());
    let natural = skin.base.shade(0.28).mix(Ink::hex(0xB5404A), 0.50);
    let ink = if rugged < 0.4 && dice.chance(0.35) { natural.mix(painted, 0.7) } else { natural };
    let dark = skin.tone as f32 / Person::TONES as f32;
    MouthStyle {
        width: dice.range(0.365, 0.415),
        full: dice.range(0.8, 1.15) + 0.25 * (0.5 - rugged) + 0.2 * dark,
        ink,
        side: if dice.chance(0.5) { 1.0 } else { -1.0 },
    }
}

fn hair(dice: &mut Dice, skin: &Skin, rugged: f32) -> Hair {
    use HairStyle::{Afro, Bald, Bob, Bun, Buzz, Curly, Long, Quiff, Scarf, SideParted};
    let dark = [
        (Ink::hex(0x1E1815), 4.0),
        (Ink::hex(0x2E211A), 2.0),
        (Ink::hex(0x46301F), 1.0),
        (Ink::hex(0x77736F), 0.4),
    ];
    let any = [
        (Ink::hex(0x251C18), 2.0),
        (Ink::hex(0x3B2A1F), 2.0),
        (Ink::hex(0x5F4029), 2.0),
        (Ink::hex(0x8A5A33), 1.2),
        (Ink::hex(0xC79A5B), 1.2),
        (Ink::hex(0xA54A26), 0.8),
        (Ink::hex(0xA8A39D), 0.8),
    ];
    let styles = if rugged > 0.5 {
        [(Bald, 0.8), (Buzz, 1.5), (SideParted, 2.5), (Quiff, 2.5), (Curly, 1.2), (Afro, 0.6), (Long, 0.4)]
    } else {
        [(Bob, 2.0), (Long, 2.2), (Bun, 1.6), (Curly, 0.9), (Afro, 0.9), (Scarf, 1.0), (Quiff, 0.5)]
    };
    Hair {
        style: dice.weighted(&styles),
        ink: if skin.tone >= 4 { dice.weighted(&dark) } else { dice.weighted(&any) },
        part: if dice.chance(0.5) { 1.0 } else { -1.0 },
    }
}

fn beard(dice: &mut Dice, rugged: f32) -> Beard {
    if rugged < 0.55 {
        return Beard::None;
    }
    dice.weighted(&[
        (Beard::None, 4.0),
        (Beard::Stubble, 1.6),
        (Beard::Moustache, 0.6),
        (Beard::Goatee, 0.6),
        (Beard::Full, 1.0),
    ])
}

fn glasses(dice: &mut Dice) -> Option<Glasses> {
    let inks = [Ink::hex(0x2B2B30), Ink::hex(0x4A2E20), Ink::hex(0x6B1F2A), Ink::hex(0x27405A)];
    let glasses = Glasses { round: dice.chance(0.5), ink: dice.pick(&inks) };
    dice.chance(0.18).then_some(glasses)
}

fn clothes(dice: &mut Dice) -> Clothes {
    let inks = [
        Ink::hex(0x2F4B6E),
        Ink::hex(0x7A2E3A),
        Ink::hex(0x2F6B5E),
        Ink::hex(0xC98F3D),
        Ink::hex(0x4B4F58),
        Ink::hex(0x8C6BA8),
        Ink::hex(0xB9553F),
        Ink::hex(0xD8D2C4),
    ];
    Clothes { ink: dice.pick(&inks), cut: dice.pick(&[Cut::Crew, Cut::Vee, Cut::Collar, Cut::Hood]) }
}
