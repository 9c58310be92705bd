//! The settings of the store, with an address that does not print its password.

use std::{
    fmt,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Megabytes;

/// What must outlive a call or be shared.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Which store it is, and where.
    pub url: StoreUrl,
    /// The most records at once.
    pub max_records: NonZeroU32,
    /// What all records may hold together, in units of 1,048,576 bytes.
    pub max_mb: Megabytes<1_048_576>,
    /// What a request or an answer may hold, in units of 1,048,576 bytes.
    pub max_record_mb: Megabytes<256>,
    /// The longest wait for the store.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

/// Where the store is. Printed in any way, it shows `***` for a password.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct StoreUrl(StoreAddress);

/// Where the store is, by its engine.
#[derive(Clone, Debug)]
pub enum StoreAddress {
    /// `SQLite` in memory.
    Memory,
    /// A file of `SQLite`.
    File(PathBuf),
    /// A server of Redis or Valkey.
    Redis(RedisUrl),
}

/// The address of a Redis server, with its password. `Debug` shows `***` for that.
#[derive(Clone)]
pub struct RedisUrl {
    whole: Zeroizing<String>,
    shown: String,
    unsafe_password: bool,
}

impl Store {
    pub(super) fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let warning = match &self.url.0 {
            StoreAddress::Memory => Some(
                "store.url is sqlite::memory: jobs and kept answers are lost when the service stops.",
            ),
            StoreAddress::Redis(url) if url.unsafe_password => Some(
                "store.url is redis:// with a password and another machine: the password travels unencrypted. Use rediss://.",
            ),
            _ => None,
        };
        warning.into_iter()
    }
}

impl StoreUrl {
    /// Where the store is, by its engine.
    #[must_use]
    pub fn address(&self) -> &StoreAddress {
        &self.0
    }
}

impl RedisUrl {
    /// The address with its password, for the one place that connects.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.whole
    }

    fn parse(text: &str) -> Result<Self, String> {
        // The messages do not quote the text, which may hold a password.
        let mut url = reqwest::Url::parse(text)
            .map_err(|error| format!("is not an address such as redis://host:6379/0: {error}"))?;
        let Some(host) = url.host_str() else {
            return Err("names no host; it should look like redis://host:6379/0".to_owned());
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err("may have no query or fragment".to_owned());
        }
        let database = url.path().trim_start_matches('/');
        if !database.is_empty() && database.parse::<u16>().is_err() {
            return Err("has a path that is not the number of a database, such as /0".to_owned());
        }
        let local = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
        let unsafe_password = url.password().is_some() && url.scheme() == "redis" && !local;
        if url.password().is_some() {
            // Fails for addresses without a host only.
            let _ = url.set_password(Some("***"));
        }
        Ok(Self {
            whole: Zeroizing::new(text.to_owned()),
            shown: url.into(),
            unsafe_password,
        })
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = Zeroizing::new(text);
        if *text == "sqlite::memory:" {
            return Ok(Self(StoreAddress::Memory));
        }
        if let Some(path) = text.strip_prefix("sqlite://") {
            if path.is_empty() || path.ends_with('/') || path.contains(['?', '#']) {
                return Err("should name a file, such as sqlite://data/connector.db".to_owned());
            }
            return Ok(Self(StoreAddress::File(Path::new(path).to_owned())));
        }
        if text.starts_with("redis://") || text.starts_with("rediss://") {
            return RedisUrl::parse(&text).map(|url| Self(StoreAddress::Redis(url)));
        }
        Err("should start with sqlite://, redis:// or rediss://".to_owned())
    }
}

impl From<StoreUrl> for String {
    fn from(url: StoreUrl) -> Self {
        url.to_string()
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            StoreAddress::Memory => f.write_str("sqlite::memory:"),
            StoreAddress::File(path) => write!(f, "sqlite://{}", path.display()),
            StoreAddress::Redis(url) => f.write_str(&url.shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StoreUrl, String> {
        text.to_owned().try_into()
    }

    #[test]
    fn every_form_shows_itself_without_its_password() {
        for (text, shown) in [
            ("sqlite::memory:", "sqlite::memory:"),
            ("sqlite://data/connector.db", "sqlite://data/connector.db"),
            ("sqlite:///var/c.db", "sqlite:///var/c.db"),
            ("redis://localhost", "redis://localhost"),
            ("redis://:hush@h:6379/2", "redis://:***@h:6379/2"),
            ("rediss://me:hush@h/", "rediss://me:***@h/"),
        ] {
            let url = read(text).unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("hush"), "{url:?}");
            assert_eq!(String::from(url), shown);
        }
    }

    #[test]
    fn paths_are_taken_from_the_working_folder_or_the_root() {
        for (text, path) in [
            ("sqlite://data/c.db", "data/c.db"),
            ("sqlite:///data/c.db", "/data/c.db"),
        ] {
            let url = read(text).unwrap();
            let StoreAddress::File(found) = url.address() else {
                panic!("{url:?}");
            };
            assert_eq!(found, Path::new(path));
        }
    }

    #[test]
    fn a_faulty_address_is_refused_without_being_quoted() {
        for text in [
            "",
            "hush",
            "postgres://u:hush@h",
            "sqlite://",
            "sqlite://folder/",
            "sqlite://c.db?mode=ro",
            "redis://",
            "redis://u:hush@:1",
            "redis://u:hush@h/name",
            "redis://u:hush@h?a=b",
            "redis://u:hush@h:port",
        ] {
            let problem = read(text).unwrap_err();
            assert!(!problem.contains("hush"), "{text}: {problem}");
        }
    }

    #[test]
    fn a_password_on_the_open_network_is_a_warning() {
        for (text, expected) in [
            ("redis://u:p@other", 1),
            ("rediss://u:p@other", 0),
            ("redis://u:p@127.0.0.1", 0),
            ("redis://other", 0),
            ("sqlite::memory:", 1),
            ("sqlite://data/c.db", 0),
        ] {
            let store = Store {
                url: read(text).unwrap(),
                max_records: NonZeroU32::MIN,
                max_mb: 1.try_into().unwrap(),
                max_record_mb: 1.try_into().unwrap(),
                timeout: Duration::from_secs(1),
            };
            assert_eq!(store.warnings().count(), expected, "{text}");
        }
    }
}
