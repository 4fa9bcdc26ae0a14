//! Which traits a person gets.
//! In: a generator, and how rugged the person is. Out: traits.

use super::traits::{BrowStyle, EyeStyle, Glasses, Hair, HairStyle, HeadShape, MouthStyle, NoseStyle, Skin};
use crate::brush::{Dice, Ink};

/// How many skin tones there are.
pub(super) const N_TONES: usize = 8;

const TONES: [Ink; N_TONES] = [
    Ink::hex(0xF0D3BE),
    Ink::hex(0xEAC4A8),
    Ink::hex(0xE2B18D),
    Ink::hex(0xD49B70),
    Ink::hex(0xBB8053),
    Ink::hex(0x9F6841),
    Ink::hex(0x8C5B3B),
    Ink::hex(0x7B4F36),
];

pub(super) const BACKDROPS: [Ink; 4] =
    [Ink::hex(0xF3E3C8), Ink::hex(0xD9E6E0), Ink::hex(0xDCE3F0), Ink::hex(0xF1D9D0)];

pub(super) fn skin(dice: &mut Dice) -> Skin {
    let tone = dice.pick(&[0, 1, 2, 3, 4, 5, 6, 7]);
    let next = TONES[(tone + 1).min(N_TONES - 1)];
    let base = TONES[tone].mix(next, dice.range(0.0, 0.6));
    let freckles = if tone < 3 && dice.chance(0.3) { dice.range(0.4, 1.0) } else { 0.0 };
    Skin { tone, base, freckles }
}

pub(super) fn head_shape(dice: &mut Dice, rugged: f32) -> HeadShape {
    HeadShape {
        width: 1.0 + dice.bell(0.025),
        length: 1.0 + dice.bell(0.025) + 0.02 * rugged,
        jaw: 0.95 + 0.12 * rugged + dice.bell(0.03),
        cheeks: dice.bell(0.45),
        rugged,
    }
}

pub(super) fn eyes(dice: &mut Dice, skin: &Skin, rugged: f32) -> EyeStyle {
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

pub(super) fn brows(dice: &mut Dice, hair: &Hair, rugged: f32) -> BrowStyle {
    let ink = if hair.ink.luma() > 0.55 { hair.ink.times(0.55) } else { hair.ink.times(0.8) };
    BrowStyle {
        ink,
        width: 0.086 + 0.05 * rugged + dice.bell(0.008),
        arch: dice.range(0.02, 0.07) + 0.03 * (1.0 - rugged),
        height: dice.range(-0.02, 0.03),
    }
}

pub(super) fn nose(dice: &mut Dice, rugged: f32) -> NoseStyle {
    NoseStyle {
        width: dice.range(0.88, 1.16) + 0.08 * rugged,
        length: dice.range(0.92, 1.08),
        bulb: dice.unit(),
    }
}

pub(super) fn mouth(dice: &mut Dice, skin: &Skin, rugged: f32) -> MouthStyle {
    let painted = Ink::hex(0xB5333F).mix(Ink::hex(0x8E2A4A), dice.unit());
    let natural = skin.base.shade(0.28).mix(Ink::hex(0xB5404A), 0.50);
    let ink = if rugged < 0.4 && dice.chance(0.35) { natural.mix(painted, 0.7) } else { natural };
    let dark = skin.tone as f32 / N_TONES as f32;
    MouthStyle {
        width: dice.range(0.365, 0.415),
        full: dice.range(0.8, 1.15) + 0.25 * (0.5 - rugged) + 0.2 * dark,
        ink,
        side: if dice.chance(0.5) { 1.0 } else { -1.0 },
    }
}

pub(super) fn hair(dice: &mut Dice, skin: &Skin, rugged: f32) -> Hair {
    use HairStyle::{Bob, Buzz, Curly, SideParted};
    let dark = [(Ink::hex(0x1E1815), 4.0), (Ink::hex(0x2E211A), 2.0), (Ink::hex(0x46301F), 1.0)];
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
        [(Buzz, 2.3), (SideParted, 5.0), (Curly, 1.8), (Bob, 0.4)]
    } else {
        [(Bob, 4.2), (SideParted, 1.6), (Curly, 1.8), (SideParted, 1.5)]
    };
    let style = dice.weighted(&styles);
    Hair {
        style,
        ink: if skin.tone >= 4 || style == Curly { dice.weighted(&dark) } else { dice.weighted(&any) },
        part: if dice.chance(0.5) { 1.0 } else { -1.0 },
    }
}

/// Whether a person has a beard.
pub(super) fn beard(dice: &mut Dice, rugged: f32) -> bool {
    rugged >= 0.55 && dice.chance(0.2)
}

pub(super) fn glasses(dice: &mut Dice) -> Option<Glasses> {
    let inks = [Ink::hex(0x2B2B30), Ink::hex(0x4A2E20), Ink::hex(0x6B1F2A), Ink::hex(0x27405A)];
    let glasses = Glasses { round: dice.chance(0.5), ink: dice.pick(&inks) };
    dice.chance(0.18).then_some(glasses)
}

/// The colour of what a person wears.
pub(super) fn clothes(dice: &mut Dice) -> Ink {
    let inks = [Ink::hex(0x2F4B6E), Ink::hex(0x7A2E3A), Ink::hex(0x2F6B5E), Ink::hex(0xD8D2C4)];
    dice.pick(&inks).times(dice.range(0.9, 1.1))
}
