//! The list of cases, as it is written down.
//!
//! Promises that a list is taken in full or refused: each case that is wrong is told by its number, its folder if it names one, and what would be right.
//! What a case says beside the fields that are asked for is passed over.

use crate::excerpt::{LINES_TOLD_MAX, excerpt, first};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What a case looks like.
const RIGHT: &str =
    r#"{"dir":"web","pcap":"input.pcap","rules":"test.rules","area":"http","truth":{"2001":3}}"#;

/// A capture, rules, and what is to be reported.
#[derive(Deserialize)]
pub(super) struct Case {
    /// The folder below that of all cases; it is also what a case is called.
    pub(super) dir: String,
    pub(super) pcap: String,
    pub(super) rules: String,
    #[serde(default)]
    pub(super) area: String,
    /// Sid, and how often it is to alert; what is not named is not to alert.
    pub(super) truth: BTreeMap<String, u64>,
}

/// The cases of a list; there is at least one.
pub(super) fn read(path: &Path) -> Result<Vec<Case>, String> {
    let told = |words: String| format!("{}: {words}", path.display());
    let bytes = fs::read(path).map_err(|error| told(error.to_string()))?;
    parse(&bytes).map_err(told)
}

fn parse(bytes: &[u8]) -> Result<Vec<Case>, String> {
    let list: Value = serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
    let Value::Array(list) = list else {
        return Err(format!("no list of cases; right would be [{RIGHT}]"));
    };
    if list.is_empty() {
        return Err(format!("there is no case in this list; right would be [{RIGHT}]"));
    }
    let mut cases = Vec::with_capacity(list.len());
    let mut wrong = Vec::new();
    for (number, value) in (1..).zip(list) {
        let name = value.get("dir").and_then(Value::as_str).map(excerpt);
        match case(value) {
            Ok(case) => cases.push(case),
            Err(error) => {
                let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
                wrong.push(format!("case {number}{name}: {}", excerpt(&error)));
            }
        }
    }
    if wrong.is_empty() {
        return Ok(cases);
    }
    let count = wrong.len();
    let wrong = first(wrong, count, LINES_TOLD_MAX).join("\n  ");
    Err(format!("{count} of {} cases are wrong:\n  {wrong}\nright would be {RIGHT}", cases.len() + count))
}

fn case(value: Value) -> Result<Case, String> {
    let case: Case = serde_json::from_value(value).map_err(|error| error.to_string())?;
    match case.truth.keys().find(|sid| sid.parse::<u32>().is_err()) {
        Some(sid) => Err(format!("truth: `{sid}` is no number of a rule")),
        None => Ok(case),
    }
}

/// Those whose folder or area contains `only`; there is at least one.
pub(super) fn chosen<'a>(cases: &'a [Case], only: Option<&str>) -> Result<Vec<&'a Case>, String> {
    let Some(only) = only else { return Ok(cases.iter().collect()) };
    let is_meant = |case: &&Case| case.dir.contains(only) || case.area.contains(only);
    let chosen: Vec<&Case> = cases.iter().filter(is_meant).collect();
    if chosen.is_empty() {
        let areas: BTreeSet<&str> = cases.iter().map(|case| case.area.as_str()).collect();
        let count = areas.len();
        let areas = first(areas.into_iter().map(excerpt), count, LINES_TOLD_MAX).join(", ");
        return Err(format!("--only {only}: no case's folder or area contains this; areas are: {areas}"));
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text.as_bytes()).err().expect("it is refused")
    }

    #[test]
    fn the_example_of_what_is_right_is_right() {
        let more = RIGHT.replace("{\"dir\"", "{\"tier\":\"gold\",\"dir\"");
        let cases = parse(format!("[{RIGHT},{more}]").as_bytes()).expect("it is right");
        assert_eq!((cases.len(), cases[0].truth["2001"]), (2, 3));
    }

    #[test]
    fn a_case_that_is_wrong_is_named() {
        let wrong = RIGHT.replace("\"pcap\"", "\"cpap\"");
        let told = refused(&format!("[{RIGHT},{wrong},7]"));
        assert!(told.starts_with("2 of 3 cases are wrong:\n  case 2 (web): missing field `pcap`"), "{told}");
        assert!(told.contains("\n  case 3: ") && told.ends_with(RIGHT), "{told}");
        assert!(refused(&format!("[{}]", RIGHT.replace(":3}", ":-3}"))).contains("case 1 (web): "));
        let told = refused(&format!("[{}]", RIGHT.replace("\"2001\"", "\"two\"")));
        assert!(told.contains("`two` is no number of a rule"), "{told}");
    }

    #[test]
    fn what_is_no_list_or_an_empty_one_is_refused() {
        assert!(refused("[").starts_with("no JSON: "));
        assert!(refused("{}").starts_with("no list of cases"));
        assert!(refused("[]").starts_with("there is no case in this list"));
    }

    #[test]
    fn a_choice_that_means_nothing_is_refused_with_what_there_is() {
        let cases = parse(format!("[{RIGHT}]").as_bytes()).expect("it is right");
        for only in ["we", "http"] {
            assert_eq!(chosen(&cases, Some(only)).expect("there is one").len(), 1);
        }
        let told = chosen(&cases, Some("dns")).err().expect("there is none");
        assert!(told.contains("--only dns") && told.ends_with("areas are: http"), "{told}");
    }
}
