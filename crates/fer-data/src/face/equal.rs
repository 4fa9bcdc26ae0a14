//! Faces that are equal, pixel by pixel.
//! In: faces. Out: which of them are the same.

use std::collections::HashMap;

use super::Face;

/// Positions of equal faces, grouped; groups in the order of their first face, also those of one.
#[must_use]
pub fn groups<'a>(faces: impl IntoIterator<Item = &'a Face>) -> Vec<Vec<usize>> {
    let mut numbers: HashMap<&Face, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (position, face) in faces.into_iter().enumerate() {
        let number = *numbers.entry(face).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Vec::new());
        }
        groups[number].push(position);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_faces_are_in_one_group() {
        let faces = [3, 1, 3, 2, 1].map(Face::blank);
        assert_eq!(groups(&faces), [vec![0, 2], vec![1, 4], vec![3]]);
    }
}
