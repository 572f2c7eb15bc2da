//! Where a conversation stands: which message came last that says what the next ones mean.

use super::message::{Request, Response, Secret};

/// The last message that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum State {
    #[default]
    Idle,
    TlsAsked,
    Started,
    PasswordSaid,
    SaslBegun,
    SaslAnswered,
    Asked,
    Cancelled,
    Terminated,
    CopyDone,
    CopyFailed,
    CopyOut,
    CopyDataOut,
    CopyIn,
    CopyDataInFirst,
    CopyDataIn,
    TlsRefused,
    Encrypted,
    PasswordWanted,
    SaslWanted,
    SaslContinued,
    SaslFinal,
    Authenticated,
    ParameterSaid,
    KeySaid,
    Ready,
    RowsDescribed,
    Row,
    CommandComplete,
    Complained,
}

impl State {
    /// Whether the next message is looked upon as the first of an exchange.
    pub(super) fn begins_exchange(self) -> bool {
        matches!(
            self,
            State::Idle
                | State::TlsAsked
                | State::Started
                | State::PasswordSaid
                | State::SaslBegun
                | State::SaslAnswered
                | State::Asked
                | State::Cancelled
                | State::Terminated
                | State::CopyDataInFirst
        )
    }

    /// Whether the server has said all.
    pub(super) fn completes_exchange(self) -> bool {
        matches!(
            self,
            State::Ready
                | State::TlsRefused
                | State::PasswordWanted
                | State::SaslWanted
                | State::SaslContinued
                | State::SaslFinal
                | State::CopyIn
                | State::Encrypted
        )
    }

    /// What the client's next message is, where its letter does not tell.
    pub(super) fn secret(self) -> Secret {
        match self {
            State::SaslWanted => Secret::SaslFirst,
            State::SaslBegun | State::SaslContinued => Secret::Sasl,
            State::PasswordWanted => Secret::Password,
            _ => Secret::None,
        }
    }

    /// The state behind a request, if that changes it.
    pub(super) fn after_request(self, request: &Request) -> Option<State> {
        Some(match request {
            Request::Tls => State::TlsAsked,
            Request::Cancel { .. } => State::Cancelled,
            Request::Startup { .. } => State::Started,
            Request::Password(_) => State::PasswordSaid,
            Request::SaslFirst { .. } => State::SaslBegun,
            Request::Sasl(_) => State::SaslAnswered,
            Request::Query(_) => State::Asked,
            Request::CopyData { .. } => match self {
                State::CopyIn => State::CopyDataInFirst,
                State::CopyDataInFirst | State::CopyDataIn => State::CopyDataIn,
                _ => return None,
            },
            Request::CopyDone => State::CopyDone,
            Request::CopyFailed(_) => State::CopyFailed,
            Request::Terminate => State::Terminated,
            Request::Unknown => return None,
        })
    }

    /// The state behind a response, if that changes it.
    pub(super) fn after_response(response: &Response) -> Option<State> {
        Some(match response {
            Response::TlsAccepted => State::Encrypted,
            Response::TlsRefused => State::TlsRefused,
            Response::Complaint(_) => State::Complained,
            Response::AuthenticationOk => State::Authenticated,
            Response::ClearPassword | Response::Md5Password(_) => State::PasswordWanted,
            Response::Sasl => State::SaslWanted,
            Response::SaslContinue => State::SaslContinued,
            Response::SaslFinal(_) => State::SaslFinal,
            Response::Parameter(_) => State::ParameterSaid,
            Response::Key { .. } => State::KeySaid,
            Response::CommandComplete(_) => State::CommandComplete,
            Response::CopyDone => State::CopyDone,
            Response::Ready => State::Ready,
            Response::RowDescription(_) => State::RowsDescribed,
            Response::Row { .. } => State::Row,
            Response::CopyData { .. } => State::CopyDataOut,
            Response::CopyOut(_) => State::CopyOut,
            Response::CopyIn(_) => State::CopyIn,
            Response::Sspi | Response::Notice | Response::Notification | Response::Unknown => return None,
        })
    }
}
