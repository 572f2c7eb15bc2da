//! What is written of a group: the object `varangian.behaviour` of its alert.

use super::group::{Group, Member, Outcomes};
use super::key::{Key, MembersAre};
use super::kind::Kind;
use crate::Time;
use crate::eve::{Object, timestamp};
use core::net::IpAddr;

/// Members that a record shows at most.
const EXAMPLES_MAX: usize = 10;

/// How far a group is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It has just reached its limit.
    Began,
    /// It was told before, and goes on.
    GoesOn,
    /// It was told before, and nothing more comes.
    Over,
}

/// What is told of a group.
pub(crate) struct Report<'a> {
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) key: &'a Key,
    pub(crate) group: &'a Group,
    pub(crate) time: Time,
}

/// What an alert says of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Behaviour {
    /// What is done.
    pub kind: Kind,
    /// How far it is.
    pub state: State,
    /// How often, since it began.
    pub count: u64,
    /// How many distinct ports, hosts, protocols or sources that were.
    pub distinct: u64,
    /// There were more than were counted apart.
    pub distinct_at_least: bool,
    /// When it was seen first.
    pub first: Time,
    /// And last.
    pub last: Time,
    service: Option<&'static str>,
    members: MembersAre,
    examples: Vec<Member>,
    outcomes: Outcomes,
}

impl Report<'_> {
    pub(crate) fn behaviour(&self) -> Behaviour {
        let group = self.group;
        let service = match self.key {
            Key::Logins { service, .. } => Some(*service),
            _ => None,
        };
        Behaviour {
            kind: self.kind,
            state: self.state,
            count: group.attempts,
            distinct: group.failed.list().len() as u64,
            distinct_at_least: group.failed.are_more,
            first: group.since,
            last: group.last,
            service,
            members: self.key.members_are(),
            examples: group.failed.list().iter().copied().take(EXAMPLES_MAX).collect(),
            outcomes: group.outcomes,
        }
    }

    /// From where to where: the last of the group; a port only where all have the same.
    pub(crate) fn ends(&self) -> ((IpAddr, u16), (IpAddr, u16)) {
        (self.group.source, self.group.target)
    }
}

impl Behaviour {
    /// The object `behaviour`.
    pub(crate) fn record(&self) -> Object {
        let mut object = Object::new();
        object.text("kind", self.kind.name());
        object.text(
            "state",
            match self.state {
                State::Began => "began",
                State::GoesOn => "goes_on",
                State::Over => "over",
            },
        );
        if let Some(service) = self.service {
            object.text("service", service);
        }
        object.number("count", self.count);
        object.number("distinct", self.distinct);
        object.flag("distinct_at_least", self.distinct_at_least);
        object.text(
            "distinct_of",
            match self.members {
                MembersAre::Ports => "ports",
                MembersAre::Hosts => "hosts",
                MembersAre::Protocols => "protocols",
                MembersAre::Sources => "sources",
            },
        );
        object.text("first", &timestamp(self.first));
        object.text("last", &timestamp(self.last));
        let outcomes = self.outcomes();
        if !outcomes.is_empty() {
            object.object("outcomes", outcomes);
        }
        let numbers = self.examples.iter().filter_map(|member| match member {
            Member::Number(number) => Some(u64::from(*number)),
            Member::Host(_) => None,
        });
        let hosts: Vec<String> = self
            .examples
            .iter()
            .filter_map(|member| match member {
                Member::Host(host) => Some(host.to_string()),
                Member::Number(_) => None,
            })
            .collect();
        match self.members {
            MembersAre::Ports | MembersAre::Protocols => object.numbers("examples", numbers),
            MembersAre::Hosts | MembersAre::Sources => {
                object.texts("examples", hosts.iter().map(String::as_str))
            }
        }
        object
    }

    /// What came of the attempts, as far as there were any of that sort.
    fn outcomes(&self) -> Object {
        let Outcomes { answered, unused, silent, refused, half_open, broken_off } = self.outcomes;
        let mut object = Object::new();
        for (name, count) in [
            ("answered", answered),
            ("unused", unused),
            ("silent", silent),
            ("refused", refused),
            ("half_open", half_open),
            ("broken_off", broken_off),
        ] {
            if count > 0 {
                object.number(name, count);
            }
        }
        object
    }
}
