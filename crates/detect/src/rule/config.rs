//! Files of lines like `config classification: …`, each of which describes something by its name.
//!
//! Letters of a name may be of either case; of two of one name the first counts. A line that makes no sense is left out, and told.

use std::collections::BTreeMap;

/// Names of one file at most; later ones are left out, as lines that make no sense are.
const NAMES_MAX: usize = 10_000;

/// What was described, by name.
#[derive(Clone, Debug)]
pub struct Described<T> {
    by_name: BTreeMap<String, T>,
    wrong: Vec<usize>,
}

impl<T> Described<T> {
    /// What is known without a file, by names in small letters.
    pub(super) fn known(known: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        let by_name = known.into_iter().map(|(name, what)| (name.to_owned(), what)).collect();
        Described { by_name, wrong: Vec::new() }
    }

    /// Reads lines of this kind: what stands behind the colon is a name and what it is the name of.
    pub(super) fn lines(text: &str, kind: &str, read: impl Fn(&str) -> Option<(&str, T)>) -> Self {
        let mut described = Described { by_name: BTreeMap::new(), wrong: Vec::new() };
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match rest(line, kind).and_then(&read).filter(|(name, _)| is_name(name)) {
                Some((name, what)) if described.by_name.len() < NAMES_MAX => {
                    described.by_name.entry(name.to_ascii_lowercase()).or_insert(what);
                }
                _ => described.wrong.push(number),
            }
        }
        described
    }

    /// Adds those of another file whose names are new.
    pub fn extend(&mut self, other: Self) {
        for (name, what) in other.by_name {
            self.by_name.entry(name).or_insert(what);
        }
    }

    /// Lines that made no sense, from 1.
    #[must_use]
    pub fn wrong(&self) -> &[usize] {
        &self.wrong
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.by_name.get(&name.to_ascii_lowercase())
    }
}

/// What stands behind the colon of a line of this kind.
fn rest<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    let rest = line.strip_prefix("config")?.trim_start().strip_prefix(kind)?;
    rest.trim_start().strip_prefix(':')
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
}
