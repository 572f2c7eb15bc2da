//! What is a rule, what is none, and what is known of it.

use super::*;

fn rule(text: &str) -> Rule {
    Rule::parse(text, 0, 1).unwrap_or_else(|(at, fault)| panic!("{text}: byte {at}: {fault}"))
}

fn wrong(text: &str) -> (usize, Fault) {
    Rule::parse(text, 0, 1).expect_err("it is no rule")
}

const HEAD: &str = "alert tcp $HOME_NET any -> any [80, 8080]";

#[test]
fn what_is_known_of_a_rule_is_read_and_its_text_stays() {
    let text = format!(
        "{HEAD} (msg:\"a \\; b (c)\"; gid:3; sid: 7 ; rev:2; noalert; metadata:a b, c d; metadata:e f;)"
    );
    let rule = rule(&format!("  {text}\t"));
    assert_eq!((rule.id, rule.rev, rule.is_enabled), (RuleId { gid: 3, sid: 7 }, 2, true));
    assert_eq!(rule.metadata, ["a b", "c d", "e f"]);
    assert!(rule.is_silent);
    assert_eq!((rule.raw.as_str(), rule.text()), (text.as_str(), text.clone()));
    assert_eq!(rule.id.to_string(), "3:7");
}

#[test]
fn a_rule_behind_a_hash_is_disabled() {
    for before in ["#", "# ", "## # "] {
        let rule = rule(&format!("{before}{HEAD} (sid:7;)"));
        assert!(!rule.is_enabled);
        assert_eq!(rule.text(), format!("# {HEAD} (sid:7;)"));
    }
    assert_eq!((rule("alert (sid:7;)").rev, rule("alert (sid:7;)").id.gid), (0, 1));
}

#[test]
fn flowbits_that_are_set_and_asked_about_are_known_without_blanks() {
    let rule = rule(
        "alert (flowbits: set , a ; flowbits:isset,b | c;flowbits:toggle,d; flowbits:isnotset,e; flowbits:set; sid:7;)",
    );
    let bits: Vec<(BitUse, &str)> = rule.bits.iter().map(|(how, bit)| (*how, bit.as_str())).collect();
    let right = [
        (BitUse::Sets, "a"),
        (BitUse::Asks, "b"),
        (BitUse::Asks, "c"),
        (BitUse::Sets, "d"),
        (BitUse::Asks, "e"),
    ];
    assert_eq!(bits, right);
    assert!(!rule.is_silent);
    assert!(self::rule("alert (flowbits:noalert; sid:7;)").is_silent);
}

#[test]
fn a_rule_is_silenced_before_its_sid_and_once() {
    let silenced = |text: &str| {
        let mut rule = rule(text);
        rule.silence();
        rule.silence();
        assert!(self::rule(&rule.raw).is_silent);
        rule.raw
    };
    assert_eq!(
        silenced("alert (msg:\"sid:1\"; sid: 7; rev:2;)"),
        "alert (msg:\"sid:1\"; noalert; sid: 7; rev:2;)"
    );
    assert_eq!(silenced("alert (sid:7;)"), "alert ( noalert;sid:7;)");
    assert_eq!(silenced("alert (noalert; sid:7;)"), "alert (noalert; sid:7;)");
}

#[test]
fn what_is_no_rule_is_told_where() {
    assert_eq!(wrong("something else"), (0, Fault::NotARule));
    assert_eq!(wrong("  alert tcp any any -> any any"), (2, Fault::NotARule));
    assert_eq!(wrong("# a remark (on this)"), (2, Fault::NotARule));
    assert_eq!(wrong(&format!("{HEAD} (sid:7;) # why")), (0, Fault::NotARule));
    assert_eq!(wrong("alert tcp any any -> any (sid:7;)"), (0, Fault::Head { words: 6 }));
    let action = Fault::Action { found: "alarm".into() };
    assert_eq!(wrong("alarm tcp any any -> any any (sid:7;)"), (0, action));
    assert_eq!(wrong("alert (msg:\"x\"; rev:1;)"), (0, Fault::NoSid));
    assert_eq!(wrong("alert (sid:0;)"), (0, Fault::NoSid));
    assert_eq!(wrong("alert (rev:1; sid:7)"), (14, Fault::Semicolon));
    assert_eq!(wrong("alert (sid:7; msg:\"x\\;)"), (14, Fault::Semicolon));
    let number = Fault::Number { of: "sid", found: "-7".into() };
    assert_eq!(wrong("alert (rev:1;  sid: -7;)"), (15, number));
    let long = format!("alert (msg:\"{}\"; sid:7;)", "x".repeat(RULE_BYTES_MAX));
    assert!(matches!(wrong(&long), (0, Fault::RuleTooLong { bytes }) if bytes == long.len()));
}

#[test]
fn what_a_rule_says_can_be_asked_by_name() {
    let text = r#"alert http any any -> [1.2.3.4, 5.6.7.8] any (msg:"a \; b"; classtype:misc-attack; sid:7; rev:2;)"#;
    let rule = Rule::parse(text, 0, 1).expect("a rule");
    assert_eq!((rule.action(), rule.protocol()), ("alert", Some("http")));
    assert_eq!((rule.option("msg"), rule.option("classtype")), (Some(r#""a \; b""#), Some("misc-attack")));
    assert_eq!(rule.option("reference"), None);
    let rule = Rule::parse("alert (sid:7;)", 0, 1).expect("a rule");
    assert_eq!((rule.action(), rule.protocol()), ("alert", None));
}
