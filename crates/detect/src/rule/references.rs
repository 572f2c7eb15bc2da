//! `reference`: systems that rules refer to, each with how addresses in it begin.
//!
//! They are those of a `reference.config`, or else those that a fresh Suricata knows. What a rule refers to is written down as that beginning and what the rule
//! says behind the system's name. A system that nobody described begins with [`UNDEFINED`], as Suricata has it. Letters of a name may be of either case; of two
//! of one name the first counts.

use std::collections::BTreeMap;

/// Systems of one file at most; later ones are left out, as lines that make no sense are.
const SYSTEMS_MAX: usize = 10_000;
/// How what is in a system begins that nobody described.
const UNDEFINED: &str = "undefined";
/// What a fresh Suricata 8 knows.
const SYSTEMS: &[(&str, &str)] = &[
    ("arachnids", "https://www.whitehats.com/info/IDS"),
    ("bid", "https://www.securityfocus.com/bid/"),
    ("bugtraq", "https://www.securityfocus.com/bid/"),
    ("cve", "https://cve.mitre.org/cgi-bin/cvename.cgi?name="),
    ("mcafee", "https://vil.nai.com/vil/content/v_"),
    ("md5", "https://www.threatexpert.com/report.aspx?md5="),
    ("nessus", "https://www.tenable.com/plugins/nessus/"),
    ("secunia", "https://www.secunia.com/advisories/"),
    ("url", "https://"),
];

/// Systems by their names.
#[derive(Clone, Debug)]
pub struct References {
    by_name: BTreeMap<String, String>,
    wrong: Vec<usize>,
}

impl Default for References {
    /// Those that a fresh Suricata knows.
    fn default() -> Self {
        let by_name = SYSTEMS.iter().map(|(name, begin)| ((*name).to_owned(), (*begin).to_owned()));
        References { by_name: by_name.collect(), wrong: Vec::new() }
    }
}

impl References {
    /// Reads the text of a `reference.config`: `config reference: name https://example.org/?id=`.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut references = References { by_name: BTreeMap::new(), wrong: Vec::new() };
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match system(line) {
                Some((name, begin)) if references.by_name.len() < SYSTEMS_MAX => {
                    references.by_name.entry(name).or_insert(begin);
                }
                _ => references.wrong.push(number),
            }
        }
        references
    }

    /// Adds those of another file whose names are new.
    pub fn extend(&mut self, other: References) {
        for (name, begin) in other.by_name {
            self.by_name.entry(name).or_insert(begin);
        }
    }

    /// Lines that made no sense, from 1.
    #[must_use]
    pub fn wrong(&self) -> &[usize] {
        &self.wrong
    }

    /// What stands as `id` in the system of this name, in full.
    pub(crate) fn whole(&self, name: &str, id: &str) -> String {
        let begin = self.by_name.get(&name.to_ascii_lowercase()).map_or(UNDEFINED, String::as_str);
        [begin, id.trim_matches('"').trim()].concat()
    }
}

fn system(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("config")?.trim_start().strip_prefix("reference")?;
    let mut words = rest.trim_start().strip_prefix(':')?.split_whitespace();
    let (name, begin) = (words.next()?, words.next()?);
    let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    (is_name && words.next().is_none()).then(|| (name.to_ascii_lowercase(), begin.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_referred_to_is_the_beginning_of_its_system_and_what_the_rule_says() {
        let known = References::default();
        assert_eq!(known.whole("URL", "example.org/a"), "https://example.org/a");
        assert_eq!(known.whole("cve", "2021-1"), "https://cve.mitre.org/cgi-bin/cvename.cgi?name=2021-1");
        assert_eq!(known.whole("own", "7"), "undefined7");
        let own =
            References::read("config reference: own http://own.example/?\nconfig reference: Own x\nown y\n");
        assert_eq!(own.whole("own", "\"7\""), "http://own.example/?7");
        assert_eq!(own.wrong(), [3]);
    }
}
