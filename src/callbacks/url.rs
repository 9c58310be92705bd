//! A callback URL: checked, and in a type that cannot print itself.

use std::{fmt, net::IpAddr};

use reqwest::Url;

use crate::{
    config,
    error::{Error, Result},
};

/// The field that errors name.
const FIELD: &str = "callback_url";

/// The address at which a flow waits to be called. Who knows it can start the flow, so it is a
/// secret: `Debug` shows nothing of it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackUrl(Url);

impl CallbackUrl {
    /// The longest URL that is taken, in bytes. The platform's own have some hundred.
    pub const MAX_LENGTH: usize = 4000;

    /// Takes `text` if it is an https address on one of `hooks.allowed_hosts`, without user,
    /// fragment or a port of its own. The host is a name: an address of numbers is taken with
    /// `hooks.allow_private` only, and plain http too then, to this machine.
    ///
    /// Whether the name leads to a public address is seen when it is called.
    ///
    /// # Errors
    ///
    /// `400` for `callback_url`, in a sentence that says what is allowed and does not quote `text`.
    pub fn check(text: &str, settings: &config::Hooks) -> Result<Self> {
        // What a parser would strip, escape or turn around is refused: every reader of the URL
        // must see the same one.
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.bytes().all(plain) {
            return Err(Error::invalid(
                FIELD,
                format!(
                    "callback_url must be an https URL of 1 to {} plain characters.",
                    Self::MAX_LENGTH
                ),
            ));
        }
        let url = Url::parse(text)
            .map_err(|_| Error::invalid(FIELD, "callback_url must be a whole https URL."))?;
        let host = url.host_str().unwrap_or_default();
        let address: Option<IpAddr> = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok();
        let here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let scheme = match url.scheme() {
            "https" => true,
            "http" => settings.allow_private && here,
            _ => false,
        };
        if !scheme || host.is_empty() {
            return Err(Error::invalid(
                FIELD,
                "callback_url must start with https://.",
            ));
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.fragment().is_some() {
            return Err(Error::invalid(
                FIELD,
                "callback_url may have no user, password or fragment.",
            ));
        }
        if url.port().is_some() && !settings.allow_private {
            return Err(Error::invalid(
                FIELD,
                "callback_url may have port 443 only.",
            ));
        }
        // Such a host never passes the resolver, which would tell private addresses.
        let literal = address.is_some() && !settings.allow_private;
        let named = settings
            .allowed_hosts
            .iter()
            .any(|pattern| pattern.fits(host));
        if literal || !named || host.ends_with('.') {
            let hosts: Vec<_> = settings
                .allowed_hosts
                .iter()
                .map(|pattern| String::from(pattern.clone()))
                .collect();
            return Err(Error::invalid(
                FIELD,
                format!(
                    "callback_url leads to a host that this service does not call. It calls {}; whoever runs it can add others.",
                    if hosts.is_empty() {
                        "none".to_owned()
                    } else {
                        hosts.join(", ")
                    }
                ),
            ));
        }
        Ok(Self(url))
    }

    /// The URL itself, to be sealed.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn url(&self) -> Url {
        self.0.clone()
    }
}

impl fmt::Debug for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackUrl([REDACTED])")
    }
}
