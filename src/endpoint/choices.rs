//! Inputs with a closed list of values, each with the name that the designer shows.

/// Defines enums of inputs: for each value its text, its display name, and, where upstream wants
/// another text, that one behind an arrow.
macro_rules! choices {
    ($(
        $(#[$meta:meta])*
        $name:ident { $($variant:ident = $text:tt $shown:literal $(=> $sent:literal)?),+ $(,)? }
    )+) => {
        $(
            $(#[$meta])*
            #[derive(
                Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize,
                utoipa::ToSchema,
            )]
            #[expect(missing_docs, reason = "the display names say it all")]
            pub enum $name { $(#[serde(rename = $text)] $variant,)+ }

            impl $name {
                /// The values with their display names.
                pub(crate) const NAMES: &[(&str, &str)] = &[$(($text, $shown),)+];

                /// The value as OpenRouter takes it.
                #[must_use]
                pub fn sent(self) -> String {
                    match self {
                        $(Self::$variant => crate::endpoint::choices!(@sent $text $($sent)?),)+
                    }
                    .to_owned()
                }
            }
        )+
    };
    (@sent $text:tt) => { $text };
    (@sent $text:tt $sent:literal) => { $sent };
}

pub(crate) use choices;
