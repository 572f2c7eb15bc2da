//! MIME: mail with its parts.
//!
//! [`Mail`] is shown a message line by line and puts its attachments into a [`super::file::Files`]: a part
//! that has a file name is a file, decoded from base64 or quoted-printable. `header` finds `name="value"` in
//! the value of a header.
//!
//! Not here: who says the lines (`smtp`), and what the headers mean to anybody.

mod base64;
mod header;
mod mail;
mod quoted;
#[cfg(test)]
mod tests;
mod urls;

pub(in crate::app) use mail::{Mail, MailOddities};
