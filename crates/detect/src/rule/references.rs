//! `reference`: systems that rules refer to, each with how addresses in it begin.
//!
//! They are those of a `reference.config`, or else those that a fresh Suricata knows. What a rule refers to is written down as that beginning and what the rule
//! says behind the system's name. A system that nobody described begins with [`UNDEFINED`], as Suricata has it.

use super::config::Described;

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

/// How what is in systems begins, by the systems' names.
pub type References = Described<String>;

impl Default for References {
    /// Those that a fresh Suricata knows.
    fn default() -> Self {
        References::known(SYSTEMS.iter().map(|(name, begin)| (*name, (*begin).to_owned())))
    }
}

impl References {
    /// Reads the text of a `reference.config`: `config reference: name https://example.org/?id=`.
    #[must_use]
    pub fn read(text: &str) -> Self {
        References::lines(text, "reference", system)
    }

    /// What stands as `id` in the system of this name, in full.
    pub(crate) fn whole(&self, name: &str, id: &str) -> String {
        let begin = self.get(name).map_or(UNDEFINED, String::as_str);
        [begin, id.trim_matches('"').trim()].concat()
    }
}

fn system(rest: &str) -> Option<(&str, String)> {
    let mut words = rest.split_whitespace();
    let (name, begin) = (words.next()?, words.next()?);
    words.next().is_none().then(|| (name, begin.to_owned()))
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
