//! Decoding what a stranger sent.
//!
//! For any bytes, as a frame, as a message, as the message inside a frame, as a word between a guard and its replica, as an aside, and as
//! a command or answer of the store:
//!   - no panic;
//!   - what decodes encodes to the same bytes: one value, one encoding;
//!   - what decodes is within its limits, and no larger than the bytes it came from.

use agree::account::{ACCOUNT_BYTES_MAX, ALARMS_MAX};
use agree::aside::{Aside, Sealed};
use agree::assent::Replies;
use agree::between::{ToGuard, ToReplica};
use agree::bundle::BUNDLE_MESSAGES_MAX;
use agree::capture::Passage;
use agree::checkpoint::{CHUNK_BYTES_MAX, CHUNKS_MAX, Transfer};
use agree::request::{
    BATCH_BYTES_MAX, BATCH_REQUESTS_MAX, Batch, OPERATION_BYTES_MAX, RESULT_BYTES_MAX, Request,
};
use agree::{Message, Settings};
use kv::command::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use kv::{Answer, Command};
use wire::auth::NODES_MAX;
use wire::frame::BODY_BYTES_MAX;
use wire::{Authenticator, Bytes, Decode, Encode, Frame};

/// Checks the promises for `data`, and returns how many values were found in it.
pub fn check(data: &[u8]) -> usize {
    let bytes = Bytes::copy_from_slice(data);
    let mut found = 0;
    if let Some(frame) = canonical::<Frame>(&bytes) {
        assert!(frame.body.len() <= BODY_BYTES_MAX);
        if let Authenticator::Vector(tags) = &frame.authenticator {
            assert!(tags.len() <= NODES_MAX);
        }
        found += 1 + usize::from(message(&frame.body));
    }
    if let Some(batch) = canonical::<Batch>(&bytes) {
        check_batch(&batch);
        found += 1;
    }
    if let Some(settings) = canonical::<Settings>(&bytes) {
        assert_eq!(settings.check(), Ok(()));
        found += 1;
    }
    if let Some(sealed) = canonical::<Sealed>(&bytes) {
        if let Aside::Account(account) = &sealed.aside {
            assert!(
                account.to_bytes().len() <= ACCOUNT_BYTES_MAX && account.guard.alarms.len() <= ALARMS_MAX
            );
        }
        found += 1;
    }
    found += usize::from(canonical::<Passage>(&bytes).is_some());
    found += usize::from(canonical::<ToGuard>(&bytes).is_some());
    found += usize::from(canonical::<ToReplica>(&bytes).is_some());
    if let Some(command) = canonical::<Command>(&bytes) {
        check_command(&command);
        found += 1;
    }
    found += usize::from(canonical::<Answer>(&bytes).is_some());
    found + usize::from(message(&bytes))
}

/// Reads a message, if it is one, and checks it.
fn message(bytes: &Bytes) -> bool {
    let Some(message) = canonical::<Message>(bytes) else { return false };
    match &message {
        Message::Request(request) => check_request(request),
        Message::Reply(reply) => assert!(reply.result.len() <= RESULT_BYTES_MAX),
        Message::Replies(replies) => check_replies(replies),
        Message::Transfer(Transfer::Manifest(manifest)) => {
            assert!(manifest.chunks.len() <= CHUNKS_MAX);
            assert!(manifest.bytes <= (CHUNKS_MAX * CHUNK_BYTES_MAX) as u64);
        }
        Message::Transfer(Transfer::Chunk(chunk)) => assert!(chunk.bytes.len() <= CHUNK_BYTES_MAX),
        Message::Bundle(bundle) => {
            assert!((2..=BUNDLE_MESSAGES_MAX).contains(&bundle.messages().len()));
            let of_client = |message: &Message| match message {
                Message::Request(_) | Message::Reply(_) | Message::Busy(_) | Message::Assent(_) => true,
                Message::Replies(replies) => {
                    check_replies(replies);
                    true
                }
                _ => false,
            };
            assert!(bundle.messages().iter().all(of_client));
        }
        Message::Transfer(Transfer::AskManifest(_) | Transfer::AskChunk(_)) => {}
        Message::Busy(_) | Message::Assent(_) => {}
        Message::ByzId(_) | Message::Paxos(_) | Message::Pbft(_) => {}
    }
    assert!(!message.name().is_empty());
    true
}

fn check_request(request: &Request) {
    assert!(request.operation.len() <= OPERATION_BYTES_MAX);
}

fn check_replies(replies: &Replies) {
    assert!((1..=BATCH_REQUESTS_MAX).contains(&replies.results.len()));
    assert!(replies.results.iter().all(|told| told.result.len() <= RESULT_BYTES_MAX));
    assert_eq!(replies.station, replies.station.station(), "its sessions are a station's");
}

fn check_command(command: &Command) {
    let (key, value) = match command {
        Command::Put(put) => (&put.key, put.value.len()),
        Command::Cas(cas) => (&cas.key, cas.value.len()),
        Command::Get(get) => (&get.key, 0),
        Command::Delete(delete) => (&delete.key, 0),
        Command::List(list) => {
            (if list.start.len() > list.prefix.len() { &list.start } else { &list.prefix }, 0)
        }
        Command::Watch(watch) => (&watch.prefix, 0),
    };
    assert!(key.len() <= KEY_BYTES_MAX && value <= VALUE_BYTES_MAX);
}

fn check_batch(batch: &Batch) {
    assert!(batch.requests().len() <= BATCH_REQUESTS_MAX);
    let bytes: usize = batch.requests().iter().map(|request| request.operation.len()).sum();
    assert!(bytes <= BATCH_BYTES_MAX || batch.requests().len() == 1);
    assert_eq!(
        batch.digest(),
        Batch::new(batch.requests().to_vec()).digest(),
        "a batch carries its own digest"
    );
    batch.requests().iter().for_each(check_request);
}

/// The value that `bytes` encode, if they do; then they are its only encoding.
fn canonical<T: Encode + Decode>(bytes: &Bytes) -> Option<T> {
    match T::from_bytes(bytes.clone()) {
        Ok(value) => {
            assert_eq!(value.to_bytes(), *bytes, "one value, one encoding");
            Some(value)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty(), "a refusal says why");
            None
        }
    }
}
