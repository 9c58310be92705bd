//! The verdict on a run: did every call get its own answer, and was nothing billed twice that need
//! not be?

use std::{collections::HashMap, fmt};

use super::{
    caller::{Ended, PLATFORM, passes},
    ledger::{Arrival, Asked, Facts, Fate},
    mix::Plan,
    reasons::Excuse,
    service::TIMES,
};

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
    /// Given up by the platform after all its repeats: each time the process died with them.
    pub(super) given_up: usize,
    /// Left by their callers, who came back, and asked of upstream once all the same.
    pub(super) rejoined: usize,
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
        verdict.rejoined += usize::from(end.drops > 0 && arrivals.len() == 1);
        let mut faults = end.faults.clone();
        if let Err(fault) = verdict.count_end(plan, end, arrivals, facts) {
            faults.push(format!("{fault}\n{}", facts.story(&plan.asked)));
        }
        if begun(end, arrivals) > TIMES.attempts {
            let story = facts.story(&plan.asked);
            faults.push(format!("the job was begun too often\n{story}"));
        }
        if let Some(again) = &end.again
            && let Err(fault) = same(plan, end, again, arrivals, facts)
        {
            faults.push(format!("{fault}\n{}", facts.story(&plan.asked)));
        }
        faults.extend(verdict.count_upstream(plan, arrivals, facts));
        let whose = |fault| format!("{}: {fault}", shown(plan));
        verdict.faults.extend(faults.into_iter().map(whose));
    }
    // No service can help that, but where it is more than bad luck something is wrong.
    if verdict.given_up > 2 + verdict.calls / 50 {
        let fault = format!("{} calls were given up by the platform", verdict.given_up);
        verdict.faults.push(fault);
    }
    verdict
}

impl Verdict {
    /// Counts how a call ended; a sentence if it must not end so.
    fn count_end(
        &mut self,
        plan: &Plan,
        end: &Ended,
        arrivals: &[Arrival],
        facts: &Facts,
    ) -> Result<(), String> {
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
                .filter(|arrival| facts.lost(arrival).is_some());
            if cut.count() < TIMES.attempts {
                return Err("given up, though it was not interrupted that often".to_owned());
            }
            self.interrupted += 1;
        } else if end.polled && passes(end.status) && last == Some(Fate::Failed) {
            self.failed_jobs += 1;
        } else if !end.polled
            && (end.status == 0 || passes(end.status))
            && end.repeats == PLATFORM.repeats
            && arrivals.iter().all(|arrival| facts.lost(arrival).is_some())
        {
            self.given_up += 1;
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

/// How often the job was begun that a caller was told of. Made once more, a call may be another job.
fn begun(end: &Ended, arrivals: &[Arrival]) -> usize {
    let Some(accepted) = end.accepted.filter(|_| end.again.is_none()) else {
        return 0;
    };
    let later = arrivals.iter().filter(|arrival| accepted < arrival.at);
    // Of several that ran at that moment, only one became the job.
    let became = arrivals.iter().any(|arrival| {
        arrival.at <= accepted && arrival.ended.is_none_or(|ended| accepted <= ended)
    });
    later.count() + usize::from(became)
}

/// Whether a call with a key of its own had the same answer `again`; a sentence if not.
fn same(
    plan: &Plan,
    end: &Ended,
    again: &Ended,
    arrivals: &[Arrival],
    facts: &Facts,
) -> Result<(), String> {
    let said = plan.said(&end.body);
    let own = |arrival: &&Arrival| arrival.answer == said && facts.lost(arrival).is_some();
    // The process died when it had given the answer and not yet kept it.
    if arrivals.iter().any(|arrival| own(&arrival)) {
        return Ok(());
    }
    if again.status != 200 || again.body != end.body || !(again.replayed || again.polled) {
        let (first, then) = (end.body.to_string(), again.body.to_string());
        return Err(format!(
            "made once more: {first:.60} and then {} {then:.60}, replayed: {}",
            again.status, again.replayed
        ));
    }
    Ok(())
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
            ("given up by the platform", self.given_up),
            ("left and rejoined", self.rejoined),
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
            ("again, taken along by a kill", again(Excuse::TakenAlong)),
            ("again, crossed on the wire", again(Excuse::Crossed)),
            ("again, elsewhere at once", again(Excuse::Rushed)),
            ("again, store away", again(Excuse::StoreAway)),
            ("faults", self.faults.len()),
        ];
        for (what, number) in rows {
            writeln!(to, "  {what:<28}{number:>6}")?;
        }
        Ok(())
    }
}
