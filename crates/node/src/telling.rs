//! What a node tells whoever runs it, as it happens: an event in words, and how grave it is.
//!
//! Upon something to tell: [`Say`] hears it. How it is written, and what is too slight to be written, is up to the edge.
//! Upon each report: what has changed since the one before: who leads, which links stand, which rules the replica broke,
//!   which keys end. A rule that is broken again and again is told upon the first, second, fourth, eighth time and so on.

use crate::ending::Told;
use crate::gate::Alarmed;
use crate::report::Report;
use serde::Deserialize;
use std::collections::BTreeMap;
use wire::NodeId;

/// How grave it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It cannot be mended from here, or is an attack.
    Error,
    /// It should not be.
    Warning,
    /// It is as it should be, and worth a line.
    #[default]
    Info,
}

impl Level {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
        }
    }
}

/// Who hears what is told.
pub type Say<'a> = &'a mut dyn FnMut(Level, &str);

/// The same where a node has parts: first comes which of them said it, if one did.
pub type Tell<'a> = &'a mut dyn FnMut(Option<&'static str>, Level, &str);

/// What was told last.
#[derive(Debug, Default)]
pub(crate) struct News {
    led_by: Option<(u64, NodeId)>,
    up: Vec<NodeId>,
    broken: BTreeMap<&'static str, u64>,
    keys: Told,
}

impl News {
    /// Tells what `report` has that the one before had not.
    pub(crate) fn tell(&mut self, report: &Report, say: Say<'_>) {
        if let Some(standing) = &report.standing {
            let (view, primary) = (standing.status.view.0, standing.status.primary);
            if self.led_by.replace((view, primary)) != Some((view, primary)) {
                say(Level::Info, &format!("configuration {view}, led by node {}", primary.0));
            }
        }
        self.keys.tell(&report.ending, report.now, say);
        let before = core::mem::replace(&mut self.up, report.up.clone());
        for node in report.up.iter().filter(|node| !before.contains(node)) {
            say(Level::Info, &format!("the link to node {} stands", node.0));
        }
        for node in before.iter().filter(|node| !report.up.contains(node)) {
            say(Level::Warning, &format!("the link to node {} is gone", node.0));
        }
        for Alarmed { alarm, times, .. } in &report.passed.alarms {
            let told = self.broken.entry(alarm.rule).or_default();
            if *times <= *told {
                continue;
            }
            // Told again when it has happened twice as often.
            *told = times.saturating_mul(2).saturating_sub(1);
            let (level, what) = match alarm.proof {
                true => (Level::Error, "which is PROOF that it is broken into: its node takes part no more"),
                false => (Level::Warning, "which is no proof"),
            };
            let view = alarm.view.0;
            say(
                level,
                &format!(
                    "the replica broke '{}' in configuration {view}, {what} ({times} times)",
                    alarm.rule
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agree::guard::Alarm;
    use wire::{Time, View};

    fn told(news: &mut News, report: &Report) -> Vec<String> {
        let mut told = Vec::new();
        news.tell(report, &mut |level, words| told.push(format!("{}: {words}", level.name())));
        told
    }

    #[test]
    fn what_changes_is_told_once_and_what_goes_on_ever_less_often() {
        let (mut news, mut report) = (News::default(), crate::report::tests::report());
        report.up = vec![NodeId(1)];
        let first = told(&mut news, &report);
        assert!(first.iter().any(|line| line.contains("the link to node 1 stands")), "{first:?}");
        assert_eq!(told(&mut news, &report), Vec::<String>::new());
        report.up.clear();
        assert_eq!(told(&mut news, &report), ["warning: the link to node 1 is gone"]);
        let mut lines = 0;
        for times in 1..=100 {
            let alarm = Alarm { node: NodeId(0), view: View(3), rule: "no gap", proof: true };
            report.passed.alarms = vec![Alarmed { alarm, at: Time::ZERO, times }];
            let told = told(&mut news, &report);
            assert!(
                told.iter()
                    .all(|line| line.starts_with("error: ") && line.contains("'no gap' in configuration 3"))
            );
            lines += told.len();
        }
        assert_eq!(lines, 7, "upon 1, 2, 4, 8, 16, 32 and 64");
    }
}
