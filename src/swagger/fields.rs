//! Reading an object key by key so that no key of it is forgotten.

use serde_json::{Map, Value};

use super::{LowerError, join};

/// A JSON object in lowered form, before it is wrapped in a `Value`.
pub(super) type Object = Map<String, Value>;

/// The members of one object of the 3.1 document that nobody has taken yet. `finish` fails when one
/// is left: that is how the lowering keeps its word that it drops nothing.
pub(super) struct Fields<'a> {
    at: String,
    left: Vec<(&'a str, &'a Value)>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a Value, at: &str) -> Result<Self, LowerError> {
        let object = value
            .as_object()
            .ok_or_else(|| LowerError::new(at, "an object is expected here"))?;
        Ok(Self {
            at: at.to_owned(),
            left: object.iter().map(|(key, value)| (&**key, value)).collect(),
        })
    }

    /// Where this object stands.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// Where its member `key` stands.
    pub(super) fn at_key(&self, key: &str) -> String {
        join(&self.at, key)
    }

    /// The member without taking it.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        let found = self.left.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| *value)
    }

    /// The keys that nobody has taken yet.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.left.iter().map(|(key, _)| *key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<&'a Value> {
        let index = self.left.iter().position(|(name, _)| *name == key)?;
        Some(self.left.remove(index).1)
    }

    pub(super) fn take_text(&mut self, key: &str) -> Result<Option<&'a str>, LowerError> {
        let at = self.at_key(key);
        self.take(key)
            .map(|value| {
                let text = value.as_str();
                text.ok_or_else(|| LowerError::new(at, "a string is expected here"))
            })
            .transpose()
    }

    pub(super) fn take_flag(&mut self, key: &str) -> Result<bool, LowerError> {
        let at = self.at_key(key);
        self.take(key).map_or(Ok(false), |value| {
            let flag = value.as_bool();
            flag.ok_or_else(|| LowerError::new(at, "true or false is expected here"))
        })
    }

    pub(super) fn take_array(&mut self, key: &str) -> Result<&'a [Value], LowerError> {
        let at = self.at_key(key);
        self.take(key).map_or(Ok(&[]), |value| {
            let array = value.as_array().map(Vec::as_slice);
            array.ok_or_else(|| LowerError::new(at, "an array is expected here"))
        })
    }

    /// Carries the named members as they are: both versions say them the same way.
    pub(super) fn carry(&mut self, keys: &[&str], into: &mut Object) {
        for key in keys {
            if let Some(value) = self.take(key) {
                into.insert((*key).to_owned(), value.clone());
            }
        }
    }

    /// Carries every `x-*` member as it is; one already in `into` is replaced.
    pub(super) fn carry_extensions(&mut self, into: &mut Object) {
        self.left.retain(|(key, value)| {
            let extension = key.starts_with("x-");
            if extension {
                into.insert((*key).to_owned(), (*value).clone());
            }
            !extension
        });
    }

    /// Fails when a member has not been taken.
    pub(super) fn finish(self) -> Result<(), LowerError> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => Err(LowerError::new(
                self.at_key(key),
                format!("Swagger 2.0 for Power Platform has no `{key}` here"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Fields, Object};

    #[test]
    fn what_nobody_takes_is_an_error_at_its_pointer() {
        let value = json!({"name": "a", "x-b": 1, "links": {}});
        let mut fields = Fields::of(&value, "/here").unwrap();
        let mut taken = Object::new();
        fields.carry(&["name"], &mut taken);
        fields.carry_extensions(&mut taken);
        assert_eq!(taken.len(), 2);
        assert_eq!(fields.finish().unwrap_err().pointer, "/here/links");
    }

    #[test]
    fn a_value_of_another_type_is_an_error_at_its_pointer() {
        let value = json!({"name": 1, "list": {}, "flag": "yes"});
        let mut fields = Fields::of(&value, "").unwrap();
        assert_eq!(fields.take_text("name").unwrap_err().pointer, "/name");
        assert_eq!(fields.take_array("list").unwrap_err().pointer, "/list");
        assert_eq!(fields.take_flag("flag").unwrap_err().pointer, "/flag");
        assert!(Fields::of(&json!([]), "/a").is_err());
    }
}
