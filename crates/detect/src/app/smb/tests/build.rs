//! Records of SMB 1 and 2.

/// A record behind NetBIOS's header.
pub(super) fn session(record: &[u8]) -> Vec<u8> {
    [&(record.len() as u32).to_be_bytes(), record].concat()
}

/// UTF-16.
pub(super) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A record of SMB 2, to stand in a chain: `next` is where the next one begins.
pub(super) fn two_record(
    command: u16,
    status: u32,
    flags: u32,
    next: u32,
    message: u64,
    tree: u32,
    body: &[u8],
) -> Vec<u8> {
    let mut record = b"\xfeSMB".to_vec();
    record.extend_from_slice(&[64, 0, 0, 0]);
    record.extend_from_slice(&status.to_le_bytes());
    record.extend_from_slice(&command.to_le_bytes());
    record.extend_from_slice(&[0, 0]);
    record.extend_from_slice(&flags.to_le_bytes());
    record.extend_from_slice(&next.to_le_bytes());
    record.extend_from_slice(&message.to_le_bytes());
    record.extend_from_slice(&[0; 4]);
    record.extend_from_slice(&tree.to_le_bytes());
    record.extend_from_slice(&9u64.to_le_bytes());
    record.extend_from_slice(&[0; 16]);
    record.extend_from_slice(body);
    record
}

/// A request of SMB 2.
pub(super) fn two(command: u16, message: u64, tree: u32, body: &[u8]) -> Vec<u8> {
    session(&two_record(command, 0, 0, 0, message, tree, body))
}

/// A response of SMB 2.
pub(super) fn two_answer(command: u16, status: u32, message: u64, tree: u32, body: &[u8]) -> Vec<u8> {
    session(&two_record(command, status, 1, 0, message, tree, body))
}

pub(super) fn two_tree_connect(message: u64, share: &str) -> Vec<u8> {
    let share = wide(share);
    let mut body = vec![9, 0, 0, 0, 72, 0];
    body.extend_from_slice(&(share.len() as u16).to_le_bytes());
    body.extend_from_slice(&share);
    two(3, message, 0, &body)
}

pub(super) fn two_tree_connected(message: u64, tree: u32, kind: u8) -> Vec<u8> {
    two_answer(3, 0, message, tree, &[&[16, 0, kind], &[0; 13][..]].concat())
}

pub(super) fn two_create(message: u64, tree: u32, name: &str) -> Vec<u8> {
    let name = wide(name);
    let mut body = vec![0; 36];
    body.extend_from_slice(&1u32.to_le_bytes());
    body.extend_from_slice(&0x1000u32.to_le_bytes());
    body.extend_from_slice(&[120, 0]);
    body.extend_from_slice(&(name.len() as u16).to_le_bytes());
    body.extend_from_slice(&[0; 8]);
    body.extend_from_slice(&name);
    two(5, message, tree, &body)
}

pub(super) fn two_created(message: u64, tree: u32, handle: u8) -> Vec<u8> {
    let mut body = vec![0; 64];
    body[48] = 200;
    body.extend_from_slice(&[handle; 16]);
    body.extend_from_slice(&[0; 8]);
    two_answer(5, 0, message, tree, &body)
}

pub(super) fn two_write(message: u64, tree: u32, handle: u8, offset: u64, bytes: &[u8]) -> Vec<u8> {
    let mut body = vec![49, 0, 112, 0];
    body.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    body.extend_from_slice(&offset.to_le_bytes());
    body.extend_from_slice(&[handle; 16]);
    body.extend_from_slice(&[0; 16]);
    body.extend_from_slice(bytes);
    two(9, message, tree, &body)
}

pub(super) fn two_read(message: u64, tree: u32, handle: u8, offset: u64) -> Vec<u8> {
    let mut body = vec![49, 0, 80, 0];
    body.extend_from_slice(&4096u32.to_le_bytes());
    body.extend_from_slice(&offset.to_le_bytes());
    body.extend_from_slice(&[handle; 16]);
    body.extend_from_slice(&[0; 16]);
    two(8, message, tree, &body)
}

pub(super) fn two_given(status: u32, message: u64, tree: u32, bytes: &[u8]) -> Vec<u8> {
    let mut body = vec![17, 0, 80, 0];
    body.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    body.extend_from_slice(&[0; 8]);
    body.extend_from_slice(bytes);
    two_answer(8, status, message, tree, &body)
}

pub(super) fn two_close(message: u64, tree: u32, handle: u8) -> Vec<u8> {
    two(6, message, tree, &[&[24, 0, 0, 0, 0, 0, 0, 0], &[handle; 16][..]].concat())
}

/// A record of SMB 1.
pub(super) fn one_record(command: u8, status: u32, flags: u8, multiplex: u16, body: &[u8]) -> Vec<u8> {
    let mut record = b"\xffSMB".to_vec();
    record.push(command);
    record.extend_from_slice(&status.to_le_bytes());
    record.extend_from_slice(&[flags, 0, 0xc0]);
    record.extend_from_slice(&[0; 12]);
    record.extend_from_slice(&7u16.to_le_bytes());
    record.extend_from_slice(&[0, 0]);
    record.extend_from_slice(&5u16.to_le_bytes());
    record.extend_from_slice(&multiplex.to_le_bytes());
    record.extend_from_slice(body);
    record
}

/// A request of SMB 1.
pub(super) fn one(command: u8, multiplex: u16, body: &[u8]) -> Vec<u8> {
    session(&one_record(command, 0, 0, multiplex, body))
}

/// A response of SMB 1.
pub(super) fn one_answer(command: u8, status: u32, multiplex: u16, body: &[u8]) -> Vec<u8> {
    session(&one_record(command, status, 0x80, multiplex, body))
}

pub(super) fn one_negotiate(dialects: &[&str]) -> Vec<u8> {
    let mut body = vec![0, 0, 0];
    for dialect in dialects {
        body.push(2);
        body.extend_from_slice(dialect.as_bytes());
        body.push(0);
    }
    one(0x72, 1, &body)
}

pub(super) fn one_tree_connect(multiplex: u16, share: &str, service: &str) -> Vec<u8> {
    let mut body = vec![4, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    body.extend_from_slice(&wide(share));
    body.extend_from_slice(&[0, 0]);
    body.extend_from_slice(service.as_bytes());
    body.push(0);
    one(0x75, multiplex, &body)
}

pub(super) fn one_tree_connected(multiplex: u16, service: &str) -> Vec<u8> {
    let mut body = vec![3, 0xff, 0, 0, 0, 1, 0, 0, 0];
    body.extend_from_slice(service.as_bytes());
    body.extend_from_slice(b"\0NTFS\0");
    one_answer(0x75, 0, multiplex, &body)
}

pub(super) fn one_create(multiplex: u16, name: &str) -> Vec<u8> {
    let name = [wide(name), vec![0, 0]].concat();
    let mut body = vec![24, 0xff, 0, 0, 0, 0];
    body.extend_from_slice(&(name.len() as u16).to_le_bytes());
    body.extend_from_slice(&[0; 28]);
    body.extend_from_slice(&1u32.to_le_bytes());
    body.extend_from_slice(&0u32.to_le_bytes());
    body.extend_from_slice(&[0; 5]);
    body.extend_from_slice(&(name.len() as u16 + 1).to_le_bytes());
    body.push(0);
    body.extend_from_slice(&name);
    one(0xa2, multiplex, &body)
}

pub(super) fn one_created(multiplex: u16, file: [u8; 2]) -> Vec<u8> {
    let mut body = vec![34, 0xff, 0, 0, 0, 0];
    body.extend_from_slice(&file);
    body.extend_from_slice(&[0; 63]);
    one_answer(0xa2, 0, multiplex, &body)
}

pub(super) fn one_write(multiplex: u16, file: [u8; 2], offset: u32, bytes: &[u8]) -> Vec<u8> {
    let mut body = vec![12, 0xff, 0, 0, 0];
    body.extend_from_slice(&file);
    body.extend_from_slice(&offset.to_le_bytes());
    body.extend_from_slice(&[0; 8]);
    body.extend_from_slice(&((bytes.len() >> 16) as u16).to_le_bytes());
    body.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    body.extend_from_slice(&60u16.to_le_bytes());
    body.extend_from_slice(&[0; 3]);
    assert_eq!(body.len(), 28);
    body.extend_from_slice(bytes);
    one(0x2f, multiplex, &body)
}

pub(super) fn one_read(multiplex: u16, file: [u8; 2], offset: u32) -> Vec<u8> {
    let mut body = vec![12, 0xff, 0, 0, 0];
    body.extend_from_slice(&file);
    body.extend_from_slice(&offset.to_le_bytes());
    body.extend_from_slice(&[0; 16]);
    one(0x2e, multiplex, &body)
}

pub(super) fn one_given(multiplex: u16, bytes: &[u8]) -> Vec<u8> {
    let mut body = vec![12, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    body.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    body.extend_from_slice(&60u16.to_le_bytes());
    body.extend_from_slice(&[0; 10]);
    body.extend_from_slice(&(bytes.len() as u16 + 1).to_le_bytes());
    body.push(0);
    body.extend_from_slice(bytes);
    one_answer(0x2e, 0, multiplex, &body)
}

pub(super) fn one_close(multiplex: u16, file: [u8; 2]) -> Vec<u8> {
    one(0x04, multiplex, &[3, file[0], file[1], 0, 0, 0, 0, 0, 0])
}
