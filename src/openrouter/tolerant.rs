//! Readers for upstream fields that may be absent, null, or of another type than documented.
//!
//! Each is used as `#[serde(deserialize_with = "...")]` beside `#[serde(default)]`. None of them
//! fails: what cannot be understood counts as absent, because a model's answer that was paid for
//! must not be lost over a field that nobody asked for.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// A text; a number or boolean is written out.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    })
}

/// A number, also one written as a text.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(as_number(&Value::deserialize(from)?))
}

/// A whole number, also one written as a text or with a fraction, which is cut off.
pub(super) fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(from)?;
    let exact = value
        .as_i64()
        .filter(|number| number.unsigned_abs() <= MAX_WHOLE);
    Ok(exact.or_else(|| as_number(&value).and_then(whole)))
}

/// A boolean, also one written as a text.
pub(super) fn boolean<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(flag) => Some(flag),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    })
}

/// A list; elements that cannot be read are left out. They are read one by one, so that a list of
/// many numbers takes no more memory than the numbers.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    struct Elements<T>(PhantomData<T>);

    impl<'de, T: DeserializeOwned> Visitor<'de> for Elements<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(element) = elements.next_element::<Value>()? {
                list.extend(serde_json::from_value(element).ok());
            }
            Ok(list)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Vec::new())
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_bool<E>(self, _: bool) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_i64<E>(self, _: i64) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_u64<E>(self, _: u64) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_f64<E>(self, _: f64) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_str<E>(self, _: &str) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }
    }

    from.deserialize_any(Elements(PhantomData))
}

/// An object; anything else counts as one without fields.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(match Value::deserialize(from)? {
        value @ Value::Object(_) => serde_json::from_value(value).unwrap_or_default(),
        _ => T::default(),
    })
}

/// The largest whole number that JSON's readers agree on; no count comes near it.
const MAX_WHOLE: u64 = 1 << 53;

/// The number that a JSON number or a text holds, if it is finite.
pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked, and a fraction is cut off on purpose"
)]
fn whole(number: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    (number.abs() <= LIMIT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Sample {
        #[serde(deserialize_with = "text")]
        text: Option<String>,
        #[serde(deserialize_with = "number")]
        number: Option<f64>,
        #[serde(deserialize_with = "integer")]
        integer: Option<i64>,
        #[serde(deserialize_with = "boolean")]
        boolean: Option<bool>,
        #[serde(deserialize_with = "list")]
        list: Vec<String>,
        #[serde(deserialize_with = "object")]
        object: Inner,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        #[serde(deserialize_with = "integer")]
        count: Option<i64>,
    }

    #[test]
    fn whatever_cannot_be_read_counts_as_absent() {
        let odd = [
            json!(null),
            json!([]),
            json!({}),
            json!("x"),
            json!(-1.5),
            json!(true),
        ];
        for value in odd {
            let all = json!({
                "text": value, "number": value, "integer": value,
                "boolean": value, "list": value, "object": value,
            });
            let sample: Result<Sample, _> = serde_json::from_value(all);
            assert!(sample.is_ok(), "{value}");
        }
        assert_eq!(
            serde_json::from_value::<Sample>(json!({})).unwrap(),
            Sample::default()
        );
    }

    #[test]
    fn values_of_a_neighbouring_type_are_understood() {
        let sample: Sample = serde_json::from_value(json!({
            "text": 5, "number": "7.1e-05", "integer": "12", "boolean": "True",
            "list": ["a", null, 3, "b"], "object": {"count": 3.0},
        }))
        .unwrap();
        assert_eq!(sample.text.as_deref(), Some("5"));
        assert_eq!(sample.number, Some(7.1e-5));
        assert_eq!(sample.integer, Some(12));
        assert_eq!(sample.boolean, Some(true));
        assert_eq!(sample.list, ["a", "b"]);
        assert_eq!(sample.object.count, Some(3));
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_absent() {
        for text in ["NaN", "inf", "-inf", "1e999"] {
            assert_eq!(as_number(&json!(text)), None, "{text}");
        }
    }
}
