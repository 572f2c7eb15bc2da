//! Asking etcd: puts over gRPC, many at once on each HTTP/2 connection, on `h2` without a gRPC library.
//!
//! A unary call of gRPC is a POST whose body is a five-byte header (compressed or not, length) with a protobuf message
//! behind it, and whose outcome is `grpc-status` in the trailers. Doing only that costs a fraction of what a full client
//! does, and the load's processor time is part of the bill.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use prost::Message;
use tokio::net::TcpStream;

use super::{Broken, REFUSED_PAUSE_MS, Shared, clients_of, payload};
use crate::failure::Failure;
use crate::options::Options;

/// `etcdserverpb.KV/Put`.
const PUT: &str = "/etcdserverpb.KV/Put";
/// `etcdserverpb.Maintenance/Status`.
const STATUS: &str = "/etcdserverpb.Maintenance/Status";

/// `etcdserverpb.PutRequest`, as far as it is used.
#[derive(Clone, PartialEq, Message)]
struct PutRequest {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
    #[prost(bool, tag = "4")]
    prev_kv: bool,
}

/// `etcdserverpb.StatusRequest`.
#[derive(Clone, PartialEq, Message)]
struct StatusRequest {}

/// `etcdserverpb.StatusResponse`, as far as it is used.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StatusResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<ResponseHeader>,
    #[prost(uint64, tag = "4")]
    leader: u64,
}

/// `etcdserverpb.ResponseHeader`, as far as it is used.
#[derive(Clone, PartialEq, Message)]
struct ResponseHeader {
    #[prost(uint64, tag = "2")]
    member_id: u64,
}

impl StatusResponse {
    /// Whether whoever said this leads.
    pub(crate) fn leads(&self) -> bool {
        self.leader != 0 && self.header.as_ref().is_some_and(|header| header.member_id == self.leader)
    }
}

/// A call that came to nothing: the connection's fault, or an answer that is no success.
#[derive(Debug)]
enum CallError {
    Connection(h2::Error),
    Refused,
}

impl From<h2::Error> for CallError {
    fn from(error: h2::Error) -> Self {
        Self::Connection(error)
    }
}

/// What is asked of the member at `address`, in one connection.
struct Channel {
    send: SendRequest<Bytes>,
    address: SocketAddr,
}

impl Channel {
    /// Connects; the connection is driven by a task that ends with it.
    async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await.map_err(Failure::connection(address))?;
        stream.set_nodelay(true).map_err(Failure::connection(address))?;
        let (send, connection) = h2::client::Builder::new()
            .initial_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .handshake(stream)
            .await
            .map_err(Failure::connection(address))?;
        tokio::task::spawn_local(async move {
            // A broken connection fails the calls on it, which tell.
            let _ = connection.await;
        });
        Ok(Self { send, address })
    }

    fn request(&self, path: &str) -> http::Request<()> {
        http::Request::builder()
            .method("POST")
            .uri(format!("http://{}{path}", self.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .expect("an address and a constant path are a URI")
    }
}

/// So much may be on its way to us; far more than all replies of a connection's clients.
const WINDOW_BYTES: u32 = 8 * 1024 * 1024;

/// One unary call; what came back, if `keep` says that somebody wants it.
async fn call(
    send: &SendRequest<Bytes>,
    request: http::Request<()>,
    body: Bytes,
    keep: bool,
) -> Result<BytesMut, CallError> {
    let mut send = send.clone().ready().await?;
    let (response, mut stream) = send.send_request(request, false)?;
    stream.send_data(body, true)?;
    let response = response.await?;
    let mut refused = !response.status().is_success();
    // An error without a body has its status in the headers.
    refused |= response.headers().get("grpc-status").is_some_and(|status| status != "0");
    let mut body = response.into_body();
    let mut kept = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        if keep {
            kept.extend_from_slice(&chunk);
        }
    }
    if let Some(trailers) = body.trailers().await? {
        refused |= trailers.get("grpc-status").is_some_and(|status| status != "0");
    }
    if refused { Err(CallError::Refused) } else { Ok(kept) }
}

/// A message with gRPC's five bytes before it.
fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut body = BytesMut::with_capacity(length + 5);
    body.put_u8(0);
    body.put_u32(u32::try_from(length).expect("OPERATION_BYTES_MAX is far less"));
    message.encode(&mut body).expect("a BytesMut grows");
    body.freeze()
}

/// What the member at `address` says of itself; nothing if it does not answer properly yet.
pub(crate) async fn status(address: SocketAddr) -> Option<StatusResponse> {
    let channel = Channel::open(address).await.ok()?;
    let request = channel.request(STATUS);
    let body = call(&channel.send, request, framed(&StatusRequest {}), true).await.ok()?;
    StatusResponse::decode(body.get(5..)?).ok()
}

/// Starts the clients, spread over connections to `addresses` in turn. To be called in a `LocalSet`.
pub(crate) async fn start(
    options: &Options,
    addresses: &[SocketAddr],
    recorder: &Shared,
    broken: &Rc<Broken>,
) -> Result<(), Failure> {
    let value = Bytes::from(payload(options.request_bytes));
    let prev_kv = options.reply_bytes > HEADER_BYTES;
    for (index, address) in (0..options.connections()).zip(addresses.iter().cycle()) {
        let channel = Rc::new(Channel::open(*address).await?);
        for client in clients_of(index, options.connections(), options.clients) {
            let key = Bytes::copy_from_slice(&u64::from(client).to_be_bytes());
            let body = framed(&PutRequest { key, value: value.clone(), prev_kv });
            let put = put_forever(client, channel.clone(), body, recorder.clone(), broken.clone());
            tokio::task::spawn_local(put);
        }
    }
    Ok(())
}

/// A put's reply is a header of about so many bytes, whatever one wishes.
pub(crate) const HEADER_BYTES: u32 = 32;

/// One client.
async fn put_forever(client: u32, channel: Rc<Channel>, body: Bytes, recorder: Shared, broken: Rc<Broken>) {
    let request = channel.request(PUT);
    loop {
        recorder.borrow_mut().asked(client);
        match call(&channel.send, request.clone(), body.clone(), false).await {
            Ok(_) => recorder.borrow_mut().answered(client),
            Err(CallError::Refused) => {
                recorder.borrow_mut().failed(client);
                tokio::time::sleep(Duration::from_millis(REFUSED_PAUSE_MS)).await;
            }
            Err(CallError::Connection(error)) => {
                broken.report(Failure::connection(channel.address)(error));
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_put_is_encoded_as_protobuf_and_grpc_say() {
        let put =
            PutRequest { key: Bytes::from_static(b"k"), value: Bytes::from_static(b"vv"), prev_kv: false };
        assert_eq!(framed(&put).as_ref(), b"\0\0\0\0\x07\x0a\x01k\x12\x02vv");
    }

    #[test]
    fn a_member_leads_if_it_names_itself() {
        let said = |member_id, leader| StatusResponse { header: Some(ResponseHeader { member_id }), leader };
        assert!(said(7, 7).leads());
        assert!(!said(7, 8).leads());
        assert!(!said(0, 0).leads(), "before there is a leader");
    }
}
