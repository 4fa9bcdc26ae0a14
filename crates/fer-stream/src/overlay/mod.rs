//! A reading drawn on a picture: boxes, ids, labels, bars, frame rate.
//! In: a [`Reading`] and a copy of its frame. Out: the copy, drawn on.

mod hide;
mod paint;
mod text;

use fer_data::Labels;
use fer_vision::{FaceReading, Reading};
use image::{Rgb, RgbImage};

use hide::hide;
use paint::{Rect, blend, frame_rect};
use text::{draw_text, text_width};

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverlayOptions {
    /// Only the boxes: no bars, no label, no status line.
    pub boxes_only: bool,
    /// Make the faces of the reading unrecognisable; those that were not found stay as they are.
    pub hide_faces: bool,
    /// Mirror the picture first, as people expect of their own camera; text stays readable.
    pub mirror: bool,
    /// Text at the bottom left, such as frame rate and latency; empty for none.
    pub status: String,
    /// Lines of text over the picture's middle, above all else; empty for none.
    pub lines: Vec<String>,
}

const INK: Rgb<u8> = Rgb([255, 255, 255]);
const PLATE: Rgb<u8> = Rgb([16, 18, 22]);
const FAINT: Rgb<u8> = Rgb([150, 156, 165]);

/// Box and bar colours by track, told apart also by people who see fewer colours (Okabe and Ito).
const COLORS: [Rgb<u8>; 7] = [
    Rgb([86, 180, 233]),
    Rgb([230, 159, 0]),
    Rgb([0, 158, 115]),
    Rgb([240, 228, 66]),
    Rgb([204, 121, 167]),
    Rgb([213, 94, 0]),
    Rgb([120, 150, 255]),
];

/// Draws a reading on a picture, sized to the picture.
///
/// # Panics
/// If a face's label is not one of `labels`.
pub fn draw(reading: &Reading, labels: &Labels, picture: &mut RgbImage, options: &OverlayOptions) {
    if options.mirror {
        image::imageops::flip_horizontal_in_place(picture);
    }
    let scale = Sizes::of(picture);
    if options.hide_faces {
        for face in &reading.faces {
            let rect = face_rect(face, picture.width(), options.mirror);
            hide(picture, rect);
        }
    }
    let mut taken: Vec<Rect> = Vec::new();
    for face in &reading.faces {
        let rect = face_rect(face, picture.width(), options.mirror);
        frame_rect(picture, rect, scale.line, color(face.track), face.held);
        taken.push(rect);
    }
    if !options.boxes_only {
        draw_faces(picture, reading, labels, options, scale, taken);
    }
    draw_lines(picture, &options.lines, scale);
}

fn draw_faces(
    picture: &mut RgbImage,
    reading: &Reading,
    labels: &Labels,
    options: &OverlayOptions,
    scale: Sizes,
    mut taken: Vec<Rect>,
) {
    taken.extend(draw_status(picture, &options.status, scale));
    // Titles are placed first, so that bars leave them uncovered where there is room, and drawn last where there is none.
    let titles: Vec<Title> = reading
        .faces
        .iter()
        .map(|face| {
            let rect = face_rect(face, picture.width(), options.mirror);
            Title::place(picture.dimensions(), rect, face, labels, scale, &mut taken)
        })
        .collect();
    for face in &reading.faces {
        let rect = face_rect(face, picture.width(), options.mirror);
        draw_bars(picture, rect, face, labels, scale, &mut taken);
    }
    for (title, face) in titles.iter().zip(&reading.faces) {
        title.draw(picture, face, scale);
    }
}

/// Sizes that follow from the picture's.
#[derive(Clone, Copy)]
struct Sizes {
    /// Height of text, in pixels.
    text: f32,
    /// Thickness of lines, in pixels.
    line: i32,
}

impl Sizes {
    /// 11 px of text at 320×240, 16 at 640×480, 36 at 1920×1080.
    fn of(picture: &RgbImage) -> Self {
        let side = picture.width().min(picture.height()) as f32;
        let text = (side / 30.0).clamp(11.0, 72.0);
        Self { text, line: (text / 8.0).round().max(1.0) as i32 }
    }

    fn pad(self) -> i32 {
        (self.text / 4.0).round().max(2.0) as i32
    }

    /// Height of a title's plate.
    fn plate(self) -> i32 {
        self.text.ceil() as i32 + self.pad()
    }
}

fn color(track: u64) -> Rgb<u8> {
    COLORS[(track.saturating_sub(1) % COLORS.len() as u64) as usize]
}

fn face_rect(face: &FaceReading, width: u32, mirror: bool) -> Rect {
    let b = &face.face_box;
    let left = if mirror { width as f32 - b.x - b.width } else { b.x };
    Rect::new(left.round() as i32, b.y.round() as i32, b.width.round() as i32, b.height.round() as i32)
}

/// Id, label and confidence on a plate beside the box, where it covers least of other faces and titles.
struct Title {
    text: String,
    plate: Rect,
}

impl Title {
    fn place(
        picture: (u32, u32),
        rect: Rect,
        face: &FaceReading,
        labels: &Labels,
        scale: Sizes,
        taken: &mut Vec<Rect>,
    ) -> Self {
        let text = title(face, labels);
        let width = text_width(&text, scale.text).ceil() as i32 + 2 * scale.pad();
        let plate = place_title(picture, rect, (width, scale.plate()), taken);
        taken.push(plate);
        Self { text, plate }
    }

    fn draw(&self, picture: &mut RgbImage, face: &FaceReading, scale: Sizes) {
        let Rect { left, top, height, .. } = self.plate;
        let pad = scale.pad();
        blend(picture, self.plate, PLATE, 0.75);
        blend(picture, Rect::new(left, top, scale.line * 2, height), color(face.track), 1.0);
        let ink = if face.label.is_some() { INK } else { FAINT };
        let (x, y) = ((left + pad + scale.line) as f32, (top + pad / 2) as f32);
        draw_text(picture, x, y, scale.text, ink, &self.text);
    }
}

fn title(face: &FaceReading, labels: &Labels) -> String {
    match face.label {
        Some(label) => {
            format!("#{} {} {:.0} %", face.track, labels.name(label), face.confidence * 100.0)
        }
        // No share: a face may be without a label at any, in its first frames and between the limits of gaining and losing one.
        None => format!("#{} uncertain", face.track),
    }
}

/// Above the box, below it, inside at its top or bottom, each flush left or right, or beside it, but inside the
/// picture: the first of the places that cover least of what is taken. The own box hides nothing.
fn place_title(picture: (u32, u32), rect: Rect, (width, height): (i32, i32), taken: &[Rect]) -> Rect {
    let (right, bottom) = (rect.left + rect.width, rect.top + rect.height);
    let rows = [rect.top - height, bottom, rect.top, bottom - height];
    let columns = [rect.left, right - width];
    let along = rows.into_iter().flat_map(|top| columns.map(|left| (left, top)));
    let beside = [(right, rect.top), (rect.left - width, rect.top)];
    let places = along.chain(beside).map(|(left, top)| Rect {
        left: left.min(picture.0 as i32 - width).max(0),
        top: top.min(picture.1 as i32 - height).max(0),
        width,
        height,
    });
    let covered = |place: &Rect| -> i64 {
        taken.iter().filter(|other| **other != rect).map(|other| place.shared_area(other)).sum()
    };
    places.min_by_key(covered).unwrap_or(rect)
}

/// One bar per label, where the panel hides least.
fn draw_bars(
    picture: &mut RgbImage,
    rect: Rect,
    face: &FaceReading,
    labels: &Labels,
    scale: Sizes,
    taken: &mut Vec<Rect>,
) {
    let pad = scale.pad();
    let n_labels = labels.len().max(1) as i32;
    // Bars never take more of the picture than its height, so their text may be smaller than the title's.
    let row = (scale.text * 1.15).min(picture.height() as f32 / (n_labels as f32 + 2.0)).max(9.0);
    let text = (row / 1.15).max(9.0);
    let names = labels.names().iter().map(|name| text_width(name, text).ceil() as i32);
    let name_width = names.max().unwrap_or(0);
    let height = (row * n_labels as f32).ceil() as i32 + pad;
    let widths = [4.0, 3.0, 2.0].map(|part| name_width + (scale.text * part) as i32 + 3 * pad);
    let panel = place_panel(picture.dimensions(), rect, scale.plate(), widths, height, taken);
    let bar_width = panel.width - name_width - 3 * pad;
    taken.push(panel);
    blend(picture, panel, PLATE, 0.62);
    for (idx, (name, &probability)) in labels.names().iter().zip(&face.smooth).enumerate() {
        let top = panel.top as f32 + pad as f32 / 2.0 + row * idx as f32;
        let is_shown = face.label == Some(idx);
        let ink = if is_shown { INK } else { FAINT };
        draw_text(picture, (panel.left + pad) as f32, top, text, ink, name);
        let left = panel.left + name_width + 2 * pad;
        let thick = (row * 0.6).round() as i32;
        let middle = (top + (row - thick as f32) / 2.0).round() as i32;
        blend(picture, Rect::new(left, middle, bar_width, thick), FAINT, 0.25);
        let length = (bar_width as f32 * probability.clamp(0.0, 1.0)).round() as i32;
        blend(
            picture,
            Rect::new(left, middle, length, thick),
            color(face.track),
            if is_shown { 1.0 } else { 0.7 },
        );
    }
}

/// Right of the box, left of it, below it, below a title of `plate` pixels there, or at its bottom, wide or narrow, but
/// inside the picture: the first of the places that hide least of what is there. The box itself hides cheapest.
fn place_panel(
    picture: (u32, u32),
    rect: Rect,
    plate: i32,
    widths: [i32; 3],
    height: i32,
    taken: &[Rect],
) -> Rect {
    let places = widths.iter().flat_map(|&width| {
        let bottom = rect.top + rect.height;
        let corners = [
            (rect.left + rect.width, rect.top),
            (rect.left - width, rect.top),
            (rect.left, bottom),
            (rect.left, bottom + plate),
            (rect.left, bottom - height),
        ];
        corners.map(|(left, top)| Rect {
            left: left.min(picture.0 as i32 - width).max(0),
            top: top.min(picture.1 as i32 - height).max(0),
            width,
            height,
        })
    });
    let hidden = |place: &Rect| {
        let others: i64 =
            taken.iter().filter(|other| **other != rect).map(|other| place.shared_area(other)).sum();
        4 * others + place.shared_area(&rect)
    };
    places.min_by_key(hidden).unwrap_or(rect)
}

/// Lines on one plate in the picture's middle.
fn draw_lines(picture: &mut RgbImage, lines: &[String], scale: Sizes) {
    if lines.is_empty() {
        return;
    }
    let (pad, row) = (2 * scale.pad(), (scale.text * 1.3).ceil() as i32);
    let widest = lines.iter().map(|line| text_width(line, scale.text).ceil() as i32).max().unwrap_or(0);
    let (width, height) = (widest + 2 * pad, row * lines.len() as i32 + 2 * pad);
    let middle = |length: u32, own: i32| ((length as i32 - own) / 2).max(0);
    let (left, top) = (middle(picture.width(), width), middle(picture.height(), height));
    blend(picture, Rect::new(left, top, width, height), PLATE, 0.85);
    for (line, idx) in lines.iter().zip(0..) {
        draw_text(picture, (left + pad) as f32, (top + pad + row * idx) as f32, scale.text, INK, line);
    }
}

/// The status line at the bottom left, and where it is.
fn draw_status(picture: &mut RgbImage, status: &str, scale: Sizes) -> Option<Rect> {
    if status.is_empty() {
        return None;
    }
    let pad = scale.pad();
    let text = scale.text * 0.9;
    let height = text.ceil() as i32 + pad;
    let top = picture.height() as i32 - height;
    let plate = Rect::new(0, top, text_width(status, text).ceil() as i32 + 2 * pad, height);
    blend(picture, plate, PLATE, 0.7);
    draw_text(picture, pad as f32, (top + pad / 2) as f32, text, INK, status);
    Some(plate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stands_above_its_box_and_elsewhere_where_another_face_is() {
        let (size, face) = ((120, 20), Rect::new(100, 100, 80, 80));
        assert_eq!(place_title((640, 480), face, size, &[face]), Rect::new(100, 80, 120, 20));
        let above = Rect::new(100, 30, 80, 69);
        assert_eq!(place_title((640, 480), face, size, &[face, above]), Rect::new(100, 180, 120, 20));
        // Among faces on all sides it stays inside its own box.
        let around = [
            face,
            above,
            Rect::new(100, 181, 80, 80),
            Rect::new(181, 100, 80, 80),
            Rect::new(19, 100, 80, 80),
        ];
        let plate = place_title((640, 480), face, (80, 20), &around);
        assert_eq!(plate, Rect::new(100, 100, 80, 20));
    }

    #[test]
    fn bars_leave_a_title_below_the_box_uncovered() {
        let face = Rect::new(200, 100, 80, 80);
        let beside = [Rect::new(60, 100, 139, 100), Rect::new(281, 100, 139, 100)];
        let title = Rect::new(200, 180, 110, 20);
        let panel =
            place_panel((480, 480), face, 20, [130, 110, 90], 100, &[face, beside[0], beside[1], title]);
        assert_eq!(panel, Rect::new(200, 200, 130, 100));
    }

    #[test]
    fn a_title_stays_inside_the_picture() {
        let plate = place_title((320, 240), Rect::new(-10, -5, 60, 60), (120, 20), &[]);
        assert!(plate.left >= 0 && plate.top >= 0 && plate.left + plate.width <= 320, "{plate:?}");
    }

    #[test]
    fn a_face_without_a_label_shows_no_share_that_might_look_like_enough() {
        let face = |confidence, label| FaceReading {
            track: 2,
            face_box: fer_vision::FaceBox { x: 0.0, y: 0.0, width: 9.0, height: 9.0, score: 1.0 },
            held: false,
            face_score: None,
            probabilities: Vec::new(),
            smooth: Vec::new(),
            label,
            confidence,
        };
        let labels = Labels::fer2013();
        assert_eq!(title(&face(0.82, None), &labels), "#2 uncertain");
        assert_eq!(title(&face(0.596, Some(3)), &labels), "#2 happy 60 %");
    }
}
