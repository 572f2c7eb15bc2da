//! What must hold in every state, and what should be possible in some.
//!
//! In every state:
//!   - *agreement*: no two results that clients believe contradict each other; correct replicas of one configuration hold
//!     histories of which one is the beginning of the other (in Paxos and PBFT: correct replicas, whatever their view); no
//!     two digests are stable at one place;
//!   - *durability*: what a client believes of a configuration is in the history of every correct replica that takes part in
//!     a later one, at the same place; and of the same one, if the replica is that far;
//!   - *exactly once*: no history holds a command twice, or one that nobody asked for;
//!   - *no false proof*: no monitor holds the proof that a correct replica is guilty;
//!   - *no stop*: no assertion of a correct node fails.
//!
//! Which nodes are correct is known here as it is nowhere else: all but the traitor.

use super::scope::Sometimes;
use super::tables::{Known, Tables};
use super::world::{Believed, Model, World};
use agree::replica::Status;
use wire::{NodeId, Sequence, View};

/// Something that an action did which no state shows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Told {
    /// A correct node stopped itself.
    Stopped {
        /// Which.
        node: NodeId,
        /// Why.
        reason: String,
    },
    /// Two digests are stable at one place.
    TwoStables {
        /// Who said the second.
        node: NodeId,
        /// Where.
        sequence: Sequence,
    },
}

/// A correct replica as the properties see it.
struct Seen<'a> {
    node: NodeId,
    status: &'a Status,
    history: &'a [u8],
}

fn correct<'a>(tables: &'a Tables, world: &'a World) -> impl Iterator<Item = &'a Known> {
    let known = world.nodes.iter().map(|number| tables.node(*number));
    known.filter(|known| !known.node.is_traitor())
}

fn seen(known: &Known) -> Option<Seen<'_>> {
    Some(Seen { node: known.node.id(), status: known.status.as_ref()?, history: &known.history })
}

/// The first promise that `world` breaks, in words.
#[must_use]
pub fn broken(model: &Model, world: &World) -> Option<String> {
    if let Some(told) = &world.told {
        return Some(match &**told {
            Told::Stopped { node, reason } => format!("no stop: {node}: {reason}"),
            Told::TwoStables { node, sequence } => {
                format!("agreement: {node} holds another digest stable at {sequence} than others do")
            }
        });
    }
    let tables = model.tables();
    for known in correct(&tables, world) {
        if let Some(rule) = known.guilty {
            let id = known.node.id();
            return Some(format!("no false proof: {id} is found guilty of '{}'", rule.name()));
        }
    }
    let replicas: Vec<Seen> = correct(&tables, world).filter_map(seen).collect();
    believed_agree(&world.record.believed.iter().collect::<Vec<_>>())
        .or_else(|| replicas.iter().find_map(|replica| exactly_once(model, replica)))
        .or_else(|| replicas.iter().find_map(|replica| durable(model, world, replica)))
        .or_else(|| histories_agree(model, &replicas))
}

fn believed_agree(believed: &[&Believed]) -> Option<String> {
    for (index, one) in believed.iter().enumerate() {
        for other in &believed[index + 1..] {
            if (one.client == other.client) != (one.result == other.result) {
                return Some(format!("agreement: {one:?} and {other:?} are both believed"));
            }
        }
    }
    None
}

fn exactly_once(model: &Model, replica: &Seen) -> Option<String> {
    let history = replica.history;
    let strange = history.iter().any(|command| usize::from(*command) >= model.scope.requests);
    let twice = history.iter().enumerate().any(|(at, command)| history[..at].contains(command));
    (strange || twice).then(|| format!("exactly once: {} executed {history:?}", replica.node))
}

fn durable(model: &Model, world: &World, replica: &Seen) -> Option<String> {
    let speculates = model.scope.protocol.monitored();
    if speculates && !replica.status.normal {
        return None;
    }
    for believed in &world.record.believed {
        let at = believed.result.first().map_or(0, |place| usize::from(*place));
        let held = at.checked_sub(1).and_then(|index| replica.history.get(index));
        let command = Some((believed.client.0 - 1) as u8);
        let (view, later) = (replica.status.view, replica.status.view > believed.view);
        let wrong = if speculates {
            later && held.copied() != command
                || view == believed.view && held.is_some() && held.copied() != command
        } else {
            held.is_some() && held.copied() != command
        };
        if wrong {
            let (node, history) = (replica.node, replica.history);
            return Some(format!("durability: {believed:?}, and {node} in {view} holds {history:?}"));
        }
    }
    None
}

fn histories_agree(model: &Model, replicas: &[Seen]) -> Option<String> {
    let speculates = model.scope.protocol.monitored();
    for (index, one) in replicas.iter().enumerate() {
        for other in &replicas[index + 1..] {
            let comparable = !speculates
                || (one.status.view == other.status.view && one.status.normal && other.status.normal);
            let shorter = one.history.len().min(other.history.len());
            if comparable && one.history[..shorter] != other.history[..shorter] {
                let text = |seen: &Seen| format!("{} in {} {:?}", seen.node, seen.status.view, seen.history);
                return Some(format!("agreement: {} and {}", text(one), text(other)));
            }
        }
    }
    None
}

/// Whether `world` shows what should be possible.
#[must_use]
pub fn shows(model: &Model, world: &World, what: Sometimes) -> bool {
    let tables = model.tables();
    let believed = &world.record.believed;
    match what {
        Sometimes::Accepted => !believed.is_empty(),
        Sometimes::AllAccepted => believed.len() >= model.scope.requests,
        Sometimes::Changed => correct(&tables, world)
            .filter_map(|known| known.status.as_ref())
            .any(|status| status.normal && status.view > View(0)),
        Sometimes::AcceptedAfterChange => believed.iter().any(|believed| believed.view > View(0)),
        Sometimes::Stable => !world.record.stable.is_empty(),
        Sometimes::Caught => {
            let mut known = world.nodes.iter().map(|number| tables.node(*number));
            known.any(|known| known.node.is_traitor() && known.guilty.is_some())
        }
        Sometimes::WrongReply => world.has_wrong_replies(),
    }
}
