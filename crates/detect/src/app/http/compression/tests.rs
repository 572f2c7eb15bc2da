//! What is packed comes out, whatever it says of itself, up to limits.

use super::*;
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

const PLAIN: &[u8] = b"find this in what was compressed, compressed, compressed\n";
const LZMA: &[u8] = b"\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x33\x1a\x4a\x1e\xf3\x16\
    \xb5\x2a\x11\x4e\x9f\xf5\x28\xf1\x45\x13\x57\x83\x08\x27\xa3\x79\xb5\x1d\x47\x76\
    \xc2\xa1\x0f\x50\x17\xff\xfc\xe1\xc0\x00";
const LZMA_PLAIN: &[u8] = b"find this in what was lzma\n";
const BROTLI: &[u8] = b"\x1b\x2c\x00\xf8\x8d\x54\xb5\xbf\x56\x60\x41\xa3\x93\x69\x20\x6c\xb0\x01\x07\xec\
    \x61\xe2\x89\x4f\x7c\x3b\x20\x83\x44\x2a\xc1\x3a\x61\xdf\x9b\xfa\x9e\x08";
const BROTLI_PLAIN: &[u8] = b"find this in what was brotli, brotli, brotli\n";

fn gzip(data: &[u8], flags: u8, optional: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3];
    out.extend_from_slice(optional);
    out.extend_from_slice(&compress_to_vec(data, 6));
    out.extend_from_slice(b"sum?len?");
    out
}

fn decoded(codings: &[Coding], input: &[u8], size: usize) -> Vec<u8> {
    let mut chain = Chain::new(codings).expect("a coding");
    let mut out = Vec::new();
    for piece in input.chunks(size) {
        let mut receive = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        let _stops_where_it_breaks = chain.write(piece, &mut receive);
        // What goes on from a copy goes on as it would have.
        chain = chain.clone();
    }
    let _ended = chain.finish(&mut |bytes| {
        out.extend_from_slice(bytes);
        Ok(())
    });
    out
}

#[test]
fn each_coding_is_decoded_however_it_is_cut() {
    let cases: &[(Coding, Vec<u8>, &[u8])] = &[
        (Coding::Gzip, gzip(PLAIN, 0, b""), PLAIN),
        (Coding::Deflate, compress_to_vec(PLAIN, 6), PLAIN),
        (Coding::Zlib, compress_to_vec_zlib(PLAIN, 6), PLAIN),
        (Coding::Brotli, BROTLI.to_vec(), BROTLI_PLAIN),
        (Coding::Lzma, LZMA.to_vec(), LZMA_PLAIN),
    ];
    for (coding, input, plain) in cases {
        for size in [1, 2, 3, 7, input.len()] {
            assert_eq!(decoded(&[*coding], input, size), *plain, "{coding:?} in pieces of {size}");
        }
    }
}

#[test]
fn a_gzip_header_may_have_all_that_is_optional() {
    let optional = b"\x03\x00abcname\0comment\0??";
    let input = gzip(PLAIN, 0b0001_1110, optional);
    for size in 1..40 {
        assert_eq!(decoded(&[Coding::Gzip], &input, size), PLAIN, "in pieces of {size}");
    }
}

#[test]
fn data_of_another_kind_than_named_is_decoded_all_the_same_however_it_is_cut() {
    for size in [1, 2, 3, 7, 10, 11, 1000] {
        for (coding, input) in [
            (Coding::Deflate, compress_to_vec_zlib(PLAIN, 6)),
            (Coding::Deflate, gzip(PLAIN, 0, b"")),
            (Coding::Gzip, compress_to_vec(PLAIN, 6)),
            (Coding::Gzip, compress_to_vec_zlib(PLAIN, 6)),
            // The header is gzip's, and what follows has one of its own.
            (Coding::Gzip, [&gzip(b"", 0, b"")[..10], &compress_to_vec_zlib(PLAIN, 6)].concat()),
            (Coding::Brotli, gzip(PLAIN, 0, b"")),
            (Coding::Lzma, gzip(PLAIN, 0, b"")),
        ] {
            assert_eq!(decoded(&[coding], &input, size), PLAIN, "{coding:?} in pieces of {size}");
        }
    }
}

#[test]
fn what_is_not_compressed_goes_through_however_it_is_cut() {
    for size in [1, 2, 3, 7, 1000] {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli] {
            let out = decoded(&[coding], b"<html>plain</html>", size);
            assert_eq!(out, b"<html>plain</html>", "{coding:?} in pieces of {size}");
        }
    }
}

#[test]
fn layers_are_taken_off_from_the_last_to_the_first() {
    let twice = gzip(&compress_to_vec(PLAIN, 6), 0, b"");
    assert_eq!(decoded(&[Coding::Deflate, Coding::Gzip], &twice, 5), PLAIN);
    assert!(Chain::new(&[]).is_none());
}

#[test]
fn what_was_decoded_before_the_data_breaks_off_stays() {
    let mut input = gzip(PLAIN, 0, b"");
    let end = input.len() - 12;
    input.truncate(end);
    let out = decoded(&[Coding::Gzip], &input, 1000);
    assert!(PLAIN.starts_with(&out) && out.len() > PLAIN.len() / 2);
}

#[test]
fn a_receiver_that_refuses_ends_it() {
    let bomb = gzip(&vec![0; 4 << 20], 0, b"");
    let mut chain = Chain::new(&[Coding::Gzip]).expect("a coding");
    let mut received = 0;
    let result = chain.write(&bomb, &mut |bytes| {
        received += bytes.len();
        if received > 100_000 { Err(Stopped) } else { Ok(()) }
    });
    assert_eq!(result, Err(Stopped));
    assert!(received < 120_000);
    assert_eq!(chain.write(b"more", &mut |_| Ok(())), Err(Stopped));
}

#[test]
fn damaged_data_of_any_kind_is_survived() {
    let inputs = [gzip(PLAIN, 0b0001_1110, b"\x03\x00abcn\0c\0??"), BROTLI.to_vec(), LZMA.to_vec()];
    for input in &inputs {
        for at in 0..input.len() {
            let mut damaged = input.clone();
            damaged[at] ^= 0x55;
            for coding in [Coding::Gzip, Coding::Deflate, Coding::Zlib, Coding::Brotli, Coding::Lzma] {
                let out = decoded(&[coding], &damaged, 9);
                assert!(out.len() < 1 << 20, "{coding:?} grows without end");
            }
        }
    }
}
