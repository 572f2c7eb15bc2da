//! Names of what IKE numbers: attributes, algorithms, payloads, notifications.

use super::version1::Attribute;

/// The name of an attribute of version 1, as rules and records have it.
pub(super) fn attribute(kind: u16) -> &'static str {
    let names = [
        "alg_enc",
        "alg_hash",
        "alg_auth",
        "alg_dh",
        "sa_group_type",
        "sa_group_prime",
        "sa_group_generator_one",
        "sa_group_generator_two",
        "sa_group_curve_a",
        "sa_group_curve_b",
        "sa_life_type",
        "sa_life_duration",
        "alg_prf",
        "sa_key_length",
        "sa_field_size",
        "sa_group_order",
    ];
    usize::from(kind).checked_sub(1).and_then(|place| names.get(place)).copied().unwrap_or("unknown")
}

/// What an attribute of version 1 says, as records have it.
pub(super) fn value(attribute: &Attribute) -> &'static str {
    let names: &[&str] = match attribute.kind {
        1 => &[
            "EncDesCbc",
            "EncIdeaCbc",
            "EncBlowfishCbc",
            "EncRc5R16B64Cbc",
            "EncTripleDesCbc",
            "EncCastCbc",
            "EncAesCbc",
            "EncCamelliaCbc",
        ],
        2 => &["HashMd5", "HashSha", "HashTiger", "HashSha2_256", "HashSha2_384", "HashSha2_512"],
        3 => &[
            "AuthPreSharedKey",
            "AuthDssSignatures",
            "AuthRsaSignatures",
            "AuthEncryptionWithRsa",
            "AuthRevisedEncryptionWithRsa",
            "AuthReserved",
            "AuthReserved",
            "AuthReserved",
            "AuthEcdsaSha256",
            "AuthEcdsaSha384",
            "AuthEcdsaSha512",
        ],
        4 => &[
            "GroupDefault768BitModp",
            "GroupAlternate1024BitModpGroup",
            "GroupEc2nOnGp2p155",
            "GroupEc2nOnGp2p185",
            "GroupModp1536Bit",
            "GroupEc2nOverGf2p163",
            "GroupEc2nOverGf2p163",
            "GroupEc2nOverGf2p283",
            "GroupEc2nOverGf2p283",
            "GroupEc2nOverGf2p409",
            "GroupEc2nOverGf2p409",
            "GroupEc2nOverGf2p571",
            "GroupEc2nOverGf2p571",
            "GroupModp2048Bit",
            "GroupModp3072Bit",
            "GroupModp4096Bit",
            "GroupModp6144Bit",
            "GroupModp8192Bit",
            "GroupRandomEcp256",
            "GroupRandomEcp384",
            "GroupRandomEcp521",
            "GroupModp1024With160BitPrime",
            "GroupModp2048With224BitPrime",
            "GroupModp2048With256BitPrime",
            "GroupRandomEcp192",
            "GroupRandomEcp224",
            "GroupBrainpoolEcp224",
            "GroupBrainpoolEcp256",
            "GroupBrainpoolEcp384",
            "GroupBrainpoolEcp512",
        ],
        11 => &["LifeTypeSeconds", "LifeTypeKilobytes"],
        _ => &[],
    };
    usize::from(attribute.short)
        .checked_sub(1)
        .and_then(|place| names.get(place))
        .copied()
        .unwrap_or("Unknown")
}

/// The name of a payload of version 1, if it has one.
pub(super) fn payload1(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "None",
        1 => "SecurityAssociation",
        2 => "Proposal",
        3 => "Transform",
        4 => "KeyExchange",
        5 => "Identification",
        6 => "Certificate",
        7 => "CertificateRequest",
        8 => "Hash",
        9 => "Signature",
        10 => "Nonce",
        11 => "Notification",
        12 => "Delete",
        13 => "VendorID",
        15 => "SaKekPayload",
        16 => "SaTekPayload",
        17 => "KeyDownload",
        18 => "SequenceNumber",
        19 => "ProofOfPossession",
        20 => "NatDiscovery",
        21 => "NatOriginalAddress",
        22 => "GroupAssociatedPolicy",
        _ => return None,
    })
}

/// The name of a payload of version 2.
pub(super) fn payload2(kind: u8) -> String {
    let names = [
        "SecurityAssociation",
        "KeyExchange",
        "IdentInitiator",
        "IdentResponder",
        "Certificate",
        "CertificateRequest",
        "Authentication",
        "Nonce",
        "Notify",
        "Delete",
        "VendorID",
        "TrafficSelectorInitiator",
        "TrafficSelectorResponder",
        "EncryptedAndAuthenticated",
        "Configuration",
        "ExtensibleAuthentication",
    ];
    match (kind, usize::from(kind).checked_sub(33).and_then(|place| names.get(place))) {
        (0, _) => "NoNextPayload".to_owned(),
        (_, Some(name)) => (*name).to_owned(),
        (kind, None) => format!("IkePayloadType({kind} / 0x{kind:x})"),
    }
}

/// The name of a notification of version 2.
pub(super) fn notification(kind: u16) -> String {
    let name = match kind {
        1 => "UNSUPPORTED_CRITICAL_PAYLOAD",
        4 => "INVALID_IKE_SPI",
        5 => "INVALID_MAJOR_VERSION",
        7 => "INVALID_SYNTAX",
        9 => "INVALID_MESSAGE_ID",
        11 => "INVALID_SPI",
        14 => "NO_PROPOSAL_CHOSEN",
        17 => "INVALID_KE_PAYLOAD",
        24 => "AUTHENTICATION_FAILED",
        34 => "SINGLE_PAIR_REQUIRED",
        35 => "NO_ADDITIONAL_SAS",
        36 => "INTERNAL_ADDRESS_FAILURE",
        37 => "FAILED_CP_REQUIRED",
        38 => "TS_UNACCEPTABLE",
        39 => "INVALID_SELECTORS",
        43 => "TEMPORARY_FAILURE",
        44 => "CHILD_SA_NOT_FOUND",
        16_384 => "INITIAL_CONTACT",
        16_385 => "SET_WINDOW_SIZE",
        16_386 => "ADDITIONAL_TS_POSSIBLE",
        16_387 => "IPCOMP_SUPPORTED",
        16_388 => "NAT_DETECTION_SOURCE_IP",
        16_389 => "NAT_DETECTION_DESTINATION_IP",
        16_390 => "COOKIE",
        16_391 => "USE_TRANSPORT_MODE",
        16_392 => "HTTP_CERT_LOOKUP_SUPPORTED",
        16_393 => "REKEY_SA",
        16_394 => "ESP_TFC_PADDING_NOT_SUPPORTED",
        16_395 => "NON_FIRST_FRAGMENTS_ALSO",
        16_404 => "MULTIPLE_AUTH_SUPPORTED",
        16_405 => "ANOTHER_AUTH_FOLLOWS",
        16_406 => "REDIRECT_SUPPORTED",
        16_430 => "IKEV2_FRAGMENTATION_SUPPORTED",
        16_431 => "SIGNATURE_HASH_ALGORITHMS",
        kind => return format!("NotifyType({kind} / 0x{kind:x})"),
    };
    name.to_owned()
}

/// The names of what version 2 agrees on: the key in records, and the algorithm's name.
pub(super) fn algorithm(place: usize, id: Option<u16>) -> (&'static str, String) {
    let (key, first, kind, names): (_, u16, _, &[&str]) = match place {
        0 => (
            "alg_enc",
            1,
            "IkeTransformEncType",
            &[
                "ENCR_DES_IV64",
                "ENCR_DES",
                "ENCR_3DES",
                "ENCR_RC5",
                "ENCR_IDEA",
                "ENCR_CAST",
                "ENCR_BLOWFISH",
                "ENCR_3IDEA",
                "ENCR_DES_IV32",
                "",
                "ENCR_NULL",
                "ENCR_AES_CBC",
                "ENCR_AES_CTR",
                "ENCR_AES_CCM_8",
                "ENCR_AES_CCM_12",
                "ENCR_AES_CCM_16",
                "",
                "ENCR_AES_GCM_8",
                "ENCR_AES_GCM_12",
                "ENCR_AES_GCM_16",
                "ENCR_NULL_AUTH_AES_GMAC",
                "",
                "ENCR_CAMELLIA_CBC",
                "ENCR_CAMELLIA_CTR",
                "ENCR_CAMELLIA_CCM_8",
                "ENCR_CAMELLIA_CCM_12",
                "ENCR_CAMELLIA_CCM_16",
                "ENCR_CHACHA20_POLY1305",
            ],
        ),
        1 => (
            "alg_auth",
            0,
            "IkeTransformAuthType",
            &[
                "NONE",
                "AUTH_HMAC_MD5_96",
                "AUTH_HMAC_SHA1_96",
                "AUTH_DES_MAC",
                "AUTH_KPDK_MD5",
                "AUTH_AES_XCBC_96",
                "AUTH_HMAC_MD5_128",
                "AUTH_HMAC_SHA1_160",
                "AUTH_AES_CMAC_96",
                "AUTH_AES_128_GMAC",
                "AUTH_AES_192_GMAC",
                "AUTH_AES_256_GMAC",
                "AUTH_HMAC_SHA2_256_128",
                "AUTH_HMAC_SHA2_384_192",
                "AUTH_HMAC_SHA2_512_256",
            ],
        ),
        2 => (
            "alg_prf",
            0,
            "IkeTransformPRFType",
            &[
                "PRF_NULL",
                "PRF_HMAC_MD5",
                "PRF_HMAC_SHA1",
                "PRF_HMAC_TIGER",
                "PRF_AES128_XCBC",
                "PRF_HMAC_SHA2_256",
                "PRF_HMAC_SHA2_384",
                "PRF_HMAC_SHA2_512",
                "PRF_AES128_CMAC",
            ],
        ),
        3 => (
            "alg_dh",
            0,
            "IkeTransformDHType",
            &[
                "None",
                "Modp768",
                "Modp1024",
                "",
                "",
                "Modp1536",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "Modp2048",
                "Modp3072",
                "Modp4096",
                "Modp6144",
                "Modp8192",
                "Ecp256",
                "Ecp384",
                "Ecp521",
                "Modp1024s160",
                "Modp2048s224",
                "Modp2048s256",
                "Ecp192",
                "Ecp224",
                "BrainpoolP224r1",
                "BrainpoolP256r1",
                "BrainpoolP384r1",
                "BrainpoolP512r1",
                "Curve25519",
                "Curve448",
            ],
        ),
        _ => ("alg_esn", 0, "IkeTransformESNType", &["NoESN", "ESN"]),
    };
    // Encryption that was not agreed on is shown as none.
    let id = id.unwrap_or(if place == 0 { 11 } else { 0 });
    let name =
        id.checked_sub(first).and_then(|place| names.get(usize::from(place))).filter(|name| !name.is_empty());
    (key, name.map_or_else(|| format!("{kind}({id} / 0x{id:x})"), |name| (*name).to_owned()))
}
