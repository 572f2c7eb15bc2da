//! Finding a short string in a buffer.

/// Where `needle` begins in `text` first. An empty needle is nowhere.
pub(crate) fn find(text: &[u8], needle: &[u8], nocase: bool) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    if !nocase {
        return memchr::memmem::find(text, needle);
    }
    let last_start = text.len().checked_sub(needle.len())?;
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let mut at = 0;
    while at <= last_start {
        let found = if lower == upper {
            memchr::memchr(lower, &text[at..=last_start])
        } else {
            memchr::memchr2(lower, upper, &text[at..=last_start])
        };
        let begin = at + found?;
        if text[begin + 1..begin + needle.len()].eq_ignore_ascii_case(rest) {
            return Some(begin);
        }
        at = begin + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_place_is_found_and_case_counts_unless_it_does_not() {
        assert_eq!(find(b"xxAbcabc", b"abc", false), Some(5));
        assert_eq!(find(b"xxAbcabc", b"abc", true), Some(2));
        assert_eq!(find(b"1a1A", b"1A", true), Some(0));
        assert_eq!(find(b"ab", b"abc", true), None);
        assert_eq!(find(b"aab", b"ab", true), Some(1));
        assert_eq!(find(b"", b"a", true), None);
        assert_eq!(find(b"abc", b"", true), None);
    }
}
