//! Kerberos's keywords.

use super::message;
use super::transaction::Krb5Transaction;
use crate::Complaint;
use crate::app::{Buffer, Family, Field, Keyword, Number, ProtocolId, Sides, Takes, Test, Verdict};
use kerberos_parser::krb5::EncryptionType;

/// The parts of the client's name.
pub(super) const CLIENT_NAME: Field = Field::new(Family::Krb5, 0);
/// The parts of the server's name.
pub(super) const SERVER_NAME: Field = Field::new(Family::Krb5, 1);
/// What the message is.
pub(super) const MESSAGE_TYPE: Field = Field::new(Family::Krb5, 2);
/// What an error says.
pub(super) const ERROR_CODE: Field = Field::new(Family::Krb5, 3);

const KRB5: &[ProtocolId] = &[ProtocolId::Krb5];

/// All of them, the old names too.
pub(super) const KEYWORDS: &[Keyword] = &[
    buffer("krb5.cname", CLIENT_NAME),
    buffer("krb5_cname", CLIENT_NAME),
    buffer("krb5.sname", SERVER_NAME),
    buffer("krb5_sname", SERVER_NAME),
    number("krb5.msg_type", MESSAGE_TYPE, u8::MAX as u64),
    number("krb5_msg_type", MESSAGE_TYPE, u8::MAX as u64),
    number("krb5.err_code", ERROR_CODE, u32::MAX as u64),
    number("krb5_err_code", ERROR_CODE, u32::MAX as u64),
    Keyword { name: "krb5.ticket_encryption", takes: Takes::Test(ticket_encryption) },
];

/// Names are looked for in what the server says alone, as Suricata has it.
const fn buffer(name: &'static str, field: Field) -> Keyword {
    Keyword { name, takes: Takes::Buffer(Buffer { field, sides: Sides::ToClient, protocols: KRB5 }) }
}

const fn number(name: &'static str, field: Field, max: u64) -> Keyword {
    Keyword {
        name,
        takes: Takes::Number(Number { field, sides: Sides::Both, protocols: KRB5, max, names: &[] }),
    }
}

/// Encryptions as rules name them.
const ENCRYPTIONS: &[(&str, EncryptionType)] = &[
    ("des-cbc-crc", EncryptionType::DES_CBC_CRC),
    ("des-cbc-md4", EncryptionType::DES_CBC_MD4),
    ("des-cbc-md5", EncryptionType::DES_CBC_MD5),
    ("des3-cbc-md5", EncryptionType::DES3_CBC_MD5),
    ("des3-cbc-sha1", EncryptionType::DES3_CBC_SHA1),
    ("dsaWithSHA1-CmsOID", EncryptionType::DSAWITHSHA1_CMSOID),
    ("md5WithRSAEncryption-CmsOID", EncryptionType::MD5WITHRSAENCRYPTION_CMSOID),
    ("sha1WithRSAEncryption-CmsOID", EncryptionType::SHA1WITHRSAENCRYPTION_CMSOID),
    ("rc2CBC-EnvOID", EncryptionType::RC2CBC_ENVOID),
    ("rsaEncryption-EnvOID", EncryptionType::RSAENCRYPTION_ENVOID),
    ("rsaES-OAEP-ENV-OID", EncryptionType::RSAES_OAEP_ENV_OID),
    ("des-ede3-cbc-Env-OID", EncryptionType::DES_EDE3_CBC_ENV_OID),
    ("des3-cbc-sha1-kd", EncryptionType::DES3_CBC_SHA1_KD),
    ("aes128-cts-hmac-sha1-96", EncryptionType::AES128_CTS_HMAC_SHA1_96),
    ("aes256-cts-hmac-sha1-96", EncryptionType::AES256_CTS_HMAC_SHA1_96),
    ("aes128-cts-hmac-sha256-128", EncryptionType::AES128_CTS_HMAC_SHA256_128),
    ("aes256-cts-hmac-sha384-192", EncryptionType::AES256_CTS_HMAC_SHA384_192),
    ("rc4-hmac", EncryptionType::RC4_HMAC),
    ("rc4-hmac-exp", EncryptionType::RC4_HMAC_EXP),
    ("camellia128-cts-cmac", EncryptionType::CAMELLIA128_CTS_CMAC),
    ("camellia256-cts-cmac", EncryptionType::CAMELLIA256_CTS_CMAC),
    ("subkey-keymaterial", EncryptionType::SUBKEY_KEYMATERIAL),
    ("rc4-md4", EncryptionType::RC4_MD4),
    ("rc4-plain2", EncryptionType::RC4_PLAIN2),
    ("rc4-lm", EncryptionType::RC4_LM),
    ("rc4-sha", EncryptionType::RC4_SHA),
    ("des-plain", EncryptionType::DES_PLAIN),
    ("rc4-hmac-OLD", EncryptionType::RC4_HMAC_OLD),
    ("rc4-plain-OLD", EncryptionType::RC4_PLAIN_OLD),
    ("rc4-hmac-OLD-exp", EncryptionType::RC4_HMAC_OLD_EXP),
    ("rc4-plain-OLD-exp", EncryptionType::RC4_PLAIN_OLD_EXP),
    ("rc4-plain", EncryptionType::RC4_PLAIN),
    ("rc4-plain-exp", EncryptionType::RC4_PLAIN_EXP),
];

/// Encryptions that a rule asks for.
#[derive(PartialEq, Eq, Debug)]
enum Wanted {
    Weak(bool),
    OneOf(Vec<EncryptionType>),
}

impl Wanted {
    fn parse(text: &str) -> Result<Wanted, Complaint> {
        match text.trim() {
            "weak" => return Ok(Wanted::Weak(true)),
            "!weak" => return Ok(Wanted::Weak(false)),
            _ => {}
        }
        let one = |word: &str| {
            let word = word.trim();
            let named = ENCRYPTIONS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
            named.or_else(|| word.parse().ok().map(EncryptionType)).ok_or_else(|| {
                Complaint::new(format!(
                    "'{word}' is no encryption: weak, !weak, or names and numbers with commas"
                ))
            })
        };
        text.split(',').map(one).collect::<Result<_, _>>().map(Wanted::OneOf)
    }

    fn is(&self, encryption: EncryptionType) -> bool {
        match self {
            Wanted::Weak(weak) => message::is_weak(encryption) == *weak,
            Wanted::OneOf(list) => list.contains(&encryption),
        }
    }
}

fn ticket_encryption(text: &str) -> Result<Test, Complaint> {
    let wanted = Wanted::parse(text)?;
    Ok(Test::new(Sides::ToClient, KRB5, move |transaction: &Krb5Transaction, direction| {
        let is_meant = transaction.ticket_encryption.is_some_and(|encryption| wanted.is(encryption));
        if is_meant && transaction.direction == direction { Verdict::Holds } else { Verdict::Fails }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryptions_are_asked_for_by_strength_name_and_number() {
        assert_eq!(Wanted::parse(" weak "), Ok(Wanted::Weak(true)));
        assert_eq!(Wanted::parse("!weak"), Ok(Wanted::Weak(false)));
        let list = Wanted::OneOf(vec![EncryptionType::RC4_HMAC, EncryptionType(-128), EncryptionType(17)]);
        assert_eq!(Wanted::parse("rc4-hmac, -128,17"), Ok(list));
        assert!(Wanted::parse("rc5").is_err());
        assert!(Wanted::parse("").is_err());
        assert!(Wanted::Weak(true).is(EncryptionType::RC4_HMAC));
        assert!(Wanted::Weak(false).is(EncryptionType::AES256_CTS_HMAC_SHA1_96));
    }
}
