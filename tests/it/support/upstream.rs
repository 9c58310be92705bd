//! An OpenRouter that answers what a test tells it, and remembers what it was sent.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{any, method, path},
};

/// The path that the list of models has upstream.
pub(crate) const MODELS: &str = "/models";

/// The path of chats upstream.
pub(crate) const CHAT: &str = "/chat/completions";

/// The path of text completions upstream.
pub(crate) const COMPLETIONS: &str = "/completions";

/// An OpenRouter with a small list of models and nothing else, until it is told more.
pub(crate) struct Upstream {
    server: MockServer,
}

impl Upstream {
    /// Starts one that knows [`models`].
    pub(crate) async fn start() -> Self {
        let upstream = Self::without_models().await;
        let models = ResponseTemplate::new(200).set_body_json(models());
        let mock = Mock::given(method("GET"))
            .and(path("/api/v1/models"))
            .respond_with(models);
        mock.with_priority(9).mount(&upstream.server).await;
        upstream
    }

    /// Starts one that knows nothing.
    pub(crate) async fn without_models() -> Self {
        Self {
            server: MockServer::start().await,
        }
    }

    /// Starts one that answers the chat with `body`.
    pub(crate) async fn chatting(body: Value) -> Self {
        let upstream = Self::start().await;
        upstream.answers(CHAT, body).await;
        upstream
    }

    /// What the service is told as OpenRouter's address.
    pub(crate) fn url(&self) -> String {
        format!("{}/api/v1", self.server.uri())
    }

    /// Answers calls of `at` with `body` from now on; a later order wins.
    pub(crate) async fn answers(&self, at: &str, body: Value) {
        self.responds(at, ResponseTemplate::new(200).set_body_json(body))
            .await;
    }

    /// Answers calls of `at` as `with` says from now on.
    pub(crate) async fn responds(&self, at: &str, with: impl Respond + 'static) {
        let mock = Mock::given(path(format!("/api/v1{at}"))).respond_with(with);
        mock.with_priority(5).mount(&self.server).await;
    }

    /// Answers the next calls of `at`, this many, as `with` says.
    pub(crate) async fn responds_times(&self, at: &str, with: impl Respond + 'static, times: u64) {
        if times == 0 {
            return;
        }
        let mock = Mock::given(path(format!("/api/v1{at}"))).respond_with(with);
        let mock = mock.with_priority(1).up_to_n_times(times);
        mock.mount(&self.server).await;
    }

    /// Answers whatever nothing else answers.
    pub(crate) async fn responds_always(&self, with: impl Respond + 'static) {
        Mock::given(any())
            .respond_with(with)
            .with_priority(200)
            .mount(&self.server)
            .await;
    }

    /// Forgets what it was told and what it was sent.
    pub(crate) async fn forget(&self) {
        self.server.reset().await;
    }

    /// All calls so far, oldest first.
    pub(crate) async fn every_call(&self) -> Vec<Request> {
        self.server.received_requests().await.unwrap()
    }

    /// The calls of `at` so far.
    pub(crate) async fn calls(&self, at: &str) -> Vec<Request> {
        let mut calls = self.server.received_requests().await.unwrap();
        calls.retain(|call| call.url.path() == format!("/api/v1{at}"));
        calls
    }

    /// The one call of `at`.
    pub(crate) async fn call(&self, at: &str) -> Request {
        let mut calls = self.calls(at).await;
        assert_eq!(calls.len(), 1, "calls of {at}");
        calls.remove(0)
    }

    /// What the one call of `at` sent.
    pub(crate) async fn sent(&self, at: &str) -> Value {
        self.call(at).await.body_json().unwrap()
    }
}

/// A header of a call upstream; empty if it was not sent.
pub(crate) fn header<'a>(call: &'a Request, name: &str) -> &'a str {
    call.headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// What is answered next, for tests that change it often.
#[derive(Clone, Default)]
pub(crate) struct Next(Arc<Mutex<Vec<u8>>>);

impl Next {
    /// From now on the answer is this, with status 200.
    pub(crate) fn set(&self, body: impl Into<Vec<u8>>) {
        *self.0.lock().unwrap() = body.into();
    }
}

impl Respond for Next {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let body = self.0.lock().unwrap().clone();
        ResponseTemplate::new(200).set_body_raw(body, "application/json")
    }
}

/// The answer of a chat that says `content`, with everything that upstream may add.
pub(crate) fn chat(content: &str) -> Value {
    json!({
        "id": "gen-1700000000-abc", "object": "chat.completion", "created": 1_700_000_000,
        "model": "openai/gpt-4o-2024-11-20", "provider": "Azure",
        "system_fingerprint": null, "service_tier": null,
        "choices": [{
            "index": 0, "finish_reason": "stop", "native_finish_reason": "STOP", "logprobs": null,
            "message": {
                "role": "assistant", "content": content, "refusal": null, "reasoning": null,
            },
        }],
        "usage": {
            "prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46, "cost": 7.1e-05,
            "is_byok": false,
            "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 20},
            "cost_details": {"upstream_inference_cost": null},
        },
        "a_field_of_tomorrow": {"deep": [1, null]},
    })
}

/// The answer of a text completion that says `text`.
pub(crate) fn completion(text: &str) -> Value {
    json!({
        "id": "gen-1700000000-txt", "object": "text_completion", "created": 1_700_000_000,
        "model": "openai/gpt-3.5-turbo-instruct", "provider": "OpenAI",
        "choices": [{"index": 0, "text": text, "finish_reason": "length", "logprobs": null}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "cost": 0.000_02},
    })
}

/// The list of models: one of each kind that matters.
pub(crate) fn models() -> Value {
    json!({"data": [
        {
            "id": "openai/gpt-4o", "canonical_slug": "openai/gpt-4o", "name": "OpenAI: GPT-4o",
            "created": 1_715_558_400, "description": "Sees.", "context_length": 128_000,
            "architecture": {
                "modality": "text+image->text", "input_modalities": ["text", "image", "file"],
                "output_modalities": ["text"], "tokenizer": "GPT", "instruct_type": null,
            },
            "pricing": {"prompt": "0.0000025", "completion": "0.00001", "request": "0"},
            "top_provider": {"context_length": 128_000, "max_completion_tokens": 16_384, "is_moderated": true},
            "per_request_limits": null,
            "supported_parameters": [
                "temperature", "top_p", "max_tokens", "stop", "seed", "tools", "tool_choice",
                "response_format", "structured_outputs", "logprobs", "top_logprobs", "logit_bias",
                "frequency_penalty", "presence_penalty",
            ],
            "expiration_date": "2027-01-31",
        },
        {
            "id": "meta-llama/llama-3.3-70b-instruct:free", "name": "Meta: Llama 3.3 70B (free) ",
            "created": 1_733_506_137, "description": "", "context_length": 65_536,
            "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
            "pricing": {"prompt": "0", "completion": "0"},
            "top_provider": {"context_length": null, "max_completion_tokens": null},
            "supported_parameters": ["temperature", "max_tokens"],
        },
        {
            "id": "openrouter/auto", "name": "Auto Router", "created": 1_699_401_600,
            "context_length": 2_000_000, "description": null,
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text", "image"]},
            "pricing": {"prompt": "-1", "completion": "-1"}, "top_provider": null,
            "supported_parameters": [],
        },
        {
            "id": "anthropic/claude-opus-4.5", "name": "Anthropic: Claude Opus 4.5",
            "created": 1_764_010_580, "context_length": 200_000,
            "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
            "pricing": {"prompt": "0.000005", "completion": "0.000025"},
            "top_provider": {"max_completion_tokens": 32_000},
            "supported_parameters": ["max_tokens", "reasoning", "tools"],
        },
        {
            "id": "black-forest-labs/flux.2-pro", "name": "FLUX.2 Pro", "created": 1_764_030_274,
            "context_length": 46_864,
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["image"]},
            "pricing": {"prompt": "0", "completion": "0", "request": "0.03"},
            "supported_parameters": ["seed"],
        },
    ]})
}
