//! Whole rule sets: what was loaded, what was refused and why.
//!
//! Upon a rule that could not be right in any edition: it is a problem, told with line and column. Upon one that asks for what the engine lacks: it is
//! refused by the keyword's name. Upon one that stands there twice: the higher revision stays, of two alike the first, and it is told. All others are
//! loaded in full; what about them is odd is a warning.

use super::compile::{Compiler, Failure, HEAD, RULE, ReadFile, Refusal};
use super::compiled::{BufferKey, Rule, What};
use super::syntax::{Problem, lines};
use super::{Variables, order};
use crate::Complaint;
use crate::eve::Kinds;
use crate::inspect::transform::Transform;
use crate::lists::Lists;
use crate::plan::Plans;
use crate::state::{BitTest, Change, Late};
use std::collections::{BTreeMap, BTreeSet};

/// Rules of one set at most.
const RULES_MAX: usize = 1 << 20;

/// A rule that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// In which file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// Its number, if it has one.
    pub sid: Option<u32>,
    /// Why.
    pub why: Refusal,
}

/// Where a rule stands, and which revision it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// In which file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// Its revision.
    pub rev: u32,
}

/// A rule that is not asked, since another of the same number stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repeated {
    /// The number of both: of the group, and in it.
    pub gid: u32,
    /// See `gid`.
    pub sid: u32,
    /// Which is left out.
    pub left_out: Place,
    /// Which stays. Another repetition may displace it in turn.
    pub stays: Place,
}

/// What became of a rule set.
#[derive(Clone, Default, Debug)]
pub struct Report {
    /// Rules that were read.
    pub total: usize,
    /// Rules that are matched in full.
    pub loaded: usize,
    /// Rules that are not.
    pub refused: Vec<Refused>,
    /// Rules whose text is wrong: file and place.
    pub problems: Vec<(String, Problem)>,
    /// Rules that are left out, since another of the same number stays.
    pub repeated: Vec<Repeated>,
    /// What is odd about rules that are loaded: file and place.
    pub warnings: Vec<(String, Problem)>,
    /// How many rules use each keyword.
    pub by_keyword: BTreeMap<String, u64>,
}

/// A rule file.
#[derive(Clone, Debug)]
pub struct RuleFile<'a> {
    /// Its name, for reports.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A rule set, ready to be matched.
pub struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    pub(crate) buffers: Vec<(BufferKey, Vec<Transform>)>,
    pub(crate) lists: Lists,
    pub(crate) plans: Plans,
    pub(crate) settings: crate::app::Settings,
    report: Report,
}

impl RuleSet {
    /// A set without rules.
    #[must_use]
    pub fn empty() -> Self {
        RuleSet::load(&[], &Variables::default(), &|_| None)
    }

    /// Reads rule files. `read` gives the content of other files that rules name.
    #[must_use]
    pub fn load(
        files: &[RuleFile<'_>],
        variables: &Variables,
        read: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Self {
        RuleSet::load_telling(files, variables, &|name| {
            read(name).ok_or_else(|| "there is no such file".to_owned())
        })
    }

    /// The same, where it is told why another file cannot be read.
    #[must_use]
    pub fn load_telling(files: &[RuleFile<'_>], variables: &Variables, read: ReadFile<'_>) -> Self {
        let mut compiler = Compiler::new(variables, read);
        let mut report = Report::default();
        let mut rules = Rules::default();
        for (place, file) in files.iter().enumerate() {
            for line in lines(file.text) {
                report.total += 1;
                match one(&mut compiler, &line, rules.rules.len()) {
                    Ok(rule) => {
                        let warnings = compiler.warnings.drain(..);
                        report.warnings.extend(
                            warnings.map(|(at, words)| (file.name.to_owned(), line.problem(at, words))),
                        );
                        if let Some(repeated) = rules.add(rule, (place, line.number), files) {
                            report.repeated.push(repeated);
                        }
                    }
                    Err(Failure::Wrong(at, words)) => {
                        report.problems.push((file.name.to_owned(), line.problem(at, words)));
                    }
                    Err(Failure::Refused(why)) => {
                        let (file, sid) = (file.name.to_owned(), sid_of(&line));
                        report.refused.push(Refused { file, line: line.number, sid, why });
                    }
                }
                compiler.warnings.clear();
            }
        }
        report.loaded = rules.rules.len();
        let mut rules = rules.rules;
        report.by_keyword = std::mem::take(&mut compiler.used);
        let (buffers, lists) = (compiler.buffers, compiler.lists);
        order::sort(&mut rules);
        decide_late_what_hangs_on_it(&mut rules);
        let settings = settings(&rules, &buffers);
        let plans = Plans::new(&rules, &buffers);
        RuleSet { rules, buffers, lists, plans, settings, report }
    }

    /// From now on these are written down, not alerts alone. What parsers have to make for that is made.
    pub fn record(&mut self, kinds: Kinds) {
        self.settings.kinds = kinds;
        self.settings.records |= kinds.has_exchanges();
        if kinds.has("fileinfo") {
            (self.settings.md5, self.settings.sha1, self.settings.sha256) = (true, true, true);
            self.settings.counts_files = false;
        }
    }

    /// What became of the rules.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// The rules so far: one of each number.
#[derive(Default)]
struct Rules {
    rules: Vec<Rule>,
    /// Where each stands: the file's place, and the line.
    stands: Vec<(usize, usize)>,
    by_number: BTreeMap<(u32, u32), usize>,
}

impl Rules {
    /// Adds a rule, or tells which of two stays.
    fn add(&mut self, rule: Rule, stands: (usize, usize), files: &[RuleFile<'_>]) -> Option<Repeated> {
        let key = (rule.meta.gid, rule.meta.sid);
        let Some(known) = self.by_number.get(&key).copied() else {
            self.by_number.insert(key, self.rules.len());
            self.rules.push(rule);
            self.stands.push(stands);
            return None;
        };
        let place = |(file, line): (usize, usize), rev| Place {
            file: files.get(file).map_or("", |file| file.name).to_owned(),
            line,
            rev,
        };
        let before = place(self.stands[known], self.rules[known].meta.rev);
        let now = place(stands, rule.meta.rev);
        let (gid, sid) = key;
        if before.rev >= now.rev {
            return Some(Repeated { gid, sid, left_out: now, stays: before });
        }
        (self.rules[known], self.stands[known]) = (rule, stands);
        Some(Repeated { gid, sid, left_out: before, stays: now })
    }
}

/// A rule's number, as far as it can be made out.
fn sid_of(line: &super::Line) -> Option<u32> {
    let source = line.parse().ok()?;
    let sid = source.options.iter().find(|option| option.name.eq_ignore_ascii_case("sid"));
    sid.and_then(|option| option.value.parse().ok())
}

fn one(compiler: &mut Compiler<'_>, line: &super::Line, loaded: usize) -> Result<Rule, Failure> {
    let source = line.parse_to_bytes().map_err(|(at, words)| Failure::Wrong(at, words))?;
    if loaded >= RULES_MAX {
        let words = format!("there are more than {RULES_MAX} rules");
        return Err(Failure::new(0, RULE, Complaint::lacking(words)));
    }
    let action = super::compile::action(source.action)
        .map_err(|complaint| Failure::new(source.words_at[0], HEAD, complaint))?;
    let mut rule = compiler.compile(&source)?;
    rule.meta.action = action;
    rule.is_silent |= action == super::compiled::Action::Config;
    Ok(rule)
}

/// A rule with a condition that is decided late changes its flow late, and then who asks for that bit must be asked late too.
fn decide_late_what_hangs_on_it(rules: &mut [Rule]) {
    let mut late_names: BTreeSet<u32> = BTreeSet::new();
    loop {
        let before = late_names.len();
        for rule in rules.iter() {
            let is_late = !rule.late.is_empty()
                || rule.has_late_lists
                || rule.bits.iter().any(|test| test.names().iter().any(|name| late_names.contains(name)));
            if is_late {
                late_names.extend(rule.changes.iter().filter_map(bit));
            }
        }
        if late_names.len() == before {
            break;
        }
    }
    if late_names.is_empty() {
        return;
    }
    for rule in rules {
        let (late, now): (Vec<BitTest>, Vec<BitTest>) = std::mem::take(&mut rule.bits)
            .into_iter()
            .partition(|test| test.names().iter().any(|name| late_names.contains(name)));
        rule.bits = now;
        rule.late.extend(late.into_iter().map(Late::Bit));
        let (late, now): (Vec<Change>, Vec<Change>) = std::mem::take(&mut rule.changes)
            .into_iter()
            .partition(|change| bit(change).is_some_and(|name| late_names.contains(&name)));
        rule.changes = now;
        rule.late.extend(late.into_iter().map(Late::Change));
    }
}

fn bit(change: &Change) -> Option<u32> {
    match change {
        Change::SetBit(name) | Change::UnsetBit(name) | Change::ToggleBit(name) => Some(*name),
        Change::SetInt(..) | Change::AddInt(..) | Change::SubtractInt(..) => None,
    }
}

/// What parsers have to make.
fn settings(rules: &[Rule], buffers: &[(BufferKey, Vec<Transform>)]) -> crate::app::Settings {
    let mut settings = crate::app::Settings::default();
    settings.wanted.extend(buffers.iter().map(|buffer| buffer.0.field));
    for rule in rules {
        settings.frames.extend(rule.frames.iter().map(|frame| frame.name));
        for part in &rule.parts {
            match &part.what {
                What::Number { field, .. } => {
                    settings.wanted.insert(*field);
                }
                What::Files(tests) => crate::app::file::wanted(&mut settings, tests),
                What::Buffer { .. } | What::Test(_) | What::Reached(_) | What::Event { .. } => {}
            }
        }
    }
    let looks_into_files = |rule: &Rule| {
        rule.parts.iter().any(|part| matches!(part.what, What::Files(_) | What::Test(_) | What::Event { .. }))
    };
    settings.counts_files = !crate::app::file::CONTENT.iter().any(|field| settings.wants(*field))
        && !rules.iter().any(looks_into_files);
    settings
}

#[cfg(test)]
mod tests;
