//! How calls are counted that several replicas count together.

use std::time::Duration;

use super::seal::random_bytes;

/// Names one counted call, so that it can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallId(pub(super) [u8; 16]);

impl CallId {
    /// A name that no other call has.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(random_bytes())
    }
}

/// How a connection stands with its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether the call was counted; of one that is given back, whether it still was.
    pub admitted: bool,
    /// The calls that are left for now.
    pub left: u32,
    /// The time until the oldest counted call leaves the window; zero if there is none.
    pub wait: Duration,
}
