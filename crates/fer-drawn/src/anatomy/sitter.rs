//! One person at one moment.
//! In: a [`Person`], muscles, a [`Placement`], light. Out: [`Sitter`], all that a drawing needs.

use super::placement::Placement;
use crate::{
    brush::Ink,
    person::{Expression, Muscle, Muscles, Person},
};

/// One person at one moment: all that a drawing needs.
pub(crate) struct Sitter<'a> {
    pub(crate) person: &'a Person,
    pub(crate) muscles: Muscles,
    pub(crate) place: Placement,
    /// Where the light comes from: -1 left to 1 right.
    pub(crate) light: f32,
}

impl<'a> Sitter<'a> {
    /// A person who shows an expression, and more on top of it (slack, a blink, a gaze).
    pub(crate) fn new(
        person: &'a Person,
        expression: &Expression,
        more: &Muscles,
        place: Placement,
        light: f32,
    ) -> Self {
        let mut muscles = person.muscles(expression);
        muscles.add(more, 1.0);
        Self { person, muscles, place, light }
    }

    /// A muscle's position.
    pub(crate) fn m(&self, muscle: Muscle) -> f32 {
        self.muscles[muscle]
    }

    /// The skin's colour.
    pub(crate) fn skin(&self) -> Ink {
        self.person.skin.base
    }

    /// The skin's colour in a shadow.
    pub(crate) fn shadow(&self, amount: f32) -> Ink {
        self.skin().shade(amount)
    }

    /// How far the chin hangs below its resting place, head units.
    pub(crate) fn drop(&self) -> f32 {
        0.14 * self.m(Muscle::Jaw).max(0.0)
    }
}
