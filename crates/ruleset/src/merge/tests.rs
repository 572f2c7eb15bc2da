//! Scenarios: files and lists as an operator has them, and what comes of them.

use super::*;

/// A rule with what an operator would ask for; `more` are further options.
fn rule(sid: u32, msg: &str, more: &str) -> String {
    format!("alert tcp any any -> any any (msg:\"{msg}\"; {more}sid:{sid}; rev:1;)")
}

fn list(kind: Kind, text: &str) -> List {
    List::parse(kind, &format!("{kind:?}.conf").to_lowercase(), text).expect("the list is well")
}

/// The sids of enabled rules, and of disabled ones.
fn sids(merged: &Merged) -> (Vec<u32>, Vec<u32>) {
    let of = |is_enabled| {
        merged.rules.iter().filter(move |rule| rule.is_enabled == is_enabled).map(|rule| rule.id.sid)
    };
    (of(true).collect(), of(false).collect())
}

/// Three files: two rules that are on and one that is off; one of each; one with a class.
fn three_files() -> [(&'static str, String); 3] {
    let scan = [rule(1, "SCAN one", ""), format!("#{}", rule(2, "SCAN two", "")), rule(3, "SCAN nmap", "")];
    let dos = ["# a remark".into(), rule(4, "DOS Slow reader", ""), format!("# {}", rule(5, "DOS old", ""))];
    let mail = [rule(6, "MAIL", "metadata:deployment Perimeter; classtype:trojan-activity; ")];
    [
        ("rules/emerging-scan.rules", scan.join("\n")),
        ("rules/emerging-dos.rules", dos.join("\r\n")),
        ("local/mail.rules", mail.join("\n")),
    ]
}

fn merge_three(lists: &[List]) -> Merged {
    let files = three_files();
    let files: Vec<RuleFile<'_>> = files.iter().map(|(name, text)| RuleFile { name, text }).collect();
    merge(&files, lists)
}

/// What the only file of a scenario becomes.
fn merge_one(text: &str, lists: &[List]) -> Merged {
    merge(&[RuleFile { name: "one.rules", text }], lists)
}

#[test]
fn without_lists_the_files_come_out_by_name_without_remarks() {
    let merged = merge_three(&[]);
    assert_eq!(sids(&merged), (vec![6, 4, 1, 3], vec![5, 2]));
    let lines: Vec<String> = merged.text().lines().map(str::to_string).collect();
    assert_eq!(lines[0], rule(6, "MAIL", "metadata:deployment Perimeter; classtype:trojan-activity; "));
    assert_eq!(lines[2], format!("# {}", rule(5, "DOS old", "")));
    let Report { read, rules, rules_enabled, problems, .. } = merged.report;
    assert_eq!((read, rules, rules_enabled, problems), (6, 6, 4, vec![]));
}

#[test]
fn what_comes_out_goes_in_and_comes_out_the_same() {
    let text = merge_three(&[list(Kind::Disable, "group:emerging-scan")]).text();
    assert_eq!(merge_one(&text, &[]).text(), text);
}

#[test]
fn an_operator_who_enables_what_another_list_disables_has_it_enabled() {
    let lists = [
        list(Kind::Enable, "2\nre:nmap\n"),
        list(Kind::Disable, "# too loud\ngroup:emerging-scan.rules\n7\n"),
    ];
    let merged = merge_three(&lists);
    assert_eq!(sids(&merged), (vec![6, 4, 2, 3], vec![5, 1]));
    let report = merged.report;
    assert_eq!((report.disabled, report.enabled), (2, 2));
    let lines: Vec<String> = report.lines.iter().map(ToString::to_string).collect();
    let right = [
        "enable.conf:1: `2` means 1 rules; 1 enabled",
        "enable.conf:2: `re:nmap` means 1 rules; 1 enabled",
        "disable.conf:2: `group:emerging-scan.rules` means 3 rules; 2 disabled",
        "disable.conf:3: `7` means no rule",
    ];
    assert_eq!(lines, right);
}

#[test]
fn the_first_line_that_disables_a_rule_has_done_it() {
    let merged = merge_three(&[list(Kind::Disable, "re:slow.reader\n1:4\nmetadata: deployment perimeter")]);
    let changed: Vec<(usize, usize)> =
        merged.report.lines.iter().map(|line| (line.matched, line.changed)).collect();
    assert_eq!(changed, [(1, 1), (1, 0), (1, 1)]);
    assert_eq!(merged.report.disabled, 2);
}

#[test]
fn everything_is_disabled_but_one_class() {
    let merged = merge_three(&[list(Kind::Disable, "*"), list(Kind::Enable, "re:classtype:trojan-activity")]);
    assert_eq!(sids(&merged).0, [6]);
}

#[test]
fn rules_drop_but_for_those_that_never_alert() {
    let text = [
        rule(1, "a", ""),
        format!("#{}", rule(2, "b", "")),
        rule(3, "c", "flowbits:noalert; "),
        rule(4, "d", "noalert; "),
    ];
    let merged = merge_one(&text.join("\n"), &[list(Kind::Drop, "*\n1")]);
    let actions: Vec<bool> = merged.rules.iter().map(|rule| rule.raw.starts_with("drop tcp")).collect();
    assert_eq!(actions, [true, true, false, false]);
    assert_eq!((merged.report.dropped, merged.report.rules_enabled), (2, 3));
    assert_eq!(merged.report.lines[0].to_string(), "drop.conf:1: `*` means 4 rules; 2 made drop");
    assert_eq!(merged.report.lines[1].changed, 0);
}

#[test]
fn modifications_work_one_after_the_other_after_rules_were_made_drop() {
    let lists = [
        list(Kind::Modify, "re:^drop 'any any ->' '!$HOME_NET any ->'\n* '!(\\$HOME_NET)' '\\1'\n9 a b"),
        list(Kind::Drop, "group:emerging-dos"),
    ];
    let merged = merge_three(&lists);
    let line = merged.text().lines().nth(1).expect("there are six").to_string();
    assert!(line.starts_with("drop tcp $HOME_NET any -> any any (msg:\"DOS Slow reader\""), "{line}");
    assert_eq!((merged.report.modified, merged.report.dropped), (2, 2));
    let counts: Vec<(usize, usize)> =
        merged.report.lines.iter().map(|line| (line.matched, line.changed)).collect();
    assert_eq!(counts[..3], [(2, 2), (6, 2), (0, 0)]);
}

#[test]
fn a_group_means_a_rule_also_after_it_was_made_drop() {
    let lists = [list(Kind::Drop, "4"), list(Kind::Modify, "group:emerging-dos Slow Fast")];
    assert!(merge_three(&lists).text().contains("drop tcp any any -> any any (msg:\"DOS Fast reader\""));
}

#[test]
fn a_modification_that_would_spoil_rules_leaves_them_and_is_told_once() {
    let merged = merge_three(&[list(Kind::Modify, "# what a mistake\n* 'sid:\\d+;' ''\n4 Slow Fast")]);
    assert_eq!(sids(&merged), (vec![6, 4, 1, 3], vec![5, 2]));
    assert_eq!(merged.report.modified, 1);
    assert_eq!(
        merged.report.lines[0].to_string(),
        "modify.conf:2: `* 'sid:\\d+;' ''` means 6 rules; 0 modified, 6 left as they were"
    );
    let problems: Vec<String> = merged.report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["modify.conf:2:1: rule 1:6 would be no rule any more, and was left as it is: the rule has no sid"]
    );
}

#[test]
fn a_rule_gets_a_new_sid_but_never_that_of_another() {
    let merged = merge_three(&[list(Kind::Modify, "1 sid:1 sid:100\n3 sid:3 sid:100\n4 sid:4 sid:6")]);
    assert_eq!(sids(&merged).0, [6, 4, 100, 3]);
    let problems: Vec<String> = merged.report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems[0],
        "modify.conf:3:1: rule 1:4 would become 1:6, which is there already, and was left as it is"
    );
    assert!(problems[1].starts_with("modify.conf:2:1: rule 1:3 would become 1:100"), "{}", problems[1]);
}

#[test]
fn of_two_rules_with_one_sid_the_higher_revision_stays_where_the_first_was() {
    let old = rule(1, "old", "");
    let new = old.replace("old", "new").replace("rev:1", "rev:2");
    let same = rule(2, "first", "");
    let again = rule(2, "again", "");
    let other_gid = rule(2, "other", "gid:3; ");
    let text = [&old, &same, &new, &again, &other_gid].map(String::as_str).join("\n");
    let merged = merge_one(&text, &[]);
    assert_eq!(merged.text(), format!("{new}\n{same}\n{other_gid}\n"));
    let told: Vec<String> = merged.report.duplicates.iter().map(ToString::to_string).collect();
    assert_eq!(told[0], "one.rules:1: rule 1:1 (revision 1) is left out: revision 2 stands at one.rules:3");
    assert_eq!(told[1], "one.rules:4: rule 1:2 (revision 1) is left out: revision 1 stands at one.rules:2");
    assert_eq!(told.len(), 2);
}

#[test]
fn a_disabled_rule_of_a_higher_revision_stays_disabled() {
    let text = format!("{}\n#{}", rule(1, "a", ""), rule(1, "b", "").replace("rev:1", "rev:2"));
    assert_eq!(sids(&merge_one(&text, &[])), (vec![], vec![1]));
}

#[test]
fn a_disabled_rule_that_sets_what_an_enabled_one_asks_about_is_enabled_and_so_on() {
    let text = [
        format!("#{}", rule(1, "sets a", "flowbits:set,a; ")),
        format!("#{}", rule(2, "sets b, asks a", "flowbits:isset,a; flowbits:set,b; ")),
        rule(3, "asks b", "flowbits:isset, b; "),
        format!("#{}", rule(4, "sets c", "flowbits:set,c; ")),
        format!("#{}", rule(5, "asks c", "flowbits:isset,c; ")),
        format!("#{}", rule(6, "clears b", "flowbits:unset,b; ")),
    ];
    let merged = merge_one(&text.join("\n"), &[]);
    assert_eq!(sids(&merged), (vec![1, 2, 3, 6], vec![4, 5]));
    assert!(
        merged.rules.iter().all(|rule| rule.raw.contains("noalert;") == [1, 2, 6].contains(&rule.id.sid))
    );
    let told: Vec<String> = merged.report.needed.iter().map(ToString::to_string).collect();
    let right = [
        "rule 1:2 is enabled: it sets the flowbit b, about which rule 1:3 asks",
        "rule 1:6 is enabled: it sets the flowbit b, about which rule 1:3 asks",
        "rule 1:1 is enabled: it sets the flowbit a, about which rule 1:2 asks",
    ];
    assert_eq!(told, right);
}

#[test]
fn who_disabled_a_rule_that_others_need_is_told() {
    let text =
        format!("{}\n{}", rule(1, "sets", "flowbits:set,a; "), rule(2, "asks", "flowbits:isnotset,x|a; "));
    let merged = merge_one(&text, &[list(Kind::Disable, "8\n1")]);
    assert_eq!(sids(&merged).0, [1, 2]);
    assert_eq!(merged.report.disabled, 1);
    let disabled_by = merged.report.needed[0].disabled_by.expect("a line did");
    assert_eq!(merged.report.lines[disabled_by].line, 2);
    let neither = merge_one(&text, &[list(Kind::Disable, "1, 2")]);
    assert_eq!(sids(&neither), (vec![], vec![1, 2]));
}

#[test]
fn a_rule_goes_on_in_the_next_line_and_what_is_none_is_told() {
    let text = "alert tcp any any \\\n -> any any \\  \n  (sid:1;)\nalert udp nonsense (sid:2;)\n# alert udp nonsense (sid:2;)\n\
                alert udp any any -> any any (rev:1; sid:x;)\nalert (sid:3;) \\";
    let merged = merge_one(text, &[]);
    assert_eq!(merged.text(), "alert tcp any any   -> any any    (sid:1;)\nalert (sid:3;)\n");
    let problems: Vec<String> = merged.report.problems.iter().map(ToString::to_string).collect();
    assert!(
        problems[0].starts_with("one.rules:4:1: the head of the rule has 3 words; action,"),
        "{}",
        problems[0]
    );
    assert_eq!(problems[1], "one.rules:6:38: `x` is no sid; a number up to 4294967295 would be");
    assert_eq!(problems.len(), 2);
}

#[test]
fn so_many_problems_are_kept_and_the_others_counted() {
    let merged = merge_one(&"nonsense\n".repeat(PROBLEMS_MAX + 5), &[]);
    assert_eq!((merged.report.problems.len(), merged.report.problems_beyond), (PROBLEMS_MAX, 5));
    assert!(merged.report.to_string().contains("and 5 problems more"));
}

#[test]
fn so_many_rules_are_read_and_no_more() {
    let mut text = "alert (sid:1;)\n".repeat(crate::RULES_MAX);
    let report = merge_one(&text, &[]).report;
    assert_eq!(report.problems, []);
    assert_eq!(
        (report.duplicates.len(), report.duplicates_beyond),
        (PROBLEMS_MAX, crate::RULES_MAX - 1 - PROBLEMS_MAX)
    );
    text.push_str("\nalert (sid:2;)");
    let merged = merge_one(&text, &[]);
    assert_eq!(merged.report.read, crate::RULES_MAX);
    let problem = merged.report.problems[0].to_string();
    assert!(problem.starts_with("one.rules:1000001:1: more rules than 1000000; what follows"), "{problem}");
}

#[test]
fn the_report_reads_as_a_whole() {
    let report = merge_three(&[list(Kind::Disable, "1")]).report.to_string();
    let right = "6 rules read, 0 of them doubles; 1 disabled, 0 enabled, 0 made drop, 0 modified, 0 enabled for flowbits\n\
                 disable.conf:1: `1` means 1 rules; 1 disabled\n6 rules, 3 of them enabled\n";
    assert_eq!(report, right);
}

#[test]
fn what_is_only_read_stays_as_it_stands() {
    let text = "alert tcp any any -> any any (flowbits:isset,b; sid:1;)\n#alert tcp any any -> any any (flowbits:set,b; sid:2;)\n\
                alert tcp any any -> any any (sid:1; rev:2;)\nnonsense\n";
    let (rules, problems, beyond) = read(&[RuleFile { name: "r", text }]);
    let told: Vec<(u32, u32, bool)> =
        rules.iter().map(|rule| (rule.id.sid, rule.rev, rule.is_enabled)).collect();
    assert_eq!(told, [(1, 2, true), (2, 0, false)]);
    assert_eq!((problems.len(), beyond), (1, 0));
}
