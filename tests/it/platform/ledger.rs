//! What happened during a run: which calls came upstream from which process, what became of them,
//! and when processes were killed, callers went away and the store was gone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

/// Whose call it is: its number, which stands in its prompt, and its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) prompt: usize,
    pub(super) key: String,
}

/// What became of a call that came upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not over yet.
    Running,
    /// It was answered to the end, and is billed.
    Answered,
    /// It was refused for good.
    Refused,
    /// It failed in a way that may pass, and is not billed.
    Failed,
    /// Its caller's connection broke before the end.
    CutOff,
}

/// A call that came upstream.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// The process that made it: its place in [`Facts::lives`].
    pub(super) life: usize,
    pub(super) at: Instant,
    pub(super) fate: Fate,
    pub(super) ended: Option<Instant>,
    /// What it was answered, as the caller must get it.
    pub(super) answer: String,
}

/// One process of the service, from its start to its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    pub(super) killed: Option<Instant>,
    /// When it was told to stop.
    pub(super) told: Option<Instant>,
    /// When it had stopped after that.
    pub(super) stopped: Option<Instant>,
    /// Whether it had not stopped in time, and was killed.
    pub(super) hung: bool,
}

/// A caller that went away before it had its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drop {
    /// When it had begun to ask.
    pub(super) sent: Instant,
    pub(super) at: Instant,
}

/// Everything that happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) lives: Vec<Life>,
    pub(super) arrivals: HashMap<Asked, Vec<Arrival>>,
    pub(super) drops: HashMap<Asked, Vec<Drop>>,
    /// When a caller's connection broke, before it had its answer.
    pub(super) breaks: HashMap<Asked, Vec<Instant>>,
    /// When the store went away, and when it was back.
    pub(super) outages: Vec<(Instant, Option<Instant>)>,
}

/// [`Facts`] that many hands write at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<Mutex<Facts>>);

impl Ledger {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap()
    }

    /// Everything so far.
    pub(super) fn read(&self) -> Facts {
        self.facts().clone()
    }

    /// A process starts; its number.
    pub(super) fn starts(&self) -> usize {
        let mut facts = self.facts();
        facts.lives.push(Life::default());
        facts.lives.len() - 1
    }

    /// The process is about to be killed.
    pub(super) fn killed(&self, life: usize) {
        self.facts().lives[life].killed = Some(Instant::now());
    }

    /// The process is about to be told to stop.
    pub(super) fn told(&self, life: usize) {
        self.facts().lives[life].told = Some(Instant::now());
    }

    /// The process has stopped; whether it did so of itself, and in time.
    pub(super) fn stopped(&self, life: usize, in_time: bool) {
        let life = &mut self.facts().lives[life];
        life.stopped = Some(Instant::now());
        life.hung = !in_time;
    }

    /// The store is about to go away.
    pub(super) fn goes(&self) {
        self.facts().outages.push((Instant::now(), None));
    }

    /// The store is back.
    pub(super) fn is_back(&self) {
        self.facts().outages.last_mut().unwrap().1 = Some(Instant::now());
    }

    /// The caller went away, after it had begun to ask at `sent`.
    pub(super) fn dropped(&self, asked: &Asked, sent: Instant, at: Instant) {
        let mut facts = self.facts();
        let drops = facts.drops.entry(asked.clone()).or_default();
        drops.push(Drop { sent, at });
    }

    /// The caller's connection has just broken.
    pub(super) fn broke(&self, asked: &Asked) {
        let mut facts = self.facts();
        let breaks = facts.breaks.entry(asked.clone()).or_default();
        breaks.push(Instant::now());
    }

    /// A call comes upstream.
    pub(super) fn arrives(&self, asked: Asked, life: usize) -> Visit {
        let mut facts = self.facts();
        let arrivals = facts.arrivals.entry(asked.clone()).or_default();
        arrivals.push(Arrival {
            life,
            at: Instant::now(),
            fate: Fate::Running,
            ended: None,
            answer: String::new(),
        });
        let failed = arrivals
            .iter()
            .filter(|arrival| arrival.fate == Fate::Failed)
            .count();
        Visit {
            place: arrivals.len() - 1,
            failed,
            asked,
            ledger: self.clone(),
        }
    }

    /// How many calls are upstream at the moment.
    pub(super) fn running(&self) -> usize {
        let facts = self.facts();
        let all = facts.arrivals.values().flatten();
        all.filter(|arrival| arrival.fate == Fate::Running).count()
    }
}

/// A call while it is upstream; dropped without an end, it was cut off.
pub(super) struct Visit {
    ledger: Ledger,
    pub(super) asked: Asked,
    place: usize,
    /// How many earlier calls of the same failed.
    pub(super) failed: usize,
}

impl Visit {
    /// Its number among the calls of the same, from 1.
    pub(super) fn number(&self) -> usize {
        self.place + 1
    }

    /// Notes what it will be answered.
    pub(super) fn will_say(&self, answer: &str) {
        self.change(|arrival| answer.clone_into(&mut arrival.answer));
    }

    /// It is over.
    pub(super) fn ends(&self, fate: Fate) {
        self.change(|arrival| {
            if arrival.fate == Fate::Running {
                arrival.fate = fate;
                arrival.ended = Some(Instant::now());
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Arrival)) {
        let mut facts = self.ledger.facts();
        let arrivals = facts.arrivals.get_mut(&self.asked);
        change(&mut arrivals.unwrap()[self.place]);
    }
}

impl std::ops::Drop for Visit {
    fn drop(&mut self) {
        self.ends(Fate::CutOff);
    }
}
