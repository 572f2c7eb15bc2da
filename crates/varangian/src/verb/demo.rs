//! `varangian demo`: three replicas, one of them a traitor that leads, and what its monitor made of it.
//!
//! Each act is a run of the simulator: ByzID with f = 1, no fault but the traitor's one behaviour, one client. The first
//! seed is taken in which p0 behaves so and its monitor objects; then the diagram is cut down to what matters: a few lines
//! before the alarm, the way to the next configuration, and the first result after it. Nothing is staged beyond that
//! choice, and every checker looks on: a broken promise is said, and is exit code 1.

use crate::Outcome;
use crate::say::say;
use agree::Protocol;
use clap::Args;
use sim::{Mix, Only, RunSettings, explain, run};

/// Watch three replicas agree although the one that leads is a traitor.
#[derive(Args)]
#[command(after_help = "\
Example:
  varangian demo

Exit codes: 0 every promise was kept, 1 one was broken.")]
pub(crate) struct Arguments {}

/// One behaviour of the traitor.
struct Act {
    behaviour: &'static str,
    told: &'static str,
}

const ACTS: &[Act] = &[
    Act { behaviour: "silent", told: "p0 takes requests and orders nothing" },
    Act { behaviour: "replay", told: "p0 says again what it once said" },
    Act { behaviour: "forge", told: "p0 speaks in the names of others and invents requests" },
];

/// Seeds that are looked through for an act.
const SEEDS_MAX: u64 = 2_000;

/// Things that are remembered of a run; more than happen in one of these.
const ENTRIES_MAX: usize = 100_000;

/// Lines shown before the alarm.
const LINES_BEFORE: usize = 6;

/// Lines shown of each kind of message on the way to the next configuration.
const LINES_PER_KIND: usize = 2;

/// What is shown of that way.
const WAY: &[&str] =
    &["alarm:", "ALERT", "SUSPECT", "RECON-REQUEST", "RECONREQUEST", "RECONFIGURE", "NEWCONFIG", "entered"];

pub(crate) fn tell_the_story(_: &Arguments) -> Outcome {
    say!(
        "Three replicas keep one service. p0 leads, and p0 is a traitor. Beside each replica stands a monitor,"
    );
    say!("which owns the node's links and lets out only what the protocol's specification allows.");
    say!("An arrow is a message that really went out. Times are in milliseconds.");
    let mut kept = true;
    for (number, act) in ACTS.iter().enumerate() {
        say!("\n{}. {}\n", number + 1, act.told);
        match stage(act) {
            Some((settings, seed)) => kept &= tell(&settings, seed),
            None => say!("  (in {SEEDS_MAX} seeds no monitor had to object to it)"),
        }
    }
    say!("\nThe same in numbers, with every kind of fault: varangian sim --protocol byzid --f 1 --seeds 100");
    if kept { Outcome::Fine } else { Outcome::Violated }
}

/// The first run in which p0 behaves like this and an alarm is raised.
fn stage(act: &Act) -> Option<(RunSettings, u64)> {
    let byzantine = RunSettings { mix: Mix::BYZANTINE, ..RunSettings::new(Protocol::ByzId, 1) };
    (0..SEEDS_MAX).find_map(|seed| {
        let is_it = |node: u8, name: &str| node == 0 && name == act.behaviour;
        let lies = byzantine.plan(seed).lies;
        let lie = lies.iter().position(|lie| is_it(lie.node, lie.behaviour.name()))?;
        let only =
            Only { faults: Some(Vec::new()), lies: Some(vec![lie]), clients: Some(1), operations: Some(6) };
        let settings = RunSettings { only, ..byzantine.clone() };
        (run(&settings, seed).stats.alarms > 0).then_some((settings, seed))
    })
}

/// Prints the run, and whether every promise was kept.
fn tell(settings: &RunSettings, seed: u64) -> bool {
    let diagram = explain(settings, seed, ENTRIES_MAX);
    for line in excerpt(&diagram) {
        say!("  {}", line.chars().take(92).collect::<String>());
    }
    let outcome = run(settings, seed);
    let rule = diagram.lines().find_map(|line| line.split("alarm: ").nth(1)).unwrap_or("?");
    say!("\n  The monitor of p0 objected ({rule}) and told the others; p0 leads no more.");
    for violation in &outcome.violations {
        say!("  A PROMISE WAS BROKEN: {violation}");
    }
    if outcome.violations.is_empty() {
        let operations = outcome.stats.operations_checked;
        say!(
            "  The client got {operations} results, each vouched for by two replicas; every promise was kept."
        );
    }
    say!("  The whole story: {} --explain=1000", settings.replay_command(seed));
    outcome.violations.is_empty()
}

/// The heading of the columns, a few lines before the first alarm, the way to the next configuration, and the first result
/// after it.
fn excerpt(diagram: &str) -> Vec<&str> {
    let lines: Vec<&str> = diagram.lines().filter(|line| !line.contains(" BEAT ")).collect();
    let Some(heading) = lines.iter().position(|line| line.trim_start().starts_with("ms ")) else {
        return lines;
    };
    let Some(alarm) = lines.iter().position(|line| line.contains("alarm: ")) else { return lines };
    let before = alarm.saturating_sub(LINES_BEFORE).max(heading + 1);
    let mut shown = vec![lines[heading]];
    shown.extend(&lines[before..alarm]);
    let mut counts = vec![0; WAY.len()];
    let mut entered = false;
    for line in &lines[alarm..] {
        if entered && line.contains(" = ") {
            shown.push(line);
            break;
        }
        let Some(kind) = WAY.iter().position(|word| line.contains(word)) else { continue };
        entered |= WAY[kind] == "entered";
        counts[kind] += 1;
        if counts[kind] <= LINES_PER_KIND {
            shown.push(line);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_shows_the_alarm_and_the_way_out() {
        let diagram = "\
command
      ms  p0   p1
    0.000 ^    |    starts
    1.000 o---->    BEAT v0
    2.000 !    |    alarm: no gap
    3.000 o---->    ALERT view v0
    3.000 o---->    ALERT view v0
    3.000 o---->    ALERT view v0
    4.000 |    o    entered v1 of p1
    5.000 |    o    executed #1
    6.000 |    =    T1 = b\"x\"
    7.000 |    =    T2 = b\"y\"
";
        let shown = excerpt(diagram).join("\n");
        let expected = "      ms  p0   p1
    0.000 ^    |    starts
    2.000 !    |    alarm: no gap
    3.000 o---->    ALERT view v0
    3.000 o---->    ALERT view v0
    4.000 |    o    entered v1 of p1
    6.000 |    =    T1 = b\"x\"";
        assert_eq!(shown, expected);
    }
}
