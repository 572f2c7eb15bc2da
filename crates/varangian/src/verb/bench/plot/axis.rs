//! An axis: which number is where, and which are written beside it.

use super::super::table::thousands;

/// How numbers are laid out.
#[derive(Clone, Debug)]
pub(super) enum Scale {
    /// From nothing on, each step as long as the others.
    Linear,
    /// Each step times as much as the one before; of numbers greater than 0.
    Logarithmic,
    /// One place for each name.
    Names(Vec<String>),
}

/// What numbers mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    /// Things that are counted.
    Count,
    /// Microseconds.
    Microseconds,
    /// Seconds.
    Seconds,
}

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) scale: Scale,
    pub(super) unit: Unit,
    /// Numbers that must be written, if these and no others.
    pub(super) only: Vec<f64>,
}

/// An axis over numbers that are known.
pub(super) struct Ruler {
    scale: Scale,
    least: f64,
    most: f64,
    /// Where something is written, and what.
    pub(super) ticks: Vec<(f64, String)>,
}

/// Ticks of a linear axis at most.
const TICKS_MAX: f64 = 6.0;

impl Axis {
    /// Lays it over all of `numbers`.
    pub(super) fn over(&self, numbers: impl IntoIterator<Item = f64>) -> Ruler {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for number in numbers.into_iter().filter(|number| number.is_finite()) {
            least = least.min(number);
            most = most.max(number);
        }
        if least > most {
            (least, most) = (0.0, 1.0);
        }
        let (least, most, at) = match &self.scale {
            Scale::Linear => {
                let step = step_of(most.max(f64::MIN_POSITIVE));
                let most = (most / step).ceil().max(1.0) * step;
                (0.0, most, (0..=(most / step).round() as u32).map(|tick| f64::from(tick) * step).collect())
            }
            Scale::Logarithmic => {
                let least = least.max(f64::MIN_POSITIVE);
                let (low, high) = (least / 1.25, most.max(least) * 1.25);
                match round_numbers(low, high) {
                    // One number says nothing of the scale.
                    few if few.len() < 3 => (low / 2.0, high * 2.0, round_numbers(low / 2.0, high * 2.0)),
                    enough => (low, high, enough),
                }
            }
            Scale::Names(names) => {
                (-0.5, names.len() as f64 - 0.5, (0..names.len()).map(|name| name as f64).collect())
            }
        };
        let at: Vec<f64> = if self.only.is_empty() { at } else { self.only.clone() };
        let written = |at: f64| match &self.scale {
            Scale::Names(names) => names.get(at as usize).cloned().unwrap_or_default(),
            Scale::Linear | Scale::Logarithmic => self.unit.written(at),
        };
        let ticks = at.into_iter().map(|at| (at, written(at))).collect();
        Ruler { scale: self.scale.clone(), least, most, ticks }
    }
}

impl Ruler {
    /// Where a number is: from 0 at the beginning to 1 at the end.
    pub(super) fn share(&self, number: f64) -> f64 {
        let share = match self.scale {
            Scale::Logarithmic => {
                (number.max(f64::MIN_POSITIVE) / self.least).ln() / (self.most / self.least).ln()
            }
            Scale::Linear | Scale::Names(_) => (number - self.least) / (self.most - self.least),
        };
        share.clamp(0.0, 1.0)
    }
}

impl Unit {
    fn written(self, number: f64) -> String {
        match self {
            Unit::Count if number >= 1e6 => format!("{}M", plain(number / 1e6)),
            Unit::Count if number >= 1e4 => format!("{}k", plain(number / 1e3)),
            Unit::Count if number >= 1e3 => thousands(number),
            Unit::Count => plain(number),
            Unit::Microseconds if number >= 1e6 => format!("{} s", plain(number / 1e6)),
            Unit::Microseconds if number >= 1e3 => format!("{} ms", plain(number / 1e3)),
            Unit::Microseconds if number > 0.0 => format!("{} µs", plain(number)),
            Unit::Microseconds => "0".to_string(),
            Unit::Seconds => plain(number),
        }
    }
}

fn plain(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A round step such that few of them reach `most`.
fn step_of(most: f64) -> f64 {
    let power = 10_f64.powf((most / TICKS_MAX).log10().floor());
    let fits = |step: &f64| most / step <= TICKS_MAX;
    [1.0, 2.0, 5.0].map(|digit| digit * power).into_iter().find(fits).unwrap_or(10.0 * power)
}

/// Round numbers between two: powers of ten, with what lies between if they are few.
fn round_numbers(least: f64, most: f64) -> Vec<f64> {
    let powers = least.log10().floor() as i32..=most.log10().ceil() as i32;
    let digits: &[f64] = if most / least > 1000.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let numbers = powers.flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)));
    numbers.filter(|number| (least..=most).contains(number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(scale: Scale, unit: Unit, numbers: &[f64]) -> Vec<String> {
        let axis = Axis { label: "", scale, unit, only: Vec::new() };
        axis.over(numbers.iter().copied()).ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_few_and_reach_past_the_greatest() {
        assert_eq!(ticks(Scale::Linear, Unit::Count, &[93_000.0]), ["0", "20k", "40k", "60k", "80k", "100k"]);
        assert_eq!(ticks(Scale::Linear, Unit::Seconds, &[3.0]), ["0", "0.5", "1", "1.5", "2", "2.5", "3"]);
        assert_eq!(ticks(Scale::Linear, Unit::Count, &[0.0]).len(), 2);
        let latency = ticks(Scale::Logarithmic, Unit::Microseconds, &[90.0, 1_100_000.0]);
        assert_eq!(latency, ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]);
        assert_eq!(
            ticks(Scale::Names(vec!["0/0".into(), "4/4".into()]), Unit::Count, &[0.0, 1.0]),
            ["0/0", "4/4"]
        );
    }

    #[test]
    fn numbers_are_in_their_order_and_on_the_axis() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let ruler =
                Axis { label: "", scale, unit: Unit::Count, only: vec![1.0] }.over([1.0, 64.0, 1000.0]);
            let shares: Vec<f64> = [1.0, 64.0, 1000.0].map(|number| ruler.share(number)).to_vec();
            assert!(shares.is_sorted() && shares[0] >= 0.0 && shares[2] <= 1.0, "{shares:?}");
            assert_eq!(ruler.ticks.len(), 1);
        }
        let empty = Axis { label: "", scale: Scale::Linear, unit: Unit::Count, only: vec![] }.over([]);
        assert!(empty.share(f64::INFINITY) <= 1.0);
    }
}
