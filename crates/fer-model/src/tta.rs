//! Test-time views of one face.
//! In: a face. Out: the faces whose logits are averaged.

use std::str::FromStr;

use fer_data::Face;
use fer_data::face::SIDE;
use image::imageops::{self, crop_imm};

/// Side of a ten-crop view before it is scaled back, in pixels.
///
/// 44 of 48 as in WuJie1010/Facial-Expression-Recognition.Pytorch, the common choice on FER-2013.
pub const CROP_SIDE: usize = 44;

/// Which views of a face are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tta {
    /// The face itself.
    #[default]
    None,
    /// The face and its mirror image.
    Flip,
    /// Four corner crops and the centre crop of [`CROP_SIDE`], scaled back, and their mirror images.
    TenCrop,
}

impl Tta {
    /// All choices, cheapest first.
    pub const ALL: [Self; 3] = [Self::None, Self::Flip, Self::TenCrop];

    /// The name on the command line and in protocol lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Flip => "flip",
            Self::TenCrop => "tencrop",
        }
    }

    /// How many views there are.
    #[must_use]
    pub const fn n_views(self) -> usize {
        match self {
            Self::None => 1,
            Self::Flip => 2,
            Self::TenCrop => 10,
        }
    }

    /// The views of a face, [`Tta::n_views`] of them.
    #[must_use]
    pub fn views(self, face: &Face) -> Vec<Face> {
        match self {
            Self::None => vec![face.clone()],
            Self::Flip => vec![face.clone(), mirrored(face)],
            Self::TenCrop => {
                let crops = five_crops(face);
                let mirrors: Vec<Face> = crops.iter().map(mirrored).collect();
                crops.into_iter().chain(mirrors).collect()
            }
        }
    }
}

impl std::fmt::Display for Tta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tta {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|tta| tta.name() == name)
            .ok_or_else(|| format!("\"{name}\" is no test-time augmentation, expected none, flip or tencrop"))
    }
}

fn mirrored(face: &Face) -> Face {
    Face::from_gray(&imageops::flip_horizontal(&face.to_gray()))
}

/// Top left, top right, bottom left, bottom right, centre.
fn five_crops(face: &Face) -> Vec<Face> {
    const FAR: u32 = (SIDE - CROP_SIDE) as u32;
    const MIDDLE: u32 = FAR / 2;
    let picture = face.to_gray();
    let side = CROP_SIDE as u32;
    [(0, 0), (FAR, 0), (0, FAR), (FAR, FAR), (MIDDLE, MIDDLE)]
        .map(|(x, y)| Face::from_gray(&crop_imm(&picture, x, y, side, side).to_image()))
        .to_vec()
}
