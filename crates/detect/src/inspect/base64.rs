//! Base64, in the three ways in which rules want it read.
//!
//! Letters are read in groups of four. [`until_other`] ends at the first byte that is no letter, and completes the last group; [`without_others`] passes over
//! such bytes, and forgets a last group that is not whole; [`strictly`] wants letters and nothing else, with all the `=` that belong there and no bit too many. In all
//! of them a group of fewer than two letters spoils everything, and then, as when nothing comes out, there is nothing.

/// The number that a letter stands for.
fn value(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Whether it may stand in a group.
fn is_letter(byte: u8) -> bool {
    byte == b'=' || value(byte).is_some()
}

/// Adds what a group of four stands for. Where the third is `=` the fourth does not count.
fn group(letters: [u8; 4], out: &mut Vec<u8>) -> Option<()> {
    let (first, second) = (value(letters[0])?, value(letters[1])?);
    out.push(first << 2 | second >> 4);
    if letters[2] == b'=' {
        return Some(());
    }
    let third = value(letters[2])?;
    out.push(second << 4 | third >> 2);
    if letters[3] != b'=' {
        out.push(third << 6 | value(letters[3])?);
    }
    Some(())
}

fn some(out: Vec<u8>) -> Option<Vec<u8>> {
    Some(out).filter(|out| !out.is_empty())
}

/// What stands there up to the first byte that is no letter (RFC 4648).
pub(crate) fn until_other(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().position(|byte| !is_letter(*byte)).unwrap_or(text.len());
    let mut out = Vec::with_capacity(end / 4 * 3 + 3);
    for letters in text[..end].chunks(4) {
        let mut whole = [b'='; 4];
        whole[..letters.len()].copy_from_slice(letters);
        group(whole, &mut out)?;
    }
    some(out)
}

/// What all letters together stand for, whatever stands between them (RFC 2045).
pub(crate) fn without_others(text: &[u8]) -> Option<Vec<u8>> {
    let letters: Vec<u8> = text.iter().copied().filter(|byte| is_letter(*byte)).collect();
    let mut out = Vec::with_capacity(letters.len() / 4 * 3);
    for letters in letters.as_chunks::<4>().0 {
        group(*letters, &mut out)?;
    }
    some(out)
}

/// What the text stands for, if it is base64 from the first byte to the last.
pub(crate) fn strictly(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let letters = &text[..text.len() - padding];
    if !text.len().is_multiple_of(4) || padding > 2 || letters.contains(&b'=') {
        return None;
    }
    // The bits that stand for nothing are not set.
    let spare = match padding {
        1 => 0b11,
        2 => 0b1111,
        _ => 0,
    };
    if letters.last().is_some_and(|last| value(*last).is_some_and(|value| value & spare != 0)) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for letters in text.as_chunks::<4>().0 {
        group(*letters, &mut out)?;
    }
    some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_is_no_letter_ends_what_is_decoded() {
        assert_eq!(until_other(b"VGhpcyBpcyBTdXJpY2F0YQ==").as_deref(), Some(&b"This is Suricata"[..]));
        assert_eq!(until_other(b"Zm 9v").as_deref(), Some(&b"f"[..]));
        assert_eq!(until_other(b"Zm9vYg").as_deref(), Some(&b"foob"[..]));
        assert_eq!(until_other(b"YWI=YWI=").as_deref(), Some(&b"abab"[..]));
        for text in [&b"!Zm9v"[..], b"", b"YWJjZ", b"YWJj=", b"Z===", b"=WJj"] {
            assert_eq!(until_other(text), None, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_letters_are_passed_over() {
        assert_eq!(without_others(b"Zm 9v Ym Fy").as_deref(), Some(&b"foobar"[..]));
        assert_eq!(without_others(b"Zm$9vYm.Fy").as_deref(), Some(&b"foobar"[..]));
        assert_eq!(without_others(b"Zm9vYg").as_deref(), Some(&b"foo"[..]));
        assert_eq!(without_others(b"Zm9v=A==").as_deref(), None);
    }

    #[test]
    fn strict_base64_is_all_or_nothing() {
        assert_eq!(strictly(b"YWI=").as_deref(), Some(&b"ab"[..]));
        for text in [&b"YWI"[..], b"YW!I", b"YWJ=", b"YWI=YWI=", b"Y===", b"YWI=\n", b""] {
            assert_eq!(strictly(text), None, "{text:?}");
        }
    }
}
