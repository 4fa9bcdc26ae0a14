//! Views of a face.

use fer_data::Face;
use fer_model::Tta;

use crate::fixtures::faces;

#[test]
fn there_are_as_many_views_as_the_name_says() {
    let face = &faces(1)[0];
    for tta in Tta::ALL {
        assert_eq!(tta.views(face).len(), tta.n_views());
        assert_eq!(tta.name().parse(), Ok(tta));
    }
    assert!("five".parse::<Tta>().unwrap_err().contains("expected none, flip or tencrop"));
}

#[test]
fn mirroring_twice_gives_the_same_face() {
    let face = &faces(1)[0];
    let mirrored = &Tta::Flip.views(face)[1];
    assert_ne!(mirrored, face);
    assert_eq!(&Tta::Flip.views(mirrored)[1], face);
}

#[test]
fn the_last_five_crops_mirror_the_first_five() {
    let views = Tta::TenCrop.views(&faces(1)[0]);
    for (crop, mirror) in views[..5].iter().zip(&views[5..]) {
        assert_eq!(&Tta::Flip.views(crop)[1], mirror);
    }
}

#[test]
fn every_crop_of_a_blank_face_is_blank() {
    let blank = Face::blank(93);
    assert!(Tta::TenCrop.views(&blank).iter().all(|view| *view == blank));
}

#[test]
fn a_bright_corner_fills_the_corner_of_its_own_crop_only() {
    // The leftmost two columns are cut off by the centre crop and by both right crops.
    let mut face = Face::blank(0);
    for row in face.pixels_mut().chunks_mut(48) {
        row[..2].fill(255);
    }
    let views = Tta::TenCrop.views(&face);
    let is_lit: Vec<bool> = views[..5].iter().map(|view| view.pixels().iter().any(|&p| p > 0)).collect();
    assert_eq!(is_lit, [true, false, true, false, false]);
}
