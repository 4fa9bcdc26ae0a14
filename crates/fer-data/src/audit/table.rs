//! An audit as text for a terminal.
//! In: [`Audit`]. Out: its [`Display`](std::fmt::Display).

use std::fmt::{Display, Formatter, Result};

use fer_base::terminal;

use super::{Audit, NEAR_CONSTANT};

/// Damaged samples named in the table; the JSON has all of them.
const SHOWN: usize = 10;

impl Display for Audit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}\n", terminal::line(&self.path.to_string_lossy()))?;
        self.counts(f)?;
        self.copies(f)?;
        self.quality(f)?;
        self.skipped(f)
    }
}

impl Audit {
    fn counts(&self, f: &mut Formatter<'_>) -> Result {
        let names: Vec<_> = self.labels.iter().map(|name| terminal::line(name)).collect();
        let width = |name: &str| name.chars().count().max(6);
        write!(f, "{:<12}", "faces")?;
        names.iter().try_for_each(|name| write!(f, " {name:>0$}", width(name)))?;
        writeln!(f, " {:>7}", "all")?;
        for split in &self.splits {
            write!(f, "{:<12}", split.split)?;
            for (name, n) in names.iter().zip(&split.by_label) {
                write!(f, " {n:>0$}", width(name))?;
            }
            writeln!(f, " {:>7}", split.n)?;
        }
        writeln!(f)
    }

    fn copies(&self, f: &mut Formatter<'_>) -> Result {
        let copies = &self.copies;
        line(f, "distinct faces", format_args!("{} of {}", copies.distinct, copies.n))?;
        let (groups, members) = (copies.groups.len(), copies.in_groups());
        line(f, "exact copies", format_args!("{groups} groups, {members} faces in them"))?;
        for split in &self.splits {
            let within = copies.surplus_within(split.split);
            line(f, "", format_args!("{within} copies beyond the first within {}", split.split))?;
        }
        for across in &copies.across {
            line(f, "", format_args!("{} of {} also in {}", across.n, across.later, across.earlier))?;
        }
        line(
            f,
            "contradictory",
            format_args!("{} groups of copies with different labels", copies.contradictory()),
        )
    }

    fn quality(&self, f: &mut Formatter<'_>) -> Result {
        line(f, "blank", format_args!("{} faces of one grey value", self.blank.len()))?;
        let near = self.near_constant.len();
        line(f, "near-constant", format_args!("{near} more that deviate by less than {NEAR_CONSTANT}"))?;
        for of in &self.ferplus {
            let agreed = 100.0 * of.agreement;
            line(
                f,
                "FER+",
                format_args!(
                    "{}: {} no faces, {} rows without a name, {agreed:.1} % of the labels agree",
                    of.split, of.non_faces, of.unnamed
                ),
            )?;
        }
        match self.training_pixels {
            Some(of) => {
                line(f, "train pixels", format_args!("mean {:.4}, deviation {:.4}", of.mean, of.deviation))
            }
            None => Ok(()),
        }
    }

    fn skipped(&self, f: &mut Formatter<'_>) -> Result {
        line(f, "unusable", format_args!("{} samples", self.skipped.len()))?;
        self.skipped
            .iter()
            .take(SHOWN)
            .try_for_each(|one| line(f, "", format_args!("{}", terminal::line(one))))?;
        match self.skipped.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => line(f, "", format_args!("and {more} more (all in the JSON)")),
        }
    }
}

fn line(f: &mut Formatter<'_>, name: &str, value: std::fmt::Arguments<'_>) -> Result {
    writeln!(f, "{name:<16}{value}")
}
