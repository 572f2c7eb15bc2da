//! A run as a message diagram: a column for each node and client, time down the page, an arrow for each message.

use crate::network::Directory;
use crate::trace::{Trace, Traced, summary};
use agree::Observation;
use wire::{ClientId, Peer, Time};

/// Characters from one column to the next.
const COLUMN: usize = 5;

/// The diagram of what `trace` remembers.
#[must_use]
pub fn diagram(trace: &Trace, directory: Directory) -> String {
    let mut text = String::from("      ms  ");
    for index in 0..directory.peers() {
        text.push_str(&format!("{:<COLUMN$}", directory.peer(index).to_string()));
    }
    text.push('\n');
    for (at, what) in trace.iter() {
        text.push_str(&row(*at, what, directory));
        text.push('\n');
    }
    text
}

fn row(at: Time, what: &Traced, directory: Directory) -> String {
    let micros = at.0 / 1000;
    let mut line = format!("{:>5}.{:03} ", micros / 1000, micros % 1000);
    let client = |client: ClientId| directory.index(Peer::Client(client)).unwrap_or(0);
    let (lane, words) = match what {
        Traced::Sent { from, to, frame } => {
            (arrow(usize::from(*from), usize::from(*to), directory.peers()), summary(frame))
        }
        Traced::Refused { at, from, refusal } => {
            let from = from.map_or("somebody".to_string(), |from| from.to_string());
            (mark(usize::from(*at), 'r', directory.peers()), format!("refuses what {from} sent: {refusal:?}"))
        }
        Traced::Observed { node, observation } => {
            (mark(usize::from(*node), 'o', directory.peers()), observed(observation))
        }
        Traced::Alarm { node, rule } => {
            (mark(usize::from(*node), '!', directory.peers()), format!("alarm: {rule}"))
        }
        Traced::Up { node } => (mark(usize::from(*node), '^', directory.peers()), "starts".to_string()),
        Traced::Down { node, lost } => {
            (mark(usize::from(*node), 'x', directory.peers()), format!("dies and loses {lost} writes"))
        }
        Traced::Invoked { client: id, timestamp, operation } => (
            mark(client(*id), '?', directory.peers()),
            format!("{timestamp}: {}", crate::checkers::linearizable::describe(operation)),
        ),
        Traced::Accepted { client: id, accepted } => (
            mark(client(*id), '=', directory.peers()),
            format!(
                "{} = {:?} at {} in {}",
                accepted.timestamp, accepted.result, accepted.sequence, accepted.view
            ),
        ),
        Traced::Note(text) => ("*".repeat(3), text.clone()),
    };
    line.push_str(&lane);
    line.push_str(&words);
    line
}

fn observed(observation: &Observation) -> String {
    match observation {
        Observation::Executed { view, sequence, batch, applied, .. } => {
            let requests: Vec<String> =
                applied.iter().map(|(client, timestamp)| format!("{client}{timestamp}")).collect();
            format!("executed {sequence} {batch} [{}] in {view}", requests.join(" "))
        }
        Observation::RolledBack { to } => format!("rolled back to {to}"),
        Observation::Restored { sequence, state } => format!("restored {sequence} in state {state}"),
        Observation::Stable { sequence, digest } => format!("stable checkpoint {sequence} {digest}"),
        Observation::Entered { view, primary } => format!("entered {view} of {primary}"),
    }
}

/// `|    o====>|    |`: from one column to another.
fn arrow(from: usize, to: usize, columns: usize) -> String {
    let mut lane = columns_of(columns);
    let (left, right) = (from.min(to) * COLUMN, from.max(to) * COLUMN);
    for place in &mut lane[left..=right] {
        *place = '-';
    }
    lane[from * COLUMN] = 'o';
    lane[to * COLUMN] = if to >= from { '>' } else { '<' };
    lane.into_iter().collect()
}

/// `|    x    |`: something at one column.
fn mark(at: usize, sign: char, columns: usize) -> String {
    let mut lane = columns_of(columns);
    if let Some(place) = lane.get_mut(at * COLUMN) {
        *place = sign;
    }
    lane.into_iter().collect()
}

fn columns_of(columns: usize) -> Vec<char> {
    (0..columns * COLUMN).map(|place| if place % COLUMN == 0 { '|' } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use agree::Message;
    use agree::request::Busy;
    use bytes::Bytes;
    use wire::{Authenticator, Encode, Frame, NodeId, Timestamp};

    /// The page as people read it: when this changes, look at it before you change it here.
    #[test]
    fn a_diagram_reads_down_the_page() {
        let mut trace = Trace::new(10);
        let (client, timestamp) = (ClientId(1), Timestamp(4));
        let busy = Message::Busy(Busy { client, timestamp });
        let frame = Frame {
            from: Peer::Node(NodeId(0)),
            vouched: false,
            body: busy.to_bytes(),
            authenticator: Authenticator::None,
        };
        trace.add(Time(0), Traced::Up { node: 1 });
        trace.add(
            Time(500_000),
            Traced::Invoked {
                client,
                timestamp,
                operation: crate::service::Operation::Get { key: 3 }.to_bytes(),
            },
        );
        trace.add(Time(1_001_000), Traced::Sent { from: 0, to: 2, frame: frame.to_bytes() });
        trace.add(Time(1_002_000), Traced::Sent { from: 2, to: 1, frame: Bytes::from_static(b"?") });
        trace.add(Time(2_000_000), Traced::Down { node: 0, lost: 2 });
        trace.add(Time(2_500_000), Traced::Note("fault 0 ends".to_string()));
        let expected = "
      ms  p0   p1   c0   
    0.000 |    ^    |    starts
    0.500 |    |    ?    T4: Get { key: 3 }
    1.001 o--------->    BUSY c1T4
    1.002 |    <----o    garbage of 1 bytes
    2.000 x    |    |    dies and loses 2 writes
    2.500 ***fault 0 ends
";
        assert_eq!(diagram(&trace, Directory { nodes: 2, stations: 1 }), expected[1..]);
    }
}
