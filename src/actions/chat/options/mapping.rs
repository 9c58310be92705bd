//! The generation options as OpenRouter takes them, and what is told of those without effect.

use serde_json::{Value, json};

use super::{
    DataCollection, GenerationOptions, JsonText, ProviderSort, ReasoningEffort, ResponseFormat,
    ServiceTier, Verbosity,
};
use crate::{
    actions::chat::structured::AnswerSchema,
    error::{Error, Kind, Result},
    openrouter::{
        chat::{MaxPrice, Options, ProviderPreferences, Reasoning},
        models::Model,
    },
};

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
            verbosity: self.verbosity.map(Verbosity::sent),
            response_format: self.response_format(warnings)?,
            tools: self.tools()?,
            tool_choice: self.tool_choice(),
            modalities: None,
            image_config: None,
            provider: self.provider(),
            plugins: self.plugins(warnings),
            service_tier: self.service_tier.map(ServiceTier::sent),
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
            effort: self.reasoning_effort.map(ReasoningEffort::sent),
            max_tokens: self.reasoning_max_tokens.filter(|_| !both),
            exclude: self.exclude_reasoning,
        };
        (reasoning != Reasoning::default()).then_some(reasoning)
    }

    fn response_format(&self, warnings: &mut Vec<String>) -> Result<Option<Value>> {
        // A schema alone can only mean that the answer shall fit it.
        let format = self.response_format.or_else(|| {
            self.response_schema
                .as_ref()
                .map(|_| ResponseFormat::JsonSchema)
        });
        let Some(format) = format else {
            return Ok(None);
        };
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
                format.sent()
            ));
        }
        Ok(Some(json!({"type": format.sent()})))
    }

    fn tools(&self) -> Result<Option<Value>> {
        let Some(tools) = &self.tools else {
            return Ok(None);
        };
        match tools.value("tools")? {
            Value::Array(tools) if tools.is_empty() => Ok(None),
            tools @ Value::Array(_) => Ok(Some(tools)),
            _ => Err(Error::invalid(
                "tools",
                "tools must be a JSON list of tools.",
            )),
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
            sort: self.provider_sort.map(ProviderSort::sent),
            allow_fallbacks: self.allow_fallbacks,
            require_parameters: self.require_parameters,
            data_collection: self.data_collection.map(DataCollection::sent),
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
            (None, Some(_)) => warnings.push(
                "web_search_max_results is ignored, because web_search is not set.".to_owned(),
            ),
            (None, None) => {}
        }
        if let Some(engine) = self.pdf_engine {
            plugins.push(json!({"id": "file-parser", "pdf": {"engine": engine.sent()}}));
        }
        (!plugins.is_empty()).then_some(plugins)
    }

    /// Names what the model's providers would drop without a word.
    fn warn_unsupported(&self, model: Option<&Model>, warnings: &mut Vec<String>) {
        let Some(model) = model.filter(|model| !model.supported_parameters.is_empty()) else {
            return;
        };
        let supports = |names: &[&str]| {
            names
                .iter()
                .any(|name| model.supported_parameters.iter().any(|p| p == name))
        };
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
            (
                "frequency_penalty",
                self.frequency_penalty.is_some(),
                &["frequency_penalty"],
            ),
            (
                "presence_penalty",
                self.presence_penalty.is_some(),
                &["presence_penalty"],
            ),
            (
                "repetition_penalty",
                self.repetition_penalty.is_some(),
                &["repetition_penalty"],
            ),
            ("seed", self.seed.is_some(), &["seed"]),
            ("stop", self.stop.is_some(), &["stop"]),
            ("logit_bias", self.logit_bias.is_some(), &["logit_bias"]),
            ("logprobs", self.logprobs.is_some(), &["logprobs"]),
            (
                "top_logprobs",
                self.top_logprobs.is_some(),
                &["top_logprobs"],
            ),
            ("max_tokens", self.max_tokens.is_some(), length),
            (
                "max_completion_tokens",
                self.max_completion_tokens.is_some(),
                length,
            ),
            (
                "reasoning_effort",
                self.reasoning_effort.is_some(),
                &["reasoning", "reasoning_effort"],
            ),
            (
                "reasoning_max_tokens",
                self.reasoning_max_tokens.is_some(),
                &["reasoning"],
            ),
            (
                "exclude_reasoning",
                self.exclude_reasoning.is_some(),
                &["include_reasoning", "reasoning"],
            ),
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
        let Some(limit) = self.max_cost else {
            return Ok(());
        };
        let prices = model.and_then(|model| {
            Some((
                model,
                model.pricing.prompt_price()?,
                model.pricing.completion_price()?,
            ))
        });
        let Some((model, prompt_price, completion_price)) = prices else {
            warnings.push(
                "max_cost could not be checked: the price of the model is not known.".to_owned(),
            );
            return Ok(());
        };
        for (name, set) in [
            ("fallback_models", self.fallback_models.is_some()),
            ("web_search", self.web_search == Some(true)),
            ("pdf_engine", self.pdf_engine.is_some()),
        ] {
            if set {
                warnings.push(format!(
                    "max_cost does not cover what {name} may add to the cost."
                ));
            }
        }
        let extra = [&self.tools, &self.response_schema].into_iter().flatten();
        let bytes = prompt_bytes + extra.map(JsonText::length).sum::<usize>();
        // About four bytes of English make a token; three keeps the estimate on the safe side.
        let prompt_tokens = bytes.div_ceil(3);
        let most = self
            .max_completion_tokens
            .max(self.max_tokens)
            .map(i64::from);
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
            format!(
                "The call could cost up to ${worst:.6}, which is more than its max_cost of ${limit}."
            ),
        ))
    }
}
