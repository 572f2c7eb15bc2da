//! The processor time of processes, as the kernel counts it.

use crate::failure::Failure;

/// User and system time of the process `id`, all of its threads, those that ended included, in microseconds. In steps of
/// a tick (10 ms as a rule), which is why seconds must be measured, not milliseconds.
pub(crate) fn spent_us(id: u32) -> Result<u64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))
        .map_err(Failure::io("the processor time of a member"))?;
    let ticks = ticks(&stat)
        .ok_or_else(|| Failure::Io { what: "/proc/PID/stat", why: format!("not understood: {stat}") })?;
    Ok(ticks.saturating_mul(1_000_000) / rustix::param::clock_ticks_per_second().max(1))
}

/// The sum of `utime` and `stime`, fields 14 and 15 of proc(5). The name in field 2 may contain anything, so that counting
/// starts behind its closing bracket.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 1 0 9 1 1";
        assert_eq!(ticks(stat), Some(200));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn our_own_time_grows_with_work() {
        let before = spent_us(std::process::id()).expect("Linux has /proc");
        let mut sum = 0_u64;
        while spent_us(std::process::id()).expect("Linux has /proc") == before {
            for number in 0..100_000_u64 {
                sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(number));
            }
        }
        assert!(spent_us(std::process::id()).expect("Linux has /proc") > before);
    }
}
