//! A folder of classes → the image files of every split, unopened.
//! In: Kaggle's layouts, or a user's own. Out: [`Tree`], files in a fixed order.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{class_map::ClassMap, name_order};
use crate::{DataError, Emotion, Split, face::picture::has_picture_name};

/// The files of a data set, by split and class.
pub(crate) struct Tree {
    /// Class names in label order: that of [`Emotion::ALL`] where all are expressions, else alphabetical.
    pub(crate) classes: Vec<String>,
    /// Image files, by class and then in natural order of names.
    pub(crate) images: Vec<Entry>,
    /// Files that are no images by their extension.
    pub(crate) others: Vec<Entry>,
}

/// A file of a class.
pub(crate) struct Entry {
    pub(crate) split: Split,
    /// Index into [`Tree::classes`].
    pub(crate) class: usize,
    pub(crate) path: PathBuf,
}

/// Finds the class folders below `root` and lists their files.
///
/// Where a validation folder makes the test folder needless for the wanted splits, the test folder
/// is not even listed.
pub(crate) fn find(root: &Path, wanted: &[Split], map: &ClassMap) -> Result<Tree, DataError> {
    let mut folders = split_folders(root)?;
    let has_validation = folders.iter().any(|(split, _)| *split == Split::Validation);
    if has_validation && !wanted.contains(&Split::Test) {
        folders.retain(|(split, _)| *split != Split::Test);
    }
    let mut found = Vec::new();
    for (split, folder) in &folders {
        found.extend(class_folders(*split, folder)?);
    }
    let found = mapped(root, found, map)?;
    let all_are_known = found.iter().all(|class| Emotion::from_name(&class.name).is_some());
    let key = |class: &ClassFolder| {
        let known = Emotion::from_name(&class.name).filter(|_| all_are_known);
        (known, class.name.to_lowercase())
    };
    let classes: BTreeMap<_, String> =
        found.iter().rev().map(|class| (key(class), class.name.clone())).collect();
    let mut tree =
        Tree { classes: classes.values().cloned().collect(), images: Vec::new(), others: Vec::new() };
    for class in &found {
        let index = classes.keys().position(|known| *known == key(class));
        tree.add(class, index.expect("the map was made of these names"), wanted, has_validation)?;
    }
    // Stable: within a class, the order of folders and then of names stays.
    tree.images.sort_by_key(|entry| entry.class);
    Ok(tree)
}

impl Tree {
    fn add(
        &mut self,
        class: &ClassFolder,
        index: usize,
        wanted: &[Split],
        has_validation: bool,
    ) -> Result<(), DataError> {
        let mut n_images = 0;
        for path in entries(&class.path)? {
            let name = file_name(&path);
            if path.is_dir() || is_system_file(&name) {
                continue;
            }
            let split = Split::of_file(class.split, &name, has_validation);
            let is_image = has_picture_name(&path);
            n_images += usize::from(is_image);
            let list = if is_image { &mut self.images } else { &mut self.others };
            list.push(Entry { split, class: index, path });
        }
        if n_images == 0 && wanted.contains(&class.split) {
            return Err(DataError::EmptyClass {
                path: class.path.clone(),
                class: class.name.clone(),
                split: class.split,
            });
        }
        Ok(())
    }
}

/// A folder with the images of one class.
struct ClassFolder {
    split: Split,
    /// The expression's name for its synonyms, the folder's name for other classes.
    name: String,
    path: PathBuf,
}

/// The folders of splits, or `root` itself as train when its folders are classes.
fn split_folders(root: &Path) -> Result<Vec<(Split, PathBuf)>, DataError> {
    let mut folder = root.to_owned();
    loop {
        let below = folders_in(&folder)?;
        let splits: Vec<_> = below
            .iter()
            .filter_map(|path| Some((Split::from_folder_name(&file_name(path))?, path.clone())))
            .collect();
        if !splits.is_empty() {
            return Ok(splits);
        }
        match below.as_slice() {
            // `images/`, or what unpacking an archive puts around it; one class alone makes no sense.
            [only] if !folders_in(only)?.is_empty() => folder = only.clone(),
            [] => return Err(no_classes(root)),
            _ => return Ok(vec![(Split::Train, folder)]),
        }
    }
}

fn class_folders(split: Split, folder: &Path) -> Result<Vec<ClassFolder>, DataError> {
    let classes: Vec<_> = folders_in(folder)?
        .into_iter()
        .map(|path| {
            let name = file_name(&path);
            let name = Emotion::from_name(&name).map_or(name.trim().to_owned(), |e| e.name().to_owned());
            ClassFolder { split, name, path }
        })
        .collect();
    if classes.is_empty() { Err(no_classes(folder)) } else { Ok(classes) }
}

/// The classes under the names they are to have, without those to be left out.
fn mapped(root: &Path, found: Vec<ClassFolder>, map: &ClassMap) -> Result<Vec<ClassFolder>, DataError> {
    map.expect_all_in(root, &found.iter().map(|class| class.name.as_str()).collect::<Vec<_>>())?;
    let renamed = found.into_iter().filter_map(|class| {
        let name = map.target(&class.name)?.to_owned();
        Some(ClassFolder { name, ..class })
    });
    Ok(renamed.collect())
}

/// Whether there are folders of splits below `root`.
pub(super) fn has_split_folders(root: &Path) -> Result<bool, DataError> {
    let is_split = |path: &PathBuf| path != root && Split::from_folder_name(&file_name(path)).is_some();
    Ok(split_folders(root)?.iter().any(|(_, path)| is_split(path)))
}

fn no_classes(folder: &Path) -> DataError {
    let files = entries(folder).unwrap_or_default();
    let csv = files.iter().find(|path| file_name(path).contains(".csv"));
    let found = match (csv, files.len()) {
        (Some(csv), _) => format!("no class folders, but a file {}", file_name(csv)),
        (None, 0) => "the folder is empty".to_owned(),
        (None, n) => format!("{n} entries, but no class folders"),
    };
    let advice = if csv.is_some() { ", or the path of the CSV file itself" } else { "" };
    DataError::Layout {
        path: folder.to_owned(),
        found,
        expected: format!("one folder of images a class, as in train/<class>/*.png{advice}"),
    }
}

/// Folders in a folder, without hidden ones, in natural order.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut folders = entries(folder)?;
    folders.retain(|path| path.is_dir() && !is_system_file(&file_name(path)));
    Ok(folders)
}

/// Everything in a folder, in natural order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |source| DataError::Unreadable { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort_by(|a, b| name_order::compare(&file_name(a), &file_name(b)));
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What file managers leave behind.
fn is_system_file(name: &str) -> bool {
    name.starts_with('.')
        || ["Thumbs.db", "desktop.ini", "__MACOSX"].iter().any(|other| name.eq_ignore_ascii_case(other))
}
