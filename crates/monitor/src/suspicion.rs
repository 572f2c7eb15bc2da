//! When the primary is given up, and who takes over.
//!
//! A monitor *suspects* every configuration before its `target`. Upon silence of the primary for `view_timeout`, upon the
//! ALERT of the primary's own monitor, or upon word that this monitor was started again: the target is the next
//! configuration. It is said to all members (SUSPECT), again and again until something happens.
//! Upon SUSPECT from others: when `f+1` members want at least `t`, those who want less want `t` too.
//! Upon `f+1` that want at least `t`: the member that leads `t` asks for claims (RECONREQUEST).
//! Upon RECONREQUEST(t): the monitor *promises* t: nothing of an older configuration leaves it any more; then its
//!   replica's claim goes to the one who asked.
//! Upon no RECONREQUEST, or no NEWCONFIG, in time: the target is `t+1`, and the time allowed doubles. (Who is there asks at
//! once; the way from there takes longer.)
//! Upon a sign of life from the primary before anything was promised: the suspicion is dropped.
//!
//! A monitor that has forgotten has no configuration to lose: it wants whatever anyone wants. So when all were started
//! again at once (a loss of power), they find together into a configuration after the last. (Not where monitors fail open:
//! there replicas went on meanwhile, unsealed, and only monitors that remember may make a configuration of that.)
//!
//! One suspicious node alone changes nothing: a replica that is cut off does not disturb the others.

use crate::ids::{Node, Time, View};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// What another member's monitor last said.
#[derive(Clone, Copy, Hash, Debug)]
struct Word {
    target: View,
    promised: View,
    at: Time,
}

/// What this monitor and the others think of the configurations.
#[derive(Clone, Hash, Debug)]
pub struct Suspicion {
    /// Every configuration before this one is suspected.
    pub target: View,
    /// No configuration before this one is heard any more.
    pub promised: View,
    /// The primary is given up for good, whatever it says.
    given_up: bool,
    words: BTreeMap<Node, Word>,
}

impl Suspicion {
    /// No suspicion in `view`.
    pub fn none(view: View) -> Self {
        Suspicion { target: view, promised: view, given_up: false, words: BTreeMap::new() }
    }

    /// A monitor that was started again knows of no configuration to be content with.
    pub fn of_forgotten() -> Self {
        Suspicion { target: View(1), promised: View(0), given_up: false, words: BTreeMap::new() }
    }

    /// The greatest configuration that anyone wants.
    pub fn wanted_by_any(&self) -> View {
        self.words.values().map(|word| word.target).max().unwrap_or(View(0)).max(self.target)
    }

    /// The configuration `view` was entered.
    pub fn entered(&mut self, view: View) {
        self.given_up = false;
        self.target = self.target.max(view);
        self.promised = self.promised.max(view);
        if self.promised == view {
            self.target = view;
        }
    }

    /// The primary of `view` is there after all. Nothing happens once a later configuration was promised.
    pub fn dismiss(&mut self, view: View) {
        if self.promised <= view && !self.given_up {
            self.target = view;
        }
    }

    /// The primary's own monitor said that it must go: `target` is wanted, and no sign of life changes that.
    pub fn give_up(&mut self, target: View) {
        self.given_up = true;
        self.target = self.target.max(target);
    }

    /// Another member's monitor spoke.
    pub fn heard(&mut self, now: Time, from: Node, target: View, promised: View) {
        self.words.insert(from, Word { target, promised, at: now });
    }

    /// Forgets what was said before `oldest`, and by nodes that are not `members`.
    pub fn forget(&mut self, oldest: Time, members: &[Node]) {
        self.words.retain(|node, word| word.at >= oldest && members.contains(node));
    }

    /// The greatest configuration that at least `count` members want, this monitor's own word included.
    pub fn wanted_by(&self, count: usize) -> View {
        let mut targets: Vec<View> = self.words.values().map(|word| word.target).collect();
        targets.push(self.target);
        targets.sort_unstable_by(|one, other| other.cmp(one));
        targets.get(count - 1).copied().unwrap_or(View(0))
    }

    /// The greatest configuration that anyone has promised.
    pub fn promised_by_any(&self) -> View {
        self.words.values().map(|word| word.promised).max().unwrap_or(View(0)).max(self.promised)
    }
}
