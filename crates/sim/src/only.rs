//! A part of a plan: which of its faults and lies, how many clients and how many requests of each.
//!
//! What a shrunk run is replayed by: `faults=0+3,lies=1,clients=2,operations=10`. What is not named is whole.

use core::fmt;
use core::str::FromStr;

/// What of a plan is left.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Only {
    /// The faults, by their number in the plan.
    pub faults: Option<Vec<usize>>,
    /// The lies (a behaviour of a traitor), by their number in the plan.
    pub lies: Option<Vec<usize>>,
    /// Clients at most.
    pub clients: Option<usize>,
    /// Requests per client at most.
    pub operations: Option<u64>,
}

impl Only {
    /// Whether it leaves everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Only::default()
    }
}

impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |numbers: &[usize]| numbers.iter().map(usize::to_string).collect::<Vec<_>>().join("+");
        let mut parts = Vec::new();
        if let Some(faults) = &self.faults {
            parts.push(format!("faults={}", list(faults)));
        }
        if let Some(lies) = &self.lies {
            parts.push(format!("lies={}", list(lies)));
        }
        if let Some(clients) = self.clients {
            parts.push(format!("clients={clients}"));
        }
        if let Some(operations) = self.operations {
            parts.push(format!("operations={operations}"));
        }
        f.write_str(&parts.join(","))
    }
}

/// Words that describe no part of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOnly(String);

impl fmt::Display for BadOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is no part of a plan; one looks like faults=0+3,lies=1,clients=2,operations=10",
            self.0
        )
    }
}

impl core::error::Error for BadOnly {}

impl FromStr for Only {
    type Err = BadOnly;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |_| BadOnly(text.to_string());
        let list = |numbers: &str| {
            numbers
                .split('+')
                .filter(|number| !number.is_empty())
                .map(str::parse)
                .collect::<Result<Vec<usize>, _>>()
        };
        let mut only = Only::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("faults", numbers)) => only.faults = Some(list(numbers).map_err(bad)?),
                Some(("lies", numbers)) => only.lies = Some(list(numbers).map_err(bad)?),
                Some(("clients", number)) => only.clients = Some(number.parse().map_err(bad)?),
                Some(("operations", number)) => only.operations = Some(number.parse().map_err(bad)?),
                _ => return Err(BadOnly(part.to_string())),
            }
        }
        Ok(only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_written_and_read_back() {
        let only =
            Only { faults: Some(vec![0, 3]), lies: Some(vec![]), clients: Some(2), operations: Some(10) };
        assert_eq!(only.to_string(), "faults=0+3,lies=,clients=2,operations=10");
        assert_eq!(only.to_string().parse(), Ok(only));
        assert_eq!("".parse(), Ok(Only::default()));
        assert!("fault=1".parse::<Only>().is_err());
        assert!("faults=x".parse::<Only>().is_err());
    }
}
