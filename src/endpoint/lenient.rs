//! Reads JSON as makers' tools write it: blank optional fields, booleans as texts, whole numbers
//! with a fraction of zero, and in a query everything as a text.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Visitor,
    value::StringDeserializer,
};
use serde_json::{Map, Value};

type Error = serde_json::Error;

/// A JSON value that is read leniently, type by type as the target asks for it.
pub(super) struct Lenient {
    value: Value,
    /// Whether numbers may stand as texts too, as in a query string.
    texts: bool,
}

impl Lenient {
    /// Reads the body of a request.
    pub(super) fn json(value: Value) -> Self {
        Self {
            value,
            texts: false,
        }
    }

    /// Reads the parameters of a query.
    pub(super) fn query(parameters: Map<String, Value>) -> Self {
        Self {
            value: Value::Object(parameters),
            texts: true,
        }
    }

    /// The value with a number in the form in which the target's type is read.
    fn into_integer(self) -> Value {
        match &self.value {
            Value::Number(number) => match number.as_f64() {
                Some(float) if !number.is_i64() && !number.is_u64() && float.fract() == 0.0 => {
                    whole(float).unwrap_or(self.value)
                }
                _ => self.value,
            },
            Value::String(text) if self.texts => match text.trim().parse::<i64>() {
                Ok(number) => number.into(),
                Err(_) => self.value,
            },
            _ => self.value,
        }
    }

    fn into_float(self) -> Value {
        match &self.value {
            Value::String(text) if self.texts => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => number.into(),
                _ => self.value,
            },
            _ => self.value,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
fn whole(float: f64) -> Option<Value> {
    (float.abs() < 9e15).then(|| Value::from(float as i64))
}

macro_rules! forward {
    ($through:ident: $($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$through().$method(visitor)
        })+
    };
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Items {
                items: items.into_iter(),
                texts: self.texts,
            }),
            Value::Object(_) => self.deserialize_map(visitor),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.value {
            Value::Null => visitor.visit_none(),
            Value::String(text) if text.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.value {
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => {
                visitor.visit_bool(true)
            }
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => {
                visitor.visit_bool(false)
            }
            _ => self.value.deserialize_bool(visitor),
        }
    }

    forward!(into_integer: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
    forward!(into_float: deserialize_f32 deserialize_f64);

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Items {
                items: items.into_iter(),
                texts: self.texts,
            }),
            // A blank list is an empty one.
            Value::Null => visitor.visit_seq(Items {
                items: Vec::new().into_iter(),
                texts: false,
            }),
            Value::String(text) if text.is_empty() => visitor.visit_seq(Items {
                items: Vec::new().into_iter(),
                texts: false,
            }),
            other => other.deserialize_seq(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Object(map) => visitor.visit_map(Fields::new(map, None, self.texts)),
            other => other.deserialize_map(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::Object(map) => visitor.visit_map(Fields::new(map, Some(fields), self.texts)),
            // Without this, an array would be read as the struct's fields in order.
            Value::Array(_) => Value::Array(Vec::new()).deserialize_map(visitor),
            other => other.deserialize_struct(name, fields, visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::String(text) => visitor.visit_enum(Variant(text)),
            // Every choice that a maker has is a text.
            other => other.deserialize_str(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

struct Variant(String);

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = UnitOnly;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, UnitOnly), Error> {
        let name: StringDeserializer<Error> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, UnitOnly))
    }
}

struct UnitOnly;

impl<'de> serde::de::VariantAccess<'de> for UnitOnly {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Error> {
        Err(serde::de::Error::custom(
            "expected one of the listed values",
        ))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom(
            "expected one of the listed values",
        ))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom(
            "expected one of the listed values",
        ))
    }
}

struct Items {
    items: std::vec::IntoIter<Value>,
    texts: bool,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let texts = self.texts;
        self.items
            .next()
            .map(|value| seed.deserialize(Lenient { value, texts }))
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The fields of an object; for a struct without those that start with `x-` and are not its own,
/// which tools add for themselves.
struct Fields {
    entries: serde_json::map::IntoIter,
    known: Option<&'static [&'static str]>,
    value: Option<Value>,
    texts: bool,
}

impl Fields {
    fn new(map: Map<String, Value>, known: Option<&'static [&'static str]>, texts: bool) -> Self {
        Self {
            entries: map.into_iter(),
            known,
            value: None,
            texts,
        }
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        for (key, value) in self.entries.by_ref() {
            let skipped = self.known.is_some_and(|known| {
                key.get(..2)
                    .is_some_and(|start| start.eq_ignore_ascii_case("x-"))
                    && !known.contains(&key.as_str())
            });
            if !skipped {
                self.value = Some(value);
                return seed.deserialize(Value::String(key)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let value = self.value.take().unwrap_or_default();
        seed.deserialize(Lenient {
            value,
            texts: self.texts,
        })
    }
}

/// The names of the fields that `T`, a struct without flattened parts, is read from.
#[must_use]
pub fn field_names<T: serde::de::DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // The reader below only takes the names down and then refuses, so this is never a value.
    let _ = T::deserialize(NamesOnly(&mut names));
    names
}

struct NamesOnly<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for NamesOnly<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("only names are read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(default)]
        flag: Option<bool>,
        #[serde(default)]
        count: Option<u32>,
        #[serde(default)]
        ratio: Option<f64>,
        #[serde(default)]
        choice: Option<Choice>,
        #[serde(default)]
        bag: Option<BTreeMap<String, String>>,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        text: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Choice {
        Low,
        High,
    }

    fn read(value: Value) -> Result<Sample, Error> {
        Sample::deserialize(Lenient::json(value))
    }

    #[test]
    fn blank_optional_fields_are_absent_and_required_ones_stay() {
        let blank = json!({
            "name": "", "flag": "", "count": null, "ratio": "", "choice": "", "bag": null,
            "inner": [{"text": ""}],
        });
        let sample = read(blank).unwrap();
        assert_eq!(sample.name, "");
        assert_eq!(
            sample.inner,
            [Inner {
                text: String::new()
            }]
        );
        let Sample {
            flag: None,
            count: None,
            ratio: None,
            choice: None,
            bag: None,
            ..
        } = sample
        else {
            panic!("{sample:?}");
        };
    }

    #[test]
    fn neighbouring_types_are_understood() {
        let sample = read(json!({
            "name": "n", "flag": "True", "count": 3.0, "ratio": 1, "choice": "high",
            "bag": {"x-key": "", "k": "v"}, "x-ms-extra": 1, "X-Other": {},
        }))
        .unwrap();
        assert_eq!(sample.flag, Some(true));
        assert_eq!(sample.count, Some(3));
        assert_eq!(sample.ratio, Some(1.0));
        assert_eq!(sample.choice, Some(Choice::High));
        assert_eq!(sample.bag.unwrap().len(), 2);
    }

    #[test]
    fn wrong_types_are_refused() {
        for (field, value) in [
            ("count", json!("3")),
            ("count", json!(3.5)),
            ("count", json!(-1)),
            ("ratio", json!("0.5")),
            ("flag", json!("yes")),
            ("flag", json!(1)),
            ("choice", json!("middle")),
            ("choice", json!({"low": null})),
            ("inner", json!({})),
            ("inner", json!([["text"]])),
            ("inner", json!([{"txt": "a"}])),
            ("typo", json!(1)),
        ] {
            assert!(
                read(json!({"name": "n", field: value})).is_err(),
                "{field}: {value}"
            );
        }
        assert!(read(json!(["n"])).is_err());
    }

    #[test]
    fn in_a_query_numbers_are_texts() {
        let Value::Object(query) = json!({"name": "5", "count": "3", "ratio": "0.5"}) else {
            unreachable!()
        };
        let sample = Sample::deserialize(Lenient::query(query)).unwrap();
        assert_eq!(
            (sample.name.as_str(), sample.count, sample.ratio),
            ("5", Some(3), Some(0.5))
        );
    }
}
