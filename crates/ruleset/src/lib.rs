//! One rule set out of many files, as its operator wants it: what users of suricata-update know.
//!
//! [`merge`], in the order in which things happen:
//!   - the files are taken by their names; a rule that is commented out (`# alert …`) is a rule that is disabled;
//!   - of rules with the same gid and sid the one with the highest revision stays, in the place of the first;
//!   - for each rule: lines of *disable* lists disable it, then lines of *enable* lists enable it, then lines of *drop*
//!     lists make its action `drop` (unless it never alerts), then lines of *modify* lists change its text, each what
//!     the ones before it left;
//!   - a disabled rule that sets, unsets or toggles a flowbit that an enabled rule asks about is enabled, and never
//!     alerts (`noalert`), until there is none;
//!   - what comes of it is one text in the order of the files, and a [`Report`] of what each line of each list did.
//!
//! [`read`] gives the rules of files as they stand there.
//!
//! A list is read by [`List::parse`]. Nothing in one is passed over in silence: every line that is not understood is an
//! error with file, line and column, and a line that matches no rule is told in the report.
//!
//! [`Checksums`] says whether bytes that were fetched are those that were published.
//!
//! Where this differs from suricata-update, on purpose:
//!   - regular expressions have no look-around and no back references within the pattern, so that none takes forever;
//!     they see bytes;
//!   - flowbits are compared without the blanks around them, and `isset,a|b` asks about both;
//!   - `\$` in the pattern of a modify line is a dollar sign, and not the end of the line;
//!   - `${1}` ends at its brace, so that a digit may follow;
//!   - ` #` between quotes does not begin a comment;
//!   - a modification after which there would be no rule, or another rule of the same sid, is refused and told;
//!   - a rule keeps its group when a drop list has changed it.
//!
//! Not here: fetching, unpacking, files; whether a rule is one that the engine can load.

mod checksum;
mod edit;
mod error;
mod flowbits;
mod glob;
mod list;
mod matcher;
mod merge;
mod plan;
mod report;
mod rule;
mod source;
mod words;

pub use checksum::{CHECKSUMS_MAX, Checksums, Mismatch};
pub use error::{Error, Fault};
pub use glob::{Glob, IGNORED_BY_DEFAULT};
pub use list::{Kind, LIST_LINE_BYTES_MAX, LIST_LINES_MAX, List};
pub use matcher::REGEX_BYTES_MAX;
pub use merge::{Merged, merge, read};
pub use report::{Duplicate, LineReport, Needed, PROBLEMS_MAX, Report};
pub use rule::{RULE_BYTES_MAX, Rule, RuleId};
pub use source::{RULES_MAX, RuleFile};

/// A text without the mark that some editors put before it, and that says nothing.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
