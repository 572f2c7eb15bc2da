//! Sets of ports: `80`, `1024:`, `:1024`, `[80,443,8000:8080]`, `!80`, `[1024:,!5555]`, with variables.

use super::Variables;
use crate::Complaint;

/// Lists within lists at most.
const NESTING_MAX: usize = 64;

/// A set of ports.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PortSet {
    /// Disjoint and ascending, both ends included.
    ranges: Vec<(u16, u16)>,
}

impl PortSet {
    /// All ports.
    #[must_use]
    pub fn any() -> Self {
        PortSet { ranges: vec![(0, u16::MAX)] }
    }

    /// Whether all ports are in it.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.ranges == [(0, u16::MAX)]
    }

    /// Whether `port` is in it.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        let after = self.ranges.partition_point(|range| range.0 <= port);
        after > 0 && self.ranges[after - 1].1 >= port
    }

    /// The ports in it, if they are at most `count`.
    #[must_use]
    pub fn few(&self, count: usize) -> Option<Vec<u16>> {
        let total: usize = self.ranges.iter().map(|range| usize::from(range.1 - range.0) + 1).sum();
        (total <= count).then(|| self.ranges.iter().flat_map(|range| range.0..=range.1).collect())
    }

    /// Reads a set.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str, variables: &Variables) -> Result<PortSet, Complaint> {
        let (yes, no) = list(text, variables, NESTING_MAX)?;
        let ranges = subtract(if yes.is_empty() { vec![(0, u16::MAX)] } else { merged(yes) }, &merged(no));
        if ranges.is_empty() {
            return Err(Complaint::new(format!("no port is left in '{text}'")));
        }
        Ok(PortSet { ranges })
    }
}

type Ranges = Vec<(u16, u16)>;

/// What is in and what is out.
fn list(text: &str, variables: &Variables, depth: usize) -> Result<(Ranges, Ranges), Complaint> {
    let depth = depth.checked_sub(1).ok_or_else(|| Complaint::lacking("lists are nested too deeply"))?;
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('!') {
        let (yes, no) = list(rest, variables, depth)?;
        return Ok((no, if yes.is_empty() { vec![(0, u16::MAX)] } else { yes }));
    }
    if let Some(name) = text.strip_prefix('$') {
        return list(variables.ports(name)?, variables, depth);
    }
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner
            .strip_suffix(']')
            .ok_or_else(|| Complaint::new(format!("'{text}': expected ']' at the end")))?;
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for part in super::address::split(inner)? {
            let (in_part, out_part) = list(part, variables, depth)?;
            yes.extend(in_part);
            no.extend(out_part);
        }
        return Ok((yes, no));
    }
    Ok((vec![range(text)?], Vec::new()))
}

fn range(text: &str) -> Result<(u16, u16), Complaint> {
    if text.eq_ignore_ascii_case("any") {
        return Ok((0, u16::MAX));
    }
    let port = |word: &str| {
        word.trim()
            .parse::<u16>()
            .map_err(|_| Complaint::new(format!("'{word}' is no port: expected a number up to 65535")))
    };
    let (low, high) = match text.split_once(':') {
        Some(("", "")) => return Err(Complaint::new("':' alone is no range of ports")),
        Some(("", high)) => (0, port(high)?),
        Some((low, "")) => (port(low)?, u16::MAX),
        Some((low, high)) => (port(low)?, port(high)?),
        None => (port(text)?, port(text)?),
    };
    if low > high {
        return Err(Complaint::new(format!("'{text}': the first port of a range must be the smaller one")));
    }
    Ok((low, high))
}

fn merged(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut merged: Ranges = Vec::new();
    for (low, high) in ranges {
        match merged.last_mut() {
            Some(last) if u32::from(low) <= u32::from(last.1) + 1 => last.1 = last.1.max(high),
            _ => merged.push((low, high)),
        }
    }
    merged
}

/// `ranges` without `holes`; both merged.
fn subtract(ranges: Ranges, holes: &[(u16, u16)]) -> Ranges {
    let mut left = Vec::new();
    for (low, high) in ranges {
        let (mut low, high) = (u32::from(low), u32::from(high));
        for hole in holes {
            let (from, until) = (u32::from(hole.0), u32::from(hole.1));
            if until < low || from > high {
                continue;
            }
            if from > low {
                left.push((low, from - 1));
            }
            low = until + 1;
        }
        if low <= high {
            left.push((low, high));
        }
    }
    left.into_iter().map(|(low, high)| (low as u16, high as u16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> PortSet {
        PortSet::parse(text, &Variables::default()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn ranges_lists_and_negations_are_read() {
        assert!(set("any").is_any());
        assert_eq!(set("[80, 81,!81,443]").ranges, [(80, 80), (443, 443)]);
        assert_eq!(set("!80").ranges, [(0, 79), (81, 65535)]);
        assert_eq!(set("[1024:,!5555]").ranges, [(1024, 5554), (5556, 65535)]);
        assert_eq!(set("![80,443]").ranges, [(0, 79), (81, 442), (444, 65535)]);
        assert_eq!(set("$HTTP_PORTS").ranges, [(80, 80)]);
        assert_eq!(set(":3").few(4), Some(vec![0, 1, 2, 3]));
        assert_eq!(set(":4").few(4), None);
        assert!(set("!80").contains(81) && !set("!80").contains(80));
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["", "80:70", "70000", "x", "[80", "$NONE", "!any", ":", "[80,!80]"] {
            assert!(PortSet::parse(text, &Variables::default()).is_err(), "{text}");
        }
    }
}
