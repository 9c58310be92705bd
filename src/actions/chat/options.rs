//! The generation options: flat for a maker, nested for OpenRouter, one code for every action
//! that generates text.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::structured::AnswerSchema;
use crate::{
    catalog::Catalog,
    endpoint::{
        Input, Overlay, field_names, unknown_field,
        overlay::{At, Dropdown, Set, Source},
    },
    error::{Error, Kind, Result},
    openrouter::{
        chat::{MaxPrice, Options, ProviderPreferences, Reasoning},
        models::Model,
    },
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay { at: At::Properties("GenerationOptions"), set: &[Set::Advanced] },
    Overlay::property("GenerationOptions", "logit_bias", &[Set::Dictionary]),
    Overlay::property("GenerationOptions", "metadata", &[Set::Dictionary]),
    Overlay { at: At::Items("GenerationOptions", "fallback_models"), set: &[TEXT_MODELS] },
    Overlay { at: At::Items("GenerationOptions", "provider_order"), set: &[PROVIDERS] },
    Overlay { at: At::Items("GenerationOptions", "provider_only"), set: &[PROVIDERS] },
    Overlay { at: At::Items("GenerationOptions", "provider_ignore"), set: &[PROVIDERS] },
    Overlay {
        at: At::Schema("ReasoningEffort"),
        set: &[Set::Names(&[
            ("none", "None"),
            ("minimal", "Minimal"),
            ("low", "Low"),
            ("medium", "Medium"),
            ("high", "High"),
            ("xhigh", "Extra high"),
            ("max", "Maximum"),
        ])],
    },
    Overlay {
        at: At::Schema("ResponseFormat"),
        set: &[Set::Names(&[
            ("text", "Text"),
            ("json_object", "Any JSON object"),
            ("json_schema", "JSON that fits the response schema"),
        ])],
    },
];

/// Adds the options to a request's own inputs.
pub(crate) const OPTIONS: Set = Set::Flatten("GenerationOptions", &[]);

/// A dropdown of the models that answer with text.
pub(crate) const TEXT_MODELS: Set = Set::Dropdown(Dropdown {
    operation: "ListModelChoices",
    parameters: &[("output_modality", Source::Text("text"))],
});

const PROVIDERS: Set =
    Set::Dropdown(Dropdown { operation: "ListProviderChoices", parameters: &[] });

/// How long a call waits for the list of models, which says what a model supports.
const CATALOG_PATIENCE: Duration = Duration::from_secs(3);

/// How a text is generated. What is left out is not sent, so that the model's own default holds.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct GenerationOptions {
    /// Temperature
    ///
    /// How varied the answer is, from 0 (always the likeliest words) to 2 (very varied).
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
    /// The newer name of Max Tokens, which counts the tokens of reasoning too; 1 or more.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    pub max_completion_tokens: Option<u32>,
    /// Reasoning Effort
    ///
    /// How much a reasoning model thinks before it answers. More takes longer and costs more.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Reasoning Max Tokens
    ///
    /// The most tokens that a reasoning model may think with, 1 or more; instead of Reasoning Effort.
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    pub reasoning_max_tokens: Option<u32>,
    /// Exclude Reasoning
    ///
    /// Yes to let the model think without its thoughts in the answer.
    pub exclude_reasoning: Option<bool>,
    /// Verbosity
    ///
    /// How long and detailed the answer is, for models that support it.
    pub verbosity: Option<Verbosity>,
    /// Response Format
    ///
    /// Text, any JSON object, or JSON that fits the Response Schema.
    pub response_format: Option<ResponseFormat>,
    /// Response Schema
    ///
    /// The JSON Schema that the answer must fit, as text; with the format JSON schema.
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
    /// A whole number that makes answers repeatable, for models that support it.
    pub seed: Option<i64>,
    /// Top P
    ///
    /// Only the likeliest words that together reach this probability are considered, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub top_p: Option<f64>,
    /// Top K
    ///
    /// Only this many of the likeliest words are considered; 0 considers all.
    #[schema(minimum = 0)]
    pub top_k: Option<u32>,
    /// Min P
    ///
    /// The least probability of a word, relative to the likeliest one, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub min_p: Option<f64>,
    /// Top A
    ///
    /// Considers fewer words the surer the model is, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    #[schema(minimum = 0, maximum = 1)]
    pub top_a: Option<f64>,
    /// Frequency Penalty
    ///
    /// Makes words rarer the more often they were used, -2 to 2; negative values make them more frequent.
    #[validate(range(min = -2.0, max = 2.0))]
    #[schema(minimum = -2, maximum = 2)]
    pub frequency_penalty: Option<f64>,
    /// Presence Penalty
    ///
    /// Makes words that were used at all rarer, -2 to 2; negative values make them more frequent.
    #[validate(range(min = -2.0, max = 2.0))]
    #[schema(minimum = -2, maximum = 2)]
    pub presence_penalty: Option<f64>,
    /// Repetition Penalty
    ///
    /// Makes repetition rarer, 0 to 2; 1 changes nothing.
    #[validate(range(min = 0.0, max = 2.0))]
    #[schema(minimum = 0, maximum = 2)]
    pub repetition_penalty: Option<f64>,
    /// Logit Bias
    ///
    /// Makes single tokens likelier or rarer: pairs of a token's id and a number from -100 to 100.
    #[validate(custom(function = "bias_in_bounds"))]
    pub logit_bias: Option<BTreeMap<String, f64>>,
    /// Logprobs
    ///
    /// Yes to ask the model for the probabilities of its words.
    pub logprobs: Option<bool>,
    /// Top Logprobs
    ///
    /// How many alternatives to each word are asked for, 0 to 20; with Logprobs.
    #[validate(range(min = 0, max = 20))]
    #[schema(minimum = 0, maximum = 20)]
    pub top_logprobs: Option<u8>,
    /// Fallback Models
    ///
    /// Models to try in this order when the first one fails. The one that answered is billed.
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
    /// Prefers the cheapest, the fastest or the quickest provider.
    pub provider_sort: Option<ProviderSort>,
    /// Allow Fallbacks
    ///
    /// No to fail instead of trying another provider. Default yes.
    pub allow_fallbacks: Option<bool>,
    /// Require Parameters
    ///
    /// Yes to use only providers that support every option that is set. Default no.
    pub require_parameters: Option<bool>,
    /// Data Collection
    ///
    /// Whether providers that keep or train on prompts may answer.
    pub data_collection: Option<DataCollection>,
    /// Zero Data Retention
    ///
    /// Yes to use only providers that keep nothing.
    pub zero_data_retention: Option<bool>,
    /// Max Prompt Price
    ///
    /// The highest price of the prompt in USD per million tokens; dearer providers are not used.
    #[validate(range(min = 0.0))]
    #[schema(minimum = 0)]
    pub max_prompt_price: Option<f64>,
    /// Max Completion Price
    ///
    /// The highest price of the answer in USD per million tokens; dearer providers are not used.
    #[validate(range(min = 0.0))]
    #[schema(minimum = 0)]
    pub max_completion_price: Option<f64>,
    /// Max Cost
    ///
    /// The most that the call may cost in USD. A call that could cost more is refused before it is made.
    #[validate(range(min = 0.0))]
    #[schema(minimum = 0)]
    pub max_cost: Option<f64>,
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
    /// The tools that the model may ask for, as a JSON list in OpenRouter's format.
    #[schema(value_type = Option<String>)]
    pub tools: Option<JsonText>,
    /// Tool Choice
    ///
    /// Whether the model calls a tool: none, auto, required, or the name of one tool.
    pub tool_choice: Option<String>,
    /// Service Tier
    ///
    /// The provider's service level, such as flex (cheaper, slower) or priority (faster, dearer).
    pub service_tier: Option<ServiceTier>,
    /// Session ID
    ///
    /// Groups calls that belong together and keeps them with one provider; up to 256 characters.
    #[validate(length(max = 256))]
    #[schema(max_length = 256)]
    pub session_id: Option<String>,
    /// User
    ///
    /// An id of the end user, which helps to find abuse; send no names or addresses.
    pub user: Option<String>,
    /// Metadata
    ///
    /// Up to 16 pairs of name and value that OpenRouter keeps with the call.
    #[validate(custom(function = "metadata_in_bounds"))]
    pub metadata: Option<BTreeMap<String, String>>,
}

macro_rules! choices {
    ($($(#[doc = $doc:literal])+ $name:ident { $($variant:ident = $text:tt),+ $(,)? })+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
            #[expect(missing_docs, reason = "the variants are the values of OpenRouter's API")]
            pub enum $name { $(#[serde(rename = $text)] $variant,)+ }

            impl $name {
                fn text(self) -> String {
                    match self { $(Self::$variant => $text,)+ }.to_owned()
                }
            }
        )+
    };
}

choices! {
    /// How much a reasoning model thinks.
    ReasoningEffort {
        None = "none", Minimal = "minimal", Low = "low", Medium = "medium", High = "high",
        ExtraHigh = "xhigh", Max = "max",
    }
    /// How detailed the answer is.
    Verbosity { Low = "low", Medium = "medium", High = "high", ExtraHigh = "xhigh", Max = "max" }
    /// The form of the answer.
    ResponseFormat { Text = "text", JsonObject = "json_object", JsonSchema = "json_schema" }
    /// What makes a provider preferred.
    ProviderSort { Price = "price", Throughput = "throughput", Latency = "latency" }
    /// Whether providers that keep prompts may answer.
    DataCollection { Allow = "allow", Deny = "deny" }
    /// How PDF files are read.
    PdfEngine { Native = "native", MistralOcr = "mistral-ocr", CloudflareAi = "cloudflare-ai" }
    /// The provider's service level.
    ServiceTier {
        Auto = "auto", Default = "default", Flex = "flex", Priority = "priority", Scale = "scale",
    }
}

/// JSON that a maker writes as text. A value that arrives as JSON already is taken as it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct JsonText(Value);

impl JsonText {
    /// The value that the text holds.
    ///
    /// # Errors
    ///
    /// `400` for `field` with the place of the first fault.
    pub fn value(&self, field: &'static str) -> Result<Value> {
        let Value::String(text) = &self.0 else { return Ok(self.0.clone()) };
        serde_json::from_str(text).map_err(|cause| {
            let (line, column) = (cause.line(), cause.column());
            Error::invalid(field, format!("{field} is not JSON: line {line}, column {column}."))
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
        "may have 16 pairs at most, with names of up to 64 and values of up to 512 characters.".into(),
    ))
}

/// The input of an action together with the generation options, in one flat object.
#[derive(Debug)]
pub struct WithOptions<T> {
    /// The action's own input.
    pub own: T,
    /// The options.
    pub options: GenerationOptions,
}

impl<T: DeserializeOwned + Validate> Input for WithOptions<T> {
    /// Splits the object by the options' names, so that each half tells its own faults by path.
    fn from_json(value: Value) -> Result<Self> {
        let Value::Object(all) = value else {
            return Err(Error::new(Kind::InvalidRequest, "The body must be an object."));
        };
        let (own_names, names) = (field_names::<T>(), field_names::<GenerationOptions>());
        let known: Vec<_> = own_names.iter().chain(names).copied().collect();
        let unknown = all.keys().find(|name| {
            !known.contains(&name.as_str()) && !name.to_ascii_lowercase().starts_with("x-")
        });
        if let Some(unknown) = unknown {
            return Err(unknown_field(unknown, &known));
        }
        // A name that both have is the action's own.
        let (options, own): (Map<_, _>, Map<_, _>) = all.into_iter().partition(|(name, _)| {
            names.contains(&name.as_str()) && !own_names.contains(&name.as_str())
        });
        Ok(Self {
            own: T::from_json(Value::Object(own))?,
            options: GenerationOptions::from_json(Value::Object(options))?,
        })
    }
}

impl GenerationOptions {
    /// The options as OpenRouter takes them; what has no effect is named in `warnings`.
    ///
    /// # Errors
    ///
    /// `400` for JSON that cannot be read, or a format without its schema.
    pub(crate) fn to_upstream(
        &self,
        model: Option<&Model>,
        warnings: &mut Vec<String>,
    ) -> Result<Options> {
        self.warn_unsupported(model, warnings);
        Ok(Options {
            models: self.fallback_models.clone(),
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            min_p: self.min_p,
            top_a: self.top_a,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            repetition_penalty: self.repetition_penalty,
            seed: self.seed,
            stop: self.stop.clone(),
            logit_bias: self.logit_bias.clone(),
            logprobs: self.logprobs,
            top_logprobs: self.top_logprobs,
            max_tokens: self.max_tokens,
            max_completion_tokens: self.max_completion_tokens,
            reasoning: self.reasoning(warnings),
            verbosity: self.verbosity.map(Verbosity::text),
            response_format: self.response_format(warnings)?,
            tools: self.tools()?,
            tool_choice: self.tool_choice(),
            modalities: None,
            provider: self.provider(),
            plugins: self.plugins(warnings),
            service_tier: self.service_tier.map(ServiceTier::text),
            session_id: self.session_id.clone(),
            user: self.user.clone(),
            metadata: self.metadata.clone(),
        })
    }

    fn reasoning(&self, warnings: &mut Vec<String>) -> Option<Reasoning> {
        let both = self.reasoning_effort.is_some() && self.reasoning_max_tokens.is_some();
        if both {
            warnings.push(
                "reasoning_max_tokens is ignored, because reasoning_effort is set too.".to_owned(),
            );
        }
        let reasoning = Reasoning {
            effort: self.reasoning_effort.map(ReasoningEffort::text),
            max_tokens: self.reasoning_max_tokens.filter(|_| !both),
            exclude: self.exclude_reasoning,
        };
        (reasoning != Reasoning::default()).then_some(reasoning)
    }

    fn response_format(&self, warnings: &mut Vec<String>) -> Result<Option<Value>> {
        // A schema alone can only mean that the answer shall fit it.
        let format = self
            .response_format
            .or_else(|| self.response_schema.as_ref().map(|_| ResponseFormat::JsonSchema));
        let Some(format) = format else { return Ok(None) };
        if format == ResponseFormat::JsonSchema {
            let Some(schema) = &self.response_schema else {
                return Err(Error::invalid(
                    "response_schema",
                    "response_schema is required with the response format json_schema.",
                ));
            };
            let schema = AnswerSchema::read("response_schema", schema)?;
            return Ok(Some(schema.response_format(warnings)));
        }
        if self.response_schema.is_some() {
            warnings.push(format!(
                "response_schema is ignored, because the response format is {}.",
                format.text()
            ));
        }
        Ok(Some(json!({"type": format.text()})))
    }

    fn tools(&self) -> Result<Option<Value>> {
        let Some(tools) = &self.tools else { return Ok(None) };
        match tools.value("tools")? {
            Value::Array(tools) if tools.is_empty() => Ok(None),
            tools @ Value::Array(_) => Ok(Some(tools)),
            _ => Err(Error::invalid("tools", "tools must be a JSON list of tools.")),
        }
    }

    fn tool_choice(&self) -> Option<Value> {
        let choice = self.tool_choice.as_deref()?;
        Some(match choice {
            "none" | "auto" | "required" => json!(choice),
            name => json!({"type": "function", "function": {"name": name}}),
        })
    }

    fn provider(&self) -> Option<ProviderPreferences> {
        let price = MaxPrice {
            prompt: self.max_prompt_price.map(|price| price.to_string()),
            completion: self.max_completion_price.map(|price| price.to_string()),
        };
        let provider = ProviderPreferences {
            order: self.provider_order.clone(),
            only: self.provider_only.clone(),
            ignore: self.provider_ignore.clone(),
            sort: self.provider_sort.map(ProviderSort::text),
            allow_fallbacks: self.allow_fallbacks,
            require_parameters: self.require_parameters,
            data_collection: self.data_collection.map(DataCollection::text),
            zdr: self.zero_data_retention,
            max_price: (price != MaxPrice::default()).then_some(price),
        };
        (provider != ProviderPreferences::default()).then_some(provider)
    }

    fn plugins(&self, warnings: &mut Vec<String>) -> Option<Vec<Value>> {
        let mut plugins = Vec::new();
        match (self.web_search, self.web_search_max_results) {
            (Some(true), Some(most)) => plugins.push(json!({"id": "web", "max_results": most})),
            (Some(true), None) => plugins.push(json!({"id": "web"})),
            // Said outright, it also turns off a search that the account has as its default.
            (Some(false), _) => plugins.push(json!({"id": "web", "enabled": false})),
            (None, Some(_)) => warnings
                .push("web_search_max_results is ignored, because web_search is not set.".to_owned()),
            (None, None) => {}
        }
        if let Some(engine) = self.pdf_engine {
            plugins.push(json!({"id": "file-parser", "pdf": {"engine": engine.text()}}));
        }
        (!plugins.is_empty()).then_some(plugins)
    }

    /// Names what the model's providers would drop without a word.
    fn warn_unsupported(&self, model: Option<&Model>, warnings: &mut Vec<String>) {
        let Some(model) = model.filter(|model| !model.supported_parameters.is_empty()) else {
            return;
        };
        let supports =
            |names: &[&str]| names.iter().any(|name| model.supported_parameters.iter().any(|p| p == name));
        let length: &[&str] = &["max_tokens", "max_completion_tokens"];
        let format: &[&str] = match self.response_format {
            Some(ResponseFormat::Text) => &[],
            Some(ResponseFormat::JsonObject) => &["response_format"],
            _ => &["structured_outputs", "response_format"],
        };
        let asked = self.response_format.is_some() || self.response_schema.is_some();
        let options: &[(&str, bool, &[&str])] = &[
            ("temperature", self.temperature.is_some(), &["temperature"]),
            ("top_p", self.top_p.is_some(), &["top_p"]),
            ("top_k", self.top_k.is_some(), &["top_k"]),
            ("min_p", self.min_p.is_some(), &["min_p"]),
            ("top_a", self.top_a.is_some(), &["top_a"]),
            ("frequency_penalty", self.frequency_penalty.is_some(), &["frequency_penalty"]),
            ("presence_penalty", self.presence_penalty.is_some(), &["presence_penalty"]),
            ("repetition_penalty", self.repetition_penalty.is_some(), &["repetition_penalty"]),
            ("seed", self.seed.is_some(), &["seed"]),
            ("stop", self.stop.is_some(), &["stop"]),
            ("logit_bias", self.logit_bias.is_some(), &["logit_bias"]),
            ("logprobs", self.logprobs.is_some(), &["logprobs"]),
            ("top_logprobs", self.top_logprobs.is_some(), &["top_logprobs"]),
            ("max_tokens", self.max_tokens.is_some(), length),
            ("max_completion_tokens", self.max_completion_tokens.is_some(), length),
            ("reasoning_effort", self.reasoning_effort.is_some(), &["reasoning", "reasoning_effort"]),
            ("reasoning_max_tokens", self.reasoning_max_tokens.is_some(), &["reasoning"]),
            ("exclude_reasoning", self.exclude_reasoning.is_some(), &["include_reasoning", "reasoning"]),
            ("verbosity", self.verbosity.is_some(), &["verbosity"]),
            ("response_format", asked && !format.is_empty(), format),
            ("tools", self.tools.is_some(), &["tools"]),
            ("tool_choice", self.tool_choice.is_some(), &["tool_choice"]),
        ];
        let id = model.id.as_deref().unwrap_or_default();
        for (name, set, names) in options {
            if *set && !supports(names) {
                warnings.push(format!("{name} has no effect: {id} does not support it."));
            }
        }
    }

    /// Refuses a call that could cost more than `max_cost`, by the catalogue's prices.
    ///
    /// # Errors
    ///
    /// `402` with the code `cost_limit`.
    pub(crate) fn check_cost(
        &self,
        model: Option<&Model>,
        prompt_bytes: usize,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let Some(limit) = self.max_cost else { return Ok(()) };
        let prices = model.and_then(|model| {
            Some((model, model.pricing.prompt_price()?, model.pricing.completion_price()?))
        });
        let Some((model, prompt_price, completion_price)) = prices else {
            warnings.push(
                "max_cost could not be checked: the price of the model is not known.".to_owned(),
            );
            return Ok(());
        };
        // About four bytes of English make a token; three keeps the estimate on the safe side.
        let prompt_tokens = prompt_bytes.div_ceil(3);
        let most = self.max_completion_tokens.or(self.max_tokens).map(i64::from);
        let Some(answer_tokens) = most.or(model.top_provider.max_completion_tokens) else {
            warnings.push(
                "max_cost could not be checked: set max_tokens, because the model names no limit of its own."
                    .to_owned(),
            );
            return Ok(());
        };
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let worst = prompt_tokens as f64 * prompt_price
            + answer_tokens as f64 * completion_price
            + model.pricing.request_price();
        if worst <= limit {
            return Ok(());
        }
        Err(Error::new(
            Kind::CostLimit,
            format!("The call could cost up to ${worst:.4}, which is more than its max_cost of ${limit}."),
        ))
    }
}

/// The model with `id`, if the list of models can be had soon enough.
pub(crate) async fn look_up(catalog: &Arc<Catalog>, id: &str) -> Option<Model> {
    catalog.get_within(CATALOG_PATIENCE).await?.model(id).cloned()
}
