//! Which kinds of fault a campaign draws from, by name.

use agree::Protocol;
use core::fmt;
use core::str::FromStr;

/// A set of kinds of fault. Named on the command line: one name, or several with commas between.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Mix {
    bits: u8,
}

impl Mix {
    /// Nothing goes wrong.
    pub const NONE: Mix = Mix { bits: 0 };
    /// Loss, delay, duplication, reordering, partitions, one-way cuts, flapping links.
    pub const NETWORK: Mix = Mix { bits: 1 };
    /// Replicas and whole nodes that crash and come back, loss of all power, slow disks.
    pub const CRASH: Mix = Mix { bits: 2 };
    /// Clocks that drift, processes that stand still.
    pub const TIME: Mix = Mix { bits: 4 };
    /// Replicas that lie.
    pub const BYZANTINE: Mix = Mix { bits: 8 };
    /// Monitors that crash.
    pub const MONITOR: Mix = Mix { bits: 16 };
    /// Outsiders that send frames, and bits that flip.
    pub const OUTSIDER: Mix = Mix { bits: 32 };
    /// All of it.
    pub const ALL: Mix = Mix { bits: 63 };

    /// Every name with its mix.
    pub const NAMES: [(&'static str, Mix); 8] = [
        ("none", Mix::NONE),
        ("network", Mix::NETWORK),
        ("crash", Mix::CRASH),
        ("time", Mix::TIME),
        ("byzantine", Mix::BYZANTINE),
        ("monitor", Mix::MONITOR),
        ("outsider", Mix::OUTSIDER),
        ("all", Mix::ALL),
    ];

    /// Whether everything in `other` is in this.
    #[must_use]
    pub fn has(self, other: Mix) -> bool {
        self.bits & other.bits == other.bits
    }

    /// What is in either.
    #[must_use]
    pub fn with(self, other: Mix) -> Mix {
        Mix { bits: self.bits | other.bits }
    }

    /// What of this makes sense for `protocol`: none lie where lies are not promised to be survived, and no monitor
    /// crashes where there is none.
    #[must_use]
    pub fn for_protocol(self, protocol: Protocol) -> Mix {
        let mut bits = self.bits;
        if !protocol.tolerates_lies() {
            bits &= !Mix::BYZANTINE.bits;
        }
        if !protocol.monitored() {
            bits &= !Mix::MONITOR.bits;
        }
        Mix { bits }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = Mix::NAMES.into_iter().find(|(_, mix)| mix == self) {
            return f.write_str(name);
        }
        let names = Mix::NAMES.into_iter().filter(|(_, mix)| mix.bits.count_ones() == 1 && self.has(*mix));
        let names: Vec<&str> = names.map(|(name, _)| name).collect();
        f.write_str(&names.join(","))
    }
}

/// A word that names no mix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMix(String);

impl fmt::Display for UnknownMix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Mix::NAMES.map(|(name, _)| name).join(", ");
        write!(f, "there is no mix of faults '{}'; there are {names}, or several of them with commas", self.0)
    }
}

impl core::error::Error for UnknownMix {}

impl FromStr for Mix {
    type Err = UnknownMix;

    fn from_str(words: &str) -> Result<Self, Self::Err> {
        let mut mix = Mix::NONE;
        for word in words.split(',') {
            let found = Mix::NAMES.into_iter().find(|(name, _)| *name == word.trim());
            let (_, part) = found.ok_or_else(|| UnknownMix(word.to_string()))?;
            mix = mix.with(part);
        }
        Ok(mix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_named_and_read_back() {
        for (name, mix) in Mix::NAMES {
            assert_eq!(name.parse(), Ok(mix));
            assert_eq!(mix.to_string(), name);
        }
        let both: Mix = "crash, network".parse().expect("two names");
        assert_eq!(both.to_string(), "network,crash");
        assert!("chaos".parse::<Mix>().expect_err("there is none").to_string().contains("'chaos'"));
    }

    #[test]
    fn nobody_lies_in_paxos() {
        let mix = Mix::ALL.for_protocol(Protocol::Paxos);
        assert!(!mix.has(Mix::BYZANTINE) && !mix.has(Mix::MONITOR) && mix.has(Mix::CRASH));
        assert_eq!(Mix::ALL.for_protocol(Protocol::ByzId), Mix::ALL);
    }
}
