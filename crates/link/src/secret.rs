//! What must not be shown: the secret half of an identity, and the key of seals, each in a file of its own.
//!
//! ```text
//! varangian-secret1:BASE64     an Ed25519 secret (32 bytes) and an X25519 secret (32)
//! varangian-seal1:BASE64       the key that all monitors of a cluster share (32)
//! ```
//!
//! Upon a file: it must be a plain file that neither group nor others can read or write, and of the right kind, else it is
//!   refused with what would be right. What was read of it is zeroed.
//! Upon a new file: it is made for its owner alone (0600), and never over one that is there.
//!
//! Secrets are zeroed when the last holder drops them, and show nothing of themselves in `Debug`. An error never quotes what
//! stands in such a file.

use crate::identity::PublicIdentity;
use crate::mac::MacKey;
use crate::wall_time::WallTime;
use base64ct::{Base64, Encoding};
use core::fmt;
use ed25519_dalek::{Signer, SigningKey};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

const SECRET_PREFIX: &str = "varangian-secret1:";
const SEAL_PREFIX: &str = "varangian-seal1:";

/// Bytes of a file with a secret at most.
const SECRET_FILE_BYTES_MAX: u64 = 1024;

/// Permissions that a file with a secret must not give: anything to group and others.
const MODE_FORBIDDEN: u32 = 0o077;

/// The secret half of an identity. Clones share it.
#[derive(Clone)]
pub struct SecretIdentity(Arc<Secrets>);

struct Secrets {
    signing: SigningKey,
    agreement: StaticSecret,
}

/// The key that all monitors of a cluster share, and nobody else.
#[derive(Clone)]
pub struct SealKey(Arc<Zeroizing<[u8; 32]>>);

/// Why a secret could not be read or written.
#[derive(Debug)]
pub enum SecretError {
    /// The file cannot be opened, read, or made.
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is a folder, a device or a pipe.
    NotAFile {
        /// Which one.
        path: PathBuf,
    },
    /// Others than its owner have access to it.
    Exposed {
        /// Which one.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It holds something else.
    Contents {
        /// Which one.
        path: PathBuf,
        /// What it should begin with.
        expected: &'static str,
    },
    /// The operating system gave no randomness.
    NoRandomness,
}

impl SecretIdentity {
    /// A new one, from the randomness of the operating system.
    pub fn generate() -> Result<SecretIdentity, SecretError> {
        Ok(SecretIdentity::from_bytes(&*random()?, &*random()?))
    }

    /// The one with these secrets.
    #[must_use]
    pub fn from_bytes(signing: &[u8; 32], agreement: &[u8; 32]) -> SecretIdentity {
        let signing = SigningKey::from_bytes(signing);
        SecretIdentity(Arc::new(Secrets { signing, agreement: StaticSecret::from(*agreement) }))
    }

    /// The one in a file.
    pub fn load(path: &Path) -> Result<SecretIdentity, SecretError> {
        SecretIdentity::read(open(path)?, path)
    }

    /// The one in a file that somebody has opened, who has looked at its permissions; `path` is for what is said of it. Nothing is
    /// asked of the file but its contents: not everybody may ask more.
    pub fn read(file: File, path: &Path) -> Result<SecretIdentity, SecretError> {
        let bytes: Zeroizing<[u8; 64]> = read(file, path, SECRET_PREFIX)?;
        let (signing, agreement) = bytes.split_at(32);
        match (signing.try_into(), agreement.try_into()) {
            (Ok(signing), Ok(agreement)) => Ok(SecretIdentity::from_bytes(signing, agreement)),
            (_, _) => Err(SecretError::Contents { path: path.to_path_buf(), expected: SECRET_PREFIX }),
        }
    }

    /// Writes it to a new file.
    pub fn save(&self, path: &Path) -> Result<(), SecretError> {
        let mut bytes = Zeroizing::new([0; 64]);
        bytes[..32].copy_from_slice(self.0.signing.as_bytes());
        bytes[32..].copy_from_slice(self.0.agreement.as_bytes());
        save(path, SECRET_PREFIX, &*bytes)
    }

    /// The public half, to be taken until `expires`.
    #[must_use]
    pub fn public(&self, expires: Option<WallTime>) -> PublicIdentity {
        let agreement = PublicKey::from(&self.0.agreement).to_bytes();
        PublicIdentity::new(self.0.signing.verifying_key(), agreement, expires)
    }

    /// A signature over `body`.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> [u8; 64] {
        self.0.signing.sign(body).to_bytes()
    }

    /// What this identity and `other` can both compute, and nobody else. Nothing if the other's key is of low order, with
    /// which everybody could.
    pub(crate) fn agree(&self, other: &PublicIdentity) -> Option<Zeroizing<[u8; 32]>> {
        let shared = self.0.agreement.diffie_hellman(&PublicKey::from(other.agreement));
        shared.was_contributory().then(|| Zeroizing::new(shared.to_bytes()))
    }
}

impl SealKey {
    /// A new one, from the randomness of the operating system.
    pub fn generate() -> Result<SealKey, SecretError> {
        Ok(SealKey::from_bytes(&*random()?))
    }

    /// The one that is `secret`.
    #[must_use]
    pub fn from_bytes(secret: &[u8; 32]) -> SealKey {
        SealKey(Arc::new(Zeroizing::new(*secret)))
    }

    /// The one in a file.
    pub fn load(path: &Path) -> Result<SealKey, SecretError> {
        Ok(SealKey::from_bytes(&*load::<32>(path, SEAL_PREFIX)?))
    }

    /// Writes it to a new file.
    pub fn save(&self, path: &Path) -> Result<(), SecretError> {
        save(path, SEAL_PREFIX, &**self.0)
    }

    pub(crate) fn mac_key(&self) -> MacKey {
        MacKey::new(&self.0)
    }
}

/// Where in `text` a secret begins that somebody put there by mistake.
#[must_use]
pub fn secret_in(text: &str) -> Option<usize> {
    [SECRET_PREFIX, SEAL_PREFIX].into_iter().filter_map(|prefix| text.find(prefix)).min()
}

/// A number that nobody can foresee, from the randomness of the operating system.
pub fn random_number() -> Result<u64, SecretError> {
    let [a, b, c, d, e, f, g, h, ..] = *random()?;
    Ok(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
}

fn random() -> Result<Zeroizing<[u8; 32]>, SecretError> {
    let mut bytes = Zeroizing::new([0; 32]);
    let source = rustls::crypto::ring::default_provider().secure_random;
    source.fill(&mut *bytes).map_err(|_| SecretError::NoRandomness)?;
    Ok(bytes)
}

fn load<const N: usize>(path: &Path, prefix: &'static str) -> Result<Zeroizing<[u8; N]>, SecretError> {
    read(open(path)?, path, prefix)
}

/// Opens a file for its owner alone.
fn open(path: &Path) -> Result<File, SecretError> {
    let failed = |error| SecretError::File { path: path.to_path_buf(), error };
    // Before it is opened, since a pipe would make us wait.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(SecretError::NotAFile { path: path.to_path_buf() });
    }
    let file = File::open(path).map_err(failed)?;
    // Of the open file, so that it cannot be another one by the time it is read.
    let metadata = file.metadata().map_err(failed)?;
    if metadata.mode() & MODE_FORBIDDEN != 0 {
        return Err(SecretError::Exposed { path: path.to_path_buf(), mode: metadata.mode() & 0o777 });
    }
    Ok(file)
}

fn read<const N: usize>(
    file: File,
    path: &Path,
    prefix: &'static str,
) -> Result<Zeroizing<[u8; N]>, SecretError> {
    let failed = |error| SecretError::File { path: path.to_path_buf(), error };
    let wrong = || SecretError::Contents { path: path.to_path_buf(), expected: prefix };
    // Never moved while it grows: a piece left behind would not be zeroed.
    let mut text = Zeroizing::new(Vec::with_capacity(2 * SECRET_FILE_BYTES_MAX as usize));
    file.take(SECRET_FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > SECRET_FILE_BYTES_MAX {
        return Err(wrong());
    }
    let text = text.trim_ascii().strip_prefix(prefix.as_bytes()).ok_or_else(wrong)?;
    let mut bytes = Zeroizing::new([0; N]);
    match Base64::decode(text, &mut *bytes) {
        Ok(decoded) if decoded.len() == N => Ok(bytes),
        Ok(_) | Err(_) => Err(wrong()),
    }
}

fn save(path: &Path, prefix: &str, secret: &[u8]) -> Result<(), SecretError> {
    let mut text = Zeroizing::new(Vec::with_capacity(SECRET_FILE_BYTES_MAX as usize));
    text.extend_from_slice(prefix.as_bytes());
    text.extend_from_slice(Zeroizing::new(Base64::encode_string(secret)).as_bytes());
    text.push(b'\n');
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
        .map_err(|error| SecretError::File { path: path.to_path_buf(), error })
}

impl fmt::Debug for SecretIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretIdentity({})", self.public(None).fingerprint())
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretError::File { path, error } => write!(f, "{}: {error}", path.display()),
            SecretError::NotAFile { path } => {
                write!(f, "{}: a secret is kept in a plain file, and this is none", path.display())
            }
            SecretError::Exposed { path, mode } => write!(
                f,
                "{}: others than its owner have access to this secret (mode {mode:04o}); right would be: chmod 600 {}, and \
                 a new secret if somebody has looked",
                path.display(),
                path.display()
            ),
            SecretError::Contents { path, expected } => {
                write!(f, "{}: it must hold one line that begins with '{expected}'", path.display())
            }
            SecretError::NoRandomness => {
                f.write_str("the operating system gives no randomness to make a secret from")
            }
        }
    }
}

impl core::error::Error for SecretError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            SecretError::File { error, .. } => Some(error),
            SecretError::NotAFile { .. }
            | SecretError::Exposed { .. }
            | SecretError::Contents { .. }
            | SecretError::NoRandomness => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    /// A folder of its own for a test, gone when the test is over.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("varangian-secret-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder).expect("there is room for a folder");
            Folder(folder)
        }

        fn file(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn secrets_are_read_as_they_were_written_by_their_owner_alone() {
        let folder = Folder::new("round-trip");
        let secret = SecretIdentity::generate().expect("there is randomness");
        secret.save(&folder.file("secret")).expect("it can be written");
        let again = SecretIdentity::load(&folder.file("secret")).expect("it can be read");
        assert_eq!(again.public(None), secret.public(None));
        let seal = SealKey::generate().expect("there is randomness");
        seal.save(&folder.file("seal")).expect("it can be written");
        let again = SealKey::load(&folder.file("seal")).expect("it can be read");
        assert!(again.mac_key().accepts(&[b"body"], &seal.mac_key().tag(&[b"body"])));
        for file in ["secret", "seal"] {
            let mode = fs::metadata(folder.file(file)).expect("it is there").mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn no_two_identities_are_the_same() {
        let one = SecretIdentity::generate().expect("there is randomness").public(None);
        let other = SecretIdentity::generate().expect("there is randomness").public(None);
        assert_ne!(one.signing_key(), other.signing_key());
        assert_ne!(one.agreement, other.agreement);
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let folder = Folder::new("exposed");
        let file = folder.file("secret");
        SecretIdentity::from_bytes(&[7; 32], &[8; 32]).save(&file).expect("it can be written");
        for mode in [0o640, 0o604, 0o660, 0o777, 0o610] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).expect("it is ours");
            let error = SecretIdentity::load(&file).expect_err("it is exposed").to_string();
            assert!(error.contains(&format!("mode {mode:04o}")) && error.contains("chmod 600"), "{error}");
        }
        fs::set_permissions(&file, Permissions::from_mode(0o400)).expect("it is ours");
        assert!(SecretIdentity::load(&file).is_ok());
    }

    #[test]
    fn no_secret_is_written_over_another() {
        let folder = Folder::new("over");
        let secret = SecretIdentity::from_bytes(&[7; 32], &[8; 32]);
        secret.save(&folder.file("secret")).expect("it can be written");
        let again = SecretIdentity::from_bytes(&[1; 32], &[2; 32]).save(&folder.file("secret"));
        assert!(matches!(again, Err(SecretError::File { .. })));
        let kept = SecretIdentity::load(&folder.file("secret")).expect("it is there");
        assert_eq!(kept.public(None), secret.public(None));
    }

    #[test]
    fn what_holds_no_secret_is_refused_and_never_quoted() {
        let folder = Folder::new("contents");
        let file = folder.file("secret");
        let whole = format!("{SECRET_PREFIX}{}", Base64::encode_string(&[0xab; 64]));
        for contents in
            ["", "q6urq6ur", "varangian-secret1:q6urq6ur", &whole[..whole.len() - 1], &whole.repeat(20)]
        {
            let _ = fs::remove_file(&file);
            fs::write(&file, contents).expect("it can be written");
            fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("it is ours");
            let error = SecretIdentity::load(&file).expect_err(contents).to_string();
            assert!(error.contains("one line that begins with 'varangian-secret1:'"), "{error}");
            assert!(!error.contains("q6ur"), "{error}");
        }
        let error = SealKey::load(&file).expect_err("it is no seal").to_string();
        assert!(error.contains("varangian-seal1:"), "{error}");
        let error = SecretIdentity::load(&folder.0).expect_err("it is a folder").to_string();
        assert!(error.contains("a plain file"), "{error}");
        assert!(matches!(SecretIdentity::load(&folder.file("none")), Err(SecretError::File { .. })));
    }

    #[test]
    fn secrets_show_nothing_of_themselves() {
        let secret = SecretIdentity::from_bytes(&[0xab; 32], &[0xcd; 32]);
        let seal = SealKey::from_bytes(&[0xab; 32]);
        let shown = format!("{secret:?} {seal:?}");
        assert!(!shown.contains("171") && !shown.to_lowercase().contains("abab"), "{shown}");
    }
}
