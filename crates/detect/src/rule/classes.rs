//! `classtype`: classes of rules, with the words that readers of alerts know them by, and their priority.
//!
//! They are those of a `classification.config`, or else those that everybody's rules use.

use super::config::Described;

/// A class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Class {
    pub(crate) words: String,
    pub(crate) priority: u32,
}

/// Classes by their names.
pub type Classes = Described<Class>;

impl Default for Classes {
    /// Those that everybody's rules use.
    fn default() -> Self {
        let class = |words: &str, priority: u32| Class { words: words.to_owned(), priority };
        Classes::known(CLASSES.iter().map(|(name, words, priority)| (*name, class(words, *priority))))
    }
}

impl Classes {
    /// Reads the text of a `classification.config`: `config classification: name,Words of it,2`.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Classes::lines(text, "classification", class)
    }
}

fn class(rest: &str) -> Option<(&str, Class)> {
    let (name, rest) = rest.split_once(',')?;
    let (words, priority) = rest.rsplit_once(',')?;
    let name = name.trim();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let priority = priority.trim().parse().ok()?;
    let words = words.trim();
    (is_name && !words.is_empty()).then(|| (name, Class { words: words.to_owned(), priority }))
}

/// Name, words, priority.
const CLASSES: &[(&str, &str, u32)] = &[
    ("not-suspicious", "Not Suspicious Traffic", 3),
    ("unknown", "Unknown Traffic", 3),
    ("bad-unknown", "Potentially Bad Traffic", 2),
    ("attempted-recon", "Attempted Information Leak", 2),
    ("successful-recon-limited", "Information Leak", 2),
    ("successful-recon-largescale", "Large Scale Information Leak", 2),
    ("attempted-dos", "Attempted Denial of Service", 2),
    ("successful-dos", "Denial of Service", 2),
    ("attempted-user", "Attempted User Privilege Gain", 1),
    ("unsuccessful-user", "Unsuccessful User Privilege Gain", 1),
    ("successful-user", "Successful User Privilege Gain", 1),
    ("attempted-admin", "Attempted Administrator Privilege Gain", 1),
    ("successful-admin", "Successful Administrator Privilege Gain", 1),
    ("rpc-portmap-decode", "Decode of an RPC Query", 2),
    ("shellcode-detect", "Executable code was detected", 1),
    ("string-detect", "A suspicious string was detected", 3),
    ("suspicious-filename-detect", "A suspicious filename was detected", 2),
    ("suspicious-login", "An attempted login using a suspicious username was detected", 2),
    ("system-call-detect", "A system call was detected", 2),
    ("tcp-connection", "A TCP connection was detected", 4),
    ("trojan-activity", "A Network Trojan was detected", 1),
    ("unusual-client-port-connection", "A client was using an unusual port", 2),
    ("network-scan", "Detection of a Network Scan", 3),
    ("denial-of-service", "Detection of a Denial of Service Attack", 2),
    ("non-standard-protocol", "Detection of a non-standard protocol or event", 2),
    ("protocol-command-decode", "Generic Protocol Command Decode", 3),
    ("web-application-activity", "access to a potentially vulnerable web application", 2),
    ("web-application-attack", "Web Application Attack", 1),
    ("misc-activity", "Misc activity", 3),
    ("misc-attack", "Misc Attack", 2),
    ("icmp-event", "Generic ICMP event", 3),
    ("inappropriate-content", "Inappropriate Content was Detected", 1),
    ("policy-violation", "Potential Corporate Privacy Violation", 1),
    ("default-login-attempt", "Attempt to login by a default username and password", 2),
    ("targeted-activity", "Targeted Malicious Activity was Detected", 1),
    ("exploit-kit", "Exploit Kit Activity Detected", 1),
    ("external-ip-check", "Device Retrieving External IP Address Detected", 2),
    ("domain-c2", "Domain Observed Used for C2 Detected", 1),
    ("pup-activity", "Possibly Unwanted Program Detected", 2),
    ("credential-theft", "Successful Credential Theft Detected", 1),
    ("social-engineering", "Possible Social Engineering Attempted", 2),
    ("coin-mining", "Crypto Currency Mining Activity Detected", 2),
    ("command-and-control", "Malware Command and Control Activity Detected", 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_name_counts_and_lines_that_make_no_sense_are_told() {
        let text = "# what\n\nconfig classification: Own-Class,Words, with a comma,7\n config classification:own-class,x,1\nconfig classification: 1x,y,1\nconfig reference: a b\nconfig classification: z,y\n";
        let classes = Classes::read(text);
        let found = classes.get("OWN-class").map(|class| (class.words.as_str(), class.priority));
        assert_eq!(found, Some(("Words, with a comma", 7)));
        assert_eq!(classes.wrong(), [5, 6, 7]);
        assert!(
            classes.get("trojan-activity").is_none(),
            "a file stands in the place of what everybody uses"
        );
        assert!(Classes::default().get("trojan-activity").is_some_and(|class| class.priority == 1));
    }
}
