//! What must hold for any text that is called a list, a file of rules or one of checksums, for a fixed number of seeded inputs.
//!
//!   - No panic, and an error says where: in a line that is there, at a column that is there.
//!   - What comes out goes in again and comes out the same.
//!   - Every rule that comes out is one of its own, and the report counts what is there.

use ruleset::{Checksums, Error, Kind, List, RuleFile, merge};
use std::collections::BTreeSet;

const INPUTS: u32 = 2_500;

const RULES: &str = "\
alert tcp $HOME_NET any -> any [80, 443] (msg:\"one\\; two\"; flowbits:set,a; metadata:k v, deployment Perimeter; sid:1; rev:2;)
# alert udp any any -> any any (msg:\"\u{e4}\"; flowbits:isset,a|b; flowbits:set,c; gid:3; sid:2;)
# a remark (that is no rule)
drop tcp any any \\
  -> any any (flowbits: isnotset , c; noalert; sid:3; rev:1;)
#alert tcp any any -> any any (flowbits:unset,c; sid:4;)
alert (msg:\"decoder\"; sid:1; rev:1;)
";

const MATCHERS: &str = "\
# a comment
1
1:1, 3:2:0
re:any|(two)\\s+ # behind
group:on?[a-f!]*
filename:*/one.rules
metadata: deployment perimeter
one.rules
*
";

const MODIFIERS: &str = "\
re:. \"seconds (\\d+)\" \"seconds \\\\1\"
modifysid * \"^alert(.*)(any)\" | \"drop${1}x\\\\g<2>\"
metadata-add 3:2 'key' value
1 sid:1 sid:9
* '^# ' ''
";

const SUMS: &str =
    "900150983cd24fb0d6963f7d28e17f72  one.rules\nMD5 (a b) = 900150983cd24fb0d6963f7d28e17f72\n";

/// SplitMix64: enough to spread a seed, and the same for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// `text` with up to four accidents.
    fn damage(&mut self, text: &str) -> String {
        const SIGNS: &[char] = &[
            '"',
            '\'',
            '\\',
            '#',
            ' ',
            '(',
            ')',
            ';',
            ':',
            ',',
            '*',
            '?',
            '[',
            ']',
            '|',
            '$',
            '{',
            '<',
            '0',
            '9',
            'a',
            '\u{e4}',
            '\n',
            '\r',
            '\t',
            '\0',
            '.',
            '+',
            '!',
            '-',
            '>',
            '\u{1F980}',
        ];
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..self.below(5) {
            let at = self.below(characters.len());
            let sign = SIGNS[self.below(SIGNS.len())];
            match self.below(6) {
                _ if characters.is_empty() => characters.push(sign),
                0 | 1 => characters[at] = sign,
                2 => characters.insert(at, sign),
                3 => drop(characters.remove(at)),
                4 => characters.truncate(at.max(characters.len() / 2)),
                _ => {
                    let end = (at + self.below(40)).min(characters.len());
                    let piece = characters[at..end].to_vec();
                    let to = self.below(characters.len());
                    characters.splice(to..to, piece);
                }
            }
        }
        characters.into_iter().collect()
    }
}

fn check_error(error: &Error, text: &str) {
    let line = text.lines().nth(error.line - 1).unwrap_or_default();
    // A rule may go on in the next lines, and its columns with it.
    let most = if error.file == "rules/one.rules" { text.chars().count() } else { line.chars().count() };
    assert!(error.column >= 1 && error.column <= most + 1, "{error}: {line:?}");
}

fn lists(kinds: &[Kind], text: &str) -> Vec<List> {
    let mut lists = Vec::new();
    for kind in kinds {
        match List::parse(*kind, "list", text) {
            Ok(list) => lists.push(list),
            Err(errors) => {
                assert!(!errors.is_empty());
                errors.iter().for_each(|error| check_error(error, text));
            }
        }
    }
    lists
}

#[test]
fn damaged_lists_and_rules_break_no_promise() {
    let mut chance = Chance(1);
    let (mut taken, mut kept) = (0, 0);
    for _ in 0..INPUTS {
        let rules = chance.damage(RULES);
        let kinds = [[Kind::Disable, Kind::Drop], [Kind::Enable, Kind::Disable]][chance.below(2)];
        let mut lists_of_all = lists(&kinds, &chance.damage(MATCHERS));
        lists_of_all.extend(lists(&[Kind::Modify], &chance.damage(MODIFIERS)));
        taken += lists_of_all.len();

        let merged = merge(&[RuleFile { name: "rules/one.rules", text: &rules }], &lists_of_all);
        let report = &merged.report;
        kept += merged.rules.len();
        report
            .problems
            .iter()
            .filter(|error| error.file != "list")
            .for_each(|error| check_error(error, &rules));
        let ids: BTreeSet<_> = merged.rules.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), merged.rules.len());
        assert_eq!(report.rules, merged.rules.len());
        assert_eq!(report.read, report.rules + report.duplicates.len());
        assert!(report.lines.iter().all(|line| line.changed + line.refused <= line.matched));

        let text = merged.text();
        let again = merge(&[RuleFile { name: "rules/one.rules", text: &text }], &[]);
        assert_eq!(again.text(), text);
        assert_eq!(again.report.problems, []);
    }
    assert!(
        taken > INPUTS as usize && kept > INPUTS as usize,
        "most was refused: {taken} lists, {kept} rules"
    );
}

#[test]
fn damaged_checksums_break_no_promise() {
    let mut chance = Chance(2);
    let mut right = 0;
    for _ in 0..INPUTS {
        let text = chance.damage(SUMS);
        match Checksums::parse("sums", &text) {
            Ok(sums) => right += usize::from(sums.verify("one.rules", b"abc").is_ok()),
            Err(error) => check_error(&error, &text),
        }
    }
    assert!(right > 500, "most was refused: {right}");
}
