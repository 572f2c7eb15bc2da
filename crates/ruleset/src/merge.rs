//! Puts everything together; the order of things is in the head of the crate.

use crate::edit::{self, Edit};
use crate::flowbits;
use crate::list::{Kind, List};
use crate::plan::{Plan, Planned};
use crate::report::{Duplicate, LineReport, PROBLEMS_MAX, Problems, Report};
use crate::rule::{Rule, RuleId};
use crate::source::{self, RuleFile};
use crate::{Error, Fault};
use std::collections::{BTreeMap, BTreeSet};

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merged {
    /// The rules, enabled or not, in the order of the files.
    pub rules: Vec<Rule>,
    /// What was done.
    pub report: Report,
}

impl Merged {
    /// The text of all rules, a line for each; disabled ones are commented out.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for rule in &self.rules {
            text += &rule.text();
            text.push('\n');
        }
        text
    }
}

/// Makes one set of rules out of many files, as the lists want it. Lists of one kind work in the order in which they are
/// given; the order of the files does not matter, unless two have the same name.
#[must_use]
pub fn merge(files: &[RuleFile<'_>], lists: &[List]) -> Merged {
    let mut problems = Problems::default();
    let read = read_all(files, &mut problems);
    let mut report = Report { read: read.len(), lines: lines(lists), ..Report::default() };
    let mut rules = unique(read, files, &mut report);
    let plan = |kind| Plan::new(kind, lists);
    let (disable, enable) = (plan(Kind::Disable), plan(Kind::Enable));
    let (to_drop, modify) = (plan(Kind::Drop), plan(Kind::Modify));
    let ids = rules.iter().map(|rule| rule.id).collect();
    let mut work = Work { files, ids, disabled_by: BTreeMap::new(), report, problems };
    for (place, rule) in rules.iter_mut().enumerate() {
        work.disable(&disable, rule, place);
        work.enable(&enable, rule);
        work.make_drop(&to_drop, rule);
        work.modify(&modify, rule);
    }
    let Work { mut report, disabled_by, problems, .. } = work;
    report.needed = flowbits::enable_needed(&mut rules, &disabled_by);
    report.rules = rules.len();
    report.rules_enabled = rules.iter().filter(|rule| rule.is_enabled).count();
    report.problems = problems.kept;
    report.problems_beyond = problems.beyond;
    Merged { rules, report }
}

/// The rules of all files as they stand there, of each gid and sid the one with the highest revision; lines that are no rules; and how many of those there are
/// beyond the first [`PROBLEMS_MAX`].
#[must_use]
pub fn read(files: &[RuleFile<'_>]) -> (Vec<Rule>, Vec<Error>, usize) {
    let mut problems = Problems::default();
    let rules = unique(read_all(files, &mut problems), files, &mut Report::default());
    (rules, problems.kept, problems.beyond)
}

/// The rules of all files, by the names of the files.
fn read_all(files: &[RuleFile<'_>], problems: &mut Problems) -> Vec<Rule> {
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_key(|index| files.get(*index).map(|file| file.name));
    let mut rules = Vec::new();
    for index in order {
        let Some(file) = files.get(index) else { continue };
        if !source::read(index, *file, &mut rules, problems) {
            break;
        }
    }
    rules
}

fn lines(lists: &[List]) -> Vec<LineReport> {
    let all = lists.iter().flat_map(|list| list.lines.iter().map(move |line| (list, line)));
    all.map(|(list, line)| LineReport {
        kind: list.kind,
        file: list.file.clone(),
        line: line.number,
        text: line.text.clone(),
        matched: 0,
        changed: 0,
        refused: 0,
    })
    .collect()
}

/// Of each gid and sid the rule with the highest revision, in the place of the first.
fn unique(read: Vec<Rule>, files: &[RuleFile<'_>], report: &mut Report) -> Vec<Rule> {
    let at = |rule: &Rule| {
        let name = files.get(rule.file).map_or("", |file| file.name);
        format!("{name}:{}", rule.line)
    };
    let mut places: BTreeMap<RuleId, usize> = BTreeMap::new();
    let mut rules: Vec<Rule> = Vec::new();
    for mut rule in read {
        let place = *places.entry(rule.id).or_insert(rules.len());
        let Some(first) = rules.get_mut(place) else {
            rules.push(rule);
            continue;
        };
        if rule.rev > first.rev {
            std::mem::swap(first, &mut rule);
        }
        if report.duplicates.len() >= PROBLEMS_MAX {
            report.duplicates_beyond += 1;
            continue;
        }
        report.duplicates.push(Duplicate {
            id: rule.id,
            kept: first.rev,
            kept_at: at(first),
            left_out: rule.rev,
            left_out_at: at(&rule),
        });
    }
    rules
}

/// What is needed to treat one rule after the other. Every line is tried, so that each is told how many rules it means.
struct Work<'a> {
    files: &'a [RuleFile<'a>],
    /// Everything that a rule is called, so that no modification gives a name twice.
    ids: BTreeSet<RuleId>,
    /// Which line disabled the rule at a place.
    disabled_by: BTreeMap<usize, usize>,
    report: Report,
    problems: Problems,
}

impl Work<'_> {
    fn means(&self, planned: Planned<'_>, rule: &Rule) -> bool {
        let file = self.files.get(rule.file).map_or("", |file| file.name);
        planned.line.matcher.matches(rule, file)
    }

    fn count(&mut self, place: usize, is_changed: bool) {
        if let Some(line) = self.report.lines.get_mut(place) {
            line.matched += 1;
            line.changed += usize::from(is_changed);
        }
    }

    fn disable(&mut self, plan: &Plan<'_>, rule: &mut Rule, place: usize) {
        let was_enabled = rule.is_enabled;
        for planned in plan.candidates(rule.id) {
            if !self.means(planned, rule) {
                continue;
            }
            self.count(planned.place, rule.is_enabled);
            if rule.is_enabled {
                self.disabled_by.insert(place, planned.place);
                rule.is_enabled = false;
            }
        }
        self.report.disabled += usize::from(was_enabled != rule.is_enabled);
    }

    fn enable(&mut self, plan: &Plan<'_>, rule: &mut Rule) {
        let was_enabled = rule.is_enabled;
        for planned in plan.candidates(rule.id) {
            if self.means(planned, rule) {
                self.count(planned.place, !rule.is_enabled);
                rule.is_enabled = true;
            }
        }
        self.report.enabled += usize::from(was_enabled != rule.is_enabled);
    }

    fn make_drop(&mut self, plan: &Plan<'_>, rule: &mut Rule) {
        let mut is_changed = false;
        for planned in plan.candidates(rule.id) {
            if !self.means(planned, rule) {
                continue;
            }
            // A rule that never alerts is there to set a bit for others, and would drop what nobody is told of.
            let after = edit::drop(rule);
            let differs = !rule.is_silent && after.raw != rule.raw;
            self.count(planned.place, differs);
            if differs {
                is_changed = true;
                *rule = after;
            }
        }
        self.report.dropped += usize::from(is_changed);
    }

    fn modify(&mut self, plan: &Plan<'_>, rule: &mut Rule) {
        let mut is_changed = false;
        for planned in plan.candidates(rule.id) {
            let Some(edit) = planned.line.edit.as_ref().filter(|_| self.means(planned, rule)) else {
                continue;
            };
            match self.edited(edit, rule) {
                Ok(after) => {
                    let differs = after != *rule;
                    self.count(planned.place, differs);
                    is_changed |= differs;
                    *rule = after;
                }
                Err(fault) => self.refuse(planned, fault),
            }
        }
        self.report.modified += usize::from(is_changed);
    }

    fn edited(&mut self, edit: &Edit, rule: &Rule) -> Result<Rule, Fault> {
        let after = edit.apply(rule)?;
        if after.id != rule.id && !self.ids.insert(after.id) {
            return Err(Fault::SidTaken { rule: rule.id, other: after.id });
        }
        Ok(after)
    }

    /// Counts what was refused, and keeps the first of each line: one bad line may spoil every rule.
    fn refuse(&mut self, planned: Planned<'_>, fault: Fault) {
        self.count(planned.place, false);
        let Some(line) = self.report.lines.get_mut(planned.place) else { return };
        line.refused += 1;
        if line.refused == 1 {
            let (file, line) = (line.file.clone(), line.line);
            self.problems.push(Error { file, line, column: 1, fault });
        }
    }
}

#[cfg(test)]
mod tests;
