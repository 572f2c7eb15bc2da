//! What a node answers over HTTP: how it is, for a supervisor, Prometheus and people. Nothing can be changed here.
//!
//! Upon `GET /health`: 200 if it takes part, or is a spare that stands by, else 503. Upon `GET /metrics`: the text form of Prometheus. Upon `GET /status`: one
//!   JSON object. Upon anything else: 404 or 405, and upon what is no HTTP, nothing.
//!
//! One visitor at a time, [`HEAD_BYTES_MAX`] and [`VISIT_MAX`] each: this is for loopback, and must never cost the node anything.

use crate::report::{Answers, Duty};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of a question at most.
pub const HEAD_BYTES_MAX: usize = 8 << 10;

/// How long a visitor may take.
pub const VISIT_MAX: Duration = Duration::from_millis(500);

/// The latest answers, shared with the thread that gives them.
pub type Shared = Arc<Mutex<Option<Answers>>>;

/// Answers at `address` from a thread of its own, which ends with the process. Where it really listens.
pub fn serve(address: SocketAddr, answers: Shared) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    thread::Builder::new().name("http".into()).spawn(move || {
        for visitor in listener.incoming().flatten() {
            // Whoever hangs up in the middle has what it wanted.
            let _ = visit(visitor, &answers);
        }
    })?;
    Ok(address)
}

fn visit(mut visitor: TcpStream, answers: &Shared) -> io::Result<()> {
    visitor.set_write_timeout(Some(VISIT_MAX))?;
    let Some(head) = read_head(&mut visitor)? else { return Ok(()) };
    let answers = answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (code, kind, body) = answer(&head, answers);
    write!(
        visitor,
        "HTTP/1.1 {code}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What comes before the empty line, if that is in time and not too long.
fn read_head(visitor: &mut TcpStream) -> io::Result<Option<String>> {
    let end = Instant::now() + VISIT_MAX;
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > HEAD_BYTES_MAX {
            return Ok(None);
        }
        visitor.set_read_timeout(Some(left))?;
        match visitor.read(&mut piece)? {
            0 => return Ok(None),
            count => head.extend_from_slice(&piece[..count]),
        }
    }
    Ok(String::from_utf8(head).ok())
}

const TEXT: &str = "text/plain; charset=utf-8";

fn answer(head: &str, answers: Option<Answers>) -> (&'static str, &'static str, String) {
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method != "GET" {
        return ("405 Method Not Allowed", TEXT, "this is only for reading\n".to_string());
    }
    let Some(answers) = answers else {
        return ("503 Service Unavailable", TEXT, "starting\n".to_string());
    };
    match path {
        "/health" => match answers.duty {
            Duty::TakesPart => ("200 OK", TEXT, "takes part\n".to_string()),
            Duty::StandsBy => ("200 OK", TEXT, "stands by\n".to_string()),
            Duty::Neither => ("503 Service Unavailable", TEXT, "does not take part\n".to_string()),
        },
        "/metrics" => ("200 OK", "text/plain; version=0.0.4", answers.metrics),
        "/status" => ("200 OK", "application/json", format!("{}\n", answers.status)),
        _ => ("404 Not Found", TEXT, "there are /health, /metrics and /status\n".to_string()),
    }
}
