//! A folder of classes → samples.
//! In: image files of any size and colour. Out: [`Parts`], decoded in parallel, in a fixed order.

use std::{io::Read, path::Path};

use fer_base::{chain, regular};
use image::DynamicImage;
use rayon::prelude::*;

use super::{
    class_folders::{self, Tree},
    options::{LoadOptions, Parts},
    split_part::Cut,
};
use crate::{
    DataError, Face, Labels, Sample, Skipped, Source, Split, error::Reason, face::picture::decode_upright,
};

/// Reads the wanted splits; files of other splits are not opened.
pub(crate) fn read(
    root: &Path,
    wanted: &[Split],
    options: &LoadOptions,
    cut: Option<&Cut<'_>>,
) -> Result<Parts, DataError> {
    if let Some(votes) = &options.ferplus {
        let problem = format!("{} is a folder, whose files carry no row numbers", root.display());
        return Err(DataError::FerPlus { path: votes.clone(), problem });
    }
    let mut tree = class_folders::find(root, wanted, &options.map)?;
    let (labels, by_class) = labels(root, &tree, options)?;
    let mut parts = Parts::new(labels, true);
    tree.images
        .iter()
        .filter(|e| !wanted.contains(&e.split))
        .for_each(|e| parts.elsewhere[e.split as usize] += 1);
    tree.images.retain(|entry| wanted.contains(&entry.split));
    tree.others.retain(|entry| wanted.contains(&entry.split));

    let cut = cut.unwrap_or(&|picture| Ok(Face::from_picture(picture)));
    let face = |path| decode(path).and_then(|picture| cut(&picture));
    let decoded: Vec<_> = tree.images.par_iter().map(|entry| face(&entry.path)).collect();
    for (entry, decoded) in tree.images.into_iter().zip(decoded) {
        let source = Source::File(entry.path);
        let label = by_class[entry.class];
        match decoded {
            Ok(face) => parts.splits[entry.split as usize].push(Sample { face, label, votes: None, source }),
            Err(reason) if options.skip_bad || reason == Reason::NoFace => {
                parts.skipped.push(Skipped { source, reason })
            }
            Err(reason) => {
                return Err(DataError::Damaged { path: root.to_owned(), sample: source, reason });
            }
        }
    }
    let others = tree.others.into_iter();
    parts
        .skipped
        .extend(others.map(|entry| Skipped { source: Source::File(entry.path), reason: Reason::NotAnImage }));
    Ok(parts)
}

/// The label set, and the label of every class of the tree.
fn labels(root: &Path, tree: &Tree, options: &LoadOptions) -> Result<(Labels, Vec<usize>), DataError> {
    let Some(labels) = &options.labels else {
        let labels = Labels::custom(tree.classes.clone());
        return Ok((labels, (0..tree.classes.len()).collect()));
    };
    let by_class = tree.classes.iter().map(|class| {
        labels.index_of(class).ok_or_else(|| DataError::Labels {
            path: root.to_owned(),
            found: class.clone(),
            expected: labels.names().to_vec(),
        })
    });
    Ok((labels.clone(), by_class.collect::<Result<_, _>>()?))
}

/// A file larger than this is no picture of a face.
const MOST_BYTES: u64 = 256 << 20;

/// The picture in a file of any format, told by its content; turned upright as its EXIF says.
fn decode(path: &Path) -> Result<DynamicImage, Reason> {
    let unusable = |cause: String| Reason::Image { cause };
    let file = regular::open(path).map_err(|error| unusable(chain(&error)))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unusable(chain(&error)))?;
    if bytes.is_empty() {
        return Err(Reason::EmptyFile);
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unusable(format!("larger than {} MiB", MOST_BYTES >> 20)));
    }
    decode_upright(&bytes, None).map_err(|error| unusable(chain(&error)))
}
