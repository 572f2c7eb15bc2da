//! Certificates: the chain as it came, and of the first one what rules and records ask for, spelled as Suricata
//! spells it.
//!
//! Upon a certificate message: every certificate that its lengths hold goes into the chain; the first is read as
//! X.509. One that cannot be read is an event and is left out. A second message of the same side is not read.
//!
//! Not here: whether a certificate is to be trusted.

use super::event::Event;
use super::field;
use super::reader::Reader;
use super::session::Session;
use crate::Direction;
use crate::app::Settings;
use crate::app::fingerprint::hex_with_colons;
use sha1::{Digest, Sha1};
use x509_parser::error::X509Error;
use x509_parser::extensions::GeneralName;
use x509_parser::nom::Err as Failure;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Other names of a certificate at most.
const OTHER_NAMES_MAX: usize = 4096;
/// Certificates of a chain at most; later ones are neither kept nor counted.
const CERTIFICATES_MAX: usize = 1024;

/// What a certificate says. What the old keywords ask for is always made, since they do not tell beforehand that
/// they will.
#[derive(Clone, Default, Debug)]
pub(super) struct Certificate {
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    /// If somebody wants it.
    pub(super) serial: Option<Vec<u8>>,
    /// SHA-1.
    pub(super) fingerprint: Vec<u8>,
    /// If somebody wants them.
    pub(super) other_names: Vec<Vec<u8>>,
    /// Seconds since 1970.
    pub(super) not_before: i64,
    /// Seconds since 1970.
    pub(super) not_after: i64,
}

/// Reads a certificate message of one side.
pub(super) fn read(session: &mut Session, direction: Direction, message: &[u8], settings: &Settings) {
    let mut reader = Reader::new(message);
    let Some(mut list) =
        reader.u24().and_then(|length| reader.take(usize::try_from(length).ok()?)).map(Reader::new)
    else {
        return;
    };
    if session.side(direction).chain_length.is_some() {
        return;
    }
    let mut chain_length = 0;
    let mut is_first = true;
    while !list.rest().is_empty() {
        let Some(certificate) = list.u24().and_then(|length| list.take(usize::try_from(length).ok()?)) else {
            session.raise(Event::Certificate);
            break;
        };
        let mut is_kept = true;
        if is_first && session.side(direction).certificate.is_none() {
            match Certificate::read(certificate, settings) {
                Ok(read) => session.side_mut(direction).certificate = Some(read),
                Err(event) => {
                    session.raise(event);
                    is_kept = false;
                }
            }
        }
        if is_kept && chain_length < CERTIFICATES_MAX {
            chain_length += 1;
            if settings.wants(field::CERTIFICATES) {
                session.side_mut(direction).certificates.push(certificate.to_vec());
            }
        }
        is_first = false;
    }
    session.side_mut(direction).chain_length = Some(chain_length);
}

impl Certificate {
    fn read(bytes: &[u8], settings: &Settings) -> Result<Self, Event> {
        let (_, parsed) = X509Certificate::from_der(bytes).map_err(|failure| event_of(&failure))?;
        Ok(Certificate {
            subject: parsed.subject().to_string().into_bytes(),
            issuer: parsed.issuer().to_string().into_bytes(),
            serial: settings
                .wants(field::SERIAL)
                .then(|| hex_with_colons(parsed.raw_serial()).to_ascii_uppercase().into_bytes()),
            fingerprint: hex_with_colons(Sha1::digest(bytes).as_slice()).into_bytes(),
            other_names: if settings.wants(field::OTHER_NAMES) { other_names(&parsed) } else { Vec::new() },
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
        })
    }
}

fn other_names(certificate: &X509Certificate<'_>) -> Vec<Vec<u8>> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let spelled = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(text) | GeneralName::URI(text) => (*text).to_string(),
        GeneralName::IPAddress(bytes) => format!("{bytes:?}"),
        other => other.to_string(),
    };
    names.value.general_names.iter().take(OTHER_NAMES_MAX).map(|name| spelled(name).into_bytes()).collect()
}

fn event_of(failure: &Failure<X509Error>) -> Event {
    match failure {
        Failure::Incomplete(_) => Event::CertificateLength,
        Failure::Error(error) | Failure::Failure(error) => match error {
            X509Error::InvalidVersion => Event::CertificateVersion,
            X509Error::InvalidSerial => Event::CertificateSerial,
            X509Error::InvalidAlgorithmIdentifier => Event::CertificateAlgorithm,
            X509Error::InvalidX509Name => Event::CertificateName,
            X509Error::InvalidDate => Event::CertificateDate,
            X509Error::InvalidExtensions => Event::CertificateExtensions,
            X509Error::Der(_) => Event::CertificateDer,
            _ => Event::Certificate,
        },
    }
}
