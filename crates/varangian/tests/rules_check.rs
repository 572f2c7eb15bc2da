//! `varangian rules check` through the real binary: what is wrong, what is refused, what is left out; and captures of which nothing can be read.

mod frames;

use capture::{Frame, Link, Resolution, Writer};
use frames::{text, varangian};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    frames::folder(&format!("rules-check-{name}"))
}

/// Exit code, what was told as JSON, and what was complained of as words.
fn check(rules: &Path) -> (Option<i32>, Value, String) {
    let json = varangian(&["rules", "check", "--json", text(rules)]);
    let words = varangian(&["rules", "check", text(rules)]);
    assert_eq!(json.status.code(), words.status.code());
    let told = serde_json::from_slice(&json.stdout).unwrap_or(Value::Null);
    (json.status.code(), told, String::from_utf8_lossy(&words.stderr).into_owned())
}

#[test]
fn a_wrong_rule_is_a_failure_with_its_place_and_a_refused_one_is_none() {
    let rules = folder("wrong").join("a.rules");
    let refused = "alert tcp any any -> any any (lua:x; sid:1;)\n";
    fs::write(&rules, refused).expect("a file");
    let (code, told, words) = check(&rules);
    assert_eq!((code, &told["refused"], &told["errors"]), (Some(0), &1.into(), &0.into()), "{told} {words}");
    fs::write(
        &rules,
        format!("{refused}alert tcp any any -> any any (content:\"a\u{1b}[2J|zz|\"; sid:2;)\n"),
    )
    .expect("a file");
    let (code, told, words) = check(&rules);
    assert_eq!((code, &told["refused"], &told["errors"]), (Some(1), &1.into(), &1.into()), "{told} {words}");
    let problem = &told["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&2.into(), &31.into()), "{problem}");
    assert!(words.contains("a.rules:2:31: ") && !words.contains('\u{1b}'), "{words}");
}

#[test]
fn of_much_that_is_wrong_the_first_is_told_and_how_much_more_there_is() {
    let rules = folder("much").join("a.rules");
    fs::write(&rules, "nothing that is a rule\n".repeat(1500)).expect("a file");
    let (code, told, words) = check(&rules);
    assert_eq!((code, &told["errors"]), (Some(1), &1500.into()));
    assert_eq!(told["problems"].as_array().map(Vec::len), Some(1000));
    assert_eq!(words.lines().count(), 21, "{words}");
    assert!(words.contains("and 1480 more"), "{words}");
}

#[test]
fn what_is_no_text_is_refused_once_and_with_the_reason() {
    let folder = folder("binary");
    let rules = folder.join("a.rules");
    let binary: Vec<u8> =
        (0..200_000u32).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let mut tar = vec![b'a'; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    for (bytes, reason) in [(binary, "no text"), (tar, "rules fetch"), (b"\xff\xfea\0".to_vec(), "UTF-16")] {
        fs::write(&rules, bytes).expect("a file");
        let (code, told, words) = check(&rules);
        assert_eq!((code, told), (Some(2), Value::Null), "{reason}");
        assert!(words.lines().count() == 1 && words.contains(reason), "{words}");
    }
}

#[test]
fn rules_of_the_same_number_and_classes_that_nobody_described_are_told() {
    let folder = folder("same");
    let rules = folder.join("a.rules");
    let rule =
        |sid: u32, rev: u32| format!("alert tcp any any -> any any (classtype:own; sid:{sid}; rev:{rev};)\n");
    fs::write(&rules, [rule(1, 1), rule(1, 2), rule(2, 1)].concat()).expect("a file");
    let (code, told, words) = check(&rules);
    assert_eq!((code, &told["loaded"], &told["repeated"]), (Some(0), &2.into(), &1.into()), "{told}");
    let repeated = &told["repeated_rules"][0];
    assert_eq!((&repeated["gid"], &repeated["sid"]), (&1.into(), &1.into()), "{repeated}");
    assert_eq!(
        (&repeated["left_out"]["line"], &repeated["stays"]["line"]),
        (&1.into(), &2.into()),
        "{repeated}"
    );
    assert!(words.contains("a.rules:1: rule 1:1 is left out (revision 1): revision 2 stays, "), "{words}");
    assert_eq!((&told["warnings"], &told["warned_rules"][0]["column"]), (&3.into(), &31.into()), "{told}");
    assert!(words.contains("a.rules:3:31: warning: no class is called 'own'"), "{words}");
    fs::write(folder.join("classification.config"), "config classification: own,Our own,1\n")
        .expect("a file");
    assert_eq!(check(&rules).1["warnings"], 0);
}

#[test]
fn a_list_that_is_a_device_or_no_list_refuses_its_rule_with_the_reason() {
    let folder = folder("device");
    let (rules, list) = (folder.join("a.rules"), folder.join("list"));
    fs::write(&list, "no digest\n").expect("a file");
    let all = "alert http any any -> any any (http.uri; dataset:isset,a,type string,load /dev/zero; sid:1;)\n\
        alert http any any -> any any (filemd5:/dev/zero; sid:2;)\n\
        alert http any any -> any any (filemd5:list; sid:3;)\n\
        alert http any any -> any any (filemd5:absent; sid:4;)\n";
    fs::write(&rules, all).expect("a file");
    let (code, told, _) = check(&rules);
    assert_eq!(code, Some(0), "{told}");
    for (place, reason) in
        ["no regular file", "no regular file", "32 hexadecimal digits", "os error 2"].iter().enumerate()
    {
        let refused = told["refused_rules"][place]["reason"].as_str().unwrap_or_default();
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn a_capture_of_which_no_link_is_understood_is_told_and_a_failure() {
    let folder = folder("link");
    let (path, out) = (folder.join("a.pcap"), folder.join("out"));
    let link = Link(147);
    let mut writer = Writer::create(&path, link, Resolution::Nanoseconds).expect("a file");
    for time_ns in 0..20 {
        writer.frame(Frame { time_ns, link, wire_len: 40, bytes: &[0x45; 40] }).expect("a frame");
    }
    writer.finish().expect("it is written");
    let output = varangian(&["replay", text(&path), "--out", text(&out), "--workers", "2", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&told["frames"], &told["invalid"]), (&20.into(), &20.into()), "{told}");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("20 of 20 frames could not be read") && words.contains("type 147: 20"), "{words}");
    assert_eq!(output.status.code(), Some(1));
}
