//! Who is a member, who leads, and which start of whose monitor is meant.

use crate::ids::{Incarnation, Node, View};
use alloc::vec::Vec;

/// A member of a configuration: a node, and the start of its monitor that takes part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Member {
    /// The node.
    pub node: Node,
    /// The start of its monitor that takes part. A later start of the same node has forgotten, and does not.
    pub incarnation: Incarnation,
}

/// The configuration `v`: its members in the order of their slots.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Configuration {
    /// The paper's `v`.
    pub view: View,
    /// The members, by slot.
    pub members: Vec<Member>,
}

/// A configuration as one start of its primary's monitor leads it.
///
/// The number alone does not name a configuration. If all monitors lose their memory before any correct replica has
/// configuration `v` on its disk, the number is given again; a liar may still have what the first one ordered, sealed. But
/// one start of a monitor leads `v` once, and later starts are greater.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reign {
    /// The paper's `v`.
    pub view: View,
    /// Who leads, and which start of its monitor.
    pub primary: Member,
}

impl Configuration {
    /// Which one it is among those of its number.
    pub fn reign(&self) -> Reign {
        let slot = self.view.0 % self.members.len() as u64;
        Reign { view: self.view, primary: self.members[slot as usize] }
    }

    /// The slot of a node, if it is a member.
    pub fn slot(&self, node: Node) -> Option<usize> {
        self.members.iter().position(|member| member.node == node)
    }

    /// Who would lead configuration `view` with these members.
    pub fn leader_of(&self, view: View) -> Node {
        let slot = view.0 % self.members.len() as u64;
        self.members[slot as usize].node
    }

    /// Who leads.
    pub fn primary(&self) -> Node {
        self.leader_of(self.view)
    }

    /// The first configuration after `past` that `node` would lead.
    pub fn next_led_by(&self, node: Node, past: View) -> Option<View> {
        let slot = self.slot(node)? as u64;
        let n = self.members.len() as u64;
        let ahead = (slot + n - (past.0 + 1) % n) % n;
        Some(View(past.0 + 1 + ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn the_next_configuration_that_a_node_leads_is_the_first_one_past() {
        let member = |node| Member { node, incarnation: 0 };
        let configuration = Configuration { view: View(4), members: vec![member(7), member(8), member(9)] };
        assert_eq!(configuration.primary(), 8);
        assert_eq!(configuration.next_led_by(8, View(4)), Some(View(7)));
        assert_eq!(configuration.next_led_by(9, View(4)), Some(View(5)));
        assert_eq!(configuration.next_led_by(7, View(4)), Some(View(6)));
        assert_eq!(configuration.next_led_by(1, View(4)), None);
    }
}
