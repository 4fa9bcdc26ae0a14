//! A data set's classes → a model's, where the names differ or the model has none.
//! In: `happiness=happy`, `contempt=-`. Out: [`ClassMap`], which renames classes or leaves them out.

use std::{path::Path, str::FromStr};

use crate::{DataError, Emotion};

/// What becomes of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassRule {
    /// The class in the data: a folder's name or a synonym of it, with any capitalisation.
    pub from: String,
    /// The class it is read as; `None` leaves it out, unopened.
    pub to: Option<String>,
}

impl FromStr for ClassRule {
    type Err = String;

    /// Reads `class=other`, or `class=-` to leave a class out.
    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once('=').map(|(from, to)| (from.trim(), to.trim()));
        match sides {
            Some((from, to)) if !from.is_empty() && !to.is_empty() => {
                Ok(Self { from: from.to_owned(), to: (to != "-").then(|| to.to_owned()) })
            }
            _ => Err(format!("\"{text}\" maps no class, expected class=other, or class=- to leave it out")),
        }
    }
}

/// What becomes of a data set's classes; the default leaves every one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassMap(Vec<ClassRule>);

impl ClassMap {
    /// A map of these rules.
    ///
    /// # Errors
    /// [`DataError::Setting`] when two rules are for one class.
    pub fn new(rules: Vec<ClassRule>) -> Result<Self, DataError> {
        for (idx, rule) in rules.iter().enumerate() {
            if rules[..idx].iter().any(|other| is_same(&other.from, &rule.from)) {
                return Err(DataError::Setting {
                    setting: "the class map",
                    found: format!("two rules for `{}`", rule.from),
                    expected: "one a class",
                });
            }
        }
        Ok(Self(rules))
    }

    /// Whether nothing is mapped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The classes that are left out, in the words of the rules.
    #[must_use]
    pub fn left_out(&self) -> Vec<&str> {
        self.0.iter().filter(|rule| rule.to.is_none()).map(|rule| rule.from.as_str()).collect()
    }

    /// The class that a class of the data is read as; `None`: it is left out.
    pub(super) fn target<'a>(&'a self, class: &'a str) -> Option<&'a str> {
        match self.0.iter().find(|rule| is_same(&rule.from, class)) {
            Some(rule) => rule.to.as_deref(),
            None => Some(class),
        }
    }

    /// Refuses a rule for a class that the data does not have: most likely a slip of the pen.
    pub(super) fn expect_all_in(&self, root: &Path, classes: &[&str]) -> Result<(), DataError> {
        let is_absent = |rule: &&ClassRule| !classes.iter().any(|class| is_same(&rule.from, class));
        let Some(absent) = self.0.iter().find(is_absent) else { return Ok(()) };
        let mut classes = classes.to_vec();
        classes.sort_unstable();
        classes.dedup();
        Err(DataError::Layout {
            path: root.to_owned(),
            found: format!("classes {}", classes.join(", ")),
            expected: format!("`{}` among them, which is to be mapped", absent.from),
        })
    }
}

fn is_same(a: &str, b: &str) -> bool {
    let known = Emotion::from_name(a);
    a.trim().eq_ignore_ascii_case(b.trim()) || (known.is_some() && known == Emotion::from_name(b))
}
