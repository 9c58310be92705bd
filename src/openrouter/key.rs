//! The credential of a call, in a type that cannot print itself.

use secrecy::{ExposeSecret, SecretString};

/// An OpenRouter API key. `Debug` shows `[REDACTED]`; there is no `Display`.
#[derive(Clone, Debug)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// The longest key that is looked at, in bytes.
    pub const MAX_LENGTH: usize = 512;

    /// Takes a key as it is; `None` if it is empty, too long, or could not stand in a header.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty()
            && text.len() <= Self::MAX_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.into()))
    }

    /// The key itself, for the places that send it or derive something from it.
    pub(crate) fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// The key itself, for tests that compare keys.
    #[cfg(test)]
    pub(crate) fn fingerprint_for_tests(&self) -> String {
        self.reveal().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_print_itself() {
        let key = ApiKey::new("sk-or-v1-secret").unwrap();
        assert!(!format!("{key:?}").contains("secret"));
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_no_key() {
        for text in [
            "",
            "two words",
            "line\nbreak",
            "schl\u{fc}ssel",
            &"k".repeat(513),
        ] {
            assert!(ApiKey::new(text).is_none(), "{text:?}");
        }
    }
}
