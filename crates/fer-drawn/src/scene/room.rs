//! Rooms: the drawn, cluttered grounds that scenes play in.
//! In: a seed and a size. Out: a picture without any face.

use image::RgbImage;

use crate::brush::{Canvas, Dice, Ink, P, Shape};

/// A room of `width` × `height` pixels with a window, framed landscapes and books.
pub(super) fn room(seed: u64, width: u32, height: u32) -> RgbImage {
    let dice = &mut Dice::new(&[seed, 0x4004]);
    let mut room =
        RoomCanvas { canvas: Canvas::new(width, height), width: width as f32, height: height as f32 };
    let wall = dice.pick(&WALLS);
    room.wall(wall);
    let mirrored = dice.chance(0.5);
    let x = |part: f32| if mirrored { 1.0 - part } else { part };
    room.window([x(0.15), 0.27], wall, dice);
    room.shelf([x(0.86), 0.62], dice);
    room.frame([x(0.70), 0.17], 0.15, dice);
    room.frame([x(0.40), 0.15], 0.11, dice);
    picture(room.canvas)
}

const WALLS: [Ink; 5] =
    [Ink::hex(0xA9B8B4), Ink::hex(0xC7B59C), Ink::hex(0x9DAFC2), Ink::hex(0xC2AFA8), Ink::hex(0xB3B79A)];

struct RoomCanvas {
    canvas: Canvas,
    width: f32,
    height: f32,
}

impl RoomCanvas {
    /// A point from parts of the room's width and height.
    fn at(&self, p: P) -> P {
        [p[0] * self.width, p[1] * self.height]
    }

    fn fill(&mut self, shape: &Shape, ink: Ink) {
        self.canvas.fill(shape, ink.at(1.0), None);
    }

    fn wall(&mut self, wall: Ink) {
        let (w, h) = (self.width, self.height);
        let all = Shape::rect(0.0, 0.0, w, h);
        self.canvas.fill_between(
            &all,
            ([0.0, 0.0], wall.light(0.25).at(1.0)),
            ([w, h], wall.times(0.72).at(1.0)),
            None,
        );
        // A faint stripe of wallpaper every sixteenth of the width.
        for i in 0..16 {
            let stripe = Shape::rect((i as f32 + 0.25) * w / 16.0, 0.0, w / 64.0, 0.8 * h);
            self.canvas.fill(&stripe, wall.light(0.4).at(0.16), None);
        }
        let floor = Shape::rect(0.0, 0.82 * h, w, 0.18 * h);
        self.canvas.fill_between(
            &floor,
            ([0.0, 0.82 * h], Ink::hex(0x8A6A4C).at(1.0)),
            ([0.0, h], Ink::hex(0x5E4633).at(1.0)),
            None,
        );
        self.fill(&Shape::rect(0.0, 0.80 * h, w, 0.025 * h), Ink::hex(0xE9E2D6));
    }

    fn window(&mut self, centre: P, wall: Ink, dice: &mut Dice) {
        let [cx, cy] = self.at(centre);
        let (w, h) = (0.21 * self.height.min(self.width), 0.36 * self.height);
        let (left, top) = (cx - w / 2.0, cy - h / 2.0);
        let rim = 0.02 * self.height;
        self.fill(&Shape::rect(left - rim, top - rim, w + 2.0 * rim, h + 2.0 * rim), Ink::hex(0xF2EEE6));
        let sky = Shape::rect(left, top, w, h);
        self.canvas.fill_between(
            &sky,
            ([0.0, top], Ink::hex(0x9CC3E0).at(1.0)),
            ([0.0, top + h], Ink::hex(0xE8F0EC).at(1.0)),
            None,
        );
        let clip = self.canvas.mask(&sky);
        let hill = [
            [left - w, top + 1.3 * h],
            [left, top + h * dice.range(0.6, 0.75)],
            [cx, top + h * dice.range(0.68, 0.8)],
            [left + w, top + h * dice.range(0.6, 0.75)],
            [left + 2.0 * w, top + 1.3 * h],
        ];
        self.canvas.fill(&Shape::closed(&hill), Ink::hex(0x7FA37C).at(1.0), Some(&clip));
        self.fill(&Shape::rect(cx - 0.3 * rim, top, 0.6 * rim, h), Ink::hex(0xF2EEE6));
        self.fill(&Shape::rect(left, cy - 0.3 * rim, w, 0.6 * rim), Ink::hex(0xF2EEE6));
        self.fill(&Shape::rect(left - 2.0 * rim, top + h + rim, w + 4.0 * rim, 0.8 * rim), wall.light(0.7));
    }

    fn frame(&mut self, centre: P, size: f32, dice: &mut Dice) {
        let [cx, cy] = self.at(centre);
        let (w, h) = (size * 1.3 * self.height, size * self.height);
        let (left, top) = (cx - w / 2.0, cy - h / 2.0);
        let rim = 0.1 * h;
        self.canvas.soft(
            [cx + rim, cy + 2.0 * rim],
            [w * 0.75, h * 0.8],
            0.0,
            Ink::hex(0x201810).at(0.35),
            None,
        );
        let wood = dice.pick(&[Ink::hex(0x5B4030), Ink::hex(0x2E2A28), Ink::hex(0xB08D57)]);
        self.fill(&Shape::rect(left - rim, top - rim, w + 2.0 * rim, h + 2.0 * rim), wood);
        let paper = Shape::rect(left, top, w, h);
        let (sky, low) = (Ink::hex(0xE7C9A0), Ink::hex(0xDFA98A));
        self.canvas.fill_between(&paper, ([0.0, top], sky.at(1.0)), ([0.0, top + h], low.at(1.0)), None);
        let clip = self.canvas.mask(&paper);
        for (far, ink) in [(0.45, Ink::hex(0x8C8FA8)), (0.62, Ink::hex(0x5F6E82)), (0.8, Ink::hex(0x4C5A4E))]
        {
            let mut ridge = vec![[left - w, top + 2.0 * h]];
            for i in 0..6 {
                ridge.push([left + w * (i as f32 / 5.0), top + h * (far + dice.bell(0.08))]);
            }
            ridge.push([left + 2.0 * w, top + 2.0 * h]);
            self.canvas.fill(&Shape::polygon(&ridge), ink.at(1.0), Some(&clip));
        }
    }

    fn shelf(&mut self, centre: P, dice: &mut Dice) {
        let [cx, cy] = self.at(centre);
        let (w, h) = (0.36 * self.height, 0.022 * self.height);
        for row in 0..2 {
            let y = cy - 0.20 * self.height * row as f32;
            let mut x = cx - 0.46 * w;
            while x < cx + 0.34 * w {
                let (thick, tall) = (w * dice.range(0.04, 0.085), self.height * dice.range(0.085, 0.135));
                let ink = dice.pick(&BOOKS).times(dice.range(0.85, 1.1));
                self.fill(&Shape::rect(x, y - tall, thick, tall), ink);
                self.fill(&Shape::rect(x, y - 0.8 * tall, thick, 0.05 * tall), ink.light(0.5));
                self.fill(&Shape::rect(x + 0.9 * thick, y - tall, 0.1 * thick, tall), ink.times(0.6));
                x += thick * if dice.chance(0.15) { 1.8 } else { 1.05 };
            }
            self.fill(&Shape::rect(cx - w / 2.0, y, w, h), Ink::hex(0x6E4F38));
            self.fill(&Shape::rect(cx - w / 2.0, y + h, w, 0.3 * h), Ink::hex(0x3E2C20));
        }
    }
}

const BOOKS: [Ink; 6] = [
    Ink::hex(0x9C3D34),
    Ink::hex(0x2F5D72),
    Ink::hex(0xD8A24A),
    Ink::hex(0x59704A),
    Ink::hex(0xE3D9C6),
    Ink::hex(0x54456B),
];

fn picture(canvas: Canvas) -> RgbImage {
    let pixmap = canvas.into_pixmap();
    let (width, height) = (pixmap.width(), pixmap.height());
    let rgb = pixmap.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    RgbImage::from_raw(width, height, rgb).expect("three bytes a pixel")
}
