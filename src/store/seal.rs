//! Seals what is stored, so that who reads the store alone reads nothing.

use std::fmt;

use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use data_encoding::BASE64URL_NOPAD;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::record::{Address, Kind};
use crate::error::{self, Error, Result};

/// The form of sealed bytes that this program writes, and the only one that it reads.
const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// Bytes that sealing adds: the version, the nonce and the tag.
pub const OVERHEAD: usize = 1 + NONCE + TAG;

/// Keeps these keys apart from those that anything else may derive from the same secret.
const SALT: &[u8] = b"openrouter-connector store 1";

/// 32 secret bytes: who has them finds a record and opens it.
///
/// A random one is an id, such as that of a job or a link to a file. For records whose reader has
/// no id, one is derived from the caller's API key. `Debug` shows nothing of it; there is no
/// `Display`, and its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Capability(Zeroizing<[u8; 32]>);

/// 32 bytes that name a record or a group of records; nothing leads back from them to the
/// capability.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locator(pub(super) [u8; 32]);

/// Which of a record's two sealed texts it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    /// What was asked.
    Request = 1,
    /// What came of it.
    Result = 2,
}

impl Capability {
    /// A new one, which nobody can guess.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(random_bytes()))
    }

    /// Reads the text form; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        // Asked first, because decode_mut panics when the lengths do not fit.
        if BASE64URL_NOPAD.decode_len(text.len()).ok()? != bytes.len() {
            return None;
        }
        BASE64URL_NOPAD
            .decode_mut(text.as_bytes(), &mut *bytes)
            .ok()?;
        Some(Self(bytes))
    }

    /// The text form: 43 letters, digits, `-` and `_` (base64url without padding).
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64URL_NOPAD.encode(&*self.0))
    }

    /// The one that belongs to `secret`, such as an API key, in this `context`; another context
    /// gives another one that has nothing to do with it.
    ///
    /// `secret` must be as hard to guess as a key: a password would be found by trying.
    #[must_use]
    pub fn from_secret(context: &str, secret: &str) -> Self {
        Self(derive(
            secret.as_bytes(),
            &[b"capability", &[0], context.as_bytes()],
        ))
    }

    /// Where the record of this kind stands that belongs to this capability.
    #[must_use]
    pub fn address(&self, kind: Kind) -> Address {
        let bytes = derive(&*self.0, &[b"locator", &[0, kind.code()]]);
        Address {
            kind,
            locator: Locator(*bytes),
        }
    }

    /// Encrypts `plaintext` so that it opens with this capability only, at `address` only, and as
    /// this `part` only. The result is longer by [`OVERHEAD`] bytes.
    ///
    /// `address` is mostly this capability's own. Another one makes sense for records that are
    /// listed by their group: found by an id, opened by what their reader has.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers, or for 256 GB of plaintext.
    #[must_use]
    pub fn seal(&self, address: &Address, part: Part, plaintext: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = random_bytes();
        let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = self
            .cipher(address.kind)
            .encrypt_inout_detached(
                &XNonce::from(nonce),
                &context(VERSION, address, part),
                (&mut sealed[1 + NONCE..]).into(),
            )
            .expect("no part of a record comes near the cipher's bound of 256 GB");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Decrypts what [`Capability::seal`] made for the same address and part.
    ///
    /// # Errors
    ///
    /// [`error::Kind::Internal`] if it was sealed with another capability, for another address or
    /// part, by a version of this program that seals otherwise, or was changed.
    pub fn open(&self, address: &Address, part: Part, sealed: &[u8]) -> Result<Vec<u8>> {
        let Some((&version, rest)) = sealed.split_first() else {
            return Err(unreadable("it is empty"));
        };
        if version != VERSION {
            return Err(Error::new(
                error::Kind::Internal,
                "What was stored was written by another version of this service.",
            )
            .detail(format!(
                "sealed in form {version}, and this version knows form {VERSION} only"
            )));
        }
        let parts = rest
            .split_first_chunk::<NONCE>()
            .and_then(|(nonce, rest)| Some((nonce, rest.split_last_chunk::<TAG>()?)));
        let Some((nonce, (text, tag))) = parts else {
            return Err(unreadable("it is cut off"));
        };
        let mut plaintext = text.to_vec();
        self.cipher(address.kind)
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                &context(version, address, part),
                plaintext.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_| unreadable("it does not open with this key at this place"))?;
        Ok(plaintext)
    }

    fn cipher(&self, kind: Kind) -> XChaCha20Poly1305 {
        let key = derive(&*self.0, &[b"key", &[0, kind.code()]]);
        XChaCha20Poly1305::new((&*key).into())
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Capability([REDACTED])")
    }
}

impl Locator {
    /// The one that belongs to `secret`, such as an API key, in this `context`, for what is counted
    /// for it and not sealed. Of `secret` holds what [`Capability::from_secret`] says.
    #[must_use]
    pub fn from_secret(context: &str, secret: &str) -> Self {
        let info: &[&[u8]] = &[b"count", &[0], context.as_bytes()];
        Self(*derive(secret.as_bytes(), info))
    }

    /// The bytes as text: 43 letters, digits, `-` and `_`.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn from_text(text: &[u8]) -> Option<Self> {
        Self::from_bytes(&BASE64URL_NOPAD.decode(text).ok()?)
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locator({})", self.to_text())
    }
}

/// What the seal holds fast without hiding it.
fn context(version: u8, address: &Address, part: Part) -> [u8; 35] {
    let mut bytes = [0; 35];
    bytes[0] = version;
    bytes[1] = address.kind.code();
    bytes[2] = part as u8;
    bytes[3..].copy_from_slice(&address.locator.0);
    bytes
}

fn derive(secret: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(SALT), secret)
        .expand_multi_info(info, &mut *key)
        .expect("HKDF-SHA256 gives up to 8160 bytes, and this asks for 32");
    key
}

pub(super) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    bytes
}

fn unreadable(why: &'static str) -> Error {
    Error::new(error::Kind::Internal, "What was stored cannot be read.").detail(why)
}

#[cfg(test)]
mod tests;
