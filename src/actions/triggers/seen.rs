//! Which models a trigger knows already, small enough to stand in an address.
//!
//! OpenRouter says of a model when it was created, and that is no help in telling what is new: a
//! free variant has the date of its model, which may be years old. So a trigger remembers the ids
//! themselves, each as 20 bits of its hash. In order, with the steps between them in Rice's code,
//! they take about 12 bits each: 640 of them, the most that are kept, take 1,300 characters.
//!
//! - A model is new if its hash is not there. One new model in 1,600 shares its 20 bits with a known
//!   one when 640 are known, one in 2,600 when 400 are; such a model is never reported.
//! - Nothing is forgotten while there is room. So a model that vanishes and comes back is not new,
//!   nor is one that a replica with an older list does not know yet.
//! - When there is no room left, models that are not listed any more are forgotten first, and then
//!   those with the oldest dates. The date of the latest one forgotten is kept: what is not later
//!   counts as known.
//! - Before all this stands a checksum, of the filters too. A state that was cut off, made up, or
//!   made for other filters is not read, so that it cannot make everything look new.

use std::{cmp::Reverse, collections::BTreeSet};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::openrouter::models::Model;

/// How many models are remembered at most.
const CAPACITY: usize = 640;

/// How many bits of a model's hash are kept.
const BITS: u32 = 20;

/// How many bytes the checksum has.
const CHECKSUM: usize = 3;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The hashes of the known models.
    hashes: BTreeSet<u32>,
    /// Models created by then count as known, in seconds since 1970; 0 if nothing was forgotten.
    horizon: u32,
}

impl Seen {
    /// Nothing is new among `listed`.
    #[must_use]
    pub fn all_of(listed: &[&Model]) -> Self {
        let mut seen = Self::default();
        seen.add(listed, listed);
        seen
    }

    /// Those of `listed` that are new, the latest first.
    #[must_use]
    pub fn new_among<'a>(&self, listed: &[&'a Model]) -> Vec<&'a Model> {
        let mut new: Vec<_> = listed.to_vec();
        new.retain(|model| {
            let is_late = self.horizon == 0 || date(model) > self.horizon;
            is_late && !self.hashes.contains(&hash(model))
        });
        new.sort_by_key(|model| Reverse(date(model)));
        new
    }

    /// Remembers the `reported` ones too; forgets what there is no room for, of which `listed` tells
    /// what matters least.
    pub fn add(&mut self, reported: &[&Model], listed: &[&Model]) {
        self.hashes.extend(reported.iter().map(|model| hash(model)));
        if self.hashes.len() <= CAPACITY {
            return;
        }
        let mut latest_first: Vec<_> = listed.to_vec();
        latest_first.sort_by_key(|model| Reverse(date(model)));
        let (mut kept, mut unlisted) = (BTreeSet::new(), self.hashes.clone());
        for model in latest_first {
            let hash = hash(model);
            if unlisted.remove(&hash) {
                if kept.len() < CAPACITY {
                    kept.insert(hash);
                } else {
                    self.horizon = self.horizon.max(date(model)).max(1);
                }
            }
        }
        let room = CAPACITY - kept.len();
        kept.extend(unlisted.into_iter().take(room));
        self.hashes = kept;
    }

    /// The text of it, which only a reader with the same `filters` takes.
    #[must_use]
    pub fn write(&self, filters: &str) -> String {
        let mut body = self.horizon.to_be_bytes().to_vec();
        let count = u16::try_from(self.hashes.len()).unwrap_or(u16::MAX);
        body.extend(count.to_be_bytes());
        let low = low_bits(self.hashes.len());
        let mut bits = Vec::new();
        let mut next = 0;
        for hash in &self.hashes {
            let step = hash - next;
            bits.extend((0..step >> low).map(|_| true));
            bits.push(false);
            bits.extend((0..low).rev().map(|bit| step >> bit & 1 == 1));
            next = hash + 1;
        }
        let packed = |bits: &[bool]| {
            let bits = bits.iter().zip((0..8).rev());
            bits.fold(0, |byte, (bit, place)| byte | u8::from(*bit) << place)
        };
        body.extend(bits.chunks(8).map(packed));
        let mut whole = checksum(filters, &body).to_vec();
        whole.extend(body);
        BASE64URL_NOPAD.encode(&whole)
    }

    /// What `text` says; `None` if it was not written for these `filters`.
    #[must_use]
    pub fn read(text: &str, filters: &str) -> Option<Self> {
        let whole = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (sum, body) = whole.split_first_chunk::<CHECKSUM>()?;
        if *sum != checksum(filters, body) {
            return None;
        }
        let (horizon, rest) = body.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let count = usize::from(u16::from_be_bytes(*count));
        let low = low_bits(count);
        let mut bits = rest
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1 == 1));
        let mut hashes = BTreeSet::new();
        let mut next = 0_u32;
        for _ in 0..count {
            let mut step = 0_u32;
            while bits.next()? {
                step += 1;
            }
            for _ in 0..low {
                step = step.checked_mul(2)? | u32::from(bits.next()?);
            }
            let hash = next.checked_add(step)?;
            hashes.insert(hash);
            next = hash.checked_add(1)?;
        }
        Some(Self {
            hashes,
            horizon: u32::from_be_bytes(*horizon),
        })
    }
}

/// How many bits of each of `count` steps are written as they are: as many as half of the steps
/// need, which gives the shortest text.
fn low_bits(count: usize) -> u32 {
    let mean = (1_usize << BITS) / count.max(1);
    (mean * 7 / 10).max(1).ilog2()
}

fn checksum(filters: &str, body: &[u8]) -> [u8; CHECKSUM] {
    let sum = Sha256::new()
        .chain_update("models 1 ")
        .chain_update(filters)
        .chain_update([0])
        .chain_update(body)
        .finalize();
    [sum[0], sum[1], sum[2]]
}

fn hash(model: &Model) -> u32 {
    let hash = Sha256::digest(model.id.as_deref().unwrap_or_default());
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) >> (32 - BITS)
}

/// When the model was created, in seconds since 1970; 0 if that is not known.
fn date(model: &Model) -> u32 {
    u32::try_from(model.created.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str, created: i64) -> Model {
        Model {
            id: Some(id.to_owned()),
            created: Some(created),
            ..Model::default()
        }
    }

    /// So many models, the first the oldest.
    fn models(count: usize) -> Vec<Model> {
        (0..count)
            .map(|n| {
                let days = i64::try_from(n).unwrap();
                model(&format!("author/model-{n}"), 1_700_000_000 + 86_400 * days)
            })
            .collect()
    }

    fn ids<'a>(models: &[&'a Model]) -> Vec<&'a str> {
        models
            .iter()
            .map(|model| model.id.as_deref().unwrap())
            .collect()
    }

    /// One look at `models`, through the text: what is new.
    fn look<'a>(state: &mut String, models: impl IntoIterator<Item = &'a Model>) -> Vec<&'a str> {
        let listed: Vec<_> = models.into_iter().collect();
        let mut seen = Seen::read(state, "").unwrap();
        let new = seen.new_among(&listed);
        seen.add(&new, &listed);
        *state = seen.write("");
        ids(&new)
    }

    fn first_look(models: &[Model]) -> String {
        Seen::all_of(&models.iter().collect::<Vec<_>>()).write("")
    }

    #[test]
    fn what_is_written_is_read() {
        for count in [0, 1, 2, 3, 10, 100, 400, CAPACITY, CAPACITY + 300] {
            let models = models(count);
            let seen = Seen::all_of(&models.iter().collect::<Vec<_>>());
            assert_eq!(Seen::read(&seen.write("f"), "f"), Some(seen), "{count}");
        }
    }

    #[test]
    fn it_stays_short_whatever_the_list() {
        for count in [400, CAPACITY, 5000] {
            let text = first_look(&models(count));
            assert!(text.len() <= 1320, "{count}: {}", text.len());
        }
        // However unevenly the hashes lie.
        let mut seen = Seen::default();
        let last = (1 << BITS) - 1;
        seen.hashes.extend((0..319).map(|n| n * 2));
        seen.hashes.extend((0..321).map(|n| last - n * 3));
        let text = seen.write("");
        assert_eq!(seen.hashes.len(), CAPACITY);
        assert!(text.len() <= 1500, "{}", text.len());
        assert_eq!(Seen::read(&text, ""), Some(seen));
    }

    #[test]
    fn a_model_is_reported_once_whatever_its_date() {
        let mut all = models(300);
        let mut state = first_look(&all);
        assert!(look(&mut state, &all).is_empty());
        all.push(model("author/old", 1_400_000_000));
        all.push(model("author/undated", 0));
        all.push(model("author/late", 1_900_000_000));
        assert_eq!(
            look(&mut state, &all),
            ["author/late", "author/old", "author/undated"]
        );
        assert!(look(&mut state, &all).is_empty());
    }

    #[test]
    fn what_vanishes_and_comes_back_is_not_new() {
        let all = models(300);
        let mut state = first_look(&all);
        assert!(look(&mut state, &all[..150]).is_empty());
        assert!(look(&mut state, &[]).is_empty());
        assert!(look(&mut state, &all).is_empty());
    }

    #[test]
    fn an_older_list_of_a_replica_changes_nothing() {
        let old = models(300);
        let new = models(301);
        let mut state = first_look(&old);
        assert_eq!(look(&mut state, &new), ["author/model-300"]);
        assert!(look(&mut state, &old).is_empty());
        assert!(look(&mut state, &new).is_empty());
    }

    #[test]
    fn without_room_the_unlisted_are_forgotten_first() {
        let mut all = models(CAPACITY);
        let mut state = first_look(&all);
        let gone = all.remove(CAPACITY - 1);
        all.push(model("author/newcomer", 1_400_000_000));
        assert_eq!(look(&mut state, &all), ["author/newcomer"]);
        assert_eq!(Seen::read(&state, "").unwrap().horizon, 0);
        assert!(look(&mut state, &all).is_empty());
        let hashes = Seen::read(&state, "").unwrap().hashes;
        assert!(!hashes.contains(&hash(&gone)));
    }

    #[test]
    fn of_a_list_that_is_too_long_the_oldest_count_as_known() {
        let mut all = models(CAPACITY + 300);
        let mut state = first_look(&all);
        assert!(look(&mut state, &all).is_empty());
        all.push(model("author/too-old", 1_400_000_000));
        let recent = all[CAPACITY + 200].created.unwrap() + 1;
        all.push(model("author/recent", recent));
        assert_eq!(look(&mut state, &all), ["author/recent"]);
        assert!(look(&mut state, &all).is_empty());
        // The oldest that was remembered had to go, and is not new for that.
        all.retain(|model| model.id.as_deref() != Some("author/recent"));
        assert!(look(&mut state, &all).is_empty());
    }

    #[test]
    fn few_new_models_are_taken_for_known_ones() {
        let known = models(400);
        let seen = Seen::all_of(&known.iter().collect::<Vec<_>>());
        let others: Vec<_> = (0..20_000).map(|n| model(&format!("b/{n}"), 1)).collect();
        let new = seen.new_among(&others.iter().collect::<Vec<_>>());
        let missed = others.len() - new.len();
        assert!(missed < 25, "{missed} of {}", others.len());
    }

    #[test]
    fn rubbish_is_not_read() {
        let text = first_look(&models(50));
        let other_filters = Seen::read(&text, "{}");
        let cut_off = Seen::read(&text[..text.len() - 4], "");
        let longer = Seen::read(&format!("{text}AAAA"), "");
        assert_eq!((other_filters, cut_off, longer), (None, None, None));
        for rubbish in ["", "A", "AAAAAAAAAAAA", "no such state", "&=?", "AQAB+/=="] {
            assert_eq!(Seen::read(rubbish, ""), None, "{rubbish}");
        }
    }
}
