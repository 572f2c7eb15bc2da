//! What MIME promises, with mails that are built here.

use super::base64::{Base64, Invalid};
use super::header::parameter;
use super::quoted::Quoted;
use super::*;
use crate::app::file::{Ending, FILE_LIMITS, Files};

/// A mail, its files, and all that was odd about it, shown line by line.
fn read(text: &str) -> (Mail, Files, Vec<MailOddities>) {
    let mut mail = Mail::new(FILE_LIMITS, true);
    let mut files = Files::default();
    let mut odd = Vec::new();
    for line in text.split_inclusive("\r\n") {
        let content = line.strip_suffix("\r\n").unwrap_or(line);
        odd.push(mail.line(content.as_bytes(), &line.as_bytes()[content.len()..], &mut files));
    }
    mail.finish(&mut files, Ending::Closed);
    (mail, files, odd)
}

/// Names and contents of files.
fn contents(files: &Files) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    files.list().iter().map(|file| (text(&file.name), text(file.body.window()))).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, content)| ((*name).into(), (*content).into())).collect()
}

const MIXED: &str = "From: a@b.c\r\nsubject: one\r\n two\r\nReceived: x\r\nReceived: y\r\n\
    Content-Type: multipart/mixed; boundary=\"sep\"\r\n\r\npreamble\r\n--sep\r\n\
    Content-Type: text/plain\r\n\r\nsee http://e.x/p and <HTTP://q.r>\r\n--sep\r\n\
    Content-Type: text/plain; name=\"n.txt\"\r\nContent-Transfer-Encoding: BASE64\r\n\r\naGVs\r\nbG8\r\n--sep\r\n\
    Content-Disposition: attachment; filename=q.txt\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    a=3Db=\r\nc\r\n\r\n--sep\r\nContent-Disposition: attachment; filename=p.txt\r\n\r\nplain\r\ntext\r\n--sep--\r\nrest\r\n";

#[test]
fn attachments_are_files_and_decoded() {
    let (mail, files, odd) = read(MIXED);
    assert_eq!(
        contents(&files),
        pairs(&[("n.txt", "hello"), ("q.txt", "a=bc\r\n"), ("p.txt", "plain\r\ntext")])
    );
    assert!(files.list().iter().all(|file| file.ending == Ending::Closed));
    assert!(odd.iter().all(|odd| *odd == MailOddities::default()));
    assert_eq!(mail.attachments(), [b"n.txt".to_vec(), b"q.txt".to_vec(), b"p.txt".to_vec()]);
}

#[test]
fn the_own_headers_are_those_of_the_mail_not_of_its_parts() {
    let (mail, _, _) = read(MIXED);
    assert_eq!(mail.values(b"from").collect::<Vec<_>>(), [b"a@b.c"]);
    assert_eq!(mail.values(b"subject").collect::<Vec<_>>(), [b"onetwo"]);
    assert_eq!(mail.values(b"received").collect::<Vec<_>>(), [b"x", b"y"]);
    assert_eq!(mail.values(b"content-disposition").count(), 0);
}

#[test]
fn addresses_in_text_are_found_without_their_scheme() {
    let (mail, _, _) = read(MIXED);
    assert_eq!(mail.urls(), [b"e.x/p".to_vec(), b"q.r".to_vec()]);
}

#[test]
fn lines_in_pieces_give_the_same_files() {
    let mut mail = Mail::new(FILE_LIMITS, false);
    let mut files = Files::default();
    for line in MIXED.split_inclusive("\r\n") {
        let content = line.strip_suffix("\r\n").unwrap_or(line);
        if mail.is_in_body() && !content.starts_with("--") {
            for place in 0..content.len() {
                mail.line(&content.as_bytes()[place..=place], b"", &mut files);
            }
            mail.line(b"", b"\r\n", &mut files);
        } else {
            mail.line(content.as_bytes(), b"\r\n", &mut files);
        }
    }
    assert_eq!(
        contents(&files),
        pairs(&[("n.txt", "hello"), ("q.txt", "a=bc\r\n"), ("p.txt", "plain\r\ntext")])
    );
}

#[test]
fn a_mail_within_a_mail_is_read_on() {
    let text = "Subject: out\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\
        Content-Type: message/rfc822; name=\"m.eml\"\r\n\r\n\
        Subject: in\r\nContent-Disposition: attachment; filename=\"x\"\r\n\r\nbody\r\n--o--\r\n";
    let (mail, files, _) = read(text);
    assert_eq!(contents(&files), pairs(&[("x", "body")]));
    assert_eq!(mail.values(b"subject").collect::<Vec<_>>(), [b"out"]);
}

#[test]
fn what_is_odd_is_told() {
    let base64 = "Content-Disposition: a; filename=f\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let any = |text: String, is_it: fn(&MailOddities) -> bool| read(&text).2.iter().any(is_it);
    assert!(any(format!("{base64}=aaa\r\n"), |odd| odd.invalid_base64));
    assert!(any(format!("{base64}{}\r\n", "a".repeat(80)), |odd| odd.long_encoded_line));
    assert!(any(format!("a: b\r\n\r\n{}\r\n", "x".repeat(999)), |odd| odd.long_line));
    assert!(any(format!("{}: b\r\n", "x".repeat(76)), |odd| odd.long_header_name));
    assert!(any(format!("a: {}\r\n", "x".repeat(2001)), |odd| odd.long_header_value));
    assert!(any(format!("content-type: m; boundary={}\r\n\r\n", "x".repeat(255)), |odd| odd.long_boundary));
    assert!(any(format!("content-type: m; name={}\r\n\r\n", "x".repeat(256)), |odd| odd.long_file_name));
    let quoted = "Content-Disposition: a; filename=f\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    assert!(any(format!("{quoted}a=zzb\r\n"), |odd| odd.invalid_quoted));
    assert!(any(format!("{quoted}a=3\r\n"), |odd| odd.invalid_quoted));
}

#[test]
fn a_parameter_is_found_in_all_its_forms() {
    let header = b"attachment; a=1 ; filename=\"x\\\"y;z\"; b*0=one; b*1=\"two\"; c=\"open; a=2";
    let find =
        |name: &[u8]| parameter(header, name).map(|value| String::from_utf8_lossy(&value).into_owned());
    assert_eq!(find(b"filename").as_deref(), Some("x\\\"y;z"));
    assert_eq!(find(b"a").as_deref(), Some("2"));
    assert_eq!(find(b"b").as_deref(), Some("onetwo"));
    assert_eq!(find(b"c").as_deref(), Some("\"open"));
    assert_eq!(find(b"d"), None);
    assert_eq!(parameter(b"no semicolon", b"a"), None);
}

#[test]
fn base64_in_pieces_is_what_it_is_in_one() {
    let encoded = b"SGVs bG8s\r\nIHdvcmxk*IQ==";
    for cut in 0..encoded.len() {
        let (mut decoder, mut out) = (Base64::default(), Vec::new());
        assert_eq!(decoder.decode(&encoded[..cut], &mut out), Ok(()));
        assert_eq!(decoder.decode(&encoded[cut..], &mut out), Ok(()));
        assert_eq!(out, b"Hello, world!");
    }
    let (mut decoder, mut out) = (Base64::default(), Vec::new());
    assert_eq!(decoder.decode(b"SGVs====", &mut out), Err(Invalid));
    assert_eq!(decoder.decode(b"SGVs", &mut out), Err(Invalid));
    assert_eq!(out, b"Hel", "what comes before the group that makes no sense counts");
}

#[test]
fn quoted_printable_in_pieces_is_what_it_is_in_one() {
    let line = b"a=41=e9=C3";
    for cut in 0..line.len() {
        let (mut decoder, mut out) = (Quoted::default(), Vec::new());
        let first = decoder.decode(&line[..cut], b"", &mut out);
        let second = decoder.decode(&line[cut..], b"\n", &mut out);
        assert_eq!(out, b"aA\xc3\n");
        assert!(!(first && second));
    }
}
