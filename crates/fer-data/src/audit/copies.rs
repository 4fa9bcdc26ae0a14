//! Faces that occur more than once.
//! In: samples of all splits. Out: [`Copies`]: groups of equal faces, within and across splits.

use std::collections::HashSet;

use serde::Serialize;

use crate::{Sample, Split, face::equal};

/// Faces that occur more than once, pixel by pixel.
#[derive(Clone, Debug, Serialize)]
pub struct Copies {
    /// All faces.
    pub n: usize,
    /// Faces that differ from each other.
    pub distinct: usize,
    /// Groups of two or more equal faces, in the order of their first.
    pub groups: Vec<Group>,
    /// How many faces of the later split also stand in the earlier one, for every pair of splits
    /// that has samples.
    pub across: Vec<Across>,
}

/// Equal faces.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Row or file, split and label index of each.
    pub members: Vec<Member>,
    /// Whether the members have different labels.
    pub contradictory: bool,
}

/// One of several equal faces.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// Row or file.
    pub source: String,
    /// Its split.
    pub split: Split,
    /// Its label index.
    pub label: usize,
}

/// Faces of one split that also stand in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Across {
    /// The split learned from, or chosen by.
    pub earlier: Split,
    /// The split that should be new.
    pub later: Split,
    /// Faces of `later` that also stand in `earlier`.
    pub n: usize,
}

impl Copies {
    /// Faces in groups.
    #[must_use]
    pub fn in_groups(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }

    /// Groups whose members have different labels.
    #[must_use]
    pub fn contradictory(&self) -> usize {
        self.groups.iter().filter(|group| group.contradictory).count()
    }

    /// Copies beyond the first within one split.
    #[must_use]
    pub fn surplus_within(&self, split: Split) -> usize {
        let in_split = |group: &Group| group.members.iter().filter(|m| m.split == split).count();
        self.groups.iter().map(|group| in_split(group).saturating_sub(1)).sum()
    }
}

pub(super) fn find(samples: &[(Split, &Sample)]) -> Copies {
    let by_face = equal::groups(samples.iter().map(|(_, sample)| &sample.face));
    let distinct = by_face.len();
    let repeated = by_face.iter().filter(|places| places.len() > 1);
    let groups: Vec<Group> = repeated.map(|places| group(samples, places)).collect();
    let present: HashSet<Split> = samples.iter().map(|(split, _)| *split).collect();
    Copies { n: samples.len(), distinct, across: across(&groups, &present), groups }
}

fn group(samples: &[(Split, &Sample)], places: &[usize]) -> Group {
    let member = |&place: &usize| {
        let (split, sample) = samples[place];
        Member { source: sample.source.to_string(), split, label: sample.label }
    };
    let members: Vec<Member> = places.iter().map(member).collect();
    let contradictory = members.iter().any(|member| member.label != members[0].label);
    Group { members, contradictory }
}

fn across(groups: &[Group], present: &HashSet<Split>) -> Vec<Across> {
    let pairs =
        [(Split::Train, Split::Validation), (Split::Train, Split::Test), (Split::Validation, Split::Test)];
    let present = pairs.into_iter().filter(|(a, b)| present.contains(a) && present.contains(b));
    present
        .map(|(earlier, later)| {
            let shared = groups.iter().filter(|g| g.members.iter().any(|m| m.split == earlier));
            let n = shared.map(|g| g.members.iter().filter(|m| m.split == later).count()).sum();
            Across { earlier, later, n }
        })
        .collect()
}
