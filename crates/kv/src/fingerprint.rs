//! The fingerprint of a multiset: what is in it, in whatever order it came in.
//!
//! Each member has a *print*, the digest of its encoding; the fingerprint is their sum, in four lanes of 64 bits that
//! wrap. So adding and taking out cost four additions, and equal multisets have equal sums by whatever way they came to
//! be: by other commands, or by a restore.
//!
//! **What it is good for:** to compare the states of replicas that mean to be the same, after every batch. States that
//! differ by accident, by a defect or by a bit that rotted, have the same sum with a chance of 2⁻²⁵⁶.
//!
//! **What it is not good for:** to prove a state to somebody who distrusts the one that shows it. Who may choose the members can
//! make two multisets with one sum, by a generalised birthday attack, far below the 2¹²⁸ steps that a collision of a digest
//! takes. So a state that is handed over is proven by the digest of its snapshot (`agree::checkpoint`), never by this.

use wire::Digest;

/// The sum of the prints of some members.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Fingerprint([u64; 4]);

impl Fingerprint {
    /// One more member.
    pub fn add(&mut self, print: &Digest) {
        for (lane, word) in self.0.iter_mut().zip(words(print)) {
            *lane = lane.wrapping_add(word);
        }
    }

    /// One member less, which must have been added.
    pub fn take(&mut self, print: &Digest) {
        for (lane, word) in self.0.iter_mut().zip(words(print)) {
            *lane = lane.wrapping_sub(word);
        }
    }

    /// The lanes.
    #[must_use]
    pub fn lanes(&self) -> [u64; 4] {
        self.0
    }
}

fn words(print: &Digest) -> impl Iterator<Item = u64> {
    let (words, _) = print.0.as_chunks();
    words.iter().map(|word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(members: &[&[u8]]) -> Fingerprint {
        let mut sum = Fingerprint::default();
        members.iter().for_each(|member| sum.add(&Digest::of_bytes(member)));
        sum
    }

    #[test]
    fn the_order_does_not_show_and_the_members_do() {
        assert_eq!(of(&[b"a", b"b"]), of(&[b"b", b"a"]));
        assert_ne!(of(&[b"a"]), of(&[b"a", b"a"]));
        assert_ne!(of(&[b"a"]), of(&[b"b"]));
        assert_ne!(of(&[b"a"]), of(&[]));
    }

    #[test]
    fn what_was_taken_out_leaves_no_trace() {
        let mut sum = of(&[b"a", b"b"]);
        sum.take(&Digest::of_bytes(b"a"));
        assert_eq!(sum, of(&[b"b"]));
    }

    /// A lane that nobody fills would halve the width without anybody seeing it.
    #[test]
    fn every_byte_of_a_print_counts() {
        for at in 0..32 {
            let mut print = Digest::ZERO;
            print.0[at] = 1;
            let mut sum = Fingerprint::default();
            sum.add(&print);
            assert_ne!(sum, Fingerprint::default());
        }
    }
}
