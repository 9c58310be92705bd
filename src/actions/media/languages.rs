//! The languages of a transcription, by their codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::endpoint::{
    Overlay,
    overlay::{At, Set},
};

pub(crate) const OVERLAY: &[Overlay] = &[Overlay {
    at: At::Schema("TranscriptionLanguage"),
    set: &[Set::Names(NAMES)],
}];

/// Builds the languages from one table: name, code, the code in lower case, what is sent.
macro_rules! languages {
    ($($name:ident = $code:tt $lower:tt => $sent:literal,)+) => {
        /// A spoken language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
        #[expect(missing_docs, reason = "the names say it all")]
        pub enum TranscriptionLanguage { $(#[serde(rename = $code, alias = $lower)] $name,)+ }

        impl TranscriptionLanguage {
            /// The code that upstream takes: ISO 639-1 in lower case.
            #[must_use]
            pub const fn sent(self) -> &'static str {
                match self { $(Self::$name => $sent,)+ }
            }
        }

        const NAMES: &[(&str, &str)] = &[$(($code, stringify!($name)),)+];
    };
}

// MA is the published code of Maori, whose ISO code is mi.
languages! {
    Afrikaans = "AF" "af" => "af",
    Arabic = "AR" "ar" => "ar",
    Armenian = "HY" "hy" => "hy",
    Azerbaijani = "AZ" "az" => "az",
    Belarusian = "BE" "be" => "be",
    Bosnian = "BS" "bs" => "bs",
    Bulgarian = "BG" "bg" => "bg",
    Catalan = "CA" "ca" => "ca",
    Chinese = "ZH" "zh" => "zh",
    Croatian = "HR" "hr" => "hr",
    Czech = "CS" "cs" => "cs",
    Danish = "DA" "da" => "da",
    Dutch = "NL" "nl" => "nl",
    Greek = "EL" "el" => "el",
    Estonian = "ET" "et" => "et",
    English = "EN" "en" => "en",
    Finnish = "FI" "fi" => "fi",
    French = "FR" "fr" => "fr",
    Galician = "GL" "gl" => "gl",
    German = "DE" "de" => "de",
    Hebrew = "HE" "he" => "he",
    Hindi = "HI" "hi" => "hi",
    Hungarian = "HU" "hu" => "hu",
    Icelandic = "IS" "is" => "is",
    Indonesian = "ID" "id" => "id",
    Italian = "IT" "it" => "it",
    Japanese = "JA" "ja" => "ja",
    Kazakh = "KK" "kk" => "kk",
    Kannada = "KN" "kn" => "kn",
    Korean = "KO" "ko" => "ko",
    Lithuanian = "LT" "lt" => "lt",
    Latvian = "LV" "lv" => "lv",
    Maori = "MA" "ma" => "mi",
    Macedonian = "MK" "mk" => "mk",
    Marathi = "MR" "mr" => "mr",
    Malay = "MS" "ms" => "ms",
    Nepali = "NE" "ne" => "ne",
    Norwegian = "NO" "no" => "no",
    Persian = "FA" "fa" => "fa",
    Polish = "PL" "pl" => "pl",
    Portuguese = "PT" "pt" => "pt",
    Romanian = "RO" "ro" => "ro",
    Russian = "RU" "ru" => "ru",
    Slovak = "SK" "sk" => "sk",
    Slovenian = "SL" "sl" => "sl",
    Serbian = "SR" "sr" => "sr",
    Spanish = "ES" "es" => "es",
    Swedish = "SV" "sv" => "sv",
    Swahili = "SW" "sw" => "sw",
    Tamil = "TA" "ta" => "ta",
    Tagalog = "TL" "tl" => "tl",
    Thai = "TH" "th" => "th",
    Turkish = "TR" "tr" => "tr",
    Ukrainian = "UK" "uk" => "uk",
    Urdu = "UR" "ur" => "ur",
    Vietnamese = "VI" "vi" => "vi",
    Welsh = "CY" "cy" => "cy",
}
