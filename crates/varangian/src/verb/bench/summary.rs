//! What repetitions come to: medians, spread, and ratios of what was measured side by side.

use super::row::{Cell, Row};

/// The median of several numbers, and the least and greatest.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

/// What is compared with: the yardstick.
pub(super) const YARDSTICK: &str = "paxos";

/// One system in one cell.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) cell: Cell,
    pub(super) system: String,
    /// Every repetition.
    pub(super) rows: Vec<Row>,
    /// Its throughput in shares of the yardstick's, repetition by repetition.
    pub(super) throughput_ratio: Option<Spread>,
    /// The same of its median latency.
    pub(super) latency_ratio: Option<Spread>,
}

impl Spread {
    /// Of all these numbers, if there is one.
    pub(super) fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let middle = numbers.len() / 2;
        let median = match numbers.len() % 2 {
            0 => (numbers.get(middle.checked_sub(1)?)? + numbers.get(middle)?) / 2.0,
            _ => *numbers.get(middle)?,
        };
        Some(Spread { median, least: *numbers.first()?, most: *numbers.last()? })
    }
}

impl Line {
    /// The spread of something that each repetition has.
    pub(super) fn spread(&self, of: impl Fn(&Row) -> f64) -> Spread {
        // There is no line without a row.
        Spread::of(self.rows.iter().map(of)).unwrap_or(Spread { median: 0.0, least: 0.0, most: 0.0 })
    }

    /// The sum of something that not every system counts.
    pub(super) fn sum(&self, of: impl Fn(&Row) -> Option<u64>) -> Option<u64> {
        self.rows.iter().map(of).sum()
    }
}

/// A line for each cell and system, in the order in which they were first measured.
pub(super) fn lines(rows: &[Row]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let (cell, system) = (row.cell(), row.label());
        match lines.iter_mut().find(|line| line.cell == cell && line.system == system) {
            Some(line) => line.rows.push(row.clone()),
            None => lines.push(Line {
                cell,
                system,
                rows: vec![row.clone()],
                throughput_ratio: None,
                latency_ratio: None,
            }),
        }
    }
    let yardsticks: Vec<Line> = lines.iter().filter(|line| line.system == YARDSTICK).cloned().collect();
    for line in &mut lines {
        if let Some(yardstick) = yardsticks.iter().find(|other| other.cell == line.cell) {
            line.throughput_ratio = ratio(line, yardstick, |row| row.operations_per_second);
            line.latency_ratio = ratio(line, yardstick, |row| row.p50_us);
        }
    }
    // Stable, so that systems stay in their order within a cell.
    lines.sort_by(|one, other| one.cell.partial_cmp(&other.cell).unwrap_or(core::cmp::Ordering::Equal));
    lines
}

fn ratio(line: &Line, yardstick: &Line, of: impl Fn(&Row) -> f64) -> Option<Spread> {
    let pairs = line.rows.iter().filter_map(|row| {
        let beside = yardstick.rows.iter().find(|beside| beside.repetition == row.repetition)?;
        Some(of(row) / of(beside)).filter(|ratio| ratio.is_finite())
    });
    Spread::of(pairs)
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::row;
    use super::*;

    #[test]
    fn ratios_are_of_pairs_and_not_of_medians() {
        // The machine was twice as fast in the second repetition: that is no news about byzid.
        let rows = [
            row("byzid", 64, 90.0, 1),
            row("paxos", 64, 100.0, 1),
            row("paxos", 64, 200.0, 2),
            row("byzid", 64, 180.0, 2),
            row("byzid", 64, 100.0, 3),
            row("byzid", 1, 7.0, 1),
        ];
        let lines = lines(&rows);
        let names: Vec<(usize, &str)> =
            lines.iter().map(|line| (line.cell.clients, line.system.as_str())).collect();
        assert_eq!(names, [(1, "byzid"), (64, "byzid"), (64, "paxos")]);
        let ratio = lines[1].throughput_ratio.expect("paxos is beside it");
        assert_eq!((ratio.least, ratio.median, ratio.most), (0.9, 0.9, 0.9));
        assert_eq!(lines[0].throughput_ratio, None, "nobody is beside it");
        assert_eq!(lines[1].spread(|row| row.operations_per_second).median, 100.0);
        assert_eq!(lines[1].sum(|row| row.refused), None, "not counted is not none");
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_ones() {
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 8.0]), Some(Spread { median: 3.0, least: 1.0, most: 8.0 }));
        assert_eq!(Spread::of([]), None);
    }
}
