//! Finds the JSON in a model's answer, also in a Markdown fence or with text around it.

use serde_json::{Deserializer, Value};

/// How many places may turn out to be no JSON; each is read up to its fault.
const MAX_FAILED: usize = 64;

/// The JSON of `text`: the whole of it, or the largest object or list that stands in it.
pub(crate) fn find_json(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text.trim()) {
        return Some(value);
    }
    let mut best: Option<(usize, Value)> = None;
    let mut from = 0;
    let mut failed = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(['{', '['])) {
        let start = from + found;
        let mut values = Deserializer::from_str(&text[start..]).into_iter::<Value>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            // What is not closed by the end of the text will not be from a later place either.
            Some(Err(fault)) if fault.is_eof() => break,
            _ => {
                failed += 1;
                if failed > MAX_FAILED {
                    break;
                }
                from = start + 1;
                continue;
            }
        };
        let length = values.byte_offset();
        if best.as_ref().is_none_or(|(longest, _)| length > *longest) {
            best = Some((length, value));
        }
        from = start + length;
    }
    best.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_found_in_fences_and_between_sentences() {
        let expected = json!({"a": [1, {"b": "}"}]});
        for text in [
            r#"{"a": [1, {"b": "}"}]}"#,
            "\n ```json\n{\"a\": [1, {\"b\": \"}\"}]}\n```\n",
            r#"Sure [1]! Here {it} is: {"a": [1, {"b": "}"}]} - anything else?"#,
        ] {
            assert_eq!(find_json(text), Some(expected.clone()), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_not_found() {
        for text in ["", "no", "{", "[1, 2", "{'a': 1}", "\u{e9}{"] {
            assert_eq!(find_json(text), None, "{text}");
        }
    }
}
