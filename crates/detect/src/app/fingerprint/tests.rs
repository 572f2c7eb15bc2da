//! Fingerprints of offers whose fingerprints are known.

use super::{Ja3, Offer, is_grease, ja4};

#[test]
fn only_the_sixteen_values_of_the_standard_mean_nothing() {
    let meaningless: Vec<u16> = (0..=u16::MAX).filter(|value| is_grease(*value)).collect();
    assert_eq!(meaningless.len(), 16);
    assert_eq!((meaningless[0], meaningless[15]), (0x0a0a, 0xfafa));
}

#[test]
fn the_example_of_those_who_made_ja3_has_their_hash() {
    let mut ja3 = Ja3::default();
    ja3.version(769);
    ja3.list(&[47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4]);
    ja3.list(&[0, 10, 11]);
    ja3.list(&[23, 24, 25]);
    ja3.list(&[0]);
    assert_eq!(ja3.hash(), None);
    ja3.finish();
    assert_eq!(ja3.text(), Some("769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0"));
    assert_eq!(ja3.hash(), Some("ada70206e40642a3e4461f35503241d5"));
}

#[test]
fn lists_that_are_empty_leave_their_commas() {
    let mut ja3 = Ja3::default();
    ja3.version(769);
    ja3.list(&[4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99]);
    ja3.list(&[]);
    ja3.list(&[]);
    ja3.list(&[0x0a0a]);
    ja3.finish();
    assert_eq!(ja3.text(), Some("769,4-5-10-9-100-98-3-6-19-18-99,,,"));
    assert_eq!(ja3.hash(), Some("de350869b8c85de67a350c8d186f11e6"));
}

#[test]
fn the_example_of_those_who_made_ja4_has_their_fingerprint() {
    let mut offer = Offer::default();
    offer.version(0x0303);
    offer.version(0x0304);
    offer.version(0x3a3a);
    let ciphers = [
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
        0x009d, 0x002f, 0x0035, 0x2a2a,
    ];
    ciphers.iter().for_each(|cipher| offer.cipher(*cipher));
    let extensions = [
        0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
        0xff01, 0x000b, 0x000a, 0x0015,
    ];
    extensions.iter().for_each(|extension| offer.extension(*extension));
    [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]
        .iter()
        .for_each(|algorithm| offer.signature(*algorithm));
    offer.name(b"h2");
    offer.name(b"http/1.1");
    assert_eq!(ja4(&offer, false), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

#[test]
fn a_name_above_that_is_no_text_is_told_by_its_digits() {
    let with = |name: &[u8]| {
        let mut offer = Offer::default();
        offer.name(name);
        ja4(&offer, true)[..10].to_string()
    };
    assert_eq!(with(b"h3"), "q00i0000h3");
    assert_eq!(with(b"b"), "q00i0000bb");
    assert_eq!(with(b""), "q00i000000");
    assert_eq!(with(&[0x2a, 0x2a]), "q00i000000");
    assert_eq!(with(&[0x01, b'T', b'E', 0x7f]), "q00i00000f");
}
