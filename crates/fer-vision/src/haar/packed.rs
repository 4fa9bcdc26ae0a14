//! The packed form of a cascade, a thirteenth of the XML's size.
//! In: a [`Cascade`]. Out: bytes, and back.
//!
//! Little endian: `FERHAAR1`; window width `u8`, height `u8`, stages `u16`; then for each stage its
//! stumps `u16` and threshold `f32`, and for each stump how many rectangles `u8` (2 or 3), for each of them
//! x, y, width, height `u8` and weight `i8`, then threshold, value below it and value elsewhere `f32`.

use super::cascade::{Cascade, CascadeError, Feature, Stage, Stump, WeightedRect};

const MAGIC: &[u8; 8] = b"FERHAAR1";

impl Cascade {
    /// The packed form of the cascade.
    ///
    /// # Errors
    /// [`CascadeError`] when a weight is not a whole number from −128 to 127, which the form cannot hold,
    /// or a stage has more than 65,535 stumps.
    pub fn to_packed(&self) -> Result<Vec<u8>, CascadeError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([self.window.0, self.window.1]);
        bytes.extend((self.stages.len() as u16).to_le_bytes());
        for (stage_idx, stage) in self.stages.iter().enumerate() {
            let n_stumps = u16::try_from(stage.stumps.len()).map_err(|_| CascadeError {
                place: format!("stage {stage_idx}"),
                expected: format!("at most {} stumps", u16::MAX),
                found: stage.stumps.len().to_string(),
            })?;
            bytes.extend(n_stumps.to_le_bytes());
            bytes.extend(stage.threshold.to_le_bytes());
            for stump in &stage.stumps {
                pack_stump(stump, stage_idx, &mut bytes)?;
            }
        }
        Ok(bytes)
    }

    /// The cascade in its packed form, see [`Cascade::to_packed`].
    ///
    /// # Errors
    /// [`CascadeError`] with the byte at which the form is not kept.
    pub fn from_packed(bytes: &[u8]) -> Result<Self, CascadeError> {
        let mut reader = ByteReader { bytes, at: 0 };
        if reader.take::<8>("the word FERHAAR1")? != *MAGIC {
            return Err(reader.error(0, "the word FERHAAR1", "other bytes"));
        }
        let window = (reader.byte("the window's width")?, reader.byte("the window's height")?);
        let sides = 3..=Self::MAX_SIDE;
        if !sides.contains(&window.0) || !sides.contains(&window.1) {
            let expected = format!("a window with sides of 3 to {}", Self::MAX_SIDE);
            return Err(reader.error(8, expected, format!("{} × {}", window.0, window.1)));
        }
        let n_stages = usize::from(reader.count("how many stages")?);
        if n_stages == 0 || n_stages > Self::MAX_STAGES {
            return Err(reader.error(10, format!("1 to {} stages", Self::MAX_STAGES), n_stages));
        }
        let mut cascade = Self { window, stages: Vec::new() };
        let mut n_all = 0;
        for _ in 0..n_stages {
            let at = reader.at;
            let n_stumps = usize::from(reader.count("how many stumps")?);
            n_all += n_stumps;
            if n_stumps == 0 || n_all > Self::MAX_STUMPS {
                return Err(reader.error(at, format!("1 to {} stumps in all", Self::MAX_STUMPS), n_all));
            }
            let threshold = reader.number("a stage's threshold")?;
            let stumps = (0..n_stumps).map(|_| reader.stump(window)).collect::<Result<_, _>>()?;
            cascade.stages.push(Stage { threshold, stumps });
        }
        match bytes.len() - reader.at {
            0 => Ok(cascade),
            n => Err(reader.error(reader.at, "the end", format!("{n} more bytes"))),
        }
    }
}

fn pack_stump(stump: &Stump, stage_idx: usize, bytes: &mut Vec<u8>) -> Result<(), CascadeError> {
    let n_rects = if stump.feature[2].weight == 0.0 { 2 } else { 3 };
    bytes.push(n_rects as u8);
    for rect in &stump.feature[..n_rects] {
        // A number that the cast changes is not one of −128 … 127.
        let weight = rect.weight as i8;
        if f32::from(weight) != rect.weight {
            return Err(CascadeError {
                place: format!("stage {stage_idx}"),
                expected: "weights that are whole numbers from -128 to 127".to_owned(),
                found: rect.weight.to_string(),
            });
        }
        bytes.extend([rect.x, rect.y, rect.width, rect.height]);
        bytes.extend(weight.to_le_bytes());
    }
    for value in [stump.threshold, stump.below, stump.otherwise] {
        bytes.extend(value.to_le_bytes());
    }
    Ok(())
}

struct ByteReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl ByteReader<'_> {
    fn error(&self, at: usize, expected: impl ToString, found: impl ToString) -> CascadeError {
        CascadeError { place: format!("byte {at}"), expected: expected.to_string(), found: found.to_string() }
    }

    fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N], CascadeError> {
        let bytes = self.bytes[self.at..].first_chunk::<N>();
        let bytes = *bytes.ok_or_else(|| self.error(self.at, what, "the end"))?;
        self.at += N;
        Ok(bytes)
    }

    fn byte(&mut self, what: &str) -> Result<u8, CascadeError> {
        self.take::<1>(what).map(|[byte]| byte)
    }

    fn count(&mut self, what: &str) -> Result<u16, CascadeError> {
        self.take(what).map(u16::from_le_bytes)
    }

    fn number(&mut self, what: &str) -> Result<f32, CascadeError> {
        let at = self.at;
        let number = f32::from_le_bytes(self.take(what)?);
        if number.is_finite() { Ok(number) } else { Err(self.error(at, what, number)) }
    }

    fn stump(&mut self, window: (u8, u8)) -> Result<Stump, CascadeError> {
        let at = self.at;
        let n_rects = self.byte("2 or 3 rectangles")?;
        if !(2..=3).contains(&n_rects) {
            return Err(self.error(at, "2 or 3 rectangles", n_rects));
        }
        let mut feature = Feature::default();
        for rect in &mut feature[..usize::from(n_rects)] {
            let at = self.at;
            let [x, y, width, height, weight] = self.take("a rectangle")?;
            *rect = WeightedRect { x, y, width, height, weight: f32::from(weight as i8) };
            if !rect.fits(window) {
                return Err(self.error(at, "a rectangle inside the window", format!("{rect:?}")));
            }
        }
        Ok(Stump {
            feature,
            threshold: self.number("a stump's threshold")?,
            below: self.number("a stump's value")?,
            otherwise: self.number("a stump's value")?,
        })
    }
}
