//! The table: a row for each node and what it stands on, then what is not as it should be, one line each.

use super::Findings;
use super::headline::number;
use agree::account::{Account, GuardPart, Stands};
use agree::survey::{Place, SILENT_MS_MAX, listed};
use core::fmt::Write as _;
use link::WallTime;
use node::config::NodeEntry;
use wire::NodeId;

/// What stands where there is nothing to say.
const NOTHING: &str = "-";

/// What marks what f+1 say alike.
const AGREED: &str = " =";

/// The tables and the lines below them. `now` is the time of this machine's calendar.
pub(super) fn of(findings: &Findings<'_>, now: WallTime) -> String {
    let asked = || findings.cluster.nodes().filter(|entry| findings.answers.contains_key(&entry.node));
    let mut text = laid_out(
        &["node", "role", "config", "members", "executed", "stable", "lag", "monitor", "replica"],
        asked().map(|entry| standing(findings, entry.node)),
    );
    text.push('\n');
    text += &laid_out(
        &["node", "address", "up", "version", "sessions", "log", "key"],
        asked().map(|entry| footing(findings, entry)),
    );
    for line in agreement(findings).into_iter().chain(findings.survey.remarks.iter().map(ToString::to_string))
    {
        let _ = write!(text, "\n{line}");
    }
    for (node, answer) in &findings.answers {
        match answer {
            Ok(account) => events(*node, account, now).iter().for_each(|line| _ = write!(text, "\n{line}")),
            Err(silence) => _ = write!(text, "\nnode {}: {silence}", node.0),
        }
    }
    text.trim_end().to_string()
}

/// How a node stands.
fn standing(findings: &Findings<'_>, node: NodeId) -> Vec<String> {
    let place = findings.survey.places[&node];
    let number = node.0.to_string();
    let account = match &findings.answers[&node] {
        Ok(account) => account,
        Err(silence) => {
            let mut row = vec![number, silence.name().to_string()];
            row.resize(9, NOTHING.to_string());
            return row;
        }
    };
    let status = account.replica.as_ref().map(|standing| &standing.status);
    let of_status = |value: Option<u64>| value.map_or(NOTHING.to_string(), |value| value.to_string());
    vec![
        number,
        place.role.name().to_string(),
        configuration(&place, account),
        members(account),
        of_status(status.map(|status| status.executed.0)),
        of_status(status.map(|status| status.stable.0)),
        of_status(place.lag),
        monitor(account),
        replica(&account.guard),
    ]
}

fn configuration(place: &Place, account: &Account) -> String {
    let of_monitor = account.guard.monitor.as_ref().filter(|monitor| monitor.standing != Stands::Forgotten);
    let of_replica = account.replica.as_ref().map(|standing| standing.status.view);
    match of_monitor.map(|monitor| monitor.view).or(of_replica) {
        Some(view) => format!("{}{}", view.0, if place.agrees { AGREED } else { "" }),
        None => NOTHING.to_string(),
    }
}

fn members(account: &Account) -> String {
    let Some(monitor) = &account.guard.monitor else { return NOTHING.to_string() };
    let member = |member: &agree::account::MemberPart| {
        format!("{}{}", member.node.0, if member.is_quarantined() { "x" } else { "" })
    };
    monitor.members.iter().map(member).collect::<Vec<_>>().join(",")
}

/// What the monitor says of itself, and the alarms.
fn monitor(account: &Account) -> String {
    let Some(monitor) = &account.guard.monitor else { return NOTHING.to_string() };
    let stands = match monitor.standing {
        Stands::Member | Stands::Changing if monitor.wants > monitor.view => "suspects",
        Stands::Member => "content",
        Stands::Changing => "changing",
        Stands::Forgotten => "in none",
        Stands::Quarantined => "quarantined",
    };
    // It may be a liar's account.
    let alarms = account.guard.alarms.iter().fold(0_u64, |sum, raised| sum.saturating_add(raised.times));
    let alarms = match alarms {
        0 => String::new(),
        1 => ", 1 alarm".to_string(),
        many => format!(", {many} alarms"),
    };
    format!("{stands}, start {}{alarms}", monitor.incarnation)
}

fn replica(guard: &GuardPart) -> String {
    let beside = &guard.replica;
    let starts = if beside.starts > 1 { format!(", {} starts", beside.starts) } else { String::new() };
    match beside.up {
        false => format!("down{starts}"),
        true if beside.silent_ms > SILENT_MS_MAX => format!("silent {}{starts}", span(beside.silent_ms)),
        true => format!("up{starts}"),
    }
}

/// What a node stands on.
fn footing(findings: &Findings<'_>, entry: &NodeEntry) -> Vec<String> {
    let account = findings.answers[&entry.node].as_ref().ok();
    let standing = account.and_then(|account| account.replica.as_ref());
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| NOTHING.to_string());
    vec![
        entry.node.0.to_string(),
        entry.address.to_string(),
        or_nothing(account.map(|account| span(account.guard.uptime_ms))),
        or_nothing(account.map(|account| account.version.to_string())),
        or_nothing(standing.map(|standing| standing.status.sessions.to_string())),
        or_nothing(standing.map(|standing| {
            let log = standing.log;
            let unsynced =
                if log.unsynced > 0 { format!(", {} not synced", log.unsynced) } else { String::new() };
            format!("write {}, {} MiB{unsynced}", log.writes, log.bytes >> 20)
        })),
        entry.identity.fingerprint().to_string(),
    ]
}

/// Who says what of who leads.
fn agreement(findings: &Findings<'_>) -> Option<String> {
    let lead = findings.survey.lead.as_ref().filter(|_| findings.only.is_none())?;
    let by = listed(&lead.said_by);
    let say = if lead.said_by.len() == 1 { "says" } else { "say" };
    let leads = format!("{by} {say} that node {} leads {}", lead.primary.0, number(lead));
    Some(match lead.agreed {
        true => format!("{leads}: agreed (=), since no more than {} can lie", findings.cluster.settings.f),
        false => format!("{leads}: NOT agreed, {} must say the same", findings.cluster.settings.f + 1),
    })
}

/// What happened at a node and is worth a line.
fn events(node: NodeId, account: &Account, now: WallTime) -> Vec<String> {
    let at = |ago_ms: u64| {
        let when = WallTime(now.0.saturating_sub(ago_ms / 1000));
        format!("{} ago ({when})", span(ago_ms))
    };
    let mut lines = Vec::new();
    for raised in &account.guard.alarms {
        let severity = if raised.proof { "PROOF of guilt" } else { "too late, which is no proof" };
        lines.push(format!(
            "node {}: alarm: its replica broke '{}' ({severity}) in configuration {}, {} times, last {}",
            node.0,
            raised.rule,
            raised.view.0,
            raised.times,
            at(raised.ago_ms)
        ));
    }
    if let Some(end) = &account.guard.replica.end {
        lines.push(format!("node {}: its replica was given up {}: {}", node.0, at(end.ago_ms), end.why));
    }
    if account.guard.words_refused > 0 {
        let words = account.guard.words_refused;
        lines.push(format!(
            "node {}: its replica wrote {words} words that are none: NO correct one does",
            node.0
        ));
    }
    if account.guard.connections_refused > 0 {
        let (refused, since) = (account.guard.connections_refused, span(account.guard.uptime_ms));
        lines.push(format!(
            "node {}: connections refused within {since}: {refused} (strangers, or a wrong key; its metrics say why)",
            node.0
        ));
    }
    lines
}

/// A length of time for people.
fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms}ms"),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// Rows under their heads, each column as wide as it must be.
fn laid_out(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let heads = heads.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = core::iter::once(heads).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_as_exact_as_one_wants_to_know() {
        let spans = [999, 59_999, 61_000, 7_260_000, 90_000_000].map(span);
        assert_eq!(spans, ["999ms", "59s", "1m01s", "2h01m", "1d01h"]);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest() {
        let rows = [["1", "primary"], ["10", "b"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(laid_out(&["node", "role"], rows.into_iter()), "node  role\n1     primary\n10    b\n");
    }
}
