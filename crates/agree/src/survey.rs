//! What the accounts of all nodes come to: whether a cluster serves, who leads it, and what is wrong with it.
//!
//! Upon the accounts of those who answered: each node has a [`Role`]; it *takes part* as primary or backup of the configuration that
//!   its monitor is in (of its view, where there are no monitors). Those who name the same configuration and primary are alike.
//!   The largest group of them is believed; it is *agreed* if f+1 are in it, since one of them at least does not lie.
//! **Not serving**: fewer take part in it than the protocol needs, or its primary is not among them, or is and cannot order.
//! **Degraded**: it serves, but a fault of the f is used, somebody did not answer, or there is something to remark ([`Remark`]).
//! **Healthy**: neither.
//!
//! How far a node is behind is told against the place that f+1 say they have reached: one liar cannot make the others look slow.
//!
//! Not here: who was asked, how, and why somebody did not answer. A survey knows only that there is no account.

use crate::account::{Account, MonitorPart, Stands};
use crate::settings::Settings;
use core::fmt;
use std::collections::BTreeMap;
use wire::{NodeId, Sequence, View};

/// A replica that has not said how it stands for so long is taken for one that does not run.
pub const SILENT_MS_MAX: u64 = 2_000;

/// What a node is at present.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// It leads.
    Primary,
    /// It follows.
    Backup,
    /// It follows without its monitor's word (`fail = "open"`); it cannot lead.
    Unmonitored,
    /// It stands by.
    Spare,
    /// It is on its way into a view or configuration, or catching up.
    Joining,
    /// Its monitor was started again, and is in no configuration yet.
    Forgotten,
    /// Its replica was proven guilty; it comes back only wiped and with a new key.
    Quarantined,
    /// Its replica does not run, or says nothing.
    Down,
    /// There is no account of it.
    Unheard,
}

impl Role {
    /// Its name, for tables and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Primary => "primary",
            Role::Backup => "backup",
            Role::Unmonitored => "unmonitored",
            Role::Spare => "spare",
            Role::Joining => "joining",
            Role::Forgotten => "forgotten",
            Role::Quarantined => "quarantined",
            Role::Down => "down",
            Role::Unheard => "unheard",
        }
    }

    /// Whether it takes part in ordering.
    #[must_use]
    pub fn takes_part(self) -> bool {
        match self {
            Role::Primary | Role::Backup | Role::Unmonitored => true,
            Role::Spare
            | Role::Joining
            | Role::Forgotten
            | Role::Quarantined
            | Role::Down
            | Role::Unheard => false,
        }
    }
}

/// Whether a cluster serves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Health {
    /// All is well.
    Healthy,
    /// It serves, and something is wrong.
    Degraded,
    /// It does not serve.
    NotServing,
}

/// A configuration as those who take part in it tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lead {
    /// Its number.
    pub view: View,
    /// Who leads it.
    pub primary: NodeId,
    /// Who is a member, in the order of slots.
    pub members: Vec<NodeId>,
    /// Who says so.
    pub said_by: Vec<NodeId>,
    /// Whether f+1 do.
    pub agreed: bool,
}

/// A node among the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// What it is.
    pub role: Role,
    /// Whether it says of the configuration what f+1 say.
    pub agrees: bool,
    /// How many batches it is behind those that f+1 say they have executed.
    pub lag: Option<u64>,
}

/// Something that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remark {
    /// Some take part in another configuration, or under another primary.
    Split(Lead),
    /// Two say that they stand at the same place, with different states.
    StatesDiffer {
        /// Where.
        at: Sequence,
        /// Who.
        nodes: [NodeId; 2],
    },
    /// A replica was proven guilty.
    Guilty {
        /// Whose.
        node: NodeId,
        /// Of which breach, by its own monitor's word.
        rule: String,
    },
    /// A monitor wants a later configuration than the one that it is in.
    Suspects {
        /// Whose.
        node: NodeId,
        /// Who leads the one that it is in.
        primary: NodeId,
        /// What it wants.
        wants: View,
    },
    /// There is no link between two nodes that both answer us.
    Unlinked(NodeId, NodeId),
    /// What it says goes out without a monitor's word.
    Unmonitored(NodeId),
    /// They do not run the same program.
    VersionsDiffer,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::Split(lead) => {
                let (view, primary) = (lead.view.0, lead.primary.0);
                write!(f, "{} follow node {primary} in {view} instead", listed(&lead.said_by))
            }
            Remark::StatesDiffer { at, nodes: [one, other] } => write!(
                f,
                "nodes {} and {} HAVE DIFFERENT STATES after batch {}: one of them is wrong or lies",
                one.0, other.0, at.0
            ),
            Remark::Guilty { node, rule } => write!(
                f,
                "node {}: its replica broke '{rule}', which no correct one does; wipe it and give it a new key",
                node.0
            ),
            Remark::Suspects { node, primary, wants } => {
                write!(
                    f,
                    "the monitor of node {} suspects node {} and wants configuration {}",
                    node.0, primary.0, wants.0
                )
            }
            Remark::Unlinked(one, other) => {
                write!(f, "node {} has no link to node {}, though both answer", one.0, other.0)
            }
            Remark::Unmonitored(node) => {
                write!(f, "node {} goes on without its monitor's word (fail = \"open\")", node.0)
            }
            Remark::VersionsDiffer => f.write_str("not all nodes run the same version"),
        }
    }
}

/// Nodes in words.
#[must_use]
pub fn listed(nodes: &[NodeId]) -> String {
    let numbers: Vec<String> = nodes.iter().map(|node| node.0.to_string()).collect();
    format!("{} {}", if numbers.len() == 1 { "node" } else { "nodes" }, numbers.join(", "))
}

/// What the accounts come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Survey {
    /// Whether the cluster serves.
    pub health: Health,
    /// The configuration that most of those who take part are in.
    pub lead: Option<Lead>,
    /// How many must take part in it.
    pub needed: usize,
    /// How many do.
    pub taking_part: usize,
    /// How many of its members do not.
    pub faults: usize,
    /// The place of the last batch that f+1 say they have executed; if fewer answered, the greatest that anybody says.
    pub furthest: Option<Sequence>,
    /// Each node.
    pub places: BTreeMap<NodeId, Place>,
    /// What is not as it should be.
    pub remarks: Vec<Remark>,
}

impl Survey {
    /// The survey of a cluster of these `settings` by the `accounts` of those who answered.
    #[must_use]
    pub fn of(settings: &Settings, accounts: &BTreeMap<NodeId, Account>) -> Survey {
        let mut leads = leads(settings, accounts);
        let lead = (!leads.is_empty()).then(|| leads.remove(0));
        let members = lead.as_ref().map_or(&settings.members, |lead| &lead.members);
        let furthest = furthest(settings.f, accounts);
        let nodes = settings.members.iter().chain(&settings.spares);
        let places: BTreeMap<NodeId, Place> = nodes
            .map(|node| {
                let account = accounts.get(node);
                let agrees = lead.as_ref().is_some_and(|lead| lead.agreed && lead.said_by.contains(node));
                let executed = account.and_then(|account| account.replica.as_ref());
                let executed = executed.map(|standing| standing.status.executed.0);
                let lag =
                    furthest.zip(executed).map(|(furthest, executed)| furthest.0.saturating_sub(executed));
                let role = account.map_or(Role::Unheard, |account| role(members, *node, account));
                (*node, Place { role, agrees, lag })
            })
            .collect();
        let mut remarks: Vec<Remark> = leads.into_iter().map(Remark::Split).collect();
        remarks.extend(remarks_on(settings, accounts, &places));
        let needed = settings.protocol.replicas(settings.f) - settings.f;
        let taking_part = lead.as_ref().map_or(0, |lead| lead.said_by.len());
        let faults = members.len() - taking_part.min(members.len());
        // One whose monitor was started again was started again with it, and never orders in that configuration.
        let leads = |lead: &Lead| places.get(&lead.primary).is_some_and(|place| place.role == Role::Primary);
        let leader_is_there = lead.as_ref().is_some_and(leads);
        let is_wrong = |place: &Place| !place.role.takes_part() && place.role != Role::Spare;
        let health = if taking_part < needed || !leader_is_there {
            Health::NotServing
        } else if faults > 0
            || places.values().any(is_wrong)
            || remarks.iter().any(|remark| *remark != Remark::VersionsDiffer)
        {
            Health::Degraded
        } else {
            Health::Healthy
        };
        Survey { health, lead, needed, taking_part, faults, furthest, places, remarks }
    }
}

impl Survey {
    /// Whether one node does its part, by its own word.
    #[must_use]
    pub fn health_of(&self, node: NodeId) -> Health {
        match self.places.get(&node).map_or(Role::Unheard, |place| place.role) {
            Role::Primary | Role::Backup | Role::Spare => Health::Healthy,
            Role::Unmonitored | Role::Joining | Role::Forgotten | Role::Quarantined | Role::Down => {
                Health::Degraded
            }
            Role::Unheard => Health::NotServing,
        }
    }
}

/// What a node is, where these are the `members`.
#[must_use]
pub fn role(members: &[NodeId], node: NodeId, account: &Account) -> Role {
    let beside = &account.guard.replica;
    let silent = beside.silent_ms > SILENT_MS_MAX;
    let replica = account.replica.as_ref().filter(|_| beside.up && !silent).map(|standing| &standing.status);
    let monitor = account.guard.monitor.as_ref();
    if monitor.is_some_and(|monitor| monitor.standing == Stands::Quarantined) {
        return Role::Quarantined;
    }
    let Some(status) = replica else { return Role::Down };
    let role_in_order = || if status.primary == node { Role::Primary } else { Role::Backup };
    match monitor {
        None if status.normal => role_in_order(),
        None => Role::Joining,
        Some(monitor) => match monitor.standing {
            Stands::Member if status.normal && status.view == monitor.view => role_in_order(),
            Stands::Member | Stands::Changing => Role::Joining,
            Stands::Forgotten if monitor.fails_open && status.normal => Role::Unmonitored,
            Stands::Forgotten if !members.contains(&node) => Role::Spare,
            Stands::Forgotten => Role::Forgotten,
            Stands::Quarantined => Role::Quarantined,
        },
    }
}

/// The configurations in which nodes take part; the one in which most do comes first, of two the later.
fn leads(settings: &Settings, accounts: &BTreeMap<NodeId, Account>) -> Vec<Lead> {
    let mut leads: Vec<Lead> = Vec::new();
    for (node, account) in accounts {
        let Some((view, primary, members)) = configuration(settings, *node, account) else { continue };
        let same = |lead: &&mut Lead| (lead.view, lead.primary, &lead.members) == (view, primary, &members);
        match leads.iter_mut().find(same) {
            Some(lead) => lead.said_by.push(*node),
            None => leads.push(Lead { view, primary, members, said_by: vec![*node], agreed: false }),
        }
    }
    for lead in &mut leads {
        lead.agreed = lead.said_by.len() > settings.f;
    }
    leads.sort_by_key(|lead| core::cmp::Reverse((lead.said_by.len(), lead.view)));
    leads
}

/// In which configuration a node takes part, if it does.
fn configuration(
    settings: &Settings,
    node: NodeId,
    account: &Account,
) -> Option<(View, NodeId, Vec<NodeId>)> {
    let status = &account.replica.as_ref()?.status;
    match (role(&settings.members, node, account), &account.guard.monitor) {
        (Role::Primary | Role::Backup, Some(monitor)) => {
            let members = monitor.members.iter().map(|member| member.node).collect();
            Some((monitor.view, leader(monitor)?, members))
        }
        (role, _) if role.takes_part() => Some((status.view, status.primary, settings.members.clone())),
        (_, _) => None,
    }
}

/// Who leads the configuration that a monitor is in.
fn leader(monitor: &MonitorPart) -> Option<NodeId> {
    let slot = monitor.view.0.checked_rem(monitor.members.len() as u64)?;
    monitor.members.get(usize::try_from(slot).ok()?).map(|member| member.node)
}

fn furthest(f: usize, accounts: &BTreeMap<NodeId, Account>) -> Option<Sequence> {
    let executed = accounts.values().filter_map(|account| account.replica.as_ref());
    let mut executed: Vec<Sequence> = executed.map(|standing| standing.status.executed).collect();
    executed.sort_unstable_by(|one, other| other.cmp(one));
    executed.get(f).or(executed.first()).copied()
}

fn remarks_on(
    settings: &Settings,
    accounts: &BTreeMap<NodeId, Account>,
    places: &BTreeMap<NodeId, Place>,
) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let statuses = accounts.iter().filter_map(|(node, account)| {
        let taking_part = places.get(node).is_some_and(|place| place.role.takes_part());
        account.replica.as_ref().filter(|_| taking_part).map(|standing| (*node, &standing.status))
    });
    let statuses: Vec<_> = statuses.collect();
    for (index, (one, its)) in statuses.iter().enumerate() {
        let differs = statuses[index + 1..].iter().find(|(_, others)| {
            (its.view, its.executed) == (others.view, others.executed) && its.state != others.state
        });
        if let Some((other, _)) = differs {
            remarks.push(Remark::StatesDiffer { at: its.executed, nodes: [*one, *other] });
        }
    }
    for (node, account) in accounts {
        if let Some(monitor) = &account.guard.monitor {
            if let Some(rule) = &monitor.guilty {
                remarks.push(Remark::Guilty { node: *node, rule: rule.to_string() });
            }
            if let (Some(primary), Stands::Member | Stands::Changing) = (leader(monitor), monitor.standing)
                && monitor.wants > monitor.view
            {
                let wants = monitor.wants;
                remarks.push(Remark::Suspects { node: *node, primary, wants });
            }
        }
        if places.get(node).is_some_and(|place| place.role == Role::Unmonitored) {
            remarks.push(Remark::Unmonitored(*node));
        }
        let others = settings.members.iter().chain(&settings.spares).filter(|other| *other > node);
        for other in others.filter(|other| accounts.contains_key(*other)) {
            if !account.guard.links_up.contains(other) {
                remarks.push(Remark::Unlinked(*node, *other));
            }
        }
    }
    let mut versions = accounts.values().map(|account| &account.version);
    let first = versions.next();
    if versions.any(|version| Some(version) != first) {
        remarks.push(Remark::VersionsDiffer);
    }
    remarks
}

#[cfg(test)]
mod tests;
