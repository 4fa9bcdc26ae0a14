//! Faces that are equal, pixel by pixel.
//! In: faces. Out: which of them are the same.

use std::collections::HashMap;

use super::Face;

/// The number of each face among the distinct ones, counted from 0 in the order they first occur.
#[must_use]
pub fn distinct<'a>(faces: impl IntoIterator<Item = &'a Face>) -> Vec<usize> {
    let mut numbers: HashMap<&Face, usize> = HashMap::new();
    let number = |face| {
        let next = numbers.len();
        *numbers.entry(face).or_insert(next)
    };
    faces.into_iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_faces_have_one_number() {
        let faces = [3, 1, 3, 2, 1].map(Face::blank);
        assert_eq!(distinct(&faces), [0, 1, 0, 2, 1]);
    }
}
