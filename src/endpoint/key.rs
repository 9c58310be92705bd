//! Finds the caller's key, in every form in which connections send one.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderMap},
};
use data_encoding::BASE64;

use crate::{
    error::{Error, Kind},
    openrouter::ApiKey,
};

/// The key in `headers`, or the `401` that says what is missing.
///
/// Power Automate sends what the maker typed, with or without `Bearer`; a policy of the connector
/// may put another `Bearer` before it; the published connector sends a header `api_key`; the
/// on-premises gateway can send HTTP Basic only, with the key as the password.
pub fn key_in(headers: &HeaderMap) -> Result<ApiKey, Error> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let given = [AUTHORIZATION.as_str(), "api_key", "x-api-key"]
        .into_iter()
        .filter_map(text)
        .map(bare)
        .find(|key| !key.is_empty());
    let Some(given) = given else {
        return Err(Error::new(Kind::MissingKey, "The call has no API key."));
    };
    ApiKey::new(&given).ok_or_else(|| {
        Error::new(
            Kind::InvalidKey,
            "The API key has blanks or other characters that no key has.",
        )
    })
}

/// The key without its scheme, however often that stands before it.
fn bare(value: &str) -> String {
    let mut rest = value.trim();
    while let Some((scheme, after)) = rest.split_once(char::is_whitespace) {
        if scheme.eq_ignore_ascii_case("bearer") {
            rest = after.trim_start();
        } else if scheme.eq_ignore_ascii_case("basic") {
            return basic(after.trim());
        } else {
            break;
        }
    }
    if rest.eq_ignore_ascii_case("bearer") || rest.eq_ignore_ascii_case("basic") {
        return String::new();
    }
    rest.to_owned()
}

/// The password of HTTP Basic, or the user name where there is no password.
fn basic(encoded: &str) -> String {
    let decoded = BASE64.decode(encoded.as_bytes()).unwrap_or_default();
    let pair = String::from_utf8(decoded).unwrap_or_default();
    let (user, password) = pair.split_once(':').unwrap_or((&pair, ""));
    bare(if password.is_empty() { user } else { password })
}

impl FromRequest for ApiKey {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    /// Takes the key that the middleware before all actions has found.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions().get::<Self>().cloned();
        ready(found.map_or_else(|| key_in(request.headers()), Ok))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn headers(name: &str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
        headers
    }

    /// Two keys are the same if a third party cannot tell the requests apart.
    fn found(name: &str, value: &str) -> Option<String> {
        key_in(&headers(name, value))
            .ok()
            .map(|key| key.fingerprint_for_tests())
    }

    fn expected(key: &str) -> Option<String> {
        ApiKey::new(key).map(|key| key.fingerprint_for_tests())
    }

    #[rstest]
    #[case("authorization", "sk-or-1")]
    #[case("authorization", "Bearer sk-or-1")]
    #[case("authorization", "bearer  sk-or-1")]
    #[case("authorization", "Bearer Bearer sk-or-1")]
    #[case("authorization", "  BEARER\tsk-or-1  ")]
    #[case("authorization", "Basic dXNlcjpzay1vci0x")]
    #[case("authorization", "Basic c2stb3ItMTo=")]
    #[case("authorization", "basic OnNrLW9yLTE=")]
    #[case("api_key", "sk-or-1")]
    #[case("x-api-key", "sk-or-1")]
    #[case("X-API-Key", "Bearer sk-or-1")]
    fn every_form_is_understood(#[case] name: &str, #[case] value: &str) {
        assert_eq!(found(name, value), expected("sk-or-1"));
    }

    #[rstest]
    #[case("authorization", "")]
    #[case("authorization", "Bearer")]
    #[case("authorization", "Bearer Bearer ")]
    #[case("authorization", "Basic !!!")]
    #[case("x-other", "sk-or-1")]
    fn no_key_is_told_as_missing(#[case] name: &str, #[case] value: &str) {
        assert_eq!(
            key_in(&headers(name, value)).unwrap_err().kind(),
            Kind::MissingKey
        );
    }

    #[test]
    fn a_key_with_blanks_is_told_as_invalid() {
        let error = key_in(&headers("authorization", "Bearer two words")).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidKey);
    }

    proptest! {
        #[test]
        fn any_key_is_found_behind_any_run_of_schemes(
            key in "[!-~]{1,80}", blanks in "[ \t]{1,3}", schemes in 0usize..3,
        ) {
            prop_assume!(!["bearer", "basic"].contains(&key.to_ascii_lowercase().as_str()));
            let value = format!("{}{key}", format!("Bearer{blanks}").repeat(schemes));
            prop_assert_eq!(found("authorization", &value), expected(&key));
        }

        #[test]
        fn no_header_makes_it_panic(value in "[ -~]{0,60}") {
            let _ = key_in(&headers("authorization", &value));
        }
    }
}
