//! The messages of PostgreSQL's protocol, version 3: a letter, a length that counts itself, a content.
//!
//! A message is read when all of it is here. Lengths are checked against the least that the letter needs; what
//! stands in a row is not read.

use crate::app::bytes::Reader;

/// Bytes of the length, which counts itself.
const LENGTH_BYTES: usize = 4;
/// Fields of a complaint that are kept at most.
const COMPLAINT_FIELDS_MAX: usize = 32;
/// Parameters that are kept at most.
const PARAMETERS_MAX: usize = 64;

/// Why there is no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// There may be one when so many bytes are here (0: not known).
    Incomplete(usize),
    /// Its length cannot be. Where the next one stands is not known.
    Length,
    /// A kind that nobody knows where only known ones may stand.
    Kind,
    /// It says something else than it should.
    Content,
    /// All of it is here, and it ends too early.
    Short,
}

/// A name and what it stands for.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// What a client says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    Tls,
    Cancel { process: u32, secret: u32 },
    Startup { major: u16, minor: u16, parameters: Vec<Pair> },
    Password(Vec<u8>),
    SaslFirst { mechanism: &'static str, content: Vec<u8> },
    Sasl(Vec<u8>),
    Query(Vec<u8>),
    CopyData { rows: u64, bytes: u64 },
    CopyDone,
    CopyFailed(Vec<u8>),
    Terminate,
    Unknown,
}

/// What a server says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Response {
    TlsAccepted,
    TlsRefused,
    Complaint(Vec<(u8, Vec<u8>)>),
    Notice,
    AuthenticationOk,
    ClearPassword,
    Md5Password(Vec<u8>),
    Sspi,
    Sasl,
    SaslContinue,
    SaslFinal(Vec<u8>),
    Parameter(Pair),
    Key { process: u32, secret: u32 },
    CommandComplete(Vec<u8>),
    CopyDone,
    Ready,
    RowDescription(u16),
    Notification,
    Row { rows: u64, bytes: u64 },
    CopyData { rows: u64, bytes: u64 },
    CopyOut(u16),
    CopyIn(u16),
    Unknown,
}

/// In which of its meanings the letter `p` stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Secret {
    None,
    Password,
    SaslFirst,
    Sasl,
}

type Read<T> = Result<T, Fault>;

/// A message's letter, its length's content bytes at least `least`, and how many bytes it has in all.
fn frame(bytes: &[u8], letter_bytes: usize, least: usize, exact: bool) -> Read<(&[u8], usize)> {
    let head = letter_bytes + LENGTH_BYTES;
    let length = bytes.get(letter_bytes..head).ok_or(Fault::Incomplete(head))?;
    let length = Reader::new(length).be32().unwrap_or_default() as usize;
    if length < least || exact && length != least {
        return Err(Fault::Length);
    }
    let whole = letter_bytes + length;
    let content = bytes.get(head..whole).ok_or(Fault::Incomplete(whole))?;
    Ok((content, whole))
}

/// How many bytes a message has whose content makes no sense; its head is there.
pub(super) fn length(bytes: &[u8], has_letter: bool) -> usize {
    let letter_bytes = usize::from(has_letter);
    let length = bytes.get(letter_bytes..letter_bytes + LENGTH_BYTES).unwrap_or_default();
    letter_bytes + Reader::new(length).be32().unwrap_or_default() as usize
}

/// The text up to a zero, which is taken too.
fn text<'a>(reader: &mut Reader<'a>) -> Read<&'a [u8]> {
    reader.until(0).ok_or(Fault::Short)
}

/// The same; it says something.
fn some_text<'a>(reader: &mut Reader<'a>) -> Read<&'a [u8]> {
    if reader.rest().first() == Some(&0) { Err(Fault::Content) } else { text(reader) }
}

fn pair(reader: &mut Reader<'_>) -> Read<Pair> {
    Ok((some_text(reader)?.to_vec(), text(reader)?.to_vec()))
}

fn mechanism(reader: &mut Reader<'_>) -> Option<&'static str> {
    let known: [(&[u8], &str); 2] =
        [(b"SCRAM-SHA-256-PLUS\0", "scram_SHA256_plus"), (b"SCRAM-SHA-256\0", "scram_SHA256")];
    known.into_iter().find(|(name, _)| reader.tag(name).is_some()).map(|(_, name)| name)
}

impl Request {
    /// Whether the message at the front has a letter that tells what it is: what a connection begins with has none.
    pub(super) fn has_letter(bytes: &[u8], secret: Secret) -> bool {
        secret != Secret::None || bytes.first() != Some(&0)
    }

    /// The message at the front, and how many bytes it has.
    pub(super) fn read(bytes: &[u8], secret: Secret) -> Read<(Request, usize)> {
        let letter = *bytes.first().ok_or(Fault::Incomplete(1))?;
        if secret != Secret::None {
            let (content, whole) = frame(bytes, 1, LENGTH_BYTES, false)?;
            if letter != b'p' {
                return Err(Fault::Content);
            }
            return Ok((Request::secret(content, secret)?, whole));
        }
        let (least, exact) = match letter {
            0 => return Request::startup(bytes),
            b'X' | b'c' => (LENGTH_BYTES, true),
            b'd' | b'f' => (LENGTH_BYTES + 1, false),
            _ => (LENGTH_BYTES, false),
        };
        let (content, whole) = frame(bytes, 1, least, exact)?;
        let request = match letter {
            b'Q' => Request::Query(some_text(&mut Reader::new(content))?.to_vec()),
            b'X' => Request::Terminate,
            b'd' => Request::CopyData { rows: 1, bytes: content.len() as u64 },
            b'c' => Request::CopyDone,
            b'f' => Request::CopyFailed(content.to_vec()),
            _ => Request::Unknown,
        };
        Ok((request, whole))
    }

    fn secret(content: &[u8], secret: Secret) -> Read<Request> {
        let mut reader = Reader::new(content);
        match secret {
            Secret::SaslFirst => {
                let mechanism = mechanism(&mut reader).ok_or(Fault::Content)?;
                let length = reader.be32().ok_or(Fault::Short)? as usize;
                let content = reader.take(length).ok_or(Fault::Short)?.to_vec();
                if !reader.is_empty() {
                    return Err(Fault::Content);
                }
                Ok(Request::SaslFirst { mechanism, content })
            }
            Secret::Sasl => Ok(Request::Sasl(content.to_vec())),
            Secret::Password | Secret::None => Ok(Request::Password(some_text(&mut reader)?.to_vec())),
        }
    }

    /// What a connection begins with: it has no letter.
    fn startup(bytes: &[u8]) -> Read<(Request, usize)> {
        let (content, whole) = frame(bytes, 0, 8, false)?;
        let mut reader = Reader::new(content);
        let major = reader.be16().ok_or(Fault::Short)?;
        let minor = reader.be16().ok_or(Fault::Short)?;
        let request = match (major, minor) {
            (1..=3, _) => Request::Startup { major, minor, parameters: parameters(&mut reader)? },
            (1234, 5678) => {
                let mut number = || reader.be32().ok_or(Fault::Short);
                Request::Cancel { process: number()?, secret: number()? }
            }
            (1234, 5679) => Request::Tls,
            _ => return Err(Fault::Kind),
        };
        Ok((request, whole))
    }
}

/// What a client asks for at the beginning, the user first: there must be one.
fn parameters(reader: &mut Reader<'_>) -> Read<Vec<Pair>> {
    let mut pairs = Vec::new();
    while !reader.is_empty() && reader.rest().first() != Some(&0) {
        let pair = pair(reader)?;
        if pairs.len() < PARAMETERS_MAX {
            pairs.push(pair);
        }
    }
    reader.u8().ok_or(Fault::Short)?;
    let user = pairs.iter().rposition(|(name, _)| name == b"user").ok_or(Fault::Content)?;
    let user = pairs.remove(user);
    if user.1.is_empty() {
        return Err(Fault::Content);
    }
    pairs.insert(0, user);
    Ok(pairs)
}

/// SQLSTATE of a wrong password, and of a name that may not come in.
const LOGIN_REFUSED: [&[u8]; 2] = [b"28P01", b"28000"];

impl Response {
    /// Whether it refuses a login.
    pub(super) fn refuses_login(&self) -> bool {
        let is_refusal =
            |(kind, value): &(u8, Vec<u8>)| *kind == b'C' && LOGIN_REFUSED.contains(&value.as_slice());
        matches!(self, Response::Complaint(fields) if fields.iter().any(is_refusal))
    }

    /// The answer to whether TLS may begin: one letter.
    pub(super) fn read_tls(bytes: &[u8]) -> Option<Response> {
        match bytes.first()? {
            b'S' => Some(Response::TlsAccepted),
            b'N' => Some(Response::TlsRefused),
            _ => None,
        }
    }

    /// The message at the front, and how many bytes it has.
    pub(super) fn read(bytes: &[u8]) -> Read<(Response, usize)> {
        let letter = *bytes.first().ok_or(Fault::Incomplete(1))?;
        let (least, exact) = match letter {
            b'E' | b'N' => (11, false),
            b'K' => (12, true),
            b'R' => (8, false),
            b'Z' => (5, true),
            b'c' => (LENGTH_BYTES, true),
            b'T' | b'D' => (7, false),
            b'A' => (10, false),
            b'd' => (5, false),
            b'H' | b'G' => (8, false),
            _ => (LENGTH_BYTES, false),
        };
        let (content, whole) = frame(bytes, 1, least, exact)?;
        let mut reader = Reader::new(content);
        let response = match letter {
            b'E' => Response::Complaint(complaint(&mut reader, &[b"ERROR", b"FATAL", b"PANIC"])?),
            b'N' => {
                complaint(&mut reader, &[b"WARNING", b"NOTICE", b"DEBUG", b"INFO", b"LOG"])?;
                Response::Notice
            }
            b'R' => Response::authentication(&mut reader)?,
            b'S' => Response::Parameter(pair(&mut reader)?),
            b'K' => {
                let mut number = || reader.be32().ok_or(Fault::Short);
                Response::Key { process: number()?, secret: number()? }
            }
            b'C' => Response::CommandComplete(text(&mut reader)?.to_vec()),
            b'c' => Response::CopyDone,
            b'Z' if matches!(content, [b'I' | b'T' | b'E']) => Response::Ready,
            b'Z' => return Err(Fault::Content),
            b'T' => Response::RowDescription(reader.be16().ok_or(Fault::Short)?),
            b'A' => {
                reader.be32().ok_or(Fault::Short)?;
                text(&mut reader)?;
                text(&mut reader)?;
                Response::Notification
            }
            b'D' => {
                let columns = u64::from(reader.be16().ok_or(Fault::Short)?);
                Response::Row { rows: 1, bytes: (reader.len() as u64).saturating_sub(4 * columns) }
            }
            b'd' => Response::CopyData { rows: 1, bytes: content.len() as u64 },
            b'H' | b'G' => {
                reader.u8().ok_or(Fault::Short)?;
                let columns = reader.be16().ok_or(Fault::Short)?;
                if letter == b'H' { Response::CopyOut(columns) } else { Response::CopyIn(columns) }
            }
            _ => Response::Unknown,
        };
        Ok((response, whole))
    }

    fn authentication(reader: &mut Reader<'_>) -> Read<Response> {
        let kind = reader.be32().ok_or(Fault::Short)?;
        Ok(match kind {
            0 => Response::AuthenticationOk,
            3 => Response::ClearPassword,
            5 => match reader.rest() {
                [] | [_] | [_, _] | [_, _, _] => return Err(Fault::Short),
                salt @ [_, _, _, _] => Response::Md5Password(salt.to_vec()),
                _ => return Err(Fault::Content),
            },
            9 => Response::Sspi,
            10 => {
                mechanism(reader).ok_or(Fault::Content)?;
                while mechanism(reader).is_some() {}
                match reader.u8() {
                    Some(0) => Response::Sasl,
                    Some(_) => return Err(Fault::Content),
                    None => return Err(Fault::Short),
                }
            }
            11 => Response::SaslContinue,
            12 => Response::SaslFinal(reader.rest().to_vec()),
            _ => return Err(Fault::Kind),
        })
    }
}

/// The fields of an error or a notice; its severity is one of these.
fn complaint(reader: &mut Reader<'_>, severities: &[&[u8]]) -> Read<Vec<(u8, Vec<u8>)>> {
    let mut fields = Vec::new();
    loop {
        let kind = reader.u8().ok_or(Fault::Short)?;
        if kind == 0 {
            return Ok(fields);
        }
        let value = text(reader)?;
        if kind == b'V' && !severities.contains(&value)
            || kind == b'C' && (value.len() != 5 || !value.iter().all(u8::is_ascii_alphanumeric))
        {
            return Err(Fault::Content);
        }
        if fields.len() < COMPLAINT_FIELDS_MAX {
            fields.push((kind, value.to_vec()));
        }
    }
}
