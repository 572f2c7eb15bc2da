//! Bytes from a web server, by HTTP or HTTPS.
//!
//! Upon an address: its bytes, all of them; a body that is shorter than the server said is an error.
//! Upon a redirect: it is followed, [`REDIRECTS_MAX`] times at most, and never from HTTPS to HTTP.
//! Upon an answer that there is no such thing: nothing, which is no error.
//! Upon a body of more bytes than are allowed: an error as soon as that is known, at the latest when the first byte too many has come.
//!
//! Who the server is, is judged by the authorities that the system trusts, or by those of `--ca` alone. What stands in the environment as proxy
//! (`https_proxy` and its like) is used.
//!
//! Not here: trying again.

use core::time::Duration;
use rustls::crypto::ring::default_provider;
use std::fs;
use std::io::{Error as IoError, Read};
use std::path::Path;
use std::sync::Arc;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error};

/// Redirects that are followed at most.
pub(super) const REDIRECTS_MAX: u32 = 5;
/// How long a connection may take to come about, TLS included.
const CONNECT_SECONDS_MAX: u64 = 20;
/// Bytes of an answer's head at most.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Bytes of a file of authorities at most.
const CA_BYTES_MAX: u64 = 16 << 20;

/// Asks web servers.
pub(super) struct Client {
    tls: TlsConfig,
    timeout: Duration,
}

/// What was asked for.
pub(super) enum Answer {
    /// These bytes.
    Bytes(Vec<u8>),
    /// There is no such thing.
    Nothing,
}

impl Client {
    /// One that trusts the authorities in this file, or else those of the system. `timeout`: for all of one request.
    pub(super) fn new(ca: Option<&Path>, timeout: Duration) -> Result<Self, String> {
        let roots = match ca {
            Some(path) => authorities(path)?,
            None => {
                // Some may be unreadable while others are not; that none is trusted is told when one is needed.
                let found = rustls_native_certs::load_native_certs().certs;
                found.iter().map(|found| Certificate::from_der(found).to_owned()).collect()
            }
        };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
            .build();
        Ok(Client { tls, timeout })
    }

    /// What lies at an address, `bytes_max` bytes at most.
    pub(super) fn get(&self, url: &str, bytes_max: u64) -> Result<Answer, String> {
        let agent: Agent = Agent::config_builder()
            .tls_config(self.tls.clone())
            .https_only(is_https(url))
            .http_status_as_error(false)
            .max_redirects(REDIRECTS_MAX)
            .max_redirects_will_error(true)
            .max_response_header_size(HEAD_BYTES_MAX)
            .user_agent(concat!("varangian/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(self.timeout))
            .timeout_connect(Some(self.timeout.min(Duration::from_secs(CONNECT_SECONDS_MAX))))
            .build()
            .into();
        let mut answer = agent.get(url).call().map_err(|error| self.words(url, error))?;
        match answer.status().as_u16() {
            200 => {}
            // Stores of objects say 403 of what is not there.
            403 | 404 | 410 => return Ok(Answer::Nothing),
            status => return Err(format!("{url}: the server answered with status {status}")),
        }
        let too_long =
            || format!("{url}: longer than {} MiB, which is the most that is taken", bytes_max >> 20);
        if answer.body().content_length().is_some_and(|length| length > bytes_max) {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        let body = answer.body_mut().as_reader().take(bytes_max + 1).read_to_end(&mut bytes);
        body.map_err(|error| self.cut(url, bytes.len(), error))?;
        if bytes.len() as u64 > bytes_max {
            return Err(too_long());
        }
        Ok(Answer::Bytes(bytes))
    }

    fn cut(&self, url: &str, bytes: usize, error: IoError) -> String {
        let why = self.words(url, Error::from(error));
        format!("{why} (the download broke off after {bytes} bytes)")
    }

    fn words(&self, url: &str, error: Error) -> String {
        let host = host(url);
        match error {
            Error::HostNotFound => {
                format!("{url}: the address of {host} could not be found out: is there a network?")
            }
            Error::Timeout(what) => {
                format!("{url}: not done in time ({what}; {:?} in all): --timeout allows more", self.timeout)
            }
            Error::TooManyRedirects => format!("{url}: more than {REDIRECTS_MAX} redirects"),
            Error::RequireHttpsOnly(to) => {
                format!("{url}: leads to {to}, which is no HTTPS: nobody could tell who answers there")
            }
            Error::Rustls(error) => format!("{url}: {host} does not prove who it is: {error}"),
            Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
                format!("{url}: {host} does not prove who it is: {error}; --ca names other authorities")
            }
            Error::BadUri(_) | Error::Http(_) => {
                format!("{url}: this is no address of a file on a web server")
            }
            Error::ConnectionFailed => format!("{url}: no connection to {host}: is there a network?"),
            Error::Io(error) => format!("{url}: {error}"),
            other => format!("{url}: {other}"),
        }
    }
}

/// Whether it is an address of a web server, rather than a file.
pub(super) fn is_url(source: &str) -> bool {
    source.contains("://")
}

/// Whether the server has to prove who it is.
pub(super) fn is_https(url: &str) -> bool {
    url.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case("https://"))
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn authorities(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let told = |error: IoError| format!("--ca {}: {error}", path.display());
    let mut text = Vec::new();
    fs::File::open(path).map_err(told)?.take(CA_BYTES_MAX).read_to_end(&mut text).map_err(told)?;
    let mut found = Vec::new();
    for item in parse_pem(&text) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(format!("--ca {}: {error}", path.display())),
        }
    }
    if found.is_empty() {
        return Err(format!("--ca {}: there is no certificate in it (PEM is read)", path.display()));
    }
    Ok(found)
}
