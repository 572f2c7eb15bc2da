//! Which rules a line of a list means.
//!
//! In this order, the first that fits the text:
//!   - `*`: every rule;
//!   - `SID`, `GID:SID` or `GID:SID:REV`, several with commas between them;
//!   - `re:REGEX`: rules in whose text the expression is found; case does not count;
//!   - `filename:PATTERN`: rules of files whose whole path fits;
//!   - `group:PATTERN`, or any text that ends with `.rules`: rules of files whose name, with or without what stands
//!     behind its last dot, fits;
//!   - `metadata: KEY VALUE`: rules that say this; case does not count.

use crate::Fault;
use crate::glob::{Glob, base, stem};
use crate::rule::{Rule, RuleId, number};
use regex::bytes::{Regex, RegexBuilder};

/// How much memory one regular expression may take. At it: its line is told.
pub const REGEX_BYTES_MAX: usize = 1 << 20;

/// Which rules are meant.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    All,
    /// These, in any revision or in one.
    Ids(Vec<(RuleId, Option<u32>)>),
    Text(Regex),
    File(Glob),
    Group(Glob),
    /// In lower case.
    Metadata {
        key: String,
        value: String,
    },
}

impl Matcher {
    /// Reads what stands before a change, or says at which byte it is wrong.
    pub(crate) fn parse(text: &str) -> Result<Matcher, (usize, Fault)> {
        if text.trim() == "*" {
            return Ok(Matcher::All);
        }
        if text.trim_start().starts_with(|first: char| first.is_ascii_digit()) {
            // A file's name may begin with a digit.
            return ids(text)
                .or_else(|error| if text.ends_with(".rules") { Ok(group(text)) } else { Err(error) });
        }
        if let Some(pattern) = text.strip_prefix("re:") {
            let at = 3 + pattern.len() - pattern.trim_start().len();
            let pattern = given("re:", pattern)?;
            return regex(pattern, true).map(Matcher::Text).map_err(|fault| (at, fault));
        }
        if let Some(pattern) = text.strip_prefix("filename:") {
            return Ok(Matcher::File(Glob::new(given("filename:", pattern)?)));
        }
        if let Some(pattern) = text.strip_prefix("group:") {
            return Ok(group(given("group:", pattern)?));
        }
        if let Some(entry) = text.strip_prefix("metadata:") {
            let (key, value) =
                given("metadata:", entry)?.split_once(' ').ok_or((0, Fault::MetadataWithoutValue))?;
            return Ok(Matcher::Metadata { key: key.to_lowercase(), value: value.trim().to_lowercase() });
        }
        if text.ends_with(".rules") {
            return Ok(group(text.trim()));
        }
        Err((0, unknown(text)))
    }

    /// Whether it means a rule, which stood in a file of this name.
    pub(crate) fn matches(&self, rule: &Rule, file: &str) -> bool {
        match self {
            Matcher::All => true,
            Matcher::Ids(ids) => {
                ids.iter().any(|(id, rev)| *id == rule.id && rev.is_none_or(|rev| rev == rule.rev))
            }
            Matcher::Text(regex) => regex.is_match(rule.raw.as_bytes()),
            Matcher::File(pattern) => pattern.matches(file),
            Matcher::Group(pattern) => pattern.matches(base(file)) || pattern.matches(stem(base(file))),
            Matcher::Metadata { key, value } => rule.metadata.iter().any(|entry| {
                let entry = entry.to_lowercase();
                entry.split_once(' ').is_some_and(|(found, rest)| found == key && rest.trim() == value)
            }),
        }
    }
}

/// Compiles an expression that sees bytes, so that a replacement within a character can be told instead of being refused
/// beforehand.
pub(crate) fn regex(pattern: &str, is_any_case: bool) -> Result<Regex, Fault> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(is_any_case)
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|error| Fault::Regex { what: in_short(&error) })
}

/// The last line of what is said, without the drawing above it.
fn in_short(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(bytes) => format!("it needs more than {bytes} bytes of memory"),
        other => {
            let all = other.to_string();
            let last = all.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_string()
        }
    }
}

fn group(text: &str) -> Matcher {
    Matcher::Group(Glob::new(text))
}

/// What stands behind the name of a matcher.
fn given<'a>(matcher: &'static str, text: &'a str) -> Result<&'a str, (usize, Fault)> {
    let text = text.trim();
    if text.is_empty() { Err((0, Fault::NothingToMatch { matcher })) } else { Ok(text) }
}

fn ids(text: &str) -> Result<Matcher, (usize, Fault)> {
    let mut ids = Vec::new();
    let mut at = 0;
    for entry in text.split(',') {
        let here = at + entry.len() - entry.trim_start().len();
        ids.push(id(entry).map_err(|fault| (here, fault))?);
        at += entry.len() + 1;
    }
    Ok(Matcher::Ids(ids))
}

fn id(entry: &str) -> Result<(RuleId, Option<u32>), Fault> {
    let parts: Vec<&str> = entry.split(':').collect();
    match parts[..] {
        [sid] => Ok((RuleId { gid: 1, sid: number("sid", sid)? }, None)),
        [gid, sid] => Ok((RuleId { gid: number("gid", gid)?, sid: number("sid", sid)? }, None)),
        [gid, sid, rev] => {
            let id = RuleId { gid: number("gid", gid)?, sid: number("sid", sid)? };
            Ok((id, Some(number("revision", rev)?)))
        }
        _ => Err(Fault::Number { of: "GID:SID", found: entry.trim().to_string() }),
    }
}

fn unknown(text: &str) -> Fault {
    let missing = [
        ("classtype:", "`re:classtype:NAME` finds rules of a class"),
        ("multi:", "a regular expression can ask for several things at once, as in `re:NAME.*OTHER`"),
        ("sid:", "a sid is written as a number alone"),
        ("msg:", "`re:msg:.*TEXT` finds rules by what they say"),
    ];
    match missing.into_iter().find(|(found, _)| text.starts_with(found)) {
        Some((found, instead)) => Fault::NoSuchMatcher { found, instead },
        None => Fault::UnknownMatcher { found: text.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "alert tcp any any -> any any (msg:\"Slow reader\"; metadata:policy Security-ips, deployment Perimeter; \
                        classtype:trojan-activity; sid:7; rev:3;)";

    /// Whether the text of a matcher means [`TEXT`], in a file of this name.
    fn matches_in(text: &str, file: &str) -> bool {
        let rule = Rule::parse(TEXT, 0, 1).expect("it is a rule");
        Matcher::parse(text).expect("it is a matcher").matches(&rule, file)
    }

    fn matches(text: &str) -> bool {
        matches_in(text, "rules/emerging-dos.rules")
    }

    fn wrong(text: &str) -> (usize, String) {
        let (at, fault) = Matcher::parse(text).expect_err("it is no matcher");
        (at, fault.to_string())
    }

    #[test]
    fn a_number_is_a_sid_and_two_are_a_gid_and_a_sid() {
        assert!(matches("7") && matches("1:7") && matches("1:7:3") && matches("5, 3:7, 1:7"));
        assert!(!matches("8") && !matches("3:7") && !matches("1:7:2"));
    }

    #[test]
    fn an_expression_is_looked_for_in_the_whole_text_whatever_the_case() {
        assert!(matches("re:slow\\s+reader") && matches("re: CLASSTYPE:trojan-activity") && matches("re:."));
        assert!(!matches("re:slowreader") && !matches("re:^tcp"));
    }

    #[test]
    fn a_group_is_a_file_without_its_folder_and_with_or_without_its_ending() {
        for text in [
            "group:emerging-dos",
            "group: emerging-dos.rules",
            "emerging-dos.rules",
            "group:*dos*",
            "*-dos.rules",
        ] {
            assert!(matches(text), "{text}");
        }
        for text in ["group:rules/emerging-dos", "group:dos", "emerging-do.rules", "group:Emerging-dos"] {
            assert!(!matches(text), "{text}");
        }
        assert!(matches_in("3coresec.rules", "3coresec.rules"));
    }

    #[test]
    fn a_filename_is_the_whole_path() {
        assert!(matches("filename:rules/*dos*") && matches("filename:*/emerging-dos.rules"));
        assert!(!matches("filename:emerging-dos.rules") && !matches("filename:rules/emerging-dos"));
    }

    #[test]
    fn metadata_is_a_key_and_a_value_whatever_the_case() {
        assert!(matches("metadata: deployment perimeter") && matches("metadata:POLICY security-ips"));
        assert!(!matches("metadata: deployment internal") && !matches("metadata: policy security"));
    }

    #[test]
    fn what_means_no_rule_is_told_with_what_would() {
        assert_eq!(wrong("1:2, x:3"), (5, "`x` is no gid; a number up to 4294967295 would be".into()));
        assert_eq!(wrong("1:2:3:4").1, "`1:2:3:4` is no GID:SID; a number up to 4294967295 would be");
        assert_eq!(wrong("99999999999").1, "`99999999999` is no sid; a number up to 4294967295 would be");
        assert_eq!(wrong("group: ").1, "nothing stands behind `group:`");
        assert!(wrong("metadata: deployment").1.contains("needs a key and a value"));
        assert!(
            wrong("emerging-dos").1.starts_with("`emerging-dos` does not say which rules are meant; a sid,")
        );
        assert!(wrong("classtype:trojan-activity").1.ends_with("`re:classtype:NAME` finds rules of a class"));
        assert!(wrong("multi:re:a;re:b;").1.starts_with("there is no matcher `multi:`"));
    }

    #[test]
    fn an_expression_that_cannot_be_had_is_told_where_it_begins() {
        let (at, what) = wrong("re: (open");
        assert_eq!((at, what.as_str()), (4, "this regular expression cannot be had: unclosed group"));
        assert!(wrong("re:(?=ahead)").1.contains("look-around"), "{}", wrong("re:(?=ahead)").1);
        assert!(wrong("re:(a{1000}){1000}").1.contains("more than 1048576 bytes of memory"));
    }
}
