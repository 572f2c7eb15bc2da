//! The forms of a head that rules look into: all headers as one text, their names, everything.

use super::head::Head;

/// The form of a head that `http.header` looks into: a line a header, without cookies.
pub(super) fn write_header(head: &Head, cookie: &[u8], out: &mut Vec<u8>) {
    for (name, value) in head.headers().filter(|(name, _)| !name.eq_ignore_ascii_case(cookie)) {
        write_line(name, value, out);
    }
}

/// The form that `http.header_names` looks into: a line a name, between two line ends.
pub(super) fn write_names(head: &Head, out: &mut Vec<u8>) {
    if head.is_empty() {
        return;
    }
    out.extend_from_slice(b"\r\n");
    for (name, _) in head.headers() {
        out.extend_from_slice(name);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// The form that `http.start` looks into: the first line, all headers, an empty line.
pub(super) fn write_start(head: &Head, out: &mut Vec<u8>) {
    out.extend_from_slice(head.line());
    out.extend_from_slice(b"\r\n");
    for (name, value) in head.headers() {
        write_line(name, value, out);
    }
    if !head.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
}

fn write_line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
