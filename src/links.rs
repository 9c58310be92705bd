//! Links to the files of answers: unguessable, without a key, gone after a while. Each is sealed
//! under the id in its own address.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    config,
    error::{Error, Kind as ErrorKind, Result},
    store::{Capability, Kind, New, Part, State, Store},
};

/// Keeps files and gives them back; a copy is the same.
#[derive(Clone)]
pub struct Links {
    store: Store,
    /// How long a link works; `None`: no links are made.
    keep: Option<Duration>,
}

/// A file that a link leads to.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, with its ending.
    pub name: String,
    /// Its media type.
    pub mime_type: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// What is sealed beside the content.
#[derive(Serialize, Deserialize)]
struct About {
    name: String,
    mime_type: String,
}

impl Links {
    /// Links to files kept in `store`.
    #[must_use]
    pub fn new(store: Store, config: &config::Files) -> Self {
        Self {
            store,
            keep: config.links.then_some(config.keep),
        }
    }

    /// Keeps a file and gives its link below `base`, the address of this service's base path.
    /// `None` without links, or if the store has no place: the answer holds the file itself.
    pub async fn add(
        &self,
        base: &str,
        name: &str,
        mime_type: &str,
        content: &[u8],
    ) -> Option<String> {
        let keep = self.keep?;
        let id = Capability::random();
        let address = id.address(Kind::File);
        let about = About {
            name: name.to_owned(),
            mime_type: mime_type.to_owned(),
        };
        let about = serde_json::to_vec(&about).unwrap_or_default();
        let new = New {
            address,
            group: None,
            state: State::Stored,
            request: id.seal(&address, Part::Request, &about),
            result: Some(id.seal(&address, Part::Result, content)),
            keep,
            lease: None,
        };
        match self.store.put(&new).await {
            Ok(true) => {
                let (id, name) = (id.to_text(), plain(name));
                Some(format!("{base}/v1/files/{}/{name}", id.as_str()))
            }
            Ok(false) => None,
            Err(error) => {
                tracing::warn!(detail = error.log_detail(), "a file gets no link");
                None
            }
        }
    }

    /// The file with this id.
    ///
    /// # Errors
    ///
    /// `404` if there is none or its time is over; [`ErrorKind::Unavailable`] if the store is away.
    pub async fn get(&self, id: &str) -> Result<File> {
        let gone = || {
            Error::new(
                ErrorKind::NotFound,
                "There is no such file, or the time of its link is over.",
            )
        };
        let id = Capability::parse(id).ok_or_else(gone)?;
        let address = id.address(Kind::File);
        let record = self.store.get(&address).await?.ok_or_else(gone)?;
        let about = id.open(&address, Part::Request, &record.request)?;
        let about: About = serde_json::from_slice(&about).map_err(|cause| {
            Error::new(ErrorKind::Internal, "What was kept cannot be read.").because(cause)
        })?;
        let content = record.result.ok_or_else(gone)?;
        Ok(File {
            name: about.name,
            mime_type: about.mime_type,
            content: id.open(&address, Part::Result, &content)?,
        })
    }
}

/// A file's name as the end of an address.
fn plain(name: &str) -> String {
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name: String = name
        .chars()
        .map(|letter| if safe(letter) { letter } else { '_' })
        .collect();
    if name.chars().all(|letter| letter == '.') {
        return "file".to_owned();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_safe_end_of_an_address() {
        for (name, end) in [
            ("image-1.png", "image-1.png"),
            ("a b/c?.png", "a_b_c_.png"),
            ("..", "file"),
            ("", "file"),
        ] {
            assert_eq!(plain(name), end);
        }
    }
}
