//! Counting tokens and money, and the one hash everything deterministic is made from.

use serde_json::{Value, json};

use super::catalogue::Model;

/// What one call used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    pub(super) prompt: u64,
    pub(super) completion: u64,
    pub(super) reasoning: u64,
    /// Pictures made, and the tokens they count as.
    pub(super) pictures: u64,
    pub(super) image: u64,
    pub(super) audio_in: u64,
    pub(super) searches: u64,
}

impl Used {
    /// The price of it all, from the model's list prices.
    pub(super) fn cost(&self, model: &Model) -> f64 {
        let completion = self.completion.saturating_sub(self.image);
        // Models that also talk charge pictures by the token, the others by the picture.
        let images = if model.gives("text") {
            self.image
        } else {
            self.pictures
        };
        rounded(
            float(self.prompt) * model.price("prompt")
                + float(completion) * model.price("completion")
                + float(images) * model.price("image_output")
                + float(self.searches) * model.price("web_search").max(0.004)
                + model.price("request"),
        )
    }

    /// The `usage` object of an answer.
    pub(super) fn report(&self, model: &Model) -> Value {
        let cost = self.cost(model);
        let mut report = json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "cost": cost,
            "is_byok": false,
            "prompt_tokens_details": {
                "cached_tokens": 0,
                "audio_tokens": self.audio_in,
                "video_tokens": null,
            },
            "cost_details": {
                "upstream_inference_cost": null,
                "upstream_inference_prompt_cost": rounded(float(self.prompt) * model.price("prompt")),
                "upstream_inference_completions_cost":
                    rounded(float(self.completion) * model.price("completion")),
            },
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning,
                "image_tokens": self.image,
            },
        });
        if self.searches > 0 {
            report["server_tool_use_details"] = json!({ "web_search_requests": self.searches });
        }
        report
    }
}

/// How many tokens a text is, counting one for every four characters begun.
pub(super) fn tokens(text: &str) -> u64 {
    count(text.chars().count().div_ceil(4))
}

/// The tokens of a text, as [`tokens`] counts them.
pub(super) fn split_tokens(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect()
}

pub(super) fn count(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// A count as a number for sums of money; counts beyond four billion do not occur here.
pub(super) fn float(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Without the noise of binary fractions.
pub(super) fn rounded(amount: f64) -> f64 {
    (amount * 1e10).round() / 1e10
}

/// FNV-1a over the parts: the same everywhere and forever, unlike the standard hasher.
pub(super) fn hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// The first words of a text, for quoting it.
pub(super) fn first_words(text: &str, most: usize) -> String {
    let mut words = text.split_whitespace();
    let mut quoted = words.by_ref().take(most).collect::<Vec<_>>().join(" ");
    let longest = most * 12;
    if quoted.chars().count() > longest {
        quoted = quoted.chars().take(longest).collect();
        quoted.push('…');
    } else if words.next().is_some() {
        quoted.push_str(" …");
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_as_they_are_split() {
        for text in ["", "abc", "abcd", "abcde", "größer als gedacht"] {
            assert_eq!(tokens(text), count(split_tokens(text).len()), "{text}");
            assert_eq!(split_tokens(text).concat(), text);
        }
    }

    #[test]
    fn long_texts_are_quoted_by_their_beginning() {
        assert_eq!(first_words("one  two three", 2), "one two …");
        assert_eq!(first_words("one two", 2), "one two");
        assert!(first_words(&"x".repeat(500), 2).chars().count() <= 25);
    }
}
