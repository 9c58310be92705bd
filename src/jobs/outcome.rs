//! What a generation came to, in the form in which it is answered, kept and replayed.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Kind, Result, seconds_up},
    telemetry::{self, Facts},
};

/// The answer of a generation: a status and a JSON body.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What stands before the body.
    head: Head,
    /// The JSON body.
    pub body: Bytes,
    /// What the log says of it; not kept.
    pub(super) facts: Facts,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_id: Option<String>,
}

impl Outcome {
    /// A success with this body, in the call that runs now.
    #[must_use]
    pub fn success(body: Bytes) -> Self {
        Self {
            head: Head {
                status: 200,
                retry_after: None,
                generation_id: telemetry::generation_id(),
            },
            body,
            facts: telemetry::facts(),
        }
    }

    /// The failure that `error` tells, in the call that runs now.
    #[must_use]
    pub fn failure(error: &Error) -> Self {
        let body = serde_json::to_vec(&error.body(&telemetry::request_id()));
        Self {
            head: Head {
                status: error.kind().status(),
                retry_after: error.wait().map(seconds_up),
                generation_id: telemetry::generation_id(),
            },
            body: body.unwrap_or_default().into(),
            facts: telemetry::facts(),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// Seconds until a repeat is worth it, where it is an error that says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        self.head.retry_after
    }

    /// OpenRouter's id of the generation.
    #[must_use]
    pub fn generation_id(&self) -> Option<&str> {
        self.head.generation_id.as_deref()
    }

    /// Whether it is a success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.head.status)
    }

    /// Whether the same call may succeed when it is made again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.head.status, 408 | 429 | 500..=599)
    }

    /// The kept form: a line of JSON, then the body as it is.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(&self.head).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads the kept form.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let (head, body) = split(bytes)?;
        Ok(Self {
            head,
            body,
            facts: Facts::default(),
        })
    }
}

/// Parts a line of JSON from what follows it.
pub(super) fn split<T: for<'a> Deserialize<'a>>(bytes: Vec<u8>) -> Result<(T, Bytes)> {
    let unreadable = || Error::new(Kind::Internal, "What was kept cannot be read.");
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or_else(unreadable)?;
    let mut bytes = Bytes::from(bytes);
    let head = bytes.split_to(end);
    let head = serde_json::from_slice(&head).map_err(|cause| unreadable().because(cause))?;
    Ok((head, bytes.slice(1..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_form_gives_the_outcome_back() {
        let outcome = Outcome {
            head: Head {
                status: 429,
                retry_after: Some(3),
                generation_id: Some("gen-1".to_owned()),
            },
            body: Bytes::from_static(b"{\n\"a\": 1\n}"),
            facts: Facts::default(),
        };
        assert_eq!(Outcome::from_bytes(outcome.to_bytes()).unwrap(), outcome);
        assert!(Outcome::from_bytes(b"no line".to_vec()).is_err());
    }

    #[test]
    fn what_the_platform_repeats_is_transient() {
        for kind in Kind::ALL {
            let outcome = Outcome::failure(&Error::new(*kind, "It failed."));
            assert_eq!(outcome.is_transient(), kind.retryable(), "{kind:?}");
        }
    }
}
