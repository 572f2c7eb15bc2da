//! `filemd5`, `filesha1`, `filesha256`: whether a file's digest is in a list.
//!
//! A list is a text: each line begins with a digest in hexadecimal, and what stands behind it is for people. A line that does not begin so is none,
//! and neither is one whose digest has another length. A file without any is no list, and is refused.

use super::{Ending, File, FileTest, Needs};
use crate::Complaint;
use crate::app::Verdict;
use crate::rule::ReadFile;
use std::sync::Arc;

/// Digests of one list at most; a longer list is refused.
const DIGESTS_MAX: usize = 4 << 20;

/// A condition on the digest of `N` bytes that `of` tells of a file: `[!]name of a list`.
pub(super) fn test<const N: usize>(
    value: &str,
    read: ReadFile<'_>,
    needs: Needs,
    of: fn(&File) -> Option<&[u8; N]>,
) -> Result<FileTest, Complaint> {
    let value = value.trim().trim_matches('"');
    let (name, negated) = match value.strip_prefix('!') {
        Some(rest) => (rest.trim().trim_matches('"'), true),
        None => (value, false),
    };
    let text =
        read(name).map_err(|why| Complaint::lacking(format!("the list '{name}' cannot be read: {why}")))?;
    let list =
        list::<N>(&text).map_err(|complaint| Complaint::lacking(format!("'{name}': {}", complaint.0)))?;
    Ok(FileTest::new(needs, move |file| match (file.ending, of(file)) {
        (Ending::Open, _) => Verdict::Open,
        (Ending::Closed, Some(digest)) if list.binary_search(digest).is_ok() != negated => Verdict::Holds,
        _ => Verdict::Fails,
    }))
}

fn list<const N: usize>(text: &[u8]) -> Result<Arc<[[u8; N]]>, Complaint> {
    // Some editors put a mark before the first line.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut list: Vec<[u8; N]> = text.split(|byte| *byte == b'\n').filter_map(digest).collect();
    if list.is_empty() {
        let words = format!("no line of the list begins with a digest: {} hexadecimal digits", 2 * N);
        return Err(Complaint::lacking(words));
    }
    if list.len() > DIGESTS_MAX {
        return Err(Complaint::lacking(format!("the list has more than {DIGESTS_MAX} digests")));
    }
    list.sort_unstable();
    list.dedup();
    Ok(list.into())
}

fn digest<const N: usize>(line: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let digits: Vec<u8> = line.iter().map_while(digit).collect();
    let mut digest = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn lines_that_do_not_begin_with_a_digest_are_passed_over() {
        let text = b"00ff\n# comment\n\n0A0b  name.txt\r\n00f\n00fff\n00FF again";
        let marked = [b"\xef\xbb\xbf", &text[..]].concat();
        assert_eq!(list::<2>(&marked), list::<2>(text));
        assert_eq!(list::<2>(text).map(|list| list.to_vec()), Ok(vec![[0, 0xff], [0x0a, 0x0b]]));
    }

    #[test]
    fn a_file_without_any_digest_is_no_list() {
        for text in [&b""[..], b"root:x:0:0\n", b"# comment\n00ff\n"] {
            let refused = list::<16>(text).err();
            assert!(refused.is_some_and(|it| it.is_lacking() && it.0.contains("32 hexadecimal digits")));
        }
    }
}
