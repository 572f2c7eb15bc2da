//! What a parser understands of a stream must not depend on how the stream was cut into segments: whoever cuts it would decide what rules see.
//!
//! Each case was once understood in two ways. The fuzz target `layer` looks for others.

use detect::Direction;
use detect::app::table::PROTOCOLS;
use detect::app::{Driver, Ends, Questions, Settings, Transport};
use std::net::{IpAddr, Ipv4Addr};

use Direction::{ToClient, ToServer};

type Said = Vec<(Direction, Vec<u8>)>;

/// What is told of the exchanges when each of `said` comes in segments of at most so many bytes.
fn told(protocol: &str, said: &Said, segment_bytes: usize) -> Vec<String> {
    understood(protocol, said, segment_bytes).0
}

/// The same, and what rules see of them.
fn understood(protocol: &str, said: &Said, segment_bytes: usize) -> (Vec<String>, Vec<(u64, Vec<u8>)>) {
    let protocol = PROTOCOLS.iter().find(|known| known.name == protocol).expect("it is known");
    let settings = Settings { records: true, ..Settings::default() };
    let end = |last, port| (IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
    let ends = Ends { client: end(1, 40_000), server: end(2, 445), transport: Transport::Tcp };
    let mut driver = Driver::new(protocol, &settings, ends);
    for (direction, bytes) in said {
        for segment in bytes.chunks(segment_bytes) {
            driver.say(&settings, *direction, segment);
        }
    }
    (driver.records(), driver.shown(&Questions::of(protocol)))
}

/// However it is cut, the same is told, which has all of `parts` in it and none of `absent`.
fn is_told(protocol: &str, said: &Said, parts: &[&str], absent: &[&str]) {
    let whole = understood(protocol, said, usize::MAX);
    let text = whole.0.concat();
    for part in parts {
        assert!(text.contains(part), "{protocol}: {part} is missing in {text}");
    }
    for part in absent {
        assert!(!text.contains(part), "{protocol}: {part} is in {text}");
    }
    for bytes in [1, 2, 3, 5, 8, 13, 100, 255, 256, 257, 511, 512, 513, 1460, 4095, 4096, 4097] {
        let (records, shown) = understood(protocol, said, bytes);
        assert_eq!(records, whole.0, "{protocol} in segments of {bytes} bytes");
        assert!(shown == whole.1, "{protocol} shows other fields in segments of {bytes} bytes");
    }
}

fn client(bytes: impl Into<Vec<u8>>) -> (Direction, Vec<u8>) {
    (ToServer, bytes.into())
}

fn server(bytes: impl Into<Vec<u8>>) -> (Direction, Vec<u8>) {
    (ToClient, bytes.into())
}

/// A mail with a file in it, whose encoding and content are given.
fn mail(encoding: &str, content: &str) -> Said {
    let head = format!(
        "Content-Disposition: attachment; filename=f\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    mailed(&format!("{head}{content}"))
}

/// A mail that begins so.
fn mailed(text: &str) -> Said {
    vec![server("220 mail.example.org\r\n"), client("DATA\r\n"), server("354 go on\r\n"), client(text)]
}

#[test]
fn a_file_in_a_mail_is_the_same_however_its_lines_are_cut() {
    is_told("smtp", &mail("base64", "SGVsbG8=\r\n.\r\n"), &[r#""content":"Hello""#], &[]);
    // Behind what cannot be decoded nothing is known; what came before counts.
    is_told("smtp", &mail("base64", "SGVs====SGVs\r\n.\r\n"), &[r#""content":"Hel""#], &[]);
    is_told("smtp", &mail("quoted-printable", "V\n\nW\n"), &[r#""content":"V\n\nW\n""#], &[]);
}

#[test]
fn what_looks_like_a_boundary_within_a_line_is_none() {
    let parts = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a; name=f\r\n\r\n";
    is_told(
        "smtp",
        &mailed(&format!("{parts}C--b--\r\nD\r\n--b--\r\n")),
        &[r#""content":"C--b--\r\nD""#],
        &[],
    );
    // The first of these segments ends amid a line.
    let two = [mailed(&format!("{parts}C")), vec![client("--b--\r\nD\r\n--b--\r\n")]].concat();
    is_told("smtp", &two, &[r#""content":"C--b--\r\nD""#], &[]);
}

#[test]
fn a_line_of_a_mail_is_as_long_as_all_its_pieces() {
    let long = mail("base64", &"A".repeat(80));
    assert_ne!(told("smtp", &long, 7), told("smtp", &mail("base64", &"A".repeat(76)), 7));
    is_told("smtp", &long, &[], &[]);
}

#[test]
fn behind_a_line_that_is_too_long_commands_and_replies_are_read() {
    let long = |word: &str, next: &str| [word, &"x".repeat(9000), "\r\n", next].concat();
    let said = vec![
        server(long("220 ", "220 mail.example.org\r\n")),
        client(long("NOOP ", "MAIL FROM:<a@b>\r\n")),
        server(long("250 ", "250 ok\r\n")),
        client("RCPT TO:<c@d>\r\n"),
    ];
    is_told("smtp", &said, &[r#""mail_from":"<a@b>""#, r#""rcpt_to":["<c@d>"]"#], &[]);

    let said = vec![client(long("USER ", "PASS secret\r\n")), server(long("331 ", "230 welcome\r\n"))];
    is_told("ftp", &said, &[r#""command":"PASS""#, "welcome"], &[]);
}

#[test]
fn a_first_line_of_ssh_that_is_too_long_is_followed_to_its_end() {
    let line = |bytes: usize| format!("SSH-2.0-{}\r\n", "s".repeat(bytes)).into_bytes();
    for bytes in [10, 246, 247, 248, 249, 4085, 4086, 4087, 4088, 5000] {
        is_told("ssh", &vec![client(line(bytes)), server(line(10))], &[r#""proto_version":"2.0""#], &[]);
    }
}

#[test]
fn tls_passes_by_a_record_of_a_type_that_there_is_not_and_reads_the_next() {
    let unknown = [33, 3, 1, 0, 40].into_iter().chain([0xff; 40]);
    let alert = [21, 3, 1, 0, 2, 2, 40];
    let said = vec![server([&alert[..], &unknown.collect::<Vec<u8>>(), &alert].concat())];
    is_told("tls", &said, &[r#""version":"TLSv1""#], &["SSLv2"]);
}

#[test]
fn a_flow_of_smb_that_is_joined_in_its_midst_is_read_from_the_next_record_on() {
    let asks = negotiation();
    let said = vec![client([&[25][..], &asks].concat())];
    is_told("smb", &said, &["SMB1_COMMAND_NEGOTIATE_PROTOCOL"], &[]);
}

#[test]
fn what_follows_the_beginning_of_a_refused_read_of_smb_is_no_record() {
    const ACCESS_DENIED: u32 = 0xc000_0022;
    let mut refused = smb1(0x2e, ACCESS_DENIED, 0x80);
    refused.extend([0; 600]);
    // Within it stands what looks like the answer to an echo.
    refused.extend(session(&smb1(0x2b, 0, 0x80)));
    let asked = [negotiation(), session(&smb1(0x2b, 0, 0))].concat();
    let said = vec![client(asked), server(session(&refused))];
    is_told("smb", &said, &["SMB1_COMMAND_ECHO"], &["STATUS_SUCCESS"]);
}

#[test]
fn dcerpc_in_a_pipe_of_smb_whose_opening_was_not_seen_is_read_whole() {
    let mut unit = vec![5, 0, 0, 3, 16, 0, 0, 0];
    unit.extend(700u16.to_le_bytes());
    unit.extend([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0]);
    unit.resize(700, 0x41);
    let mut write = vec![0xfe, b'S', b'M', b'B', 64, 0, 0, 0, 0, 0, 0, 0, 9, 0];
    write.resize(64, 0);
    write.extend([49, 0, 112, 0]);
    write.extend(700u32.to_le_bytes());
    write.extend([0; 8 + 16 + 16]);
    write.extend(unit);
    is_told("smb", &vec![client(session(&write))], &[r#""opnum":12"#], &[]);
}

#[test]
fn a_long_write_of_smb_that_does_not_say_where_its_data_stand_is_passed_over() {
    // Longer than anybody waits for, and its data would begin within the header.
    let mut write = smb1(0x2f, 0, 0);
    write.extend([14, 0xff, 0, 0, 0]);
    write.resize(700_000, 0);
    let said = vec![client([session(&write), negotiation()].concat())];
    for bytes in [1460, 65_536, usize::MAX] {
        let text = told("smb", &said, bytes).concat();
        assert!(text.contains("SMB1_COMMAND_NEGOTIATE_PROTOCOL"), "in segments of {bytes}: {text}");
    }
}

/// A call of NFS, of this version, that writes a kilobyte if that is 3, with credentials of so many bytes.
fn nfs_write(version: u32, credentials: usize) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let call = [
        words(&[7, 0, 2, 100_003, version, 7, 1, credentials as u32]),
        vec![0; credentials],
        words(&[0, 0, 4, 0xaabb_ccdd, 0, 0, 1000, 2, 1000]),
        vec![b'x'; 1000],
    ]
    .concat();
    [(call.len() as u32 | 1 << 31).to_be_bytes().to_vec(), call].concat()
}

#[test]
fn a_write_of_nfs_is_one_of_version_3_however_long_its_credentials_and_counted_once() {
    is_told("nfs", &vec![client(nfs_write(3, 20))], &[r#""procedure":"WRITE""#, r#""size":1000"#], &[]);
    is_told("nfs", &vec![client(nfs_write(3, 252))], &[r#""procedure":"WRITE""#, r#""size":1000"#], &[]);
    is_told("nfs", &vec![client(nfs_write(77, 20))], &[], &["size"]);
}

#[test]
fn modbus_passes_by_a_message_whose_length_cannot_be_and_reads_the_next() {
    let bad = [&[0, 1, 0, 0, 4, 0][..], &[0; 1024]].concat();
    let reads = [0, 2, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1];
    is_told("modbus", &vec![client([&bad[..], &reads].concat())], &[r#""transaction_id":2"#], &[]);
}

#[test]
fn postgresql_passes_by_a_message_that_makes_no_sense_and_reads_the_next() {
    let message = |letter: u8, content: &[u8]| {
        [&[letter][..], &(content.len() as u32 + 4).to_be_bytes(), content].concat()
    };
    let start = [&38u32.to_be_bytes()[..], &[0, 3, 0, 0], b"user\0alice\0database\0accounts\0\0"].concat();
    // Nobody knows a way to log in that has the number 99.
    let answers = [message(b'R', &[0, 0, 0, 99]), message(b'S', b"server_version\x0016\0")].concat();
    let asks = [message(b'Q', b"\0"), message(b'Q', b"select 1\0")].concat();
    let said = vec![client(start), server(answers), client(asks)];
    is_told("pgsql", &said, &["alice", "server_version", "select 1"], &[]);
}

const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

/// A request of HTTP, and what a server says to it.
fn answered(answer: impl Into<Vec<u8>>) -> Said {
    vec![client(GET), server(answer)]
}

#[test]
fn http_knows_a_request_without_a_protocol_by_what_follows_or_by_the_answer() {
    let headers = vec![client("GET /old\r\nHost: a.example\r\n\r\n"), server("HTTP/1.0 200 OK\r\n\r\nx")];
    is_told("http", &headers, &[r#""hostname":"a.example""#, r#""status":200"#], &[]);
    let two = vec![client("GET /old\r\n\r\nGET /b HTTP/1.1\r\nHost: b.example\r\n\r\n")];
    is_told("http", &two, &[r#""url":"/b""#, r#""hostname":"b.example""#], &[]);
    let first = vec![client("GET /old\r\n"), server("<html>"), client("GET /b HTTP/1.1\r\n\r\n")];
    is_told("http", &first, &[r#""protocol":"HTTP/0.9""#, r#""content":"<html>""#], &["/b"]);
}

#[test]
fn what_follows_a_request_of_http_and_is_no_method_hides_no_request() {
    let said = |between: &str| vec![client(format!("{GET}{between}GET /b HTTP/1.1\r\nHost: b\r\n\r\n"))];
    for between in ["more\r\n", "more\n\r\n", "\r\n\n\r\n", "a=b&c=d\n", "SEARCH /s HTTP/1.1\r\nX: y\r\n\r\n"]
    {
        is_told("http", &said(between), &[r#""url":"/b""#], &[]);
    }
    is_told("http", &said("SEARCH /s HTTP/1.1\r\n\r\n"), &[r#""http_method":"SEARCH""#], &[]);
}

#[test]
fn what_follows_a_response_of_http_and_is_none_hides_no_response() {
    let found = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    let missing = "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno";
    let (content, status) = (r#""content":"abc""#, r#""status":404"#);
    for between in ["", "\r\n", "\n\n", "more\r\n", "more\nand more\n", "\nmore\n"] {
        let said = vec![client(GET), client(GET), server(format!("{found}{between}{missing}"))];
        is_told("http", &said, &[content, status], &[]);
    }
    let more = answered(format!("{found}more and\nmore\nand more\n"));
    is_told("http", &more, &[content, r#""content":"more and\nmore\n"#], &[]);
}

#[test]
fn a_body_of_http_begins_behind_the_end_of_its_head_however_odd_that_is() {
    for head in ["X: y\n\r\r\n", "X: y\r\r\n", "X: y\n\r\n", "X: y\r\n\r\n", "X: y\n\r\r\n\r\n", "\r\n", "\n"]
    {
        is_told("http", &answered(format!("HTTP/1.1 200 OK\n{head}body")), &[r#""content":"body""#], &[]);
    }
    // What follows the end of a head may look as if it went on.
    is_told("http", &answered("HTTP/1.1 200 OK\r\nX: y\n\n\rbody"), &[r#""content":"\rbody""#], &[]);
    is_told("http", &answered("HTTP/1.1 200 OK\r\n\r\n\r \nbody"), &[r#""content":"\r \nbody""#], &[]);
    let asks = "GET /a HTTP/1.0\n\nGET /b HTTP/1.0\n\n";
    is_told("http", &vec![client(asks)], &[r#""url":"/a""#, r#""url":"/b""#], &[]);
}

#[test]
fn a_header_of_http_that_is_too_long_is_so_even_if_it_comes_at_once() {
    let said = vec![client(format!("GET / HTTP/1.1\r\nX: {}\r\nHost: a\r\n\r\n", "x".repeat(20_000)))];
    let whole = told("http", &said, usize::MAX);
    assert!(!whole.concat().contains("hostname"), "{whole:?}");
    for bytes in [1460, 4096, 18_001, 20_020] {
        assert_eq!(told("http", &said, bytes), whole, "in segments of {bytes} bytes");
    }
}

#[test]
fn a_header_of_http_over_several_lines_has_one_name() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length\r\n : 2\r\nX: y\r\n\r\nabHTTP/1.1 404 No\r\n\r\n";
    is_told("http", &answered(answer), &[r#""content":"ab""#, r#""status":404"#], &[]);
}

#[test]
fn a_body_of_http_whose_length_is_odd_goes_on_until_a_response_follows() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2 4\r\n\r\nabcd\nHTTP/1.1 404 No\r\n\r\n";
    is_told("http", &answered(answer), &[r#""content":"abcd\n""#, r#""status":404"#], &[]);
}

#[test]
fn a_body_of_http_that_is_no_compressed_one_is_shown_as_it_is() {
    // For bare deflate: a block of three bytes, then one of a kind that there is not.
    let body = b"\x00\x03\x00\xfc\xffabc\x07 and what follows";
    let answer =
        [&b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 26\r\n\r\n"[..], body].concat();
    is_told("http", &answered(answer), &[" and what follows"], &[]);
}

#[test]
fn a_body_of_http_beyond_the_limit_is_as_long_as_the_limit() {
    let head = "HTTP/1.1 200 OK\r\n\r\n".to_string();
    is_told(
        "http",
        &answered(head + &"x".repeat(110_000)),
        &[r#""state":"TRUNCATED""#, r#""size":102400"#],
        &[],
    );
}

#[test]
fn a_form_of_http_with_long_lines_has_the_same_files() {
    let long = "l".repeat(5000);
    let form = format!(
        "{long}\r\n--b\r\nX: {long}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\nfile\r\n--b--\r\n"
    );
    let head = "POST /up HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n";
    let said = vec![client(format!("{head}Content-Length: {}\r\n\r\n{form}", form.len()))];
    is_told("http", &said, &[r#""filename":"f.txt""#, r#""content":"file""#], &[]);
}

/// A record of SMB 1 without parameters.
fn smb1(command: u8, status: u32, flags: u8) -> Vec<u8> {
    let mut record = vec![0xff, b'S', b'M', b'B', command];
    record.extend(status.to_le_bytes());
    record.extend([flags, 0, 0x40]);
    record.resize(32, 0);
    record
}

fn negotiation() -> Vec<u8> {
    session(&[&smb1(0x72, 0, 0)[..], &[0, 12, 0], b"\x02NT LM 0.12\0"].concat())
}

fn session(record: &[u8]) -> Vec<u8> {
    [&(record.len() as u32).to_be_bytes()[..], record].concat()
}
