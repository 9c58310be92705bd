//! What is stored: records, their states, and who is at work on them.

use std::time::Duration;

use super::seal::{Locator, random_bytes};

/// Builds an enum with one stable byte for each variant, as the engines store it.
macro_rules! coded {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $about:literal])+ $variant:ident = $code:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[doc = $about])+ $variant = $code,)+ }

        impl $name {
            /// Every variant.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The byte that stands for it in the store; it never changes.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The variant that a byte of the store stands for.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

coded! {
    /// What a record is for.
    Kind {
        /// A call that outlives its caller.
        Job = 1,
        /// An answer whose caller went away before it came.
        Adoption = 2,
        /// An answer that is replayed for the same `Idempotency-Key`.
        Idempotency = 3,
        /// A file that is fetched by a link.
        File = 4,
        /// A subscription to be told of something.
        Hook = 5,
        /// How far a job has come.
        Checkpoint = 6,
    }
}

coded! {
    /// How far a record is.
    State {
        /// Somebody is to work on it, under a lease.
        Running = 1,
        /// Finished, with the answer as its result.
        Succeeded = 2,
        /// Finished, with the error as its result.
        Failed = 3,
        /// Stopped by its caller.
        Cancelled = 4,
        /// Nothing to work on: it only stands there until it is taken or expires.
        Stored = 5,
    }
}

/// Where a record stands; [`Capability::address`](super::Capability::address) makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// What the record is for.
    pub kind: Kind,
    /// Which one of its kind.
    pub locator: Locator,
}

/// Who works on a record: a new name for each attempt, so that a worker that stalled is not taken
/// for the one that took over, even in the same process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner(pub(super) [u8; 16]);

impl Owner {
    /// A name that nobody else has.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(random_bytes())
    }
}

/// Someone's right to work on a record, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who has it.
    pub owner: Owner,
    /// When it ends, in milliseconds since 1970.
    pub until: i64,
}

/// A record to be stored. Times are spans, which the store adds to its own clock, so that replicas
/// with different clocks agree.
#[derive(Clone, Debug)]
pub struct New {
    /// Where it will stand.
    pub address: Address,
    /// The group it is listed in, such as the locator of a capability derived from a connection's
    /// key.
    pub group: Option<Locator>,
    /// How far it is.
    pub state: State,
    /// What was asked, sealed.
    pub request: Vec<u8>,
    /// What came of it, sealed.
    pub result: Option<Vec<u8>>,
    /// How long it is kept, ten years at most; it is gone afterwards, in whatever state.
    pub keep: Duration,
    /// Who works on it from the start, and for how long without a word; counts as an attempt.
    pub lease: Option<(Owner, Duration)>,
}

impl New {
    /// The bytes of its sealed parts.
    pub(super) fn bytes(&self) -> u64 {
        let result = self.result.as_ref().map_or(0, Vec::len);
        (self.request.len() + result) as u64
    }
}

/// A stored record. Times are milliseconds since 1970 by the store's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub address: Address,
    /// The group it is listed in.
    pub group: Option<Locator>,
    /// How far it is.
    pub state: State,
    /// What was asked, sealed.
    pub request: Vec<u8>,
    /// What came of it, sealed.
    pub result: Option<Vec<u8>>,
    /// When it was stored.
    pub created_at: i64,
    /// When it succeeded, failed or was cancelled.
    pub finished_at: Option<i64>,
    /// When it will be gone.
    pub expires_at: i64,
    /// How often someone began to work on it.
    pub attempts: u32,
    /// Who works on it. A lease that is over and that nobody took over still stands here.
    pub lease: Option<Lease>,
}

/// A record in a list: all but its sealed parts, which can be large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Where it stands.
    pub address: Address,
    /// How far it is.
    pub state: State,
    /// When it was stored, in milliseconds since 1970.
    pub created_at: i64,
    /// When it succeeded, failed or was cancelled, in milliseconds since 1970.
    pub finished_at: Option<i64>,
    /// When it will be gone, in milliseconds since 1970.
    pub expires_at: i64,
}

/// What came of asking for a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leased {
    /// The lease is the asker's, and the attempt is counted.
    Taken(Record),
    /// Somebody else works on it.
    Held,
    /// There is nothing to work on: it succeeded, failed, was cancelled, or never was to run.
    Finished(Record),
    /// All attempts are used up and nobody is at work. The lease is the asker's all the same, so
    /// that exactly one of many finishes it as failed.
    Exhausted(Record),
    /// There is no such record, or it expired.
    Missing,
}

/// What the store holds, expired records that are not swept yet included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Records of all kinds.
    pub records: u64,
    /// The bytes of their sealed parts.
    pub bytes: u64,
}
