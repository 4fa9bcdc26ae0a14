//! Shapes from points, and a canvas that fills, fades and strokes them.
//! In: points in pixels. Out: anti-aliased pixels.

use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, Point,
    RadialGradient, Rect, Shader, SpreadMode, Stroke, Transform,
};

/// A point `[x, y]`: right and down are positive.
pub(crate) type P = [f32; 2];

/// A path, or nothing where the points make none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape(Option<Path>);

impl Shape {
    /// The smooth closed curve through all points (Catmull-Rom).
    pub(crate) fn closed(points: &[P]) -> Self {
        let n = points.len();
        let mut path = PathBuilder::new();
        if n < 3 {
            return Self(None);
        }
        path.move_to(points[0][0], points[0][1]);
        for i in 0..n {
            let around = [points[(i + n - 1) % n], points[i], points[(i + 1) % n], points[(i + 2) % n]];
            curve_to(&mut path, around);
        }
        path.close();
        Self(path.finish())
    }

    /// The smooth open curve through all points.
    pub(crate) fn open(points: &[P]) -> Self {
        let mut path = PathBuilder::new();
        let Some((first, last)) = points.first().zip(points.last()) else { return Self(None) };
        path.move_to(first[0], first[1]);
        for i in 1..points.len() {
            let before = if i >= 2 { points[i - 2] } else { *first };
            let after = points.get(i + 1).unwrap_or(last);
            curve_to(&mut path, [before, points[i - 1], points[i], *after]);
        }
        Self(path.finish())
    }

    /// The closed polygon of the points, with straight sides.
    pub(crate) fn polygon(points: &[P]) -> Self {
        let mut path = PathBuilder::new();
        for (i, point) in points.iter().enumerate() {
            if i == 0 { path.move_to(point[0], point[1]) } else { path.line_to(point[0], point[1]) }
        }
        path.close();
        Self(path.finish())
    }

    /// A stroke through the points whose full width changes along it, one width a point.
    pub(crate) fn ribbon(points: &[P], widths: &[f32]) -> Self {
        let line = sampled(points, widths);
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for (i, &(point, width)) in line.iter().enumerate() {
            let (a, b) = (line[i.saturating_sub(1)].0, line[(i + 1).min(line.len() - 1)].0);
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let scale = 0.5 * width / dx.hypot(dy).max(1e-6);
            one.push([point[0] - dy * scale, point[1] + dx * scale]);
            other.push([point[0] + dy * scale, point[1] - dx * scale]);
        }
        other.reverse();
        one.extend(other);
        Self::polygon(&one)
    }

    /// Circles `(centre, radius)`, filled together.
    pub(crate) fn circles(circles: &[(P, f32)]) -> Self {
        let mut path = PathBuilder::new();
        for &(centre, radius) in circles {
            path.push_circle(centre[0], centre[1], radius);
        }
        Self(path.finish())
    }

    /// An upright rectangle from its left top corner.
    pub(crate) fn rect(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self(Rect::from_xywh(x, y, width, height).map(PathBuilder::from_rect))
    }
}

/// One Catmull-Rom piece from the second to the third of four points.
fn curve_to(path: &mut PathBuilder, [a, b, c, d]: [P; 4]) {
    let first = [b[0] + (c[0] - a[0]) / 6.0, b[1] + (c[1] - a[1]) / 6.0];
    let second = [c[0] - (d[0] - b[0]) / 6.0, c[1] - (d[1] - b[1]) / 6.0];
    path.cubic_to(first[0], first[1], second[0], second[1], c[0], c[1]);
}

/// Points and widths along a Catmull-Rom curve, eight a piece.
fn sampled(points: &[P], widths: &[f32]) -> Vec<(P, f32)> {
    const STEPS: usize = 8;
    let last = points.len() - 1;
    let mut line = Vec::with_capacity(last * STEPS + 1);
    for i in 0..last {
        let around = [points[i.saturating_sub(1)], points[i], points[i + 1], points[(i + 2).min(last)]];
        for step in 0..STEPS {
            let t = step as f32 / STEPS as f32;
            let axis = |k: usize| catmull_rom(around.map(|p| p[k]), t);
            line.push(([axis(0), axis(1)], widths[i] + (widths[i + 1] - widths[i]) * t));
        }
    }
    line.push((points[last], widths[last]));
    line
}

fn catmull_rom([a, b, c, d]: [f32; 4], t: f32) -> f32 {
    let (t2, t3) = (t * t, t * t * t);
    0.5 * (2.0 * b + (c - a) * t + (2.0 * a - 5.0 * b + 4.0 * c - d) * t2 + (3.0 * b - a - 3.0 * c + d) * t3)
}

/// A picture being drawn, transparent at first.
pub(crate) struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    /// An empty canvas; sizes below one pixel become one.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let pixmap = Pixmap::new(width.max(1), height.max(1)).expect("a picture's size fits in memory");
        Self { pixmap }
    }

    /// The pixels drawn so far.
    pub(crate) fn into_pixmap(self) -> Pixmap {
        self.pixmap
    }

    /// The pixels drawn so far, premultiplied.
    pub(crate) fn pixmap(&self) -> &Pixmap {
        &self.pixmap
    }

    /// Fills everything with one colour.
    pub(crate) fn clear(&mut self, color: Color) {
        self.pixmap.fill(color);
    }

    /// The inside of a shape, for clipping what is drawn later.
    pub(crate) fn mask(&self, shape: &Shape) -> Mask {
        let mut mask =
            Mask::new(self.pixmap.width(), self.pixmap.height()).expect("the canvas has this size");
        if let Some(path) = &shape.0 {
            mask.fill_path(path, FillRule::Winding, true, Transform::identity());
        }
        mask
    }

    /// Fills a shape.
    pub(crate) fn fill(&mut self, shape: &Shape, color: Color, clip: Option<&Mask>) {
        self.fill_with(shape, Shader::SolidColor(color), clip);
    }

    /// Fills a shape from one colour at a point to another at a second point.
    pub(crate) fn fill_between(
        &mut self,
        shape: &Shape,
        from: (P, Color),
        to: (P, Color),
        clip: Option<&Mask>,
    ) {
        let stops = vec![GradientStop::new(0.0, from.1), GradientStop::new(1.0, to.1)];
        let (start, end) = (point(from.0), point(to.0));
        let shader =
            tiny_skia::LinearGradient::new(start, end, stops, SpreadMode::Pad, Transform::identity());
        self.fill_with(shape, shader.unwrap_or(Shader::SolidColor(from.1)), clip);
    }

    fn fill_with(&mut self, shape: &Shape, shader: Shader<'_>, clip: Option<&Mask>) {
        let Some(path) = &shape.0 else { return };
        let paint = Paint { shader, anti_alias: true, ..Paint::default() };
        self.pixmap.fill_path(path, &paint, FillRule::Winding, Transform::identity(), clip);
    }

    /// Strokes a shape's line with round ends, full width in pixels.
    pub(crate) fn line(&mut self, shape: &Shape, width: f32, color: Color, clip: Option<&Mask>) {
        let Some(path) = &shape.0 else { return };
        let paint = Paint { shader: Shader::SolidColor(color), anti_alias: true, ..Paint::default() };
        let stroke =
            Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixmap.stroke_path(path, &paint, &stroke, Transform::identity(), clip);
    }

    /// A soft ellipse: full colour in its middle, nothing at its rim. The angle is in radians, clockwise.
    pub(crate) fn soft(&mut self, centre: P, radii: P, angle: f32, color: Color, clip: Option<&Mask>) {
        let mut faint = color;
        faint.apply_opacity(0.55);
        let mut clear = color;
        clear.set_alpha(0.0);
        let stops = vec![
            GradientStop::new(0.0, color),
            GradientStop::new(0.45, faint),
            GradientStop::new(1.0, clear),
        ];
        self.radial(centre, radii, angle, stops, clip);
    }

    /// A soft ring: nothing inside `inner` (a part of the radii), the colour at the rim
    /// and up to 1.5 radii.
    pub(crate) fn vignette(&mut self, centre: P, radii: P, inner: f32, color: Color, clip: &Mask) {
        let mut clear = color;
        clear.set_alpha(0.0);
        let stops = vec![
            GradientStop::new(0.0, clear),
            GradientStop::new(inner, clear),
            GradientStop::new(1.0, color),
        ];
        let place = Transform::from_row(radii[0], 0.0, 0.0, radii[1], centre[0], centre[1]);
        let origin = Point::zero();
        let Some(shader) = RadialGradient::new(origin, 0.0, origin, 1.0, stops, SpreadMode::Pad, place)
        else {
            return;
        };
        // A head ends well within 1.5 radii; the whole canvas would take a millisecond more.
        let reach = radii.map(|radius| 1.5 * radius);
        let corner = [centre[0] - reach[0], centre[1] - reach[1]];
        let around = Shape::rect(corner[0], corner[1], 2.0 * reach[0], 2.0 * reach[1]);
        self.fill_with(&around, shader, Some(clip));
    }

    fn radial(&mut self, centre: P, radii: P, angle: f32, stops: Vec<GradientStop>, clip: Option<&Mask>) {
        let (sin, cos) = angle.sin_cos();
        let [rx, ry] = radii;
        let place = Transform::from_row(rx * cos, rx * sin, -ry * sin, ry * cos, centre[0], centre[1]);
        let origin = Point::zero();
        let Some(shader) = RadialGradient::new(origin, 0.0, origin, 1.0, stops, SpreadMode::Pad, place)
        else {
            return;
        };
        let reach = [(rx * cos).hypot(ry * sin), (rx * sin).hypot(ry * cos)];
        let rect =
            Rect::from_xywh(centre[0] - reach[0], centre[1] - reach[1], 2.0 * reach[0], 2.0 * reach[1]);
        if let Some(rect) = rect {
            let paint = Paint { shader, anti_alias: false, ..Paint::default() };
            self.pixmap.fill_rect(rect, &paint, Transform::identity(), clip);
        }
    }
}

fn point(p: P) -> Point {
    Point::from_xy(p[0], p[1])
}
