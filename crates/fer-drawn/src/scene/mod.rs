//! People in a room who move and change expression on a timetable.
//! In: a seed, a size, a time. Out: the frame at that time, and where each face truly is.

mod room;

use std::time::Duration;

use fer_data::Emotion;
use image::RgbImage;

use crate::{
    anatomy::{self, Placement, Pose, Sitter},
    brush::{Canvas, Dice, P},
    person::{Expression, Muscle, Muscles, Person},
};

/// Seconds from one expression to the next.
const PERIOD: f32 = 3.2;
/// Seconds that a change of expression takes, at the start of its period.
const CHANGE: f32 = 0.6;
/// Seconds that a blink takes.
const BLINK: f32 = 0.18;

/// A face's true place and expression in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruthFace {
    /// The person's number within the scene, from 0.
    pub id: usize,
    /// Left edge, pixels.
    pub x: f32,
    /// Top edge, pixels.
    pub y: f32,
    /// Width, pixels; the box is square, from the forehead to the chin, as frontal-face detectors give it.
    pub width: f32,
    /// Height, pixels.
    pub height: f32,
    /// The expression that is strongest now.
    pub emotion: Emotion,
    /// How much of that expression is shown, `0..=1`: below 1 while it changes.
    pub intensity: f32,
}

/// A room with people in it.
#[derive(Clone, Debug)]
pub struct Scene {
    room: RgbImage,
    actors: Vec<Actor>,
}

/// One person with a place and a timetable.
#[derive(Clone, Debug)]
struct Actor {
    person: Person,
    seed: u64,
    home: P,
    unit: f32,
    /// Phases of the slow movements, `0..1`.
    phases: [f32; 6],
}

impl Scene {
    /// `n_people` people side by side in the room of the seed, `width` × `height` pixels.
    ///
    /// Up to about six people have room at 640×480; more stand smaller. A frame below about 64 pixels
    /// a side holds no readable face.
    #[must_use]
    pub fn new(seed: u64, n_people: usize, width: u32, height: u32) -> Self {
        let actors = (0..n_people).map(|i| Actor::new(seed, i, n_people, [width as f32, height as f32]));
        Self { room: room::room(seed, width, height), actors: actors.collect() }
    }

    /// The room of the seed with nobody in it.
    #[must_use]
    pub fn empty(seed: u64, width: u32, height: u32) -> Self {
        Self::new(seed, 0, width, height)
    }

    /// The people, in the order of [`TruthFace::id`].
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.actors.iter().map(|actor| &actor.person)
    }

    /// The frame at a time.
    #[must_use]
    pub fn frame(&self, time: Duration) -> RgbImage {
        let mut frame = self.room.clone();
        for actor in &self.actors {
            actor.draw(&mut frame, time.as_secs_f32());
        }
        frame
    }

    /// The faces at a time, in the order of [`TruthFace::id`].
    #[must_use]
    pub fn truth(&self, time: Duration) -> Vec<TruthFace> {
        let at = |(id, actor): (usize, &Actor)| actor.truth(id, time.as_secs_f32());
        self.actors.iter().enumerate().map(at).collect()
    }
}

impl Actor {
    fn new(seed: u64, i: usize, n_people: usize, [width, height]: P) -> Self {
        let dice = &mut Dice::new(&[seed, i as u64, 0xAC70]);
        let slot = width / n_people as f32;
        // The widest figure is 4.2 units; neighbours may overlap at the shoulders, never at the faces.
        let unit = (0.165 * height).min(0.30 * slot) * dice.range(0.92, 1.0);
        let home = [slot * (i as f32 + 0.5), height * dice.range(0.47, 0.53)];
        let phases = [0; 6].map(|_| dice.unit());
        Self { person: Person::new(dice.next()), seed: dice.next(), home, unit, phases }
    }

    /// A slow wave in `-1..=1` with a period in seconds.
    fn wave(&self, phase: usize, period: f32, time: f32) -> f32 {
        ((time / period + self.phases[phase]).fract() * std::f32::consts::TAU).sin()
    }

    fn place(&self, time: f32) -> Placement {
        let pose = Pose {
            tilt: 0.07 * self.wave(0, 5.3, time),
            turn: 0.14 * self.wave(1, 6.7, time),
            nod: 0.07 * self.wave(2, 4.1, time),
        };
        let x = self.home[0] + self.unit * 0.28 * self.wave(3, 9.1, time);
        let y = self.home[1] + self.unit * 0.14 * self.wave(4, 7.3, time);
        Placement { origin: [x, y], unit: self.unit * (1.0 + 0.05 * self.wave(5, 11.0, time)), pose }
    }

    /// The weights at a time: one expression giving way to the next.
    fn expression(&self, time: f32) -> Expression {
        let round = (time / PERIOD).floor();
        let t = ((time - round * PERIOD) / CHANGE).clamp(0.0, 1.0);
        let eased = t * t * (3.0 - 2.0 * t);
        let shown = |round: i64| Expression::of(self.planned(round), 1.0);
        shown(round as i64 - 1).towards(&shown(round as i64), eased)
    }

    /// The expression of a round; the timetable starts from a neutral face.
    fn planned(&self, round: i64) -> Emotion {
        if round < 0 {
            return Emotion::Neutral;
        }
        let (deck, card) =
            (round as u64 / Emotion::FER2013.len() as u64, round as usize % Emotion::FER2013.len());
        let dealt = self.deck(deck)[card];
        // The first of a deck differs from the last of the deck before.
        if card == 0 && deck > 0 && self.deck(deck - 1)[Emotion::FER2013.len() - 1] == dealt {
            return self.deck(deck)[1];
        }
        if card == 1 && deck > 0 && self.deck(deck - 1)[Emotion::FER2013.len() - 1] == self.deck(deck)[0] {
            return self.deck(deck)[0];
        }
        dealt
    }

    /// All seven expressions in an order of the actor's own.
    fn deck(&self, number: u64) -> [Emotion; Emotion::FER2013.len()] {
        let dice = &mut Dice::new(&[self.seed, number]);
        let mut deck = Emotion::FER2013;
        for i in (1..deck.len()).rev() {
            deck.swap(i, (dice.next() % (i as u64 + 1)) as usize);
        }
        deck
    }

    fn more(&self, time: f32) -> Muscles {
        let mut muscles = Muscles::default();
        let period = 3.3 + 1.5 * self.phases[0];
        let since = ((time / period + self.phases[1]).fract()) * period;
        muscles[Muscle::Blink] = (1.0 - (2.0 * since / BLINK - 1.0).abs()).max(0.0).powf(0.6);
        muscles[Muscle::GazeX] = 0.35 * self.wave(2, 6.1, time) - 1.5 * self.place(time).pose.turn;
        muscles
    }

    fn draw(&self, frame: &mut RgbImage, time: f32) {
        let place = self.place(time);
        let (frame_w, frame_h) = (frame.width() as f32, frame.height() as f32);
        // The figure's reach around its origin, head units.
        let reach = |at: f32, size: f32, limit: f32| (at + size * place.unit).clamp(0.0, limit);
        let (left, right) =
            (reach(place.origin[0], -2.3, frame_w).floor(), reach(place.origin[0], 2.3, frame_w).ceil());
        let (top, bottom) = (reach(place.origin[1], -2.45, frame_h).floor(), frame_h);
        if right <= left || bottom <= top {
            return;
        }
        let mut canvas = Canvas::new((right - left) as u32, (bottom - top) as u32);
        let inside = Placement { origin: [place.origin[0] - left, place.origin[1] - top], ..place };
        let sitter = Sitter::new(&self.person, &self.expression(time), &self.more(time), inside, -1.0);
        anatomy::draw(&mut canvas, &sitter);
        lay_over(frame, &canvas, left as usize, top as usize);
    }

    fn truth(&self, id: usize, time: f32) -> TruthFace {
        let place = self.place(time);
        let [x, y] = place.deep([0.0, 0.24], 0.5);
        // The size and height of the boxes that OpenCV's frontal-face cascade gives, in the median.
        let side = 2.5 * place.unit;
        let expression = self.expression(time);
        let weights = expression.weights();
        let strongest =
            Emotion::ALL.into_iter().max_by(|a, b| weights[a.index()].total_cmp(&weights[b.index()]));
        let emotion = strongest.expect("there are expressions");
        TruthFace {
            id,
            x: x - side / 2.0,
            y: y - side / 2.0,
            width: side,
            height: side,
            emotion,
            intensity: weights[emotion.index()],
        }
    }
}

/// Lays a canvas over a frame at a corner.
fn lay_over(frame: &mut RgbImage, canvas: &Canvas, left: usize, top: usize) {
    let stride = frame.width() as usize * 3;
    let patch = canvas.pixmap();
    let width = patch.width() as usize;
    for (y, row) in patch.data().chunks_exact(width * 4).enumerate() {
        let start = (top + y) * stride + left * 3;
        let under = &mut frame.as_mut()[start..start + width * 3];
        for (under, over) in under.chunks_exact_mut(3).zip(row.chunks_exact(4)) {
            let rest = 255 - u32::from(over[3]);
            for (value, &more) in under.iter_mut().zip(over) {
                *value = (u32::from(more) + (u32::from(*value) * rest + 127) / 255).min(255) as u8;
            }
        }
    }
}
