//! The verdict itself: that it finds what is wrong, and excuses only what has a reason.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use super::{
    caller::Ended,
    ledger::{Arrival, Asked, Drop, Facts, Fate, Life},
    mix::{Action, Plan},
    reasons::Excuse,
    verdict::{Verdict, judge},
};

/// A run of one call, told in milliseconds since it came upstream first.
struct Story {
    zero: Instant,
    facts: Facts,
    arrivals: Vec<Arrival>,
    drops: Vec<Drop>,
    breaks: Vec<Instant>,
    accepted: Option<Instant>,
    status: u16,
    body: Value,
}

impl Story {
    /// The call was answered after 500 ms by process 0; there is a process 1.
    fn new() -> Self {
        let story = Self {
            zero: Instant::now() + Duration::from_mins(1),
            facts: Facts {
                lives: vec![Life::default(); 2],
                ..Facts::default()
            },
            arrivals: Vec::new(),
            drops: Vec::new(),
            breaks: Vec::new(),
            accepted: None,
            status: 200,
            body: json!({"text": "mine"}),
        };
        story.upstream(0, 0, 500, Fate::Answered)
    }

    fn at(&self, millis: u64) -> Instant {
        self.zero + Duration::from_millis(millis)
    }

    fn upstream(mut self, life: usize, at: u64, ended: u64, fate: Fate) -> Self {
        self.arrivals.push(Arrival {
            life,
            at: self.at(at),
            fate,
            ended: Some(self.at(ended)),
            answer: "mine".to_owned(),
        });
        self
    }

    fn fate(mut self, fate: Fate) -> Self {
        self.arrivals.last_mut().unwrap().fate = fate;
        self
    }

    fn killed(mut self, life: usize, at: u64) -> Self {
        self.facts.lives[life].killed = Some(self.at(at));
        self
    }

    fn told(mut self, life: usize, at: u64) -> Self {
        self.facts.lives[life].told = Some(self.at(at));
        self
    }

    fn left(mut self, at: u64) -> Self {
        let (sent, at) = (self.at(0), self.at(at));
        self.drops.push(Drop { sent, at });
        self
    }

    fn broke(mut self, at: u64) -> Self {
        self.breaks.push(self.at(at));
        self
    }

    fn away(mut self, from: u64, to: u64) -> Self {
        let outage = (self.at(from), Some(self.at(to)));
        self.facts.outages.push(outage);
        self
    }

    fn accepted(mut self, at: u64) -> Self {
        self.accepted = Some(self.at(at));
        self
    }

    fn ended(mut self, status: u16, body: Value) -> Self {
        (self.status, self.body) = (status, body);
        self
    }

    fn judged(mut self) -> Verdict {
        let asked = Asked {
            prompt: 1,
            key: "key".to_owned(),
        };
        let plan = Plan {
            asked: asked.clone(),
            action: Action::Ask,
            takes: Duration::from_millis(500),
            faults: Vec::new(),
            refusal: None,
            background: None,
            idempotency: None,
            patience: Vec::new(),
        };
        let end = Ended {
            status: self.status,
            body: self.body,
            polled: self.accepted.is_some(),
            accepted: self.accepted,
            replayed: false,
            repeats: 0,
            polls: 0,
            drops: 0,
            again: None,
            faults: Vec::new(),
        };
        self.facts.arrivals.insert(asked.clone(), self.arrivals);
        self.facts.drops.insert(asked.clone(), self.drops);
        self.facts.breaks.insert(asked, self.breaks);
        judge(&[plan], &[end], &self.facts)
    }
}

/// The call came upstream again after 1 s, by process 1.
fn again() -> Story {
    Story::new().upstream(1, 1_000, 1_500, Fate::Answered)
}

#[rstest]
#[case(Story::new().fate(Fate::Failed).upstream(1, 1_000, 1_500, Fate::Answered), Excuse::Failed)]
#[case(again().killed(0, 100), Excuse::Killed)]
#[case(again().killed(0, 700), Excuse::Killed)]
#[case(Story::new().upstream(1, 4_000, 4_500, Fate::Answered).left(550), Excuse::Crossed)]
#[case(again().left(480), Excuse::Crossed)]
#[case(Story::new().upstream(1, 400, 900, Fate::Answered).left(300), Excuse::Rushed)]
#[case(again().killed(1, 600).broke(605), Excuse::TakenAlong)]
#[case(again().away(200, 300), Excuse::StoreAway)]
#[case(again().away(700, 5_000), Excuse::StoreAway)]
fn a_second_call_upstream_with_a_reason_is_counted(#[case] story: Story, #[case] excuse: Excuse) {
    let verdict = story.judged();
    assert!(verdict.faults.is_empty(), "{:?}", verdict.faults);
    assert_eq!(verdict.again.get(&excuse), Some(&1), "{:?}", verdict.again);
}

#[test]
fn work_may_be_given_up_only_when_its_time_is_over() {
    let cut_off = |told| {
        let story = Story::new().upstream(1, 2_000, 5_000, Fate::CutOff);
        let story = story.upstream(0, 6_000, 6_500, Fate::Answered);
        story.killed(0, 100).told(1, told).judged()
    };
    let late = cut_off(2_400);
    assert!(late.faults.is_empty(), "{:?}", late.faults);
    assert_eq!(late.again[&Excuse::Stopped], 1);
    assert_eq!(cut_off(2_600).faults.len(), 1);
}

#[rstest]
#[case::nothing_happened(again())]
#[case::killed_long_after_its_answer(again().killed(0, 900))]
#[case::killed_after_the_second_call(again().killed(0, 1_100))]
#[case::another_process_was_killed(again().killed(1, 100))]
#[case::told_to_stop_long_after(again().told(0, 900))]
#[case::the_caller_left_meanwhile(again().left(300))]
#[case::the_store_was_away_afterwards(again().away(1_100, 1_200))]
#[case::broken_without_a_kill(again().broke(605))]
#[case::broken_before_the_kill(again().broke(605).killed(1, 650))]
#[case::at_once_in_the_same_process(Story::new().upstream(0, 310, 800, Fate::Answered).left(300))]
#[case::answered_and_not_over(Story::new().upstream(1, 1_000, 1_500, Fate::Running).killed(0, 100))]
fn a_second_call_upstream_without_a_reason_is_a_fault(#[case] story: Story) {
    let verdict = story.judged();
    assert_eq!(verdict.faults.len(), 1, "{verdict}");
}

#[rstest]
#[case::another_answer(200, json!({"text": "yours"}))]
#[case::no_answer(0, Value::Null)]
#[case::a_failure_that_may_pass(503, json!({"error": {"code": "unavailable"}}))]
#[case::a_refusal_that_nobody_made(402, json!({"error": {"code": "insufficient_credits"}}))]
#[case::given_up_too_early(409, json!({"error": {"code": "interrupted"}}))]
fn an_end_that_is_not_the_calls_own_is_a_fault(#[case] status: u16, #[case] body: Value) {
    let verdict = Story::new().ended(status, body).judged();
    assert_eq!(verdict.faults.len(), 1, "{verdict}");
}

#[test]
fn an_answer_that_was_not_complete_is_nobodys() {
    let verdict = Story::new().fate(Fate::CutOff).judged();
    assert_eq!(verdict.faults.len(), 1, "{verdict}");
}

#[test]
fn a_call_is_given_up_when_it_was_interrupted_often_enough() {
    let story = Story::new().fate(Fate::CutOff).killed(0, 500);
    let story = story
        .upstream(1, 1_000, 1_500, Fate::CutOff)
        .killed(1, 1_500);
    let interrupted = json!({"error": {"code": "interrupted"}});
    let verdict = story.ended(409, interrupted).judged();
    assert!(verdict.faults.is_empty(), "{:?}", verdict.faults);
    assert_eq!(verdict.interrupted, 1);
}

#[test]
fn a_job_may_not_be_begun_more_often_than_allowed() {
    let begun = |accepted| {
        let story = Story::new().fate(Fate::CutOff).killed(0, 500);
        let story = story.upstream(1, 1_000, 1_500, Fate::CutOff);
        let mut story = story.killed(1, 1_500).accepted(accepted);
        story.facts.lives.push(Life::default());
        story.upstream(2, 2_000, 2_500, Fate::Answered).judged()
    };
    assert_eq!(begun(100).faults.len(), 1);
    // The first time was before there was a job.
    let other = begun(900);
    assert!(other.faults.is_empty(), "{:?}", other.faults);
}

#[test]
fn a_process_that_does_not_stop_is_a_fault() {
    let mut story = Story::new();
    story.facts.lives[1].hung = true;
    assert_eq!(story.judged().faults.len(), 1);
}
