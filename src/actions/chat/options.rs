//! The generation options: flat for a maker, nested for OpenRouter, one code for every action
//! that generates text.

mod mapping;
mod with_options;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

pub use with_options::WithOptions;

use crate::{
    endpoint::{
        Overlay, choices,
        overlay::{At, Dropdown, Set, Source},
    },
    error::{Error, Result},
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay {
        at: At::Properties("GenerationOptions"),
        set: &[Set::Advanced],
    },
    Overlay {
        at: At::Items("GenerationOptions", "fallback_models"),
        set: &[TEXT_MODELS],
    },
    Overlay {
        at: At::Items("GenerationOptions", "provider_order"),
        set: &[PROVIDERS],
    },
    Overlay {
        at: At::Items("GenerationOptions", "provider_only"),
        set: &[PROVIDERS],
    },
    Overlay {
        at: At::Items("GenerationOptions", "provider_ignore"),
        set: &[PROVIDERS],
    },
    Overlay::names("ReasoningEffort", &[Set::Names(ReasoningEffort::NAMES)]),
    Overlay::names("Verbosity", &[Set::Names(Verbosity::NAMES)]),
    Overlay::names("ResponseFormat", &[Set::Names(ResponseFormat::NAMES)]),
    Overlay::names("ProviderSort", &[Set::Names(ProviderSort::NAMES)]),
    Overlay::names("DataCollection", &[Set::Names(DataCollection::NAMES)]),
    Overlay::names("PdfEngine", &[Set::Names(PdfEngine::NAMES)]),
    Overlay::names("ServiceTier", &[Set::Names(ServiceTier::NAMES)]),
];

/// Adds the options to a request's own inputs.
pub(crate) const OPTIONS: Set = Set::Flatten("GenerationOptions", &[]);

/// A dropdown of the models that answer with text.
pub(crate) const TEXT_MODELS: Set = Set::Dropdown(Dropdown {
    operation: "ListModelChoices",
    parameters: &[("output_modality", Source::Text("text"))],
});

const PROVIDERS: Set = Set::Dropdown(Dropdown {
    operation: "ListProviderChoices",
    parameters: &[],
});

/// How a text is generated. What is left out is not sent, so that the model's own default holds.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct GenerationOptions {
    /// Temperature
    ///
    /// How varied the answer is: 0 is most predictable, 2 most varied. Default set by the model.
    #[validate(range(min = 0.0, max = 2.0))]
    #[schema(minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// Max Tokens
    ///
    /// The most tokens that the answer may have, 1 or more. A token is about four characters of English.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    pub max_tokens: Option<u32>,
    /// Max Completion Tokens
    ///
    /// The most tokens of answer and reasoning together, 1 or more. Some newer models need this instead of Max Tokens.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    pub max_completion_tokens: Option<u32>,
    /// Reasoning Effort
    ///
    /// How much a reasoning model thinks before it answers. More takes longer and costs more.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Reasoning Max Tokens
    ///
    /// The most tokens for reasoning, 1 or more; instead of Reasoning Effort.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    pub reasoning_max_tokens: Option<u32>,
    /// Exclude Reasoning
    ///
    /// Yes to leave the model's reasoning out of the answer. It is billed all the same.
    pub exclude_reasoning: Option<bool>,
    /// Verbosity
    ///
    /// How long and detailed the answer is, for models that support it.
    pub verbosity: Option<Verbosity>,
    /// Response Format
    ///
    /// Text, any JSON object, or JSON that fits the Response Schema. Default Text.
    pub response_format: Option<ResponseFormat>,
    /// Response Schema
    ///
    /// The JSON Schema that the answer must fit, as text; for the format JSON Schema.
    #[schema(value_type = Option<String>)]
    pub response_schema: Option<JsonText>,
    /// Stop
    ///
    /// Up to 4 texts at which the model stops writing.
    #[validate(length(min = 1, max = 4))]
    #[schema(min_items = 1, max_items = 4)]
    pub stop: Option<Vec<String>>,
    /// Seed
    ///
    /// The same whole number gives similar answers again, for models that support it.
    pub seed: Option<i64>,
    /// Top P
    ///
    /// Limits the choice of words to the likeliest ones that together have this probability, 0 to 1. Lower is more predictable.
    #[validate(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub top_p: Option<f64>,
    /// Top K
    ///
    /// Limits the choice to this many of the likeliest words, 0 or more; 0 sets no limit.
    #[schema(minimum = 0)]
    pub top_k: Option<u32>,
    /// Min P
    ///
    /// Leaves out words that are less likely than this share of the likeliest one, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub min_p: Option<f64>,
    /// Top A
    ///
    /// Leaves out unlikely words when the model is sure of one, 0 to 1; 0 leaves out none.
    #[validate(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub top_a: Option<f64>,
    /// Frequency Penalty
    ///
    /// Discourages words the more often they were used, -2 to 2. Negative encourages them.
    #[validate(range(min = -2.0, max = 2.0))]
    #[schema(minimum = -2, maximum = 2)]
    pub frequency_penalty: Option<f64>,
    /// Presence Penalty
    ///
    /// Discourages words that were used at all, -2 to 2. Negative encourages them.
    #[validate(range(min = -2.0, max = 2.0))]
    #[schema(minimum = -2, maximum = 2)]
    pub presence_penalty: Option<f64>,
    /// Repetition Penalty
    ///
    /// Discourages repetition, 0 to 2; 1 changes nothing.
    #[validate(range(min = 0.0, max = 2.0))]
    #[schema(minimum = 0, maximum = 2)]
    pub repetition_penalty: Option<f64>,
    /// Logit Bias
    ///
    /// Raises or lowers the chance of single tokens: token id and a number from -100 to 100.
    #[validate(custom(function = "bias_in_bounds"))]
    pub logit_bias: Option<BTreeMap<String, f64>>,
    /// Logprobs
    ///
    /// Yes to get the probabilities of the answer's tokens under Logprobs.
    pub logprobs: Option<bool>,
    /// Top Logprobs
    ///
    /// How many alternatives to each token are returned, 0 to 20; with Logprobs.
    #[validate(range(min = 0, max = 20))]
    #[schema(minimum = 0, maximum = 20)]
    pub top_logprobs: Option<u8>,
    /// Fallback Models
    ///
    /// Models to try in this order when the first one fails. Only the model that answers is billed.
    pub fallback_models: Option<Vec<String>>,
    /// Provider Order
    ///
    /// Providers to try first, in this order.
    pub provider_order: Option<Vec<String>>,
    /// Provider Only
    ///
    /// The only providers that may answer.
    pub provider_only: Option<Vec<String>>,
    /// Provider Ignore
    ///
    /// Providers that may not answer.
    pub provider_ignore: Option<Vec<String>>,
    /// Provider Sort
    ///
    /// Prefer the provider with the lowest price, the highest throughput, or the shortest wait.
    pub provider_sort: Option<ProviderSort>,
    /// Allow Fallbacks
    ///
    /// Whether other providers may be tried when one fails. Default Yes.
    pub allow_fallbacks: Option<bool>,
    /// Require Parameters
    ///
    /// Yes to use only providers that support every option that is set. Default No.
    pub require_parameters: Option<bool>,
    /// Data Collection
    ///
    /// Whether providers that keep prompts or train on them may be used. Default as set in your account.
    pub data_collection: Option<DataCollection>,
    /// Zero Data Retention
    ///
    /// Yes to use only providers that do not store prompts or answers.
    pub zero_data_retention: Option<bool>,
    /// Max Prompt Price
    ///
    /// The highest price of the prompt in USD per million tokens; more expensive providers are not used.
    #[validate(range(min = 0.0))]
    #[schema(minimum = 0)]
    pub max_prompt_price: Option<f64>,
    /// Max Completion Price
    ///
    /// The highest price of the answer in USD per million tokens; more expensive providers are not used.
    #[validate(range(min = 0.0))]
    #[schema(minimum = 0)]
    pub max_completion_price: Option<f64>,
    /// Max Cost
    ///
    /// The most that the call may cost in USD. A call that could cost more is refused before it is made.
    #[validate(range(min = 0.0))]
    #[schema(minimum = 0)]
    pub max_cost: Option<f64>,
    /// Run in Background
    ///
    /// Yes to get a Job ID at once instead of waiting; Get job then returns the answer. Default No.
    pub background_run: Option<bool>,
    /// Web Search
    ///
    /// Yes to let the model search the web first, which costs extra per search.
    pub web_search: Option<bool>,
    /// Web Search Max Results
    ///
    /// The most results of a web search, 1 to 100. Default 5.
    #[validate(range(min = 1, max = 100))]
    #[schema(minimum = 1, maximum = 100)]
    pub web_search_max_results: Option<u32>,
    /// PDF Engine
    ///
    /// How PDF files are read: native (by the model), mistral-ocr (scans, costs extra per page) or cloudflare-ai (text, free).
    pub pdf_engine: Option<PdfEngine>,
    /// Tools
    ///
    /// The tools that the model may ask for, as a JSON list in OpenRouter's format. The answer lists the calls in Tool Calls; your flow runs them.
    #[schema(value_type = Option<String>)]
    pub tools: Option<JsonText>,
    /// Tool Choice
    ///
    /// Whether the model calls a tool: none, auto, required, or the name of one tool.
    pub tool_choice: Option<String>,
    /// Service Tier
    ///
    /// The provider's service level, such as Flex (cheaper, slower) or Priority (faster, more expensive).
    pub service_tier: Option<ServiceTier>,
    /// Session ID
    ///
    /// Groups calls that belong together and keeps them with one provider; up to 256 characters.
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub session_id: Option<String>,
    /// User
    ///
    /// An id of your end user, to trace abuse. Do not send names or email addresses.
    pub user: Option<String>,
    /// Metadata
    ///
    /// Up to 16 pairs of name and value that OpenRouter keeps with the call.
    #[validate(custom(function = "metadata_in_bounds"))]
    pub metadata: Option<BTreeMap<String, String>>,
}

choices! {
    /// How much a reasoning model thinks.
    ReasoningEffort {
        None = "none" "None", Minimal = "minimal" "Minimal", Low = "low" "Low",
        Medium = "medium" "Medium", High = "high" "High", ExtraHigh = "xhigh" "Extra high",
        Max = "max" "Maximum",
    }
    /// How detailed the answer is.
    Verbosity {
        Low = "low" "Low", Medium = "medium" "Medium", High = "high" "High",
        ExtraHigh = "xhigh" "Extra high", Max = "max" "Maximum",
    }
    /// The form of the answer.
    ResponseFormat {
        Text = "text" "Text", JsonObject = "json_object" "JSON object",
        JsonSchema = "json_schema" "JSON Schema",
    }
    /// What makes a provider preferred.
    ProviderSort {
        Price = "price" "Lowest price", Throughput = "throughput" "Highest throughput",
        Latency = "latency" "Shortest wait",
    }
    /// Whether providers that keep prompts may answer.
    DataCollection { Allow = "allow" "Allow", Deny = "deny" "Deny" }
    /// How PDF files are read.
    PdfEngine {
        Native = "native" "Native (by the model)", MistralOcr = "mistral-ocr" "Mistral OCR (scans)",
        CloudflareAi = "cloudflare-ai" "Cloudflare AI (text, free)",
    }
    /// The provider's service level.
    ServiceTier {
        Auto = "auto" "Auto", Default = "default" "Default", Flex = "flex" "Flex",
        Priority = "priority" "Priority", Scale = "scale" "Scale",
    }
}

/// JSON that a maker writes as text. A value that arrives as JSON already is taken as it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct JsonText(Value);

impl JsonText {
    /// The length of the text in bytes; of JSON that came as such, about as long as its text.
    #[must_use]
    pub fn length(&self) -> usize {
        match &self.0 {
            Value::String(text) => text.len(),
            other => other.to_string().len(),
        }
    }

    /// The value that the text holds.
    ///
    /// # Errors
    ///
    /// `400` for `field` with the place of the first fault.
    pub fn value(&self, field: &'static str) -> Result<Value> {
        let Value::String(text) = &self.0 else {
            return Ok(self.0.clone());
        };
        serde_json::from_str(text).map_err(|cause| {
            let (line, column) = (cause.line(), cause.column());
            Error::invalid(
                field,
                format!("{field} is not JSON: line {line}, column {column}."),
            )
        })
    }
}

impl From<Value> for JsonText {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

fn bias_in_bounds(bias: &BTreeMap<String, f64>) -> Result<(), ValidationError> {
    if bias.values().all(|value| (-100.0..=100.0).contains(value)) {
        return Ok(());
    }
    Err(ValidationError::new("range").with_message("must have values between -100 and 100.".into()))
}

fn metadata_in_bounds(metadata: &BTreeMap<String, String>) -> Result<(), ValidationError> {
    let fits = metadata.len() <= 16
        && metadata
            .iter()
            .all(|(key, value)| key.chars().count() <= 64 && value.chars().count() <= 512);
    if fits {
        return Ok(());
    }
    Err(ValidationError::new("length").with_message(
        "may have 16 pairs at most, with names of up to 64 and values of up to 512 characters."
            .into(),
    ))
}
