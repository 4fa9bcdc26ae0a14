//! OpenCV's XML of a cascade → a [`Cascade`].
//! In: the text of a file, as `opencv_traincascade` writes it. Out: the cascade, or the line that is in the way.

use std::str::FromStr;

use super::cascade::{Cascade, CascadeError, Feature, Stage, Stump, WeightedRect};

/// Longest text that is read; OpenCV's largest cascade has 3 MB.
const MAX_BYTES: usize = 16 << 20;

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
        let mut xml = Xml { text, at: 0, inside: Vec::new() };
        if text.len() > MAX_BYTES {
            return Err(xml.error(format!("at most {MAX_BYTES} bytes"), text.len()));
        }
        xml.open("opencv_storage")?;
        match xml.next()? {
            Piece::Open(_) => {}
            other => return Err(xml.error("a cascade", other)),
        }
        read_cascade(&mut xml)
    }
}

/// The elements of the cascade, in whichever order they come.
fn read_cascade(xml: &mut Xml<'_>) -> Result<Cascade, CascadeError> {
    let (mut width, mut height) = (None, None);
    let (mut stages, mut features) = (None, None);
    let mut kinds = [("stageType", "BOOST", false), ("featureType", "HAAR", false)];
    while let Some(name) = xml.child()? {
        match name {
            "width" => width = Some(xml.side()?),
            "height" => height = Some(xml.side()?),
            "stages" => stages = Some(read_stages(xml)?),
            "features" => features = Some(read_features(xml)?),
            _ => match kinds.iter_mut().find(|kind| kind.0 == name) {
                Some((_, expected, seen)) => {
                    let found = xml.word()?;
                    if found != *expected {
                        return Err(xml.error(format!("{name} {expected}"), found));
                    }
                    *seen = true;
                }
                None => xml.skip()?,
            },
        }
    }
    if let Some((name, expected, _)) = kinds.iter().find(|kind| !kind.2) {
        let found = "none: a cascade in the old format of OpenCV 1";
        return Err(xml.error(format!("{name} {expected}"), found));
    }
    let missing = |what: &str| xml.error(format!("an element {what}"), "none");
    let window = (width.ok_or_else(|| missing("width"))?, height.ok_or_else(|| missing("height"))?);
    let features = features.ok_or_else(|| missing("features"))?;
    let stages = stages.ok_or_else(|| missing("stages"))?;
    if let Some((at, rect)) = features.iter().find_map(|(at, feature)| {
        feature.iter().find(|rect| rect.weight != 0.0 && !rect.fits(window)).map(|rect| (at, rect))
    }) {
        let expected = format!("a rectangle inside the window of {} × {}", window.0, window.1);
        return Err(xml.error_at(*at, expected, format!("{rect:?}")));
    }
    let stages = stages.into_iter().map(|stage| stage.resolve(&features, xml)).collect::<Result<_, _>>()?;
    Ok(Cascade { window, stages })
}

/// A stage whose stumps still name their feature by its position.
struct NamedStage {
    threshold: f32,
    stumps: Vec<NamedStump>,
}

struct NamedStump {
    /// Where in the text.
    at: usize,
    feature_idx: usize,
    /// Threshold, value below it, value elsewhere.
    numbers: [f32; 3],
}

impl NamedStage {
    fn resolve(self, features: &[(usize, Feature)], xml: &Xml<'_>) -> Result<Stage, CascadeError> {
        let resolve = |stump: NamedStump| {
            let (_, feature) = features.get(stump.feature_idx).ok_or_else(|| {
                let expected = format!("one of {} features", features.len());
                xml.error_at(stump.at, expected, format!("feature {}", stump.feature_idx))
            })?;
            let [threshold, below, otherwise] = stump.numbers;
            Ok(Stump { feature: *feature, threshold, below, otherwise })
        };
        let stumps = self.stumps.into_iter().map(resolve).collect::<Result<_, CascadeError>>()?;
        Ok(Stage { threshold: self.threshold, stumps })
    }
}

fn read_stages(xml: &mut Xml<'_>) -> Result<Vec<NamedStage>, CascadeError> {
    let mut stages = Vec::new();
    let mut n_stumps = 0;
    while xml.item()? {
        let (mut threshold, mut stumps) = (None, Vec::new());
        while let Some(name) = xml.child()? {
            match name {
                "stageThreshold" => [threshold] = xml.numbers()?.map(Some),
                "weakClassifiers" => {
                    while xml.item()? {
                        stumps.push(read_stump(xml)?);
                        n_stumps += 1;
                        if n_stumps > Cascade::MAX_STUMPS {
                            return Err(xml.error(format!("at most {} stumps", Cascade::MAX_STUMPS), "more"));
                        }
                    }
                }
                _ => xml.skip()?,
            }
        }
        let threshold = threshold.ok_or_else(|| xml.error("an element stageThreshold", "none"))?;
        if stumps.is_empty() || stages.len() == Cascade::MAX_STAGES {
            let expected = format!("at most {} stages, each with a stump", Cascade::MAX_STAGES);
            return Err(xml.error(expected, format!("stage {} of {} stumps", stages.len(), stumps.len())));
        }
        stages.push(NamedStage { threshold, stumps });
    }
    if stages.is_empty() { Err(xml.error("a stage", "none")) } else { Ok(stages) }
}

fn read_stump(xml: &mut Xml<'_>) -> Result<NamedStump, CascadeError> {
    let at = xml.at;
    let (mut node, mut values) = (None, None);
    while let Some(name) = xml.child()? {
        match name {
            "internalNodes" => {
                // Left 0 and right −1 are the two leaves of a stump: anything else is a deeper tree.
                let words = xml.words()?;
                let stump: Option<[&str; 4]> =
                    words.try_into().ok().filter(|stump: &[&str; 4]| stump[0] == "0" && stump[1] == "-1");
                let [_, _, feature_idx, threshold] = stump
                    .ok_or_else(|| xml.error("a stump: 0 -1, its feature, its threshold", "a deeper tree"))?;
                node = Some((xml.parse(feature_idx)?, xml.finite(threshold)?));
            }
            "leafValues" => values = Some(xml.numbers::<2>()?),
            _ => xml.skip()?,
        }
    }
    let (feature_idx, threshold) = node.ok_or_else(|| xml.error("an element internalNodes", "none"))?;
    let [below, otherwise] = values.ok_or_else(|| xml.error("an element leafValues", "none"))?;
    Ok(NamedStump { at, feature_idx, numbers: [threshold, below, otherwise] })
}

/// Features, each with its place in the text.
fn read_features(xml: &mut Xml<'_>) -> Result<Vec<(usize, Feature)>, CascadeError> {
    let mut features = Vec::new();
    while xml.item()? {
        if features.len() == Cascade::MAX_STUMPS {
            return Err(xml.error(format!("at most {} features", Cascade::MAX_STUMPS), "more"));
        }
        let (at, mut rects) = (xml.at, Vec::new());
        while let Some(name) = xml.child()? {
            match name {
                "rects" => {
                    while xml.item()? {
                        let words = xml.words()?;
                        let Ok([x, y, width, height, weight]) = <[&str; 5]>::try_from(words) else {
                            return Err(xml
                                .error("a rectangle: x, y, width, height, weight", "other than five words"));
                        };
                        rects.push(WeightedRect {
                            x: xml.parse(x)?,
                            y: xml.parse(y)?,
                            width: xml.parse(width)?,
                            height: xml.parse(height)?,
                            weight: xml.finite(weight)?,
                        });
                        if rects.len() > 3 {
                            return Err(xml.error("2 or 3 rectangles", "more"));
                        }
                    }
                }
                "tilted" => {
                    let found = xml.word()?;
                    if found != "0" {
                        return Err(xml.error("an upright feature", "a tilted one, which is not supported"));
                    }
                }
                other => {
                    return Err(xml.error("a Haar feature: rects, tilted", format!("an element {other}")));
                }
            }
        }
        let n_rects = rects.len();
        rects.resize(3, WeightedRect::default());
        match Feature::try_from(rects) {
            Ok(feature) if n_rects >= 2 => features.push((at, feature)),
            _ => return Err(xml.error("2 or 3 rectangles", n_rects)),
        }
    }
    Ok(features)
}

/// As much of XML as OpenCV writes: elements, their text, comments, one declaration.
struct Xml<'a> {
    text: &'a str,
    at: usize,
    /// Names of the elements that are open.
    inside: Vec<&'a str>,
}

/// Deepest nesting that is read; a cascade's has eight elements in each other.
const MAX_DEPTH: usize = 32;

#[derive(Clone, Copy, PartialEq)]
enum Piece<'a> {
    Open(&'a str),
    Close,
    Text(&'a str),
    End,
}

impl std::fmt::Display for Piece<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(name) => write!(f, "an element {}", shortened(name)),
            Self::Close => f.write_str("the end of an element"),
            Self::Text(text) => write!(f, "the text {}", shortened(text)),
            Self::End => f.write_str("the end of the file"),
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

impl<'a> Xml<'a> {
    fn error(&self, expected: impl ToString, found: impl ToString) -> CascadeError {
        self.error_at(self.at, expected, found)
    }

    fn error_at(&self, at: usize, expected: impl ToString, found: impl ToString) -> CascadeError {
        let line = 1 + self.text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
        CascadeError {
            place: format!("line {line}"),
            expected: expected.to_string(),
            found: shortened(&found.to_string()),
        }
    }

    /// The next element's start or end, or text that is more than space.
    fn next(&mut self) -> Result<Piece<'a>, CascadeError> {
        loop {
            let rest = self.text[self.at..].trim_start();
            self.at = self.text.len() - rest.len();
            let Some(tag) = rest.strip_prefix('<') else {
                let text = &rest[..rest.find('<').unwrap_or(rest.len())];
                self.at += text.len();
                return Ok(if text.is_empty() { Piece::End } else { Piece::Text(text.trim_end()) });
            };
            let (skipped, end) = if tag.starts_with("!--") {
                (true, "-->")
            } else {
                (tag.starts_with('?') || tag.starts_with('!'), ">")
            };
            let length = tag.find(end).ok_or_else(|| self.error(end, "the end of the file"))?;
            self.at += 1 + length + end.len();
            if skipped {
                continue;
            }
            let tag = &tag[..length];
            if tag.ends_with('/') {
                return Err(self.error("an element with an end", shortened(tag)));
            }
            let Some(name) = tag.strip_prefix('/') else {
                let name = tag.split_ascii_whitespace().next().unwrap_or_default();
                if self.inside.len() == MAX_DEPTH {
                    return Err(self.error(format!("at most {MAX_DEPTH} elements in each other"), name));
                }
                self.inside.push(name);
                return Ok(Piece::Open(name));
            };
            return match self.inside.pop() {
                Some(open) if open == name.trim_end() => Ok(Piece::Close),
                open => {
                    let open = open.map_or("no element's end".to_owned(), |open| format!("</{open}>"));
                    Err(self.error(open, format!("</{name}>")))
                }
            };
        }
    }

    fn open(&mut self, name: &str) -> Result<(), CascadeError> {
        match self.next()? {
            Piece::Open(found) if found == name => Ok(()),
            other => Err(self.error(format!("an element {name}"), other)),
        }
    }

    fn close(&mut self) -> Result<(), CascadeError> {
        match self.next()? {
            Piece::Close => Ok(()),
            other => Err(self.error("the end of an element", other)),
        }
    }

    /// The name of the next element inside this one, or `None` at this one's end.
    fn child(&mut self) -> Result<Option<&'a str>, CascadeError> {
        match self.next()? {
            Piece::Open(name) => Ok(Some(name)),
            Piece::Close => Ok(None),
            other => Err(self.error("an element", other)),
        }
    }

    /// Whether the list being read has one more item, `_` in OpenCV's XML.
    fn item(&mut self) -> Result<bool, CascadeError> {
        match self.child()? {
            Some("_") => Ok(true),
            Some(other) => Err(self.error("an item _ of a list", format!("an element {other}"))),
            None => Ok(false),
        }
    }

    /// Leaves the element that was opened last, whatever is in it.
    fn skip(&mut self) -> Result<(), CascadeError> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Piece::Open(_) => depth += 1,
                Piece::Close => depth -= 1,
                Piece::Text(_) => {}
                Piece::End => return Err(self.error("the end of an element", Piece::End)),
            }
        }
        Ok(())
    }

    /// The element's words, up to eight, and its end.
    fn words(&mut self) -> Result<Vec<&'a str>, CascadeError> {
        match self.next()? {
            Piece::Text(text) => {
                self.close()?;
                // No element that is read has more than five words: eight are enough to see that.
                Ok(text.split_ascii_whitespace().take(8).collect())
            }
            other => Err(self.error("text", other)),
        }
    }

    fn word(&mut self) -> Result<&'a str, CascadeError> {
        match self.words()?.as_slice() {
            [word] => Ok(word),
            words => Err(self.error("one word", format!("{words:?}"))),
        }
    }

    fn numbers<const N: usize>(&mut self) -> Result<[f32; N], CascadeError> {
        let words = self.words()?;
        if words.len() != N {
            return Err(self.error(format!("{N} numbers"), format!("{words:?}")));
        }
        let mut numbers = [0.0; N];
        for (number, word) in numbers.iter_mut().zip(words) {
            *number = self.finite(word)?;
        }
        Ok(numbers)
    }

    fn parse<T: FromStr>(&self, word: &str) -> Result<T, CascadeError> {
        word.parse().map_err(|_| self.error("a whole number in range", word))
    }

    /// As OpenCV reads a number: to double precision, then to single.
    fn finite(&self, word: &str) -> Result<f32, CascadeError> {
        let number = word.parse::<f64>().ok().map(|number| number as f32).filter(|number| number.is_finite());
        number.ok_or_else(|| self.error("a number", word))
    }

    fn side(&mut self) -> Result<u8, CascadeError> {
        let word = self.word()?;
        let sides = 3..=Cascade::MAX_SIDE;
        word.parse()
            .ok()
            .filter(|side| sides.contains(side))
            .ok_or_else(|| self.error(format!("a window's side of 3 to {}", Cascade::MAX_SIDE), word))
    }
}
