//! Whole rule sets: what was loaded, what was refused and why.
//!
//! Upon a rule whose text is wrong: it is a problem, told with line and column. Upon one that asks for what the engine lacks: it is refused by the
//! keyword's name. Upon one that stands there twice: the higher revision counts. All others are loaded in full.

use super::compile::{Compiler, ReadFile, Refusal};
use super::compiled::{BufferKey, Rule, What};
use super::syntax::{Problem, lines};
use super::{Variables, classes, order};
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
    /// Rules that stand there again with the same number and no higher revision.
    pub repeated: usize,
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
    pub fn load(files: &[RuleFile<'_>], variables: &Variables, read: ReadFile<'_>) -> Self {
        let classes = classes::CLASSES
            .iter()
            .map(|(name, words, priority)| ((*name).to_owned(), ((*words).to_owned(), *priority)))
            .collect();
        let mut compiler = Compiler::new(variables, &classes, read);
        let mut report = Report::default();
        let mut rules: Vec<Rule> = Vec::new();
        let mut places: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        for file in files {
            for line in lines(file.text) {
                report.total += 1;
                match one(&mut compiler, &line, report.loaded) {
                    Ok(rule) => {
                        let key = (rule.meta.gid, rule.meta.sid);
                        match places.get(&key) {
                            None => {
                                places.insert(key, rules.len());
                                rules.push(rule);
                                report.loaded += 1;
                            }
                            Some(place) => {
                                report.repeated += 1;
                                if rules[*place].meta.rev < rule.meta.rev {
                                    rules[*place] = rule;
                                }
                            }
                        }
                    }
                    Err(Failure::Problem(problem)) => report.problems.push((file.name.to_owned(), problem)),
                    Err(Failure::Refused(sid, why)) => {
                        report.refused.push(Refused {
                            file: file.name.to_owned(),
                            line: line.number,
                            sid,
                            why,
                        });
                    }
                }
            }
        }
        report.by_keyword = std::mem::take(&mut compiler.used);
        let (buffers, lists) = (compiler.buffers, compiler.lists);
        order::sort(&mut rules);
        decide_late_what_hangs_on_it(&mut rules);
        let settings = settings(&rules, &buffers);
        let plans = Plans::new(&rules, &buffers);
        RuleSet { rules, buffers, lists, plans, settings, report }
    }

    /// What became of the rules.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

enum Failure {
    Problem(Problem),
    Refused(Option<u32>, Refusal),
}

fn one(compiler: &mut Compiler<'_>, line: &super::Line, loaded: usize) -> Result<Rule, Failure> {
    let source = line.parse().map_err(Failure::Problem)?;
    let sid = source
        .options
        .iter()
        .find(|option| option.name == "sid")
        .and_then(|option| option.value.parse().ok());
    if loaded >= RULES_MAX {
        let words = format!("there are more than {RULES_MAX} rules");
        return Err(Failure::Refused(
            sid,
            Refusal { keyword: String::new(), words, is_unknown: false, is_unmet: false },
        ));
    }
    let action = super::compile::action(source.action).map_err(|complaint| {
        Failure::Problem(Problem { line: line.number, column: 1, words: complaint.0 })
    })?;
    let mut rule = compiler.compile(&source).map_err(|refusal| Failure::Refused(sid, refusal))?;
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
                What::Buffer { .. } | What::Test(_) | What::Event { .. } => {}
            }
        }
    }
    settings
}
