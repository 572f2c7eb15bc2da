//! One side of a conversation, in the numbers that it chose itself.

/// One side: what it sent, and what it may send.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Side {
    /// The number of its SYN.
    pub(super) initial: u32,
    /// The number of the byte that it will send next.
    pub(super) next: u32,
    /// What the other side has acknowledged it to.
    pub(super) acked: u32,
    /// Where the window ends that the other side has offered.
    pub(super) reach: u32,
    /// Bytes that the other side is willing to take.
    pub(super) window: u32,
    /// By how much the windows that it is offered are shifted.
    pub(super) scale: u8,
    /// Its last time stamp, and when it came, in seconds.
    pub(super) stamp: u32,
    pub(super) stamp_seconds: u32,
    /// It began with time stamps.
    pub(super) has_stamps: bool,
    /// And the first of them was zero.
    pub(super) began_with_zero: bool,
    /// Its last segment was a keep-alive.
    pub(super) keeps_alive: bool,
    /// It was sent a reset before the conversation began.
    pub(super) was_reset: bool,
}

impl Side {
    /// A side whose SYN has this number.
    pub(super) fn begin(&mut self, initial: u32) {
        self.initial = initial;
        self.next = initial.wrapping_add(1);
    }

    /// The other side has received its bytes up to here.
    pub(super) fn acknowledge(&mut self, ack: u32) {
        self.acked = later(self.acked, ack);
    }

    /// The window now ends here, or further on if it did before.
    pub(super) fn reaches(&mut self, more: u32) {
        self.reach = later(self.reach, self.acked.wrapping_add(self.window).wrapping_add(more));
    }

    /// The window ends where the last acknowledgement says, wherever it ended before.
    pub(super) fn reset_reach(&mut self) {
        self.reach = self.acked.wrapping_add(self.window);
    }
}

/// Whether `number` stands behind `other`.
pub(super) fn is_after(number: u32, other: u32) -> bool {
    number.wrapping_sub(other) as i32 > 0
}

/// Whether `number` stands before `other`.
pub(super) fn is_before(number: u32, other: u32) -> bool {
    (number.wrapping_sub(other) as i32) < 0
}

/// The one that stands further on.
pub(super) fn later(number: u32, other: u32) -> u32 {
    if is_after(other, number) { other } else { number }
}
