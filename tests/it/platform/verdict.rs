//! The verdict on a run: did every call get its own answer, and was nothing billed twice that need
//! not be?

use std::{collections::HashMap, fmt, time::Duration};

use super::{
    caller::{Ended, passes},
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

/// Why upstream was asked a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Excuse {
    /// The first time failed in a way that may pass, and cost nothing.
    Failed,
    /// The process that had it in hand was killed.
    Killed,
    /// The process that had it in hand was told to stop, and its grace period was over.
    Stopped,
    /// The answer and the leaving caller crossed on the wire.
    Crossed,
    /// The store was away, so nothing could be kept for the repeat.
    StoreAway,
}

/// What is counted, and what was wrong.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) calls: usize,
    /// Answered at once, with a success or a refusal.
    pub(super) in_time: usize,
    /// Answered by way of a 202.
    pub(super) as_jobs: usize,
    /// Ended with a refusal of upstream's.
    pub(super) refused: usize,
    /// Jobs that ended with a failure that may pass.
    pub(super) failed_jobs: usize,
    /// Jobs that were begun as often as allowed, and killed each time.
    pub(super) interrupted: usize,
    /// Answered with what was made for an earlier call.
    pub(super) adopted: usize,
    pub(super) repeats: usize,
    pub(super) polls: usize,
    pub(super) drops: usize,
    pub(super) kills: usize,
    pub(super) stops: usize,
    pub(super) outages: usize,
    pub(super) upstream: usize,
    /// Upstream calls beyond the first of a call, by their excuse.
    pub(super) again: HashMap<Excuse, usize>,
    pub(super) faults: Vec<String>,
}

/// Judges how `plans` ended.
pub(super) fn judge(plans: &[Plan], ends: &[Ended], facts: &Facts) -> Verdict {
    let mut verdict = Verdict {
        calls: plans.len(),
        kills: facts
            .lives
            .iter()
            .filter(|life| life.killed.is_some())
            .count(),
        stops: facts
            .lives
            .iter()
            .filter(|life| life.told.is_some())
            .count(),
        outages: facts.outages.len(),
        ..Verdict::default()
    };
    for (number, _) in facts.lives.iter().enumerate().filter(|(_, life)| life.hung) {
        let fault = format!("process {number} did not stop in time");
        verdict.faults.push(fault);
    }
    for (plan, end) in std::iter::zip(plans, ends) {
        verdict.repeats += end.repeats;
        verdict.polls += end.polls;
        verdict.drops += end.drops;
        verdict.adopted += usize::from(end.replayed);
        let arrivals = facts.arrivals.get(&plan.asked);
        let arrivals = arrivals.map_or(&[][..], Vec::as_slice);
        verdict.upstream += arrivals.len();
        let mut faults = end.faults.clone();
        if let Err(fault) = verdict.count_end(plan, end, arrivals) {
            faults.push(format!("{fault}\n{}", facts.story(&plan.asked)));
        }
        faults.extend(verdict.count_upstream(plan, arrivals, facts));
        let whose = |fault| format!("{}: {fault}", shown(plan));
        verdict.faults.extend(faults.into_iter().map(whose));
    }
    verdict
}

impl Verdict {
    /// Counts how a call ended; a sentence if it must not end so.
    fn count_end(&mut self, plan: &Plan, end: &Ended, arrivals: &[Arrival]) -> Result<(), String> {
        let code = end.body["error"]["code"].as_str().unwrap_or_default();
        let how = if end.polled {
            &mut self.as_jobs
        } else {
            &mut self.in_time
        };
        let last = arrivals.last().map(|arrival| arrival.fate);
        if end.status == 200 {
            let said = plan.said(&end.body);
            let own = |arrival: &&Arrival| arrival.fate == Fate::Answered && arrival.answer == said;
            if !arrivals.iter().any(|arrival| own(&arrival)) {
                return Err(format!("another's answer: {said:.80}"));
            }
            *how += 1;
        } else if end.status == 409 && code == "interrupted" {
            let cut = arrivals
                .iter()
                .filter(|arrival| arrival.fate == Fate::CutOff);
            if cut.count() < TIMES.attempts {
                return Err("given up, though it was not interrupted that often".to_owned());
            }
            self.interrupted += 1;
        } else if end.polled && passes(end.status) && last == Some(Fate::Failed) {
            self.failed_jobs += 1;
        } else if plan.refusal.is_some()
            && (400..500).contains(&end.status)
            && !passes(end.status)
            && last == Some(Fate::Refused)
        {
            *how += 1;
            self.refused += 1;
        } else {
            return Err(format!(
                "ended with {} {:.200}",
                end.status,
                end.body.to_string()
            ));
        }
        Ok(())
    }

    /// Counts the calls upstream; what is wrong with them.
    fn count_upstream(&mut self, plan: &Plan, arrivals: &[Arrival], facts: &Facts) -> Vec<String> {
        let mut faults = Vec::new();
        for pair in arrivals.windows(2) {
            let [first, second] = pair else { continue };
            if let Some(excuse) = facts.excuse(plan, first, second) {
                *self.again.entry(excuse).or_default() += 1;
            } else {
                faults.push(format!(
                    "asked upstream again without a reason\n{}",
                    facts.story(&plan.asked)
                ));
            }
        }
        if let Some(left) = arrivals
            .iter()
            .find(|arrival| arrival.fate == Fate::Running)
        {
            faults.push(format!("still upstream at the end: {left:?}"));
        }
        faults
    }
}

impl Facts {
    /// Why `second` came after `first`, if there is a reason.
    fn excuse(&self, plan: &Plan, first: &Arrival, second: &Arrival) -> Option<Excuse> {
        if first.fate == Fate::Failed {
            return Some(Excuse::Failed);
        }
        let life = &self.lives[first.life];
        let in_hand = |at| first.at <= at && first.ended.is_none_or(|ended| at <= ended + SETTLES);
        if life.killed.is_some_and(|at| in_hand(at) && at <= second.at) {
            return Some(Excuse::Killed);
        }
        let given_up = |told| {
            let ended = first.ended;
            first.fate == Fate::CutOff && ended.is_some_and(|ended| ended >= told + TIMES.works_on)
        };
        if life.told.is_some_and(given_up) {
            return Some(Excuse::Stopped);
        }
        let drops = self.drops.get(&plan.asked);
        let mut drops = drops.map_or(&[][..], Vec::as_slice).iter();
        if drops
            .any(|drop| first.at <= drop.at && drop.at <= second.at && crossed(plan, first, drop))
        {
            return Some(Excuse::Crossed);
        }
        let overlaps = |(from, to): &(_, _)| *from <= second.at && *to >= first.at;
        self.outages
            .iter()
            .any(overlaps)
            .then_some(Excuse::StoreAway)
    }

    /// What happened to a call, for whoever looks into it.
    fn story(&self, asked: &Asked) -> String {
        let Some(arrivals) = self.arrivals.get(asked) else {
            return "  never upstream".to_owned();
        };
        let zero = arrivals[0].at;
        let mut lines = Vec::new();
        let mut tell = |at: std::time::Instant, what: String| {
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
        for drop in self.drops.get(asked).into_iter().flatten() {
            tell(drop.sent, "the caller asks".to_owned());
            tell(drop.at, "the caller leaves".to_owned());
        }
        for (from, to) in &self.outages {
            tell(*from, "the store goes".to_owned());
            tell(*to, "the store is back".to_owned());
        }
        lines.sort();
        let lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
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

/// Which call it was.
fn shown(plan: &Plan) -> String {
    let Asked { prompt, key } = &plan.asked;
    format!("call {prompt} of {key}, {plan:?}")
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = |excuse| self.again.get(&excuse).copied().unwrap_or_default();
        let rows = [
            ("calls", self.calls),
            ("answered in time", self.in_time),
            ("answered as jobs", self.as_jobs),
            ("of both, refused upstream", self.refused),
            ("jobs that failed", self.failed_jobs),
            ("jobs interrupted too often", self.interrupted),
            ("answers adopted", self.adopted),
            ("repeats", self.repeats),
            ("polls", self.polls),
            ("drops", self.drops),
            ("kills", self.kills),
            ("stops", self.stops),
            ("outages of the store", self.outages),
            ("upstream calls", self.upstream),
            ("again after a failure", again(Excuse::Failed)),
            ("again because of a kill", again(Excuse::Killed)),
            ("again because of a stop", again(Excuse::Stopped)),
            ("again, crossed on the wire", again(Excuse::Crossed)),
            ("again, store away", again(Excuse::StoreAway)),
            ("faults", self.faults.len()),
        ];
        for (what, number) in rows {
            writeln!(to, "  {what:<28}{number:>6}")?;
        }
        Ok(())
    }
}
