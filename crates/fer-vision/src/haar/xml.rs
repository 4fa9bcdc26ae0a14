//! OpenCV's XML of a cascade → a [`Cascade`].
//! In: the text of a file, as `opencv_traincascade` writes it. Out: the cascade, or the line that is in the way.

use std::str::FromStr;

use roxmltree::{Document, Node, ParsingOptions};

use super::cascade::{Cascade, CascadeError, Feature, Stage, Stump, WeightedRect};

/// Longest text that is read; OpenCV's largest cascade has 3 MB.
const MAX_BYTES: usize = 16 << 20;

/// Most elements and texts that are read; OpenCV's largest cascade has 157,563.
const MAX_NODES: u32 = 1 << 20;

/// What a stump's `internalNodes` must be.
const STUMP: &str = "a stump: 0 -1, its feature, its threshold";

impl Cascade {
    /// Reads OpenCV's XML.
    ///
    /// Stumps over two or three upright rectangles are read, which most of OpenCV's cascades consist of.
    ///
    /// # Errors
    /// [`CascadeError`] with the line, for text that is no such XML, for trees deeper than a stump, tilted
    /// features, features of other kinds (LBP, HOG), the old format of OpenCV 1, and for more stages, stumps
    /// or bytes than any cascade has.
    pub fn from_xml(text: &str) -> Result<Self, CascadeError> {
        if text.len() > MAX_BYTES {
            return Err(at_line(1, &format!("at most {MAX_BYTES} bytes"), &text.len()));
        }
        let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options)
            .map_err(|error| at_line(error.pos().row, "sound XML", &format!("a mistake: {error}")))?;
        let storage = document.root_element();
        if !storage.has_tag_name("opencv_storage") {
            return Err(refused(storage, "an element opencv_storage", &named(storage)));
        }
        read_cascade(storage.first_element_child().ok_or_else(|| refused(storage, "a cascade", &"none"))?)
    }
}

fn read_cascade(cascade: Node<'_, '_>) -> Result<Cascade, CascadeError> {
    for (name, only) in [("stageType", "BOOST"), ("featureType", "HAAR")] {
        let expected = format!("{name} {only}");
        let kind = child(cascade, name)
            .ok_or_else(|| refused(cascade, &expected, &"none: a cascade in the old format of OpenCV 1"))?;
        let [found] = words(kind, &expected)?;
        if found != only {
            return Err(refused(kind, &expected, &found));
        }
    }
    let window = (side(cascade, "width")?, side(cascade, "height")?);
    let list = element(cascade, "features")?;
    let features = items(list)?;
    if features.len() > Cascade::MAX_STUMPS {
        let expected = format!("at most {} features", Cascade::MAX_STUMPS);
        return Err(refused(list, &expected, &features.len()));
    }
    let features = features.into_iter().map(|item| read_feature(item, window));
    let features = features.collect::<Result<Vec<_>, _>>()?;
    let list = element(cascade, "stages")?;
    let stages = items(list)?.into_iter().map(|item| read_stage(item, &features));
    let stages = stages.collect::<Result<Vec<_>, _>>()?;
    let cascade = Cascade { window, stages };
    let (n_stages, n_stumps) = (cascade.n_stages(), cascade.n_stumps());
    if n_stages == 0 || n_stages > Cascade::MAX_STAGES || n_stumps > Cascade::MAX_STUMPS {
        let expected = format!("1 to {} stages, at most {} stumps", Cascade::MAX_STAGES, Cascade::MAX_STUMPS);
        return Err(refused(list, &expected, &format!("{n_stages} stages, {n_stumps} stumps")));
    }
    Ok(cascade)
}

fn read_stage(item: Node<'_, '_>, features: &[Feature]) -> Result<Stage, CascadeError> {
    let [threshold] = numbers(element(item, "stageThreshold")?)?;
    let stumps = items(element(item, "weakClassifiers")?)?.into_iter().map(|item| read_stump(item, features));
    let stumps = stumps.collect::<Result<Vec<_>, _>>()?;
    if stumps.is_empty() { Err(refused(item, "a stump", &"none")) } else { Ok(Stage { threshold, stumps }) }
}

fn read_stump(item: Node<'_, '_>, features: &[Feature]) -> Result<Stump, CascadeError> {
    let node = element(item, "internalNodes")?;
    // Left 0 and right −1 are the two leaves of a stump: anything else is a deeper tree.
    let [left, right, feature, threshold] = words(node, STUMP)?;
    if (left, right) != ("0", "-1") {
        return Err(refused(node, STUMP, &"a deeper tree"));
    }
    let feature: usize = whole(node, feature)?;
    let feature = *features.get(feature).ok_or_else(|| {
        refused(node, &format!("one of {} features", features.len()), &format!("feature {feature}"))
    })?;
    let [below, otherwise] = numbers(element(item, "leafValues")?)?;
    Ok(Stump { feature, threshold: number(node, threshold)?, below, otherwise })
}

fn read_feature(item: Node<'_, '_>, window: (u8, u8)) -> Result<Feature, CascadeError> {
    if let Some(other) = first_but(item, &["rects", "tilted"]) {
        return Err(refused(other, "a Haar feature: rects, tilted", &named(other)));
    }
    if let Some(tilted) = child(item, "tilted")
        && words(tilted, "0 or 1")? != ["0"]
    {
        return Err(refused(tilted, "an upright feature", &"a tilted one, which is not supported"));
    }
    let rects = items(element(item, "rects")?)?.into_iter().map(|item| read_rect(item, window));
    match rects.collect::<Result<Vec<_>, _>>()?[..] {
        [first, second] => Ok([first, second, WeightedRect::default()]),
        [first, second, third] => Ok([first, second, third]),
        ref other => Err(refused(item, "2 or 3 rectangles", &other.len())),
    }
}

fn read_rect(item: Node<'_, '_>, window: (u8, u8)) -> Result<WeightedRect, CascadeError> {
    let [x, y, width, height, weight] = words(item, "a rectangle: x, y, width, height, weight")?;
    let rect = WeightedRect {
        x: whole(item, x)?,
        y: whole(item, y)?,
        width: whole(item, width)?,
        height: whole(item, height)?,
        weight: number(item, weight)?,
    };
    if rect.weight != 0.0 && !rect.fits(window) {
        let expected = format!("a rectangle inside the window of {} × {}", window.0, window.1);
        return Err(refused(item, &expected, &format!("{rect:?}")));
    }
    Ok(rect)
}

fn at_line(line: u32, expected: &str, found: &dyn std::fmt::Display) -> CascadeError {
    let found = found.to_string().chars().take(80).collect();
    CascadeError { place: format!("line {line}"), expected: expected.to_owned(), found }
}

fn refused(node: Node<'_, '_>, expected: &str, found: &dyn std::fmt::Display) -> CascadeError {
    at_line(node.document().text_pos_at(node.range().start).row, expected, found)
}

fn child<'a, 'b>(node: Node<'a, 'b>, name: &str) -> Option<Node<'a, 'b>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn element<'a, 'b>(node: Node<'a, 'b>, name: &str) -> Result<Node<'a, 'b>, CascadeError> {
    child(node, name).ok_or_else(|| refused(node, &format!("an element {name}"), &"none"))
}

/// The items of a list: OpenCV names them `_`.
fn items<'a, 'b>(list: Node<'a, 'b>) -> Result<Vec<Node<'a, 'b>>, CascadeError> {
    match first_but(list, &["_"]) {
        Some(other) => Err(refused(other, "an item _ of a list", &named(other))),
        None => Ok(list.children().filter(Node::is_element).collect()),
    }
}

/// The first element inside that bears none of these names.
fn first_but<'a, 'b>(node: Node<'a, 'b>, names: &[&str]) -> Option<Node<'a, 'b>> {
    node.children().find(|child| child.is_element() && !names.contains(&child.tag_name().name()))
}

fn named(node: Node<'_, '_>) -> String {
    format!("an element {}", node.tag_name().name())
}

fn words<'a, const N: usize>(node: Node<'a, '_>, expected: &str) -> Result<[&'a str; N], CascadeError> {
    let text = node.text().unwrap_or_default().trim();
    let words: Vec<&str> = text.split_ascii_whitespace().take(N + 1).collect();
    let found = if text.is_empty() { "none" } else { text };
    words.try_into().map_err(|_| refused(node, expected, &found))
}

fn numbers<const N: usize>(node: Node<'_, '_>) -> Result<[f32; N], CascadeError> {
    let mut numbers = [0.0; N];
    for (value, word) in numbers.iter_mut().zip(words::<N>(node, &format!("{N} numbers"))?) {
        *value = number(node, word)?;
    }
    Ok(numbers)
}

/// As OpenCV reads a number: to double precision, then to single.
fn number(node: Node<'_, '_>, word: &str) -> Result<f32, CascadeError> {
    let number = word.parse::<f64>().ok().map(|number| number as f32).filter(|number| number.is_finite());
    number.ok_or_else(|| refused(node, "a number", &word))
}

fn whole<T: FromStr>(node: Node<'_, '_>, word: &str) -> Result<T, CascadeError> {
    word.parse().map_err(|_| refused(node, "a whole number in range", &word))
}

fn side(cascade: Node<'_, '_>, name: &str) -> Result<u8, CascadeError> {
    let node = element(cascade, name)?;
    let expected = format!("a window's side of 3 to {}", Cascade::MAX_SIDE);
    let [word] = words(node, &expected)?;
    let side = word.parse().ok().filter(|side| (3..=Cascade::MAX_SIDE).contains(side));
    side.ok_or_else(|| refused(node, &expected, &word))
}
