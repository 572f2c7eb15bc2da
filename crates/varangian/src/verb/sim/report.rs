//! What came out of many runs, for people and for programs.

use super::span;
use core::fmt::Display;
use core::ops::Range;
use serde_json::{Map, Value, json};
use sim::{RunSettings, Summary};

/// Names of one line at most; the rest is summed up.
const NAMES_MAX: usize = 12;

/// Failing seeds that are shown at most, and how much of each.
const FAILING_MAX: usize = 5;
const FAILING_COLUMNS: usize = 160;

/// One object with these keys and no others.
pub(super) fn as_json(summary: &Summary) -> Value {
    let faults: Map<String, Value> =
        faults(summary).into_iter().map(|(name, count)| (name, Value::from(count))).collect();
    json!({
        "protocol": summary.protocol.name(),
        "f": summary.f,
        "seeds": summary.seeds,
        "violations": summary.violations,
        "messages": summary.messages(),
        "messages_per_second_per_core": summary.messages_per_second_per_core(),
        "faults": faults,
        "reconfigurations": summary.reconfigurations(),
        "operations_checked": summary.operations_checked(),
    })
}

/// Everything that went wrong on purpose, by kind: faults of the world, and traitors by what they did.
fn faults(summary: &Summary) -> Vec<(String, u64)> {
    let stats = &summary.stats;
    let faults = stats.faults.iter().map(|(name, count)| ((*name).to_string(), *count));
    let traitors = stats.strategies.iter().map(|(name, count)| (format!("traitor: {name}"), *count));
    faults.chain(traitors).collect()
}

/// A table of what happened.
pub(super) fn as_text(settings: &RunSettings, seeds: &Range<u64>, summary: &Summary) -> String {
    let stats = &summary.stats;
    let promises = match summary.violations {
        0 => "all kept".into(),
        violations => format!("BROKEN in {violations} of {} seeds", summary.seeds),
    };
    let nodes = settings.protocol.replicas(settings.f);
    let mut text = format!(
        "{}, f = {}: {nodes} nodes; seeds {} to {}; faults: {}; {} of simulated time each\n\n",
        summary.protocol,
        summary.f,
        seeds.start,
        seeds.end - 1,
        summary.mix.for_protocol(summary.protocol),
        span::format(settings.duration),
    );
    let mut line = |name: &str, value: &dyn Display| text += &format!("  {name:<20} {value}\n");
    line("promises", &promises);
    line("operations checked", &grouped(stats.operations_checked));
    line("batches executed", &grouped(stats.batches_executed));
    let messages = format!(
        "{} ({} a second and core)",
        grouped(summary.messages()),
        grouped(summary.messages_per_second_per_core())
    );
    line("messages", &messages);
    line("", &list(stats.messages().into_iter().map(|(name, count)| (name.to_string(), count)).collect()));
    line("lost on the way", &grouped(stats.frames_lost + stats.frames_cut + stats.frames_overflowed));
    line(
        "refused",
        &list(stats.refusals().into_iter().map(|(why, count)| (format!("{why:?}"), count)).collect()),
    );
    line("faults", &list(faults(summary)));
    line("reconfigurations", &grouped(summary.reconfigurations()));
    line("alarms of monitors", &grouped(stats.alarms));
    line("writes lost", &grouped(stats.writes_lost));
    line("fingerprint", &format!("{:016x}", summary.fingerprint));
    text
}

/// The first failing seed: what it broke, the fewest faults with which it still does, and how to see it.
pub(super) fn failure(settings: &RunSettings, seed: u64, summary: &Summary) -> String {
    let mut text = String::new();
    for (seed, violation) in summary.failing.iter().take(FAILING_MAX) {
        let words: String = violation.to_string().chars().take(FAILING_COLUMNS).collect();
        text += &format!("\nseed {seed}: {words}");
    }
    if let Some(rest @ 1..) = summary.violations.checked_sub(FAILING_MAX as u64) {
        text += &format!("\nand {rest} more");
    }
    match sim::shrink(settings, seed) {
        Some(shrunk) => {
            let rest = shrunk.plan.trim_end().replace('\n', "\n  ");
            text += &format!("\n\nseed {seed} with the fewest faults ({} runs):\n  {rest}", shrunk.runs);
            text += &format!("\n  {}\n\nreplay: {} --explain\n", shrunk.violation, shrunk.command);
        }
        // It failed a moment ago: then a run does not follow from its seed, which is worse than the violation.
        None => text += &format!("\n\nseed {seed} did not fail again: the simulator is not deterministic\n"),
    }
    text
}

/// The largest counts first, and how many there are besides.
fn list(mut counts: Vec<(String, u64)>) -> String {
    counts.sort_by(|(name, count), (other, more)| more.cmp(count).then(name.cmp(other)));
    let rest: u64 = counts.iter().skip(NAMES_MAX).map(|(_, count)| count).sum();
    counts.truncate(NAMES_MAX);
    let mut words: Vec<String> =
        counts.iter().map(|(name, count)| format!("{name} {}", grouped(*count))).collect();
    if rest > 0 {
        words.push(format!("others {}", grouped(rest)));
    }
    if words.is_empty() { "none".into() } else { words.join(", ") }
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_can_be_read() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn the_largest_counts_come_first_and_none_is_lost() {
        assert_eq!(list(Vec::new()), "none");
        let counts = (0..15).map(|number| (format!("n{number:02}"), number)).collect();
        let text = list(counts);
        assert!(text.starts_with("n14 14, n13 13"), "{text}");
        assert!(text.ends_with("n03 3, others 3"), "{text}");
    }
}
