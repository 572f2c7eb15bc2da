//! The memory of this process, by the kernel's account.
//!
//! Not here: whose it is (`--stages` says that).

/// What it has in use; 0 if the kernel does not tell.
pub(crate) fn resident_bytes() -> u64 {
    bytes("VmRSS:")
}

/// The most that it had in use at any time; 0 if the kernel does not tell.
pub(super) fn peak_bytes() -> u64 {
    bytes("VmHWM:")
}

fn bytes(name: &str) -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_stays_when_memory_is_given_back() {
        let before = peak_bytes();
        drop(std::hint::black_box(vec![1u8; 64 << 20]));
        let after = peak_bytes();
        assert!(before > 0 && after >= 64 << 20 && after >= before, "{before} {after}");
    }
}
