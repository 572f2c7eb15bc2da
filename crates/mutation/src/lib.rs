//! Named defects that can be switched on, one at a time, to see whether the checkers find them.
//!
//! Only builds with the feature `mutations` contain a line of this crate; there it is a process-wide switch, so that a
//! mutant behaves alike on every thread. A release build has no switch to throw.

#![no_std]

use core::sync::atomic::{AtomicU16, Ordering};

static ACTIVE: AtomicU16 = AtomicU16::new(0);

/// Switches on the one `defect`, or all off.
pub fn activate(defect: Option<Defect>) {
    ACTIVE.store(defect.map_or(0, |defect| defect as u16 + 1), Ordering::Relaxed);
}

/// Whether `defect` is switched on.
#[inline]
#[must_use]
pub fn is_active(defect: Defect) -> bool {
    ACTIVE.load(Ordering::Relaxed) == defect as u16 + 1
}

macro_rules! defects {
    ($($variant:ident = $name:literal: $protocol:literal, $breaks:literal;)*) => {
        /// A defect by name.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        pub enum Defect { $(#[doc = $breaks] $variant,)* }

        impl Defect {
            /// Every defect, in the order of their declaration.
            pub const ALL: &[Defect] = &[$(Defect::$variant,)*];

            /// The name under which it is listed.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Defect::$variant => $name,)* }
            }

            /// The protocol in which it is looked for.
            #[must_use]
            pub const fn protocol(self) -> &'static str {
                match self { $(Defect::$variant => $protocol,)* }
            }

            /// What it breaks.
            #[must_use]
            pub const fn breaks(self) -> &'static str {
                match self { $(Defect::$variant => $breaks,)* }
            }
        }
    };
}

defects! {
    SessionsLost = "sessions-lost": "byzid", "a snapshot leaves out the session table: a retransmitted request runs twice";
    SessionsIgnored = "sessions-ignored": "byzid", "a request that was executed already is executed again";
    ClientQuorum = "client-quorum": "byzid", "the client accepts f matching replies instead of f+1";
}
