//! What comes of a rule's text.

use super::*;

const TEXT: &str =
    "alert tcp any any -> any any (msg:\"x\"; threshold: type limit, seconds 60; sid:7; rev:3;)";

/// A line of a modify list, applied to a rule.
fn edited(line: &str, text: &str) -> Result<String, Fault> {
    let rule = Rule::parse(text, 0, 1).expect("it is a rule");
    let (_, edit) = parse(line).unwrap_or_else(|(at, fault)| panic!("{line}: byte {at}: {fault}"));
    edit.apply(&rule).map(|rule| rule.text())
}

fn with(from: &str, to: &str) -> String {
    TEXT.replacen(from, to, 1)
}

#[test]
fn what_is_found_becomes_what_is_wanted_everywhere() {
    assert_eq!(edited(r#"7 "seconds \d+" "seconds 90""#, TEXT), Ok(with("seconds 60", "seconds 90")));
    assert_eq!(edited("7 any some", TEXT), Ok(TEXT.replace("any", "some")));
    assert_eq!(edited("re:. ^alert drop", TEXT), Ok(with("alert", "drop")));
    assert_eq!(edited("7 ALERT drop", TEXT), Ok(TEXT.into()), "case counts");
}

#[test]
fn groups_come_back_in_every_notation() {
    for to in [r#""drop\\2""#, r"'drop\2'", r"'drop\g<2>'", "'drop${2}'", r"'drop\g<rest>'"] {
        assert_eq!(edited(&format!("7 '(alert)(?P<rest>.*)' {to}"), TEXT), Ok(with("alert", "drop")), "{to}");
    }
    assert_eq!(
        edited(r"7 '(zzz)?seconds 60' 'seconds 1\1'", TEXT),
        Ok(with("60", "1")),
        "a group without a find is empty"
    );
    assert_eq!(
        edited(r#"modifysid 7 "^alert(.*)60(.*)" | "drop${1}61${2}""#, TEXT),
        Ok(with("alert", "drop").replace("60", "61"))
    );
}

#[test]
fn a_dollar_and_other_signs_stand_for_themselves() {
    let text = TEXT.replacen("any any ->", "$EXTERNAL_NET any ->", 1);
    let right = text.replace("$EXTERNAL_NET", "!$HOME_NET");
    for line in [r#"7 "\$EXTERNAL_NET" "!\$HOME_NET""#, r#"7 "\\$EXTERNAL_NET" "!$HOME_NET""#] {
        assert_eq!(edited(line, &text), Ok(right.clone()), "{line}");
    }
    assert_eq!(edited(r#"7 'msg:"x";' 'msg:"a\;\\b\tc";'"#, TEXT), Ok(with("\"x\"", "\"a\\;\\b\tc\"")));
}

#[test]
fn a_rule_can_be_disabled_and_enabled_by_its_text() {
    assert_eq!(edited("7 ^alert '# alert'", TEXT), Ok(format!("# {TEXT}")));
    assert_eq!(edited("7 '^# ' ''", &format!("#{TEXT}")), Ok(TEXT.into()));
    assert_eq!(
        edited("7 ^alert drop", &format!("#{TEXT}")),
        Ok(format!("# {TEXT}")),
        "it stands behind a hash"
    );
}

#[test]
fn metadata_is_added_at_the_end() {
    let right = with("rev:3;)", "rev:3; metadata: shown-as note;)");
    assert_eq!(edited(r#"metadata-add re:"any any" "shown-as" "note""#, TEXT), Ok(right.clone()));
    assert_eq!(
        edited("metadata-add 7 shown-as note", &TEXT.replace("3;)", "3 ; )")),
        Ok(right.replace("3;", "3 ;"))
    );
}

#[test]
fn what_would_be_no_rule_is_refused() {
    let because = |line: &str| match edited(line, TEXT) {
        Err(Fault::NoLongerARule { rule: RuleId { gid: 1, sid: 7 }, because }) => *because,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(because("7 sid: sod:"), Fault::NoSid);
    assert_eq!(because("7 ^alert alarm"), Fault::Action { found: "alarm".into() });
    assert_eq!(because("7 ';\\)' ')'"), Fault::Semicolon);
    let long = "y".repeat(3_000);
    assert!(
        matches!(because(&format!("7 . {long}")), Fault::RuleTooLong { bytes } if bytes < RULE_BYTES_MAX + 4_000)
    );
}

#[test]
fn a_replacement_that_says_the_rule_a_thousand_times_makes_no_gigabytes() {
    let text = TEXT.replace("\"x\"", &format!("\"{}\"", "x".repeat(RULE_BYTES_MAX / 2)));
    let told = edited(&format!("7 '(.*)' '{}'", r"\1".repeat(30_000)), &text);
    let Err(Fault::NoLongerARule { because, .. }) = told else { panic!("it was taken") };
    assert!(matches!(*because, Fault::RuleTooLong { bytes } if bytes < 2 * RULE_BYTES_MAX));
}

#[test]
fn half_a_character_is_refused() {
    let text = TEXT.replace("\"x\"", "\"\u{e4}\"");
    let told = edited(r#"7 'msg:"(?-u:.)' 'msg:"'"#, &text);
    assert_eq!(told, Err(Fault::NotText { rule: RuleId { gid: 1, sid: 7 } }));
}

#[test]
fn a_rule_that_drops_is_the_same_but_for_its_action() {
    let rule = Rule::parse(&format!("#{TEXT}"), 0, 1).expect("it is a rule");
    let dropped = drop(&rule);
    assert_eq!(dropped.text(), format!("# {}", with("alert", "drop")));
    assert_eq!(Rule { raw: rule.raw.clone(), ..dropped }, rule);
}
