//! What of a rule set is wrong, what is refused, what is left out, and what is odd.

use super::*;

fn load(text: &str) -> Report {
    RuleSet::load(&[RuleFile { name: "r", text }], &Variables::default(), &|_| None).report().clone()
}

/// Where a rule is wrong, and why; it is neither loaded nor refused.
fn wrong(text: &str) -> (usize, usize, String) {
    let report = load(text);
    assert!(report.refused.is_empty() && report.loaded == 0, "{text}: {report:?}");
    let [(file, problem)] = report.problems.as_slice() else { panic!("{text}: {report:?}") };
    assert_eq!(file, "r");
    (problem.line, problem.column, problem.words.clone())
}

/// By which name a rule is refused; it is neither loaded nor wrong.
fn refused(text: &str) -> String {
    let report = load(text);
    assert!(report.problems.is_empty() && report.loaded == 0, "{text}: {report:?}");
    let [refused] = report.refused.as_slice() else { panic!("{text}: {report:?}") };
    refused.why.keyword.clone()
}

#[test]
fn options_that_could_not_be_right_in_any_edition_are_wrong_and_told_with_their_place() {
    for (options, column) in [
        ("content:abc; sid:1;", 31),
        ("content:\"|zz|\"; sid:1;", 31),
        ("content:\"\"; sid:1;", 31),
        ("msg:\"m\"; sid:seven;", 40),
        ("msg:\"m\"; sid:4294967296;", 40),
        ("sid:0;", 31),
        ("msg:\"m\";", 39),
        ("content:\"a\"; pcre:\"/(/\"; sid:1;", 44),
        ("msg:\"d; sid:4;", 31),
        ("flow:etablished; sid:1;", 31),
        ("sid:1; nocase;", 38),
        ("sid:1; app-layer-protocol:tcpp;", 38),
        ("sid:1; content:\"a\"; depth:1; within:1;", 60),
    ] {
        let text = format!("\nalert tcp any any -> any any ({options})");
        let (line, found, words) = wrong(&text);
        assert_eq!((line, found), (2, column), "{options}: {words}");
    }
}

#[test]
fn a_head_that_could_not_be_right_is_wrong_and_told_with_the_place_of_the_word() {
    for (head, column) in [
        ("alrt tcp any any -> any any", 1),
        ("alert tcpp any any -> any any", 7),
        ("alert tcp 300.1.1.1 any -> any any", 11),
        ("alert tcp $FOO any -> any any", 11),
        ("alert tcp any 99999 -> any any", 15),
        ("alert tcp any any -> !any any", 22),
        ("alert tcp any any -> any [80", 30),
        ("alert tcp any any -> any $FOO", 26),
    ] {
        for options in ["sid:1;", "nobody_knows_this; sid:1;"] {
            let (line, found, words) = wrong(&format!("{head} ({options})"));
            assert_eq!((line, found), (1, column), "{head}: {words}");
        }
    }
}

#[test]
fn that_a_semicolon_is_missing_is_said_so_where_it_should_stand() {
    for (options, column, word) in [
        ("content:\"abc\" sid:19;", 44, "sid"),
        ("content:\"abc\" nocase; sid:19;", 44, "nocase"),
        ("flow:established content:\"a\"; sid:1;", 47, "content"),
        ("reference:url,example.org sid:1;", 56, "sid"),
        ("sid:1 rev:2;", 36, "rev"),
    ] {
        let (_, found, words) = wrong(&format!("alert tcp any any -> any any ({options})"));
        assert_eq!((found, words), (column, format!("a ';' is missing before '{word}'")), "{options}");
    }
    let (_, _, words) = wrong("alert tcp any any -> any any (nocase sid:1;)");
    assert!(words.contains("is a ';' missing before 'sid'?"), "{words}");
    let (_, _, words) = wrong("alert tcp any any -> any any (msg:\"a sid:1; content:\"b\";)");
    assert!(words.contains("quotation mark is not closed") || words.contains("no 'sid'"), "{words}");
    // What stands in quotation marks is nobody's option.
    assert_eq!(load("alert tcp any any -> any any (msg:\"a sid:2; b\"; sid:1;)").problems.len(), 1);
    assert_eq!(load("alert tcp any any -> any any (msg:\"a sid:2\"; sid:1;)").loaded, 1);
}

#[test]
fn what_a_rule_of_several_lines_has_wrong_is_told_by_the_line_on_which_it_stands() {
    let (line, column, _) = wrong("# what\nalert tcp any any -> any any ( \\\n  msg:\"m\"; \\\n  sid:x;)\n");
    assert_eq!((line, column), (4, 3));
}

#[test]
fn what_exists_and_is_not_here_is_refused_by_name() {
    let with = |options: &str| refused(&format!("alert tcp any any -> any any ({options} sid:1;)"));
    for (options, name) in [
        ("lua:a.lua;", "lua"),
        ("nobody_knows_this:x;", "nobody_knows_this"),
        ("geoip:src,DE;", "geoip"),
        ("iprep:src,C,>,1;", "iprep"),
        ("app-layer-event:http.nobody_sets_this;", "app-layer-event"),
        ("decode-event:nobody.sets_this;", "decode-event"),
        ("frame:nothing;", "frame"),
        ("filemd5:absent;", "filemd5"),
        ("http.uri; dataset:isset,a,type string,load absent;", "dataset"),
        ("requires:version >= 99;", "requires"),
        // It is written for others, in whatever words.
        ("content:abc; requires:feature nothing_of_ours;", "requires"),
    ] {
        assert_eq!(with(options), name, "{options}");
    }
    for head in ["jabber", "tls:nothing", "tcp:pre_flow"] {
        assert_eq!(refused(&format!("alert {head} any any -> any any (sid:1;)")), HEAD, "{head}");
    }
    assert_eq!(refused("accept tcp any any -> any any (sid:1;)"), HEAD);
    assert_eq!(refused("drop:packet tcp any any -> any any (sid:1;)"), HEAD);
}

#[test]
fn of_two_rules_of_one_number_the_higher_revision_stays_and_else_the_first() {
    let rule = |rev: u32| format!("alert tcp any any -> any any (sid:5; rev:{rev};)\n");
    let (one, other) = ([rule(2), rule(3), rule(3)].concat(), rule(1));
    let files = [RuleFile { name: "one", text: &one }, RuleFile { name: "other", text: &other }];
    let set = RuleSet::load(&files, &Variables::default(), &|_| None);
    let told: Vec<String> = set
        .report()
        .repeated
        .iter()
        .map(|it| {
            let place = |place: &Place| format!("{}:{} rev {}", place.file, place.line, place.rev);
            format!("{}:{}: {} out, {} stays", it.gid, it.sid, place(&it.left_out), place(&it.stays))
        })
        .collect();
    assert_eq!(
        told,
        [
            "1:5: one:1 rev 2 out, one:2 rev 3 stays",
            "1:5: one:3 rev 3 out, one:2 rev 3 stays",
            "1:5: other:1 rev 1 out, one:2 rev 3 stays"
        ]
    );
    assert_eq!((set.report().total, set.report().loaded, set.rules[0].meta.rev), (4, 1, 3));
}

#[test]
fn a_class_that_nobody_described_is_a_warning_and_one_that_is_described_gives_words_and_priority() {
    let text = "\nalert tcp any any -> any any (msg:\"m\"; classtype:own; sid:1;)\nalert tcp any any -> any any (classtype:Misc-Attack; priority:3; sid:2;)";
    let files = [RuleFile { name: "r", text }];
    let class = |variables: &Variables| {
        let set = RuleSet::load(&files, variables, &|_| None);
        let places: Vec<_> =
            set.report().warnings.iter().map(|(_, warning)| (warning.line, warning.column)).collect();
        let meta = |sid| {
            let rule = set.rules.iter().find(|rule| rule.meta.sid == sid);
            rule.map(|rule| (rule.meta.class.clone(), rule.meta.priority)).unwrap_or_default()
        };
        (places, meta(1), meta(2))
    };
    let mut variables = Variables::default();
    assert_eq!(class(&variables), (vec![(2, 40)], (String::new(), 3), ("Misc Attack".to_owned(), 3)));
    variables.set_classes(crate::rule::Classes::read("config classification: own,Our own,1"));
    assert_eq!(class(&variables), (vec![(3, 31)], ("Our own".to_owned(), 1), (String::new(), 3)));
}
