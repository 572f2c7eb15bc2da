//! What a node answers over HTTP: how it is, for a supervisor, Prometheus and people. Nothing can be changed here.
//!
//! Upon `GET /health`: 200 if it takes part, or is a spare that stands by, else 503. Upon `GET /metrics`: the text form of
//!   Prometheus. Upon `GET /status`: one JSON object. Upon anything else: 404 or 405, and upon what is no HTTP, nothing.
//! Upon one more visitor than [`VISITORS_MAX`]: the oldest is sent away. Whoever says nothing keeps nobody else out.
//! Upon a visitor that comes: it is heard at once, since whoever waited with the system has asked already.
//!
//! [`HEAD_BYTES_MAX`] and [`VISIT_MAX`] each, and one thread for all: this is for loopback, and must never cost the node anything. How
//! visits ended is counted, and told among the metrics.

mod visitor;

use self::visitor::{Over, Visitor};
use crate::report::{Answers, Duty, by_why};
use link::listening::{Came, Listening};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Visitors at once at most, and taken in within one turn.
pub const VISITORS_MAX: usize = 16;

/// Bytes of a question at most.
pub const HEAD_BYTES_MAX: usize = 8 << 10;

/// How long a visitor may take.
pub const VISIT_MAX: Duration = Duration::from_millis(500);

const LISTENER: Token = Token(0);

/// The latest answers, shared with the thread that gives them.
pub type Shared = Arc<Mutex<Option<Answers>>>;

/// Answers at `address` from a thread of its own, which ends with the process. Where it really listens.
pub fn serve(address: SocketAddr, answers: Shared) -> io::Result<SocketAddr> {
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind(address)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let address = listener.local_addr()?;
    let mut desk = Desk {
        poll,
        listening: Listening::new(listener),
        answers,
        visitors: VecDeque::new(),
        last: LISTENER,
        ended: BTreeMap::new(),
    };
    thread::Builder::new().name("http".into()).spawn(move || {
        let mut events = Events::with_capacity(2 * VISITORS_MAX);
        loop {
            desk.turn(&mut events);
        }
    })?;
    Ok(address)
}

/// Where visitors are served.
struct Desk {
    poll: Poll,
    listening: Listening,
    answers: Shared,
    /// Oldest first, each under a token that nobody had before.
    visitors: VecDeque<(Token, Visitor)>,
    last: Token,
    ended: BTreeMap<Over, u64>,
}

impl Desk {
    fn turn(&mut self, events: &mut Events) {
        let due = [self.listening.due(), self.visitors.front().map(|(_, visitor)| visitor.until)];
        let wait = due.into_iter().flatten().min().map(|at| at.saturating_duration_since(Instant::now()));
        // It fails if a signal came; then there are no events.
        let _ = self.poll.poll(events, wait);
        let now = Instant::now();
        for event in &*events {
            match event.token() {
                LISTENER => self.listening.told(now),
                token => self.advance(token),
            }
        }
        while self.visitors.front().is_some_and(|(_, visitor)| visitor.until <= now) {
            self.send_away(Over::Slow);
        }
        self.accept(now);
    }

    fn accept(&mut self, now: Instant) {
        for _ in 0..VISITORS_MAX {
            match self.listening.next(now) {
                Came::Somebody(stream, _) => self.take_in(stream, now),
                Came::Gone => {}
                Came::Nobody => return,
            }
        }
    }

    fn take_in(&mut self, mut stream: TcpStream, now: Instant) {
        if self.visitors.len() >= VISITORS_MAX {
            self.send_away(Over::CrowdedOut);
        }
        self.last.0 += 1;
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(&mut stream, self.last, interest).is_ok() {
            self.visitors.push_back((self.last, Visitor::new(stream, now + VISIT_MAX)));
            self.advance(self.last);
        }
    }

    fn advance(&mut self, token: Token) {
        let Some(place) = self.visitors.iter().position(|(one, _)| *one == token) else { return };
        let (answers, ended) = (&self.answers, &self.ended);
        let answer = |head: &str| {
            let answers = answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let (code, kind, body) = answer(head, answers, ended);
            let length = body.len();
            format!(
                "HTTP/1.1 {code}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .into_bytes()
        };
        if let Some(over) = self.visitors[place].1.advance(answer) {
            self.visitors.remove(place);
            *self.ended.entry(over).or_default() += 1;
        }
    }

    /// The oldest has to go.
    fn send_away(&mut self, why: Over) {
        if self.visitors.pop_front().is_some() {
            *self.ended.entry(why).or_default() += 1;
        }
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

fn answer(
    head: &str,
    answers: Option<Answers>,
    ended: &BTreeMap<Over, u64>,
) -> (&'static str, &'static str, String) {
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
        "/metrics" => {
            let mut metrics = answers.metrics;
            let ended = ended.iter().map(|(over, count)| (over.name(), *count));
            by_why(&mut metrics, "http_visits_total", "Visits over HTTP that ended, by how.", ended);
            ("200 OK", "text/plain; version=0.0.4", metrics)
        }
        "/status" => ("200 OK", "application/json", format!("{}\n", answers.status)),
        _ => ("404 Not Found", TEXT, "there are /health, /metrics and /status\n".to_string()),
    }
}
