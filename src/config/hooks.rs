//! The settings of callbacks, with the patterns of the hosts that may be called.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Calling back the flows that wait for something.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// The hosts that may be called; none: no subscription is taken.
    pub allowed_hosts: Vec<HostPattern>,
    /// Whether private addresses may be called, and local ones by plain http. For tests and labs.
    pub allow_private: bool,
    /// The longest that one attempt may take, the wait for a connection included.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long a delivery that fails is repeated.
    #[serde(with = "humantime_serde")]
    pub retry_for: Duration,
}

/// Hosts that may be called: one by its name, all below a domain (`*.example.com`), or any (`*`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(String);

impl Hooks {
    pub(super) fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let private = self.allow_private.then_some(
            "hooks.allow_private is true: who has a key can make this service call machines of your own network. For tests and labs only.",
        );
        let any = self.allowed_hosts.iter().any(|host| host.0 == "*").then_some(
            "hooks.allowed_hosts has \"*\": who has a key can make this service call any public host.",
        );
        private.into_iter().chain(any)
    }
}

impl HostPattern {
    /// Whether it stands for `host`, which is in lower case and without a dot at its end.
    #[must_use]
    pub fn fits(&self, host: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some("") => true,
            // With its dot, so that "*.b.c" is neither "b.c" nor "ab.c".
            Some(domain) => host.len() > domain.len() && host.ends_with(domain),
            None => host == self.0,
        }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        let name = text.strip_prefix("*.").unwrap_or(&text);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
        // IPv6 addresses are for labs; they stand in brackets, as in a URL.
        let is_v6 = name.starts_with('[') && name.ends_with(']');
        if text == "*" || is_v6 || name.split('.').all(label) {
            return Ok(Self(text));
        }
        Err(format!(
            "\"{text}\" is no host; it should look like host.example.com, *.example.com or *"
        ))
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn a_pattern_stands_for_a_name_for_what_is_below_it_or_for_any() {
        for (text, host, expected) in [
            ("a.example.com", "a.example.com", true),
            ("A.Example.com", "a.example.com", true),
            ("a.example.com", "b.a.example.com", false),
            ("a.example.com", "a.example.com.evil.com", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "b.a.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*.example.com", "a.example.com.evil.com", false),
            ("*", "a.example.com", true),
            ("[::1]", "[::1]", true),
        ] {
            assert_eq!(pattern(text).fits(host), expected, "{text} {host}");
        }
    }

    #[test]
    fn what_lets_the_service_call_more_is_a_warning() {
        let count = |hosts: &[&str], allow_private| {
            let hooks = Hooks {
                allowed_hosts: hosts.iter().copied().map(pattern).collect(),
                allow_private,
                timeout: Duration::from_secs(1),
                retry_for: Duration::from_secs(1),
            };
            hooks.warnings().count()
        };
        assert_eq!(count(&["*.example.com"], false), 0);
        assert_eq!(count(&["*.example.com"], true), 1);
        assert_eq!(count(&["*.example.com", "*"], false), 1);
        assert_eq!(count(&["*"], true), 2);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "*.",
            "*x.com",
            "a.*.com",
            "**",
            "https://a.com",
            "a.com/x",
            "a.com:443",
            "a com",
            "a..com",
            "a.com.",
        ] {
            assert!(HostPattern::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
