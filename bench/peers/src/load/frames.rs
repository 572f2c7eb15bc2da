//! Asking the Rust peers: many clients on each connection, one task per connection.
//!
//! Upon replies, as many as one read brings: each client that has its own asks again, and all of that leaves in one
//! write. So the load costs a fraction of what a task per client would.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Broken, REFUSED_PAUSE_MS, Shared, clients_of, payload};
use crate::failure::Failure;
use crate::frame;
use crate::options::Options;

/// How long a member that was asked whether it leads may take.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);
/// Room for what one read brings.
const READ_BYTES: usize = 64 * 1024;

/// Whether the member at `address` leads; nothing if it does not answer yet.
pub(crate) fn leads(address: SocketAddr) -> Option<bool> {
    let mut stream = std::net::TcpStream::connect_timeout(&address, PROBE_TIMEOUT).ok()?;
    stream.set_read_timeout(Some(PROBE_TIMEOUT)).ok()?;
    let mut out = frame::HELLO_CLIENT.to_le_bytes().to_vec();
    frame::put_client(&mut out, 0, frame::PROBE, &[]);
    stream.write_all(&out).ok()?;
    let mut arrived = BytesMut::new();
    let mut room = [0; 64];
    loop {
        let count = stream.read(&mut room).ok().filter(|count| *count > 0)?;
        arrived.extend_from_slice(&room[..count]);
        if let Some(reply) = frame::take(&mut arrived).ok()? {
            return Some(frame::client_parts(&reply)?.1 == frame::LEADS);
        }
    }
}

/// Starts the clients, spread over connections to the member at `address`. To be called in a `LocalSet`.
pub(crate) async fn start(
    options: &Options,
    address: SocketAddr,
    recorder: &Shared,
    broken: &Rc<Broken>,
) -> Result<(), Failure> {
    let request: Rc<[u8]> = payload(options.request_bytes).into();
    for index in 0..options.connections() {
        let stream = TcpStream::connect(address).await.map_err(Failure::connection(address))?;
        stream.set_nodelay(true).map_err(Failure::connection(address))?;
        let clients = clients_of(index, options.connections(), options.clients).collect();
        let (request, recorder, broken) = (request.clone(), recorder.clone(), broken.clone());
        tokio::task::spawn_local(async move {
            let why = ask_forever(stream, clients, &request, &recorder).await;
            broken.report(Failure::Connection { to: address.to_string(), why });
        });
    }
    Ok(())
}

/// One connection, until it breaks; the reason.
async fn ask_forever(
    mut stream: TcpStream,
    mut asking: Vec<u32>,
    request: &[u8],
    recorder: &Shared,
) -> String {
    let mut out = frame::HELLO_CLIENT.to_le_bytes().to_vec();
    let mut arrived = BytesMut::with_capacity(READ_BYTES);
    loop {
        for client in asking.drain(..) {
            recorder.borrow_mut().asked(client);
            frame::put_client(&mut out, client, frame::ASK, request);
        }
        if let Err(error) = stream.write_all(&out).await {
            return error.to_string();
        }
        out.clear();
        arrived.reserve(READ_BYTES);
        match stream.read_buf(&mut arrived).await {
            Ok(0) => return "closed by the member".to_owned(),
            Ok(_) => {}
            Err(error) => return error.to_string(),
        }
        match answers(&mut arrived, recorder, &mut asking) {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(Duration::from_millis(REFUSED_PAUSE_MS)).await,
            Err(why) => return why,
        }
    }
}

/// Takes note of all answers in `arrived`, and of who asks again; false if one of them was a refusal.
fn answers(arrived: &mut BytesMut, recorder: &Shared, asking: &mut Vec<u32>) -> Result<bool, String> {
    let mut recorder = recorder.borrow_mut();
    let mut all_done = true;
    while let Some(reply) = frame::take(arrived).map_err(|error| error.to_string())? {
        let (client, kind, _) = frame::client_parts(&reply).ok_or("a reply without a head")?;
        if kind == frame::DONE {
            recorder.answered(client);
        } else {
            all_done = false;
            recorder.failed(client);
        }
        asking.push(client);
    }
    Ok(all_done)
}
