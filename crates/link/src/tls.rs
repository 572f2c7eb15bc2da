//! Mutual TLS 1.3 between pinned keys: raw public keys (RFC 7250) in the place of certificates, and no authority.
//!
//! Upon a handshake: each side shows its Ed25519 key and proves that it has the secret.
//!   - The server takes whoever the roster ([`Pins`]) names and whose key has not ended.
//!   - The client takes the one node that it meant to reach, and no other, whoever answers at the address.
//!   - Both by the roster and the time as they are at that moment; nothing is remembered of an earlier handshake: no
//!     resumption, no tickets, no early data.
//!
//! Upon a handshake that is done: [`holder_of`] says who is at the other end, if it is still pinned. It may be asked again at any
//!   time, and should be when the roster is replaced or a day has passed: an open link outlives its key otherwise.
//! Upon a handshake that fails: [`Refusal::of`] names the reason. The other side hears no more than that its key was not taken.
//!
//! In TLS 1.3 a client is through before the server has judged its key: that it was refused it hears with its first read.
//!
//! Not here: sockets, deadlines for slow handshakes, how many there may be at once. That is the transport's.

use crate::holder::Holder;
use crate::pins::{Pins, Unknown};
use crate::secret::SecretIdentity;
use crate::wall_time::WallTime;
use core::fmt;
use core::time::Duration;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::time_provider::TimeProvider;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, CommonState, DigitallySignedStruct,
    DistinguishedName, Error, InvalidMessage, OtherError, PeerIncompatible, ServerConfig, ServerConnection,
    SignatureAlgorithm, SignatureScheme,
};
use std::sync::Arc;
use wire::NodeId;

/// What both sides must name as the protocol inside.
pub const ALPN: &[u8] = b"varangian/1";

/// An Ed25519 key in DER, as a raw public key is sent: what stands before its 32 bytes (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a handshake failed, or a link that spoke TLS was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The peer has a key that nobody in the roster holds.
    UnknownKey,
    /// The peer's key has ended.
    ExpiredKey {
        /// Whose it was.
        holder: Holder,
        /// Since when it is not taken.
        since: WallTime,
    },
    /// Somebody else answered than we meant to reach.
    AnotherPeer {
        /// Whom we meant.
        expected: Holder,
        /// Who answered.
        found: Holder,
    },
    /// The peer showed something that is no Ed25519 key.
    NotAKey,
    /// The peer showed no key.
    NoKey,
    /// The peer does not have the secret of the key that it showed.
    WrongProof,
    /// The peer speaks no TLS 1.3.
    OldTls,
    /// The peer speaks TLS, but wants something that we do not: certificates, another protocol inside, other ciphers.
    NothingInCommon,
    /// These bytes are no TLS.
    NotTls,
    /// The peer broke the rules of TLS, or somebody changed its bytes on the way.
    Broken,
    /// The peer did not take us, or gave up: mostly, it does not know our key.
    RefusedByPeer(AlertDescription),
    /// Anything else.
    Other(String),
}

/// The server's side of a node: takes everybody whom the roster names.
#[must_use]
pub fn server_config(secret: &SecretIdentity, pins: Arc<Pins>) -> Arc<ServerConfig> {
    let verifier = Arc::new(Verifier { pins: Arc::clone(&pins), expected: None });
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(Clock(pins)))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has what TLS 1.3 needs")
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(secret))));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Arc::new(config)
}

/// The side of whoever calls: a client, or a node that calls another. Takes the node `expected` and nobody else.
#[must_use]
pub fn client_config(secret: &SecretIdentity, pins: Arc<Pins>, expected: NodeId) -> Arc<ClientConfig> {
    let verifier = Arc::new(Verifier { pins: Arc::clone(&pins), expected: Some(expected.into()) });
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(Clock(pins)))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has what TLS 1.3 needs")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified(secret))));
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.enable_sni = false;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Arc::new(config)
}

/// The server's end of a new link.
pub fn accept(config: &Arc<ServerConfig>) -> Result<ServerConnection, Error> {
    ServerConnection::new(Arc::clone(config))
}

/// The caller's end of a new link. Whom it takes stands in `config`; names of hosts mean nothing here.
pub fn connect(config: &Arc<ClientConfig>) -> Result<ClientConnection, Error> {
    let name = ServerName::try_from("varangian").expect("it is a name");
    ClientConnection::new(Arc::clone(config), name)
}

/// Who is at the other end: nobody before the handshake is done, and nobody any more once the roster does not name it, its
/// key has ended, or has been replaced.
#[must_use]
pub fn holder_of(connection: &CommonState, pins: &Pins) -> Option<Holder> {
    if connection.is_handshaking() || connection.alpn_protocol() != Some(ALPN) {
        return None;
    }
    match connection.peer_certificates()? {
        [key] => pins.holder_of(&signing_key(key)?).ok(),
        _ => None,
    }
}

/// One way to agree on a secret, two ciphers: one for machines with instructions for AES, one for the others. Fewer choices,
/// fewer to be wrong.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            ring::cipher_suite::TLS13_AES_128_GCM_SHA256,
            ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![ring::kx_group::X25519],
        ..ring::default_provider()
    })
}

fn certified(secret: &SecretIdentity) -> Arc<CertifiedKey> {
    let key = spki(secret.public(None).signing_key());
    Arc::new(CertifiedKey::new(vec![CertificateDer::from(key)], Arc::new(Secret(secret.clone()))))
}

fn spki(signing_key: &[u8; 32]) -> Vec<u8> {
    [&SPKI_PREFIX[..], signing_key].concat()
}

/// The Ed25519 key in what a peer showed.
fn signing_key(shown: &CertificateDer<'_>) -> Option<[u8; 32]> {
    shown.as_ref().strip_prefix(&SPKI_PREFIX)?.try_into().ok()
}

/// The time that the driver tells.
#[derive(Debug)]
struct Clock(Arc<Pins>);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.now().0)))
    }
}

/// Signs handshakes.
#[derive(Clone, Debug)]
struct Secret(SecretIdentity);

impl SigningKey for Secret {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(spki(self.0.public(None).signing_key())))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for Secret {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.0.sign(message).to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// Judges the other side's key.
#[derive(Debug)]
struct Verifier {
    pins: Arc<Pins>,
    /// The only one that is taken; if nobody is named, everybody in the roster is.
    expected: Option<Holder>,
}

impl Verifier {
    fn judge(&self, shown: &CertificateDer<'_>, more: &[CertificateDer<'_>]) -> Result<(), Refusal> {
        let key = signing_key(shown).filter(|_| more.is_empty()).ok_or(Refusal::NotAKey)?;
        let found = self.pins.holder_of(&key).map_err(Refusal::from)?;
        match self.expected.filter(|expected| *expected != found) {
            None => Ok(()),
            Some(expected) => Err(Refusal::AnotherPeer { expected, found }),
        }
    }

    fn check(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = signing_key(shown).ok_or(Refusal::NotAKey)?;
        let holder = self.pins.holder_of(&key).map_err(Refusal::from)?;
        let roster = self.pins.roster();
        // The roster may have been replaced since the holder was looked up.
        let identity = roster.with_key(holder, &key).ok_or(Refusal::UnknownKey)?;
        let is_proven = signed.scheme == SignatureScheme::ED25519
            && signed.signature().try_into().is_ok_and(|signature| identity.has_signed(message, signature));
        match is_proven {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(Refusal::WrongProof.into()),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(end_entity, intermediates)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Refusal::OldTls.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(end_entity, intermediates)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Refusal::OldTls.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl Refusal {
    /// The reason in an error of `rustls`.
    #[must_use]
    pub fn of(error: &Error) -> Refusal {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) => {
                reason.downcast_ref::<Refusal>().cloned().unwrap_or_else(|| Refusal::Other(error.to_string()))
            }
            Error::InvalidCertificate(_) => Refusal::NotAKey,
            Error::NoCertificatesPresented => Refusal::NoKey,
            Error::PeerIncompatible(
                PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled
                | PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => Refusal::OldTls,
            Error::PeerIncompatible(_) | Error::NoApplicationProtocol => Refusal::NothingInCommon,
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::InvalidEmptyPayload
                | InvalidMessage::MessageTooLarge,
            ) => Refusal::NotTls,
            Error::InvalidMessage(_)
            | Error::PeerMisbehaved(_)
            | Error::DecryptError
            | Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::PeerSentOversizedRecord => Refusal::Broken,
            Error::AlertReceived(alert) => Refusal::RefusedByPeer(*alert),
            other => Refusal::Other(other.to_string()),
        }
    }

    /// One word for it, for counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Refusal::UnknownKey => "unknown-key",
            Refusal::ExpiredKey { .. } => "expired-key",
            Refusal::AnotherPeer { .. } => "another-peer",
            Refusal::NotAKey => "not-a-key",
            Refusal::NoKey => "no-key",
            Refusal::WrongProof => "wrong-proof",
            Refusal::OldTls => "old-tls",
            Refusal::NothingInCommon => "nothing-in-common",
            Refusal::NotTls => "not-tls",
            Refusal::Broken => "broken-tls",
            Refusal::RefusedByPeer(_) => "refused-by-peer",
            Refusal::Other(_) => "other",
        }
    }
}

impl From<Unknown> for Refusal {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Key => Refusal::UnknownKey,
            Unknown::Expired { holder, since, .. } => Refusal::ExpiredKey { holder, since },
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::UnknownKey => f.write_str("the peer's key is nobody's in the configuration"),
            Refusal::ExpiredKey { holder, since } => {
                write!(f, "the key of {holder} ended at {since}; it needs a new one")
            }
            Refusal::AnotherPeer { expected, found } => {
                write!(f, "{found} answers where {expected} should be; one of the addresses is wrong")
            }
            Refusal::NotAKey => f.write_str("what the peer showed is no Ed25519 key"),
            Refusal::NoKey => f.write_str("the peer showed no key"),
            Refusal::WrongProof => f.write_str("the peer does not have the secret of the key that it showed"),
            Refusal::OldTls => f.write_str("the peer speaks no TLS 1.3"),
            Refusal::NothingInCommon => f.write_str(
                "the peer speaks TLS, but not with raw public keys, our ciphers and varangian/1 inside",
            ),
            Refusal::NotTls => f.write_str("what the peer sent is no TLS; is one side set to plain links?"),
            Refusal::Broken => {
                f.write_str("the peer broke the rules of TLS, or its bytes were changed on the way")
            }
            Refusal::RefusedByPeer(alert) => {
                write!(f, "the peer gave up ({alert:?}); does it know our key?")
            }
            Refusal::Other(error) => f.write_str(error),
        }
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests;
