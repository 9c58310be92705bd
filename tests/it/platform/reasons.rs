//! The reasons for which upstream may be asked again: the limits of what any service can do.

use std::time::{Duration, Instant};

use super::{
    ledger::{Arrival, Asked, Drop, Facts, Fate},
    mix::Plan,
    service::TIMES,
};

/// How long after upstream's answer a process may still be at work on it: writing it to its caller
/// or to the store. Killed within that time, it takes the answer along.
const SETTLES: Duration = Duration::from_millis(300);

/// How far apart an answer and a leaving caller may be and still cross on the wire: the one side
/// sees it as delivered, the other never had it.
const CROSSES: Duration = Duration::from_millis(150);

/// How soon after its caller left a call cannot be known to another replica yet.
const RUSHES: Duration = Duration::from_millis(150);

/// How soon a caller notices that the process is gone that it waits for.
const NOTICES: Duration = Duration::from_millis(100);

/// How much of what else happened is told of a call, before and after it.
const AROUND: Duration = Duration::from_secs(2);

/// Why upstream was asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Excuse {
    /// The first time failed in a way that may pass, and cost nothing.
    Failed,
    /// The process that had it in hand was killed.
    Killed,
    /// The process that had it in hand was told to stop, and its time was over.
    Stopped,
    /// The process that would have handed it to the caller's repeat was killed: only one may take
    /// what a lost call comes to, and it took that along.
    TakenAlong,
    /// The answer and the leaving caller crossed on the wire.
    Crossed,
    /// The caller left, and was at another replica before that one could know.
    Rushed,
    /// The store was away, so nothing could be kept for the repeat.
    StoreAway,
}

impl Facts {
    /// Why `second` came after `first`, if there is a reason.
    pub(super) fn excuse(&self, plan: &Plan, first: &Arrival, second: &Arrival) -> Option<Excuse> {
        if first.fate == Fate::Failed {
            return Some(Excuse::Failed);
        }
        if let Some((excuse, at)) = self.lost(first)
            && at <= second.at
        {
            return Some(excuse);
        }
        let drops = self.drops.get(&plan.asked).into_iter().flatten();
        for drop in drops.filter(|drop| drop.sent <= second.at && drop.at <= second.at) {
            if first.at <= drop.at && crossed(plan, first, drop) {
                return Some(Excuse::Crossed);
            }
            // It may have left before its first call went upstream, or after it came back once.
            if first.life != second.life && second.at <= drop.at + RUSHES {
                return Some(Excuse::Rushed);
            }
        }
        let breaks = self.breaks.get(&plan.asked).into_iter().flatten();
        for broke in breaks.filter(|broke| first.at <= **broke && **broke <= second.at) {
            let others = self.lives.iter().enumerate();
            let others = others.filter(|(number, _)| *number != first.life);
            let mut kills = others.filter_map(|(_, life)| life.killed);
            if kills.any(|killed| killed <= *broke && *broke <= killed + NOTICES) {
                return Some(Excuse::TakenAlong);
            }
        }
        let overlaps =
            |(from, to): &(_, Option<_>)| *from <= second.at && to.is_none_or(|to| first.at <= to);
        let away = self.outages.iter().any(overlaps);
        away.then_some(Excuse::StoreAway)
    }

    /// Whether the process that had `arrival` in hand went away with it: how, and when.
    pub(super) fn lost(&self, arrival: &Arrival) -> Option<(Excuse, Instant)> {
        let life = &self.lives[arrival.life];
        let until = arrival.ended.map(|ended| ended + SETTLES);
        let in_hand = |at: &Instant| arrival.at <= *at && until.is_none_or(|until| *at <= until);
        if let Some(at) = life.killed.filter(in_hand) {
            return Some((Excuse::Killed, at));
        }
        // An answer may come just when its process gives it up.
        let (told, ended) = (life.told?, arrival.ended?);
        (ended >= told + TIMES.works_on).then_some((Excuse::Stopped, ended))
    }

    /// What happened to a call, for whoever looks into it.
    pub(super) fn story(&self, asked: &Asked) -> String {
        let Some(arrivals) = self.arrivals.get(asked) else {
            return "  never upstream".to_owned();
        };
        let zero = arrivals[0].at;
        let mut lines = Vec::new();
        let mut tell = |at: Instant, what: String| {
            let after = at.saturating_duration_since(zero).as_millis();
            let before = zero.saturating_duration_since(at).as_millis();
            let sign = if before > 0 { "-" } else { "" };
            lines.push((at, format!("  {sign}{:>5} ms  {what}", after.max(before))));
        };
        for (number, arrival) in arrivals.iter().enumerate() {
            let number = number + 1;
            tell(
                arrival.at,
                format!("upstream {number}, by process {}", arrival.life),
            );
            if let Some(ended) = arrival.ended {
                tell(ended, format!("upstream {number} ends: {:?}", arrival.fate));
            }
        }
        for (number, life) in self.lives.iter().enumerate() {
            let marks = [
                ("killed", life.killed),
                ("told to stop", life.told),
                ("stopped", life.stopped),
            ];
            for (what, at) in marks {
                if let Some(at) = at {
                    tell(at, format!("process {number} {what}"));
                }
            }
        }
        for broke in self.breaks.get(asked).into_iter().flatten() {
            tell(*broke, "the caller's connection breaks".to_owned());
        }
        for drop in self.drops.get(asked).into_iter().flatten() {
            tell(drop.sent, "the caller asks".to_owned());
            tell(drop.at, "the caller leaves".to_owned());
        }
        for (from, to) in &self.outages {
            tell(*from, "the store goes".to_owned());
            if let Some(to) = to {
                tell(*to, "the store is back".to_owned());
            }
        }
        lines.sort();
        let seen = |arrival: &Arrival| arrival.ended.unwrap_or(arrival.at);
        let last = arrivals.iter().map(seen).max().unwrap_or(zero);
        let around = |at: &Instant| zero <= *at + AROUND && *at <= last + AROUND;
        let lines = lines.into_iter().filter(|(at, _)| around(at));
        let lines: Vec<_> = lines.map(|(_, line)| line).collect();
        lines.join("\n")
    }
}

/// Whether the leaving caller may have missed what was on its way: the answer, or the job.
fn crossed(plan: &Plan, first: &Arrival, drop: &Drop) -> bool {
    let job_at = if plan.background.is_some() {
        drop.sent
    } else {
        drop.sent + TIMES.answer
    };
    let sent_off = first.ended.into_iter().chain([job_at]);
    sent_off
        .into_iter()
        .any(|at| at <= drop.at + CROSSES / 3 && drop.at <= at + CROSSES)
}
