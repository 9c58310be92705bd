//! What is remembered of each call, for the questions about it afterwards.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::catalogue::{Model, Provider, providers_of};
use super::incoming::App;
use super::usage::{Used, float};

/// How many generations are kept; the oldest are forgotten first.
const KEPT: usize = 1_000;

/// How long a generation cannot be found after the call, as with the real service.
const DELAY: Duration = Duration::from_secs(1);

/// The generations of this process, newest last.
#[derive(Default)]
pub(super) struct Generations {
    kept: VecDeque<Generation>,
    spent: f64,
}

struct Generation {
    id: String,
    since: Instant,
    record: Value,
}

impl Generations {
    pub(super) fn remember(&mut self, id: &str, record: Value) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.spent += record["total_cost"].as_f64().unwrap_or(0.0);
        self.kept.push_back(Generation {
            id: id.to_owned(),
            since: Instant::now(),
            record,
        });
    }

    /// The record of a generation, once it can be found.
    pub(super) fn find(&self, id: &str) -> Option<&Value> {
        let known = self
            .kept
            .iter()
            .rev()
            .find(|generation| generation.id == id)?;
        (known.since.elapsed() >= DELAY).then_some(&known.record)
    }

    /// What all calls so far have cost, also those no longer kept.
    pub(super) fn spent(&self) -> f64 {
        self.spent
    }
}

/// The facts of one call.
pub(super) struct Facts<'a> {
    pub(super) id: &'a str,
    /// `completions`, `embeddings`, `rerank`, `tts`, `stt`, `video` or `image`.
    pub(super) api_type: &'static str,
    pub(super) model: &'a Model,
    pub(super) provider: Provider,
    pub(super) used: Used,
    pub(super) cost: f64,
    pub(super) app: &'a App,
    /// The finish reason, in the common word and the provider's own.
    pub(super) finish: Option<(&'static str, &'static str)>,
    pub(super) streamed: bool,
    /// The router the request named, when it named one.
    pub(super) router: Option<&'static str>,
    pub(super) user: Option<&'a str>,
    pub(super) media_in: usize,
}

impl<'a> Facts<'a> {
    /// The facts most calls have; the caller adds what is special.
    pub(super) fn of(
        id: &'a str,
        api_type: &'static str,
        model: &'a Model,
        used: Used,
        cost: f64,
        app: &'a App,
    ) -> Self {
        Self {
            id,
            api_type,
            model,
            provider: providers_of(model)[0],
            used,
            cost,
            app,
            finish: None,
            streamed: false,
            router: None,
            user: None,
            media_in: 0,
        }
    }

    /// The record as `/generation` gives it.
    pub(super) fn record(&self) -> Value {
        let used = &self.used;
        let time = 300.0 + 12.0 * float(used.completion);
        let (finish, native) = self.finish.unzip();
        let key = super::usage::hash(&[self.id]);
        let mut record = json!({
            "id": self.id,
            "upstream_id": format!("chatcmpl-{key:016x}"),
            "request_id": format!("req-{}-{key:016x}", now()),
            "total_cost": self.cost,
            "cache_discount": null,
            "upstream_inference_cost": 0,
            "provider_name": self.provider.name,
            "created_at": timestamp(now()),
            "model": self.model.id,
            "app_id": null,
            "external_user": self.user,
            "streamed": self.streamed,
            "cancelled": false,
            "latency": time / 2.0,
            "moderation_latency": null,
            "generation_time": time,
            "tokens_prompt": used.prompt,
            "tokens_completion": used.completion,
            "native_tokens_prompt": used.prompt,
            "native_tokens_completion": used.completion,
        });
        let rest = json!({
            "native_tokens_completion_images": (used.image > 0).then_some(used.image),
            "native_tokens_reasoning": used.reasoning,
            "native_tokens_cached": 0,
            "num_media_prompt": (self.media_in > 0).then_some(self.media_in),
            "num_input_audio_prompt": null,
            "num_media_completion": (used.pictures > 0).then_some(used.pictures),
            "num_search_results": (used.searches > 0).then_some(used.searches),
            "num_fetches": null,
            "web_search_engine": (used.searches > 0).then_some("exa"),
            "origin": self.app.referer.as_deref().unwrap_or_default(),
            "http_referer": self.app.referer,
            "user_agent": self.app.user_agent,
            "session_id": self.app.session,
            "usage": self.cost,
            "is_byok": false,
            "native_finish_reason": native,
            "finish_reason": finish,
            "api_type": self.api_type,
            "router": self.router,
            "preset_id": null,
            "service_tier": null,
            "data_region": "global",
            "provider_responses": [{
                "provider_name": self.provider.name,
                "model_permaslug": self.model.id,
                "status": 200,
                "latency": time / 2.0,
                "is_byok": false,
            }],
        });
        if let (Value::Object(record), Value::Object(rest)) = (&mut record, rest) {
            record.extend(rest);
        }
        record
    }
}

/// A moment in the notation of the real records, such as `2026-01-31T09:30:00+00:00`.
pub(super) fn timestamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years are counted from March here, so that the leap day is the last one of its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, turned) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!(
        "{:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}+00:00",
        era * 400 + year + turned,
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// A new id that no other call has.
pub(super) fn new_id(prefix: &str) -> String {
    // A fresh RandomState differs each time: that is all the randomness an id needs.
    let [left, right] = [1, 2].map(|salt| RandomState::new().hash_one(salt));
    format!("{prefix}-{}-{left:016x}{right:016x}", now())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_oldest_go_first_and_the_cost_stays() {
        let mut generations = Generations::default();
        for number in 0..=KEPT {
            generations.remember(&format!("gen-{number}"), json!({ "total_cost": 0.5 }));
        }
        assert_eq!(generations.kept.len(), KEPT);
        assert_eq!(generations.kept[0].id, "gen-1");
        assert!((generations.spent() - 500.5).abs() < 1e-9);
        assert!(generations.find("gen-5").is_none(), "too early to be found");
    }

    #[test]
    fn moments_are_written_as_dates() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00+00:00");
        assert_eq!(timestamp(951_782_399), "2000-02-28T23:59:59+00:00");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00+00:00");
        assert_eq!(timestamp(1_767_225_599), "2025-12-31T23:59:59+00:00");
        assert_eq!(timestamp(1_767_225_600), "2026-01-01T00:00:00+00:00");
    }

    #[test]
    fn ids_differ() {
        assert_ne!(new_id("gen"), new_id("gen"));
    }
}
