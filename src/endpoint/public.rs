//! The address at which callers reach this service.

use actix_web::{HttpRequest, http::header::HOST, web::Data};

use crate::config::WebAddress;

/// The path that every action's path starts with, and that the definition calls its base path.
pub(crate) const BASE_PATH: &str = "/api";

/// Where callers reach this service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicAddress {
    /// `http` or `https`; `None` if it is not configured.
    pub(crate) scheme: Option<String>,
    /// The host, with its port if it is not the scheme's own.
    pub(crate) host: String,
    /// The path before [`BASE_PATH`]: empty, or one that starts with a slash.
    pub(crate) prefix: String,
}

impl PublicAddress {
    /// The configured address, or else the host that was asked; `None` if that makes no sense.
    ///
    /// Only the request's own `Host` is believed: a forwarded one is anybody's word, and a
    /// definition that names another host would send makers' keys there.
    pub(crate) fn of(http: &HttpRequest, configured: &WebAddress) -> Option<Self> {
        if let Some((scheme, rest)) = configured.as_str().split_once("://") {
            let (host, path) = rest
                .find('/')
                .map_or((rest, ""), |slash| rest.split_at(slash));
            return Some(Self {
                scheme: Some(scheme.to_owned()),
                host: host.to_owned(),
                prefix: path.to_owned(),
            });
        }
        let host = http.headers().get(HOST)?.to_str().ok()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        (!host.is_empty() && host.bytes().all(plain)).then(|| Self {
            scheme: None,
            host: host.to_owned(),
            prefix: String::new(),
        })
    }

    /// The whole address of the base path for the caller of `http`, such as
    /// `https://connector.example.com/api`; the path alone if nothing says what the host is.
    ///
    /// The platform's gateway follows only addresses on the host and base path of the definition.
    pub(crate) fn base(http: &HttpRequest) -> String {
        let configured = http.app_data::<Data<WebAddress>>();
        let Some(address) = configured.and_then(|url| Self::of(http, url)) else {
            return BASE_PATH.to_owned();
        };
        // A proxy that takes the TLS off says so. Who says it falsely misleads only itself: the
        // address goes back to the very caller.
        let forwarded = http.headers().get("x-forwarded-proto");
        let secure = http.app_config().secure()
            || forwarded.is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
        let own = if secure { "https" } else { "http" };
        let scheme = address.scheme.as_deref().unwrap_or(own);
        format!("{scheme}://{}{}{BASE_PATH}", address.host, address.prefix)
    }
}
