//! Which rules are taken and which are refused, for options and hooks that have no buffer of their own.

use crate::rule::{Reputation, RuleFile, RuleSet, Variables};

fn is_taken_with(rule: &str, variables: &Variables) -> bool {
    let set = RuleSet::load(&[RuleFile { name: "r", text: rule }], variables, &|_| None);
    set.report().loaded == 1
}

fn is_taken(options: &str) -> bool {
    is_taken_with(&format!("alert tcp any any -> any any ({options}; sid:1;)"), &Variables::default())
}

#[test]
fn options_that_a_sensor_only_reads_are_taken_if_they_make_sense() {
    for options in [
        "config:logging disable, type tx, scope tx",
        "content:\"ab\"; replace:\"cd\"",
        "nfq_set_mark:0x10/0xff",
        "tag:session",
        "tag:session,10,packets",
        "tag:host,10,seconds,src",
        "Content:\"any case\"; NoCase",
    ] {
        assert!(is_taken(options), "{options}");
    }
    for options in [
        "config:logging",
        "content:\"ab\"; replace:\"c\"",
        "replace:\"c\"",
        "nfq_set_mark:x",
        "tag:session,0,packets",
        "tag:session,10",
        "tag:session,10,packets,src",
        "tag:x",
        "noalert:x",
    ] {
        assert!(!is_taken(options), "{options}");
    }
}

#[test]
fn what_is_said_twice_or_both_ways_is_refused() {
    for options in [
        "flow:to_server,to_client",
        "flow:established,not_established",
        "flow:only_stream,no_stream",
        "flow:to_server; flow:established",
        "dsize:1; dsize:2",
        "sid:2",
        "rev:1; rev:2",
        "threshold:type limit, track by_src, count 1, seconds 1; detection_filter:track by_src, count 1, seconds 1",
        "content:\"a\"; depth:5; within:3",
        "content:\"a\"; distance:1; offset:3",
        "content:\"a\"; startswith; within:3",
    ] {
        assert!(!is_taken(options), "{options}");
    }
    assert!(is_taken("flow:established,to_server,only_stream"));
    assert!(is_taken("content:\"a\"; content:\"b\"; distance:1; within:3"));
}

#[test]
fn what_is_not_here_is_refused_by_name() {
    for name in ["lua", "flowvar", "pktvar", "geoip"] {
        let rule = format!("alert tcp any any -> any any ({name}:src,DE; sid:7;)");
        let set = RuleSet::load(&[RuleFile { name: "r", text: &rule }], &Variables::default(), &|_| None);
        let refused: Vec<&str> = set.report().refused.iter().map(|refused| &*refused.why.keyword).collect();
        assert_eq!(refused, [name]);
    }
}

#[test]
fn hooks_are_taken_where_a_parser_tells_the_stage() {
    let is_taken = |head: &str| {
        is_taken_with(&format!("alert {head} any any -> any any (sid:1;)"), &Variables::default())
    };
    for head in [
        "tls:client_hello_done",
        "http1:request_headers",
        "dns:request_complete",
        "smb:response_started",
        "ssh:request_banner_done",
        "tcp:flow_start",
        "ip:all",
    ] {
        assert!(is_taken(head), "{head}");
    }
    for head in
        ["tls:nothing", "tcp:pre_flow", "tcp:pre_stream", "tcp:request_complete", "tls:request_complete"]
    {
        assert!(!is_taken(head), "{head}");
    }
}

#[test]
fn reputation_is_asked_of_lists_that_are_there() {
    let rule = "alert ip any any -> any any (iprep:src,Scanners,>,30; sid:1;)";
    let mut variables = Variables::default();
    assert!(!is_taken_with(rule, &variables));
    variables.set_reputation(Reputation::read("1,Scanners,words", &[("a.list", "10.0.0.1,1,40")]));
    assert!(is_taken_with(rule, &variables));
}
