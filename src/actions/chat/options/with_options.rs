//! The input of an action and the generation options, in one flat object.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use validator::Validate;

use super::GenerationOptions;
use crate::{
    endpoint::{Input, field_names, unknown_field},
    error::{Error, Kind, Result},
};

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
            return Err(Error::new(
                Kind::InvalidRequest,
                "The body must be an object.",
            ));
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
