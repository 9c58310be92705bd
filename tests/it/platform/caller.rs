//! A caller that behaves as the platform does: it gives a call 120 s, repeats it up to eight times
//! after a broken connection or a status that may pass, and follows a 202 to where it points.

use std::time::{Duration, Instant};

use fastrand::Rng;
use hyper::Method;
use serde_json::Value;

use super::{
    ledger::Ledger,
    mix::{Background, Plan},
    wire::{Answer, Gone, Leave, Message, exchange},
};

/// The platform's numbers, in a hundredth of the usual time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Platform {
    /// How long a call may take before the platform drops it.
    pub(super) limit: Duration,
    /// How often a call is repeated, and how often in a row a poll.
    pub(super) repeats: usize,
    /// How long it waits before the first repeat; before each further one twice as long.
    pub(super) backoff: Duration,
    /// The longest wait before a repeat.
    pub(super) backoff_most: Duration,
    /// A second of a `Retry-After` is this long.
    pub(super) second: Duration,
    /// When it gives up following a job.
    pub(super) follows: Duration,
}

pub(super) const PLATFORM: Platform = Platform {
    limit: Duration::from_millis(1_200),
    repeats: 8,
    backoff: Duration::from_millis(70),
    backoff_most: Duration::from_millis(4_500),
    second: Duration::from_millis(100),
    follows: Duration::from_secs(30),
};

/// How a call ended for its caller.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// 0 if there was never an answer.
    pub(super) status: u16,
    pub(super) body: Value,
    /// Whether it was told of a job, and asked for the answer afterwards.
    pub(super) polled: bool,
    /// When it was told so.
    pub(super) accepted: Option<Instant>,
    /// Whether the answer was made for an earlier call.
    pub(super) replayed: bool,
    pub(super) repeats: usize,
    pub(super) polls: usize,
    pub(super) drops: usize,
    /// How it ended when it was made once more with the same key of its own.
    pub(super) again: Option<Box<Ended>>,
    /// What was wrong with answers on the way.
    pub(super) faults: Vec<String>,
}

/// One call on its way to its answer.
pub(super) struct Caller<'a> {
    platform: Platform,
    host: &'a str,
    plan: &'a Plan,
    ledger: &'a Ledger,
    rng: Rng,
    ended: Ended,
}

impl<'a> Caller<'a> {
    pub(super) fn new(host: &'a str, plan: &'a Plan, ledger: &'a Ledger, rng: Rng) -> Self {
        Self {
            platform: PLATFORM,
            host,
            plan,
            ledger,
            rng,
            ended: Ended {
                status: 0,
                body: Value::Null,
                polled: false,
                accepted: None,
                replayed: false,
                repeats: 0,
                polls: 0,
                drops: 0,
                again: None,
                faults: Vec::new(),
            },
        }
    }

    /// Makes the call. One with a key of its own is made once more when it has its answer: it must
    /// get the same one.
    pub(super) async fn call(mut self) -> Ended {
        let more = Self::new(self.host, self.plan, self.ledger, self.rng.fork());
        let mut ended = self.ask().await;
        if more.plan.idempotency.is_some() && ended.status == 200 {
            ended.again = Some(Box::new(more.ask().await));
        }
        ended
    }

    /// Makes the call, and repeats it as often as the platform would.
    async fn ask(mut self) -> Ended {
        let message = self.message();
        for attempt in 0..=self.platform.repeats {
            if attempt > 0 {
                self.ended.repeats += 1;
            }
            let patience = self.plan.patience.get(attempt);
            let patience = patience.map_or(self.platform.limit, |own| {
                own.min(&self.platform.limit).to_owned()
            });
            let leave = Leave::ALL[self.rng.usize(0..Leave::ALL.len())];
            let sent = Instant::now();
            let came = exchange(&message, patience, leave).await;
            match came {
                Ok(answer) if answer.status == 202 => return self.follow(&answer).await,
                Ok(answer) if !passes(answer.status) => return self.end(&answer),
                Ok(answer) => {
                    // Not the service's own words: those of whoever stands in front of it.
                    if answer.json.is_null() {
                        self.ledger.broke(&self.plan.asked);
                    }
                    self.keep_failure(&answer).await;
                }
                Err(Gone::Impatient) => {
                    self.ended.drops += 1;
                    self.ledger.dropped(&self.plan.asked, sent, sent + patience);
                }
                Err(Gone::Broken) => self.ledger.broke(&self.plan.asked),
            }
            // Of those who left early, some are back at once and some in a while.
            if patience == self.platform.limit {
                self.back_off(attempt).await;
            } else if self.rng.bool() {
                tokio::time::sleep(Duration::from_millis(self.rng.u64(200..2_000))).await;
            }
        }
        self.ended
    }

    fn message(&self) -> Message {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("authorization", format!("Bearer {}", self.plan.asked.key)),
        ];
        if self.plan.background == Some(Background::Header) {
            headers.push(("prefer", "respond-async".to_owned()));
        }
        if let Some(key) = &self.plan.idempotency {
            headers.push(("idempotency-key", key.clone()));
        }
        Message {
            method: Method::POST,
            host: self.host.to_owned(),
            path: self.plan.path().to_owned(),
            headers,
            body: self.plan.body().to_string(),
        }
    }

    /// Asks for the answer where `accepted` says, until it is there.
    async fn follow(mut self, accepted: &Answer) -> Ended {
        self.ended.polled = true;
        self.ended.accepted = Some(Instant::now());
        if accepted.json["status"] != "running" || accepted.json["job_id"] == Value::Null {
            self.fault("the body of a 202", accepted);
        }
        let mut next = self.next(accepted);
        let began = Instant::now();
        let mut failed = 0;
        while let Some((path, wait)) = next.clone() {
            tokio::time::sleep(wait).await;
            if began.elapsed() > self.platform.follows {
                self.ended.faults.push(format!("{path} runs for ever"));
                break;
            }
            let message = self.poll(path);
            self.ended.polls += 1;
            match exchange(&message, self.platform.limit, Leave::Close).await {
                Ok(answer) if answer.status == 202 => {
                    failed = 0;
                    next = self.next(&answer);
                    continue;
                }
                Ok(answer) if !passes(answer.status) => return self.end(&answer),
                Ok(answer) => self.keep_failure(&answer).await,
                Err(_) => {}
            }
            if failed == self.platform.repeats {
                break;
            }
            self.back_off(failed).await;
            failed += 1;
            next = next.map(|(path, _)| (path, Duration::ZERO));
        }
        self.ended
    }

    /// The platform polls with the connection's key, or without: both must do.
    fn poll(&mut self, path: String) -> Message {
        let mut headers = Vec::new();
        if self.rng.bool() {
            headers.push(("authorization", format!("Bearer {}", self.plan.asked.key)));
        }
        Message {
            method: Method::GET,
            host: self.host.to_owned(),
            path,
            headers,
            body: String::new(),
        }
    }

    /// Where and when to ask next, as a 202 must say.
    fn next(&mut self, accepted: &Answer) -> Option<(String, Duration)> {
        let location = accepted.header("location");
        let path = location
            .strip_prefix(&format!("http://{}", self.host))
            .filter(|path| path.starts_with("/api/v1/jobs/") && path.ends_with("/result"));
        let wait = accepted.header("retry-after").parse::<u32>().ok();
        if let (Some(path), Some(seconds)) = (path, wait.filter(|seconds| *seconds > 0)) {
            return Some((path.to_owned(), self.platform.second * seconds));
        }
        let wait = accepted.header("retry-after");
        self.ended.faults.push(format!(
            "a 202 with Location {location:?} and Retry-After {wait:?}"
        ));
        None
    }

    async fn back_off(&mut self, attempt: usize) {
        let exponent = u32::try_from(attempt).unwrap();
        let wait = self.platform.backoff * 2_u32.pow(exponent);
        let wait = wait.min(self.platform.backoff_most);
        tokio::time::sleep(wait.mul_f64(0.5 + self.rng.f64() / 2.0)).await;
    }

    /// Notes a failure that may pass, and waits as long as it says.
    async fn keep_failure(&mut self, answer: &Answer) {
        self.keep(answer);
        if let Ok(wait) = answer.header("retry-after").parse::<u32>() {
            tokio::time::sleep(self.platform.second * wait).await;
        }
    }

    /// Notes an answer that may not be the last one.
    fn keep(&mut self, answer: &Answer) {
        self.ended.status = answer.status;
        self.ended.body = answer.json.clone();
    }

    fn end(mut self, answer: &Answer) -> Ended {
        self.keep(answer);
        self.ended.replayed = answer.header("x-replayed") == "true";
        self.ended
    }

    fn fault(&mut self, what: &str, answer: &Answer) {
        let fault = format!("{what} was {} {}", answer.status, answer.json);
        self.ended.faults.push(fault);
    }
}

/// Whether the platform repeats a call that was answered with `status`.
pub(super) fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}
