//! SMB's keywords. Those of DCERPC look into SMB too: see `dcerpc`.

use super::transaction::SmbTransaction;
use crate::Complaint;
use crate::app::{Buffer, Family, Field, Keyword, ProtocolId, Sides, Takes, Test, Verdict};

/// The name of a share that is no pipe.
pub(super) const SHARE: Field = Field::new(Family::Smb, 0);
/// The name of a share of pipes.
pub(super) const NAMED_PIPE: Field = Field::new(Family::Smb, 1);
/// Who logs in.
pub(super) const NTLMSSP_USER: Field = Field::new(Family::Smb, 2);
/// Where.
pub(super) const NTLMSSP_DOMAIN: Field = Field::new(Family::Smb, 3);

const SMB: &[ProtocolId] = &[ProtocolId::Smb];

/// All of them, the old names too.
pub(super) const KEYWORDS: &[Keyword] = &[
    buffer("smb.share", SHARE),
    buffer("smb_share", SHARE),
    buffer("smb.named_pipe", NAMED_PIPE),
    buffer("smb_named_pipe", NAMED_PIPE),
    buffer("smb.ntlmssp_user", NTLMSSP_USER),
    buffer("smb_ntlmssp_user", NTLMSSP_USER),
    buffer("smb.ntlmssp_domain", NTLMSSP_DOMAIN),
    buffer("smb_ntlmssp_domain", NTLMSSP_DOMAIN),
    Keyword { name: "smb.version", takes: Takes::Test(version) },
];

const fn buffer(name: &'static str, field: Field) -> Keyword {
    Keyword { name, takes: Takes::Buffer(Buffer { field, sides: Sides::ToServer, protocols: SMB }) }
}

/// Which SMB an exchange is of. (A plain number it is not: 3 is called 2 on the wire.)
fn version(text: &str) -> Result<Test, Complaint> {
    let wanted = match text.trim() {
        "1" => 1,
        "2" => 2,
        other => return Err(Complaint::new(format!("smb.version is 1 or 2, not '{other}'"))),
    };
    Ok(Test::new(Sides::Both, SMB, move |transaction: &SmbTransaction, _| {
        if transaction.command.version() == wanted { Verdict::Holds } else { Verdict::Fails }
    }))
}
