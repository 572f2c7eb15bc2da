//! Builds what TLS sends, for the tests: records, messages, hellos, certificates.

/// A record.
pub(super) fn record(kind: u8, version: u16, content: &[u8]) -> Vec<u8> {
    [&[kind][..], &version.to_be_bytes(), &piece(content)].concat()
}

/// A record of handshake of TLS 1.2.
pub(super) fn handshake(messages: &[u8]) -> Vec<u8> {
    record(22, 0x0303, messages)
}

/// A handshake message.
pub(super) fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind][..], &long_piece(content)].concat()
}

/// Bytes behind a length of three bytes.
pub(super) fn long_piece(content: &[u8]) -> Vec<u8> {
    [&u32::try_from(content.len()).expect("short").to_be_bytes()[1..], content].concat()
}

/// Bytes behind a length of two bytes.
pub(super) fn piece(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).expect("short").to_be_bytes()[..], content].concat()
}

/// Bytes behind a length of one byte.
pub(super) fn short_piece(content: &[u8]) -> Vec<u8> {
    [&[u8::try_from(content.len()).expect("short")][..], content].concat()
}

/// Numbers of two bytes each.
pub(super) fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// An extension.
pub(super) fn extension(number: u16, content: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &piece(content)].concat()
}

/// The extension that names a server.
pub(super) fn server_name(name: &[u8]) -> Vec<u8> {
    extension(0, &piece(&[&[0][..], &piece(name)].concat()))
}

/// The extension that names the protocols above.
pub(super) fn names_above(names: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = names.iter().flat_map(|name| short_piece(name)).collect();
    extension(16, &piece(&list))
}

/// The random bytes of a hello: a time and the rest.
pub(super) fn random(first: u8) -> Vec<u8> {
    (0..32).map(|step| first + step).collect()
}

/// A client's hello.
pub(super) fn client_hello(extensions: &[Vec<u8>]) -> Vec<u8> {
    let content = [
        &numbers(&[0x0303])[..],
        &random(0x10),
        &short_piece(b"session"),
        &piece(&numbers(&[0x1301, 0x0a0a, 0xc02f])),
        &short_piece(&[0]),
        &piece(&extensions.concat()),
    ];
    message(1, &content.concat())
}

/// A server's hello.
pub(super) fn server_hello(version: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    let content = [
        &numbers(&[version])[..],
        &random(0x50),
        &short_piece(b"another"),
        &numbers(&[0xc02f]),
        &[0],
        &piece(&extensions.concat()),
    ];
    message(2, &content.concat())
}

/// A certificate message.
pub(super) fn certificates(chain: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<u8> = chain.iter().flat_map(|certificate| long_piece(certificate)).collect();
    message(11, &long_piece(&list))
}

/// A DER value.
pub(super) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    let length = if content.len() < 128 { vec![length[1]] } else { vec![0x82, length[0], length[1]] };
    [&[tag][..], &length, &content].concat()
}

/// A name of one part: its object identifier below 2.5.4, and the text.
fn name(parts: &[(u8, &[u8])]) -> Vec<u8> {
    let sets: Vec<u8> = parts
        .iter()
        .flat_map(|(number, text)| {
            der(0x31, &[&der(0x30, &[&[0x06, 0x03, 0x55, 0x04, *number], &der(0x0c, &[text])])])
        })
        .collect();
    der(0x30, &[&sets])
}

/// A certificate that was never signed, valid from 2020 to 2030.
pub(super) fn certificate(common_name: &[u8], other_names: &[&[u8]]) -> Vec<u8> {
    let algorithm =
        der(0x30, &[&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], &[0x05, 0x00]]);
    let key = der(
        0x30,
        &[
            &der(0x30, &[&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01], &[0x05, 0x00]]),
            &der(0x03, &[&[0, 1, 2, 3]]),
        ],
    );
    let names: Vec<u8> = other_names.iter().flat_map(|name| der(0x82, &[name])).collect();
    let address = der(0x87, &[&[192, 0, 2, 1]]);
    let alternative =
        der(0x30, &[&[0x06, 0x03, 0x55, 0x1d, 0x11], &der(0x04, &[&der(0x30, &[&names, &address])])]);
    let content = der(
        0x30,
        &[
            &der(0xa0, &[&[0x02, 0x01, 0x02]]),
            &[0x02, 0x03, 0x00, 0xab, 0xcd],
            &algorithm,
            &name(&[(6, b"DE"), (10, b"Issuers Ltd"), (3, b"Root")]),
            &der(0x30, &[&der(0x17, &[b"200101000000Z"]), &der(0x17, &[b"300101000000Z"])]),
            &name(&[(6, b"DE"), (3, common_name)]),
            &key,
            &der(0xa3, &[&der(0x30, &[&alternative])]),
        ],
    );
    der(0x30, &[&content, &algorithm, &der(0x03, &[&[0, 9, 9, 9]])])
}
