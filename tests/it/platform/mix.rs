//! The calls of a run: what makers do, in a proportion that keeps every path busy. The same seed
//! makes the same calls.

use std::{ops::Range, time::Duration};

use fastrand::Rng;
use serde_json::{Value, json};

use super::ledger::Asked;

/// The actions that are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Ask,
    ChatCompletion,
    CreateImage,
}

/// How a call asks to be a job at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Background {
    Field,
    Header,
}

/// One call: what is asked, how upstream will take it, and how patient its caller is.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) asked: Asked,
    pub(super) action: Action,
    /// How long upstream takes to answer.
    pub(super) takes: Duration,
    /// How upstream fails the first times, as models of the sandbox that misbehave.
    pub(super) faults: Vec<&'static str>,
    /// How upstream refuses it for good, as such a model.
    pub(super) refusal: Option<&'static str>,
    pub(super) background: Option<Background>,
    /// The caller's own key for this call.
    pub(super) idempotency: Option<String>,
    /// How long the caller waits the first times, if not as long as the platform does.
    pub(super) patience: Vec<Duration>,
}

/// Failures that may pass. Nothing is billed for them.
const FAULTS: [&str; 5] = [
    "sandbox/provider-down",
    "sandbox/overloaded",
    "sandbox/rate-limited",
    "sandbox/error-in-200",
    "sandbox/drops-connection",
];

/// Failures that do not pass; the last is a model that does not exist.
const REFUSALS: [&str; 3] = ["sandbox/no-credits", "sandbox/refuses", "nobody/nothing"];

/// The keys of the callers.
const KEYS: usize = 5;

const FAST: Range<u64> = 20..250;
/// Longer than a caller is kept waiting.
const SLOW: Range<u64> = 950..2_200;
const ANY: Range<u64> = 100..1_800;

fn within(rng: &mut Rng, range: Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}

/// The `calls` of a run, in the order in which they are made.
pub(super) fn plans(calls: usize, rng: &mut Rng) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    // As many of each kind in every run.
    let mut kinds: Vec<_> = (0..calls).map(|nth| nth * 100 / calls).collect();
    rng.shuffle(&mut kinds);
    for (number, kind) in kinds.into_iter().enumerate() {
        let key = rng.usize(0..KEYS);
        let before = plans.last().cloned();
        let plan = match before {
            // The same prompt with another key is another call, with an answer of its own.
            Some(twin) if rng.u8(0..100) < 10 && twin.asked.prompt == number - 1 => {
                twin.with_other_key()
            }
            _ => Plan::new(number, key, kind, rng),
        };
        plans.push(plan);
    }
    plans
}

impl Plan {
    fn new(number: usize, key: usize, kind: usize, rng: &mut Rng) -> Self {
        let chat = if rng.bool() {
            Action::Ask
        } else {
            Action::ChatCompletion
        };
        let mut plan = Self {
            asked: Asked {
                prompt: number,
                key: key_named(key),
            },
            action: chat,
            takes: within(rng, FAST),
            faults: Vec::new(),
            refusal: None,
            background: None,
            idempotency: None,
            patience: Vec::new(),
        };
        match kind {
            0..20 => {}
            20..30 => {
                let times = rng.usize(1..3);
                plan.faults = (0..times).map(|_| FAULTS[rng.usize(0..5)]).collect();
            }
            30..36 => plan.refusal = Some(REFUSALS[rng.usize(0..3)]),
            36..42 => plan.action = Action::CreateImage,
            42..62 => plan.takes = within(rng, SLOW),
            62..72 => {
                plan.takes = within(rng, ANY);
                plan.background = Some(if rng.bool() {
                    Background::Field
                } else {
                    Background::Header
                });
            }
            72..77 => {
                plan.action = Action::CreateImage;
                plan.takes = within(rng, SLOW);
            }
            _ => {
                plan.takes = within(rng, ANY);
                let takes = u64::try_from(plan.takes.as_millis()).unwrap();
                let times = rng.usize(1..4);
                plan.patience = (0..times).map(|_| within(rng, 5..takes + 200)).collect();
            }
        }
        if rng.u8(0..100) < 20 {
            plan.idempotency = Some(format!("run-{number}"));
        }
        plan
    }

    fn with_other_key(mut self) -> Self {
        let own = (0..KEYS).find(|key| key_named(*key) == self.asked.key);
        self.asked.key = key_named((own.unwrap_or_default() + 1) % KEYS);
        self
    }

    /// The body of the call.
    pub(super) fn body(&self) -> Value {
        let prompt = format!("[call {}] What is it?", self.asked.prompt);
        let mut body = match self.action {
            Action::Ask => json!({"model": "openai/gpt-4o", "user_prompt": prompt}),
            Action::ChatCompletion => json!({
                "model": "openai/gpt-4o", "messages": [{"role": "user", "content": prompt}],
            }),
            Action::CreateImage => json!({
                "model": "black-forest-labs/flux.2-pro", "prompt": prompt, "size": "0.5K",
            }),
        };
        if self.background == Some(Background::Field) {
            body["background_run"] = true.into();
        }
        body
    }

    /// The path of the call.
    pub(super) fn path(&self) -> &'static str {
        match self.action {
            Action::Ask => "/api/v1/ask",
            Action::ChatCompletion => "/api/v1/chat/completions",
            Action::CreateImage => "/api/v1/images",
        }
    }

    /// What the answer `body` says, as the ledger has it.
    pub(super) fn said(&self, body: &Value) -> String {
        let place = match self.action {
            Action::Ask => "/text",
            Action::ChatCompletion => "/content",
            Action::CreateImage => "/image/content",
        };
        let said = body.pointer(place).and_then(Value::as_str);
        said.unwrap_or_default().to_owned()
    }
}

fn key_named(number: usize) -> String {
    format!("sandbox-{number}")
}

/// The number of the call whose prompt stands in `body`.
pub(super) fn prompt_in(body: &str) -> Option<usize> {
    let (_, rest) = body.split_once("[call ")?;
    rest.split_once(']')?.0.parse().ok()
}
