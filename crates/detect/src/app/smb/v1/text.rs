//! Text of SMB 1: ASCII or UTF-16, ended by a zero, of which the low bytes are kept.

use super::Record;
use crate::app::bytes::Reader;
use crate::app::smb::state::bounded;

/// A text as the record writes them; `offset` tells where it stands: UTF-16 begins at even places.
pub(super) fn text(reader: &mut Reader<'_>, record: &Record<'_>, offset: usize) -> Option<Vec<u8>> {
    if record.is_unicode {
        if offset % 2 == 1 {
            reader.skip(1)?;
        }
        unicode(reader)
    } else {
        ascii(reader)
    }
}

/// UTF-16 up to a zero. At the very end of the bytes half a zero is enough.
pub(super) fn unicode(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let rest = reader.rest();
    let units = rest.chunks_exact(2);
    let odd = units.remainder();
    let place = units.clone().position(|unit| unit == [0, 0]);
    let (letters, passed) = match place {
        Some(place) => (place, place * 2 + 2),
        None if odd == [0] => (rest.len() / 2, rest.len()),
        None => return None,
    };
    reader.skip(passed)?;
    let low: Vec<u8> = units.take(letters).filter_map(|unit| unit.first().copied()).collect();
    Some(bounded(&low))
}

/// ASCII up to a zero.
pub(super) fn ascii(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    reader.until(0).map(bounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_with_a_zero_and_half_a_zero_is_enough_at_the_end() {
        let mut reader = Reader::new(b"a\0b\0\0\0c\0");
        assert_eq!(unicode(&mut reader).as_deref(), Some(&b"ab"[..]));
        assert_eq!(reader.rest(), b"c\0");
        assert_eq!(unicode(&mut Reader::new(b"a\0\0")).as_deref(), Some(&b"a"[..]));
        assert_eq!(unicode(&mut Reader::new(b"a\0b\0")), None);
        assert_eq!(unicode(&mut Reader::new(b"")), None);
        assert_eq!(ascii(&mut Reader::new(b"ab\0")).as_deref(), Some(&b"ab"[..]));
    }
}
