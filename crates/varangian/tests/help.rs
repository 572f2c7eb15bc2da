//! What `--help` promises: README says that each verb's has examples.

use std::process::Command;

fn help(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_varangian"));
    let output = command.args(words).arg("--help").output().expect("the binary runs");
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn each_verb_has_examples_in_its_help() {
    let all = help(&[]);
    let commands = all.split_once("Commands:").expect("a list of verbs").1;
    let verbs: Vec<&str> = commands
        .lines()
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|verb| !verb.is_empty() && *verb != "help")
        .collect();
    assert!(verbs.len() > 15, "{all}");
    let tasks = [
        ["rules", "check"],
        ["rules", "fetch"],
        ["rules", "list"],
        ["bench", "agreement"],
        ["config", "check"],
    ];
    for words in verbs.iter().map(std::slice::from_ref).chain(tasks.iter().map(|words| &words[..])) {
        let told = help(words);
        let example = format!("\n  varangian {}", words.join(" "));
        assert!(told.contains("Example") && told.contains(&example), "{words:?} has no example:\n{told}");
    }
}
