//! Decodes a file's content from every form in which makers' tools send one.

use std::{borrow::Cow, sync::LazyLock};

use data_encoding::{BASE64, Encoding, Specification};
use serde_json::Value;

use crate::error::{Error, Result};

/// Base64 in both alphabets, without its padding, with or without line breaks.
static LENIENT_BASE64: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    specification.translate.from.push_str("-_");
    specification.translate.to.push_str("+/");
    specification.ignore.push_str(BLANKS);
    specification.check_trailing_bits = false;
    specification.encoding().unwrap_or(BASE64)
});

/// What may stand between the letters of base64.
const BLANKS: &str = " \t\r\n";

/// A file whose content is decoded.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// The type that came with the content itself.
    pub(super) mime_type: Option<String>,
}

/// Decodes base64, a `data:` URI, or Power Automate's `{"$content-type", "$content"}`.
pub(super) fn decode(content: Value, field: &str) -> Result<Decoded> {
    let broken = |what: &str| Error::invalid(field, format!("{field} {what}"));
    let (text, mime_type) = match content {
        Value::String(text) => (text, None),
        Value::Object(mut object) => {
            let kind = object
                .remove("$content-type")
                .and_then(|kind| kind.as_str().map(str::to_owned));
            match object.remove("$content") {
                Some(Value::String(text)) => (text, kind),
                _ => return Err(broken("has no \"$content\".")),
            }
        }
        _ => return Err(broken("must be the content of a file in base64.")),
    };
    let (payload, mime_type): (Cow<'_, str>, _) = match after_scheme(&text) {
        None => (text.as_str().into(), mime_type),
        Some(uri) => {
            let (head, payload) = uri
                .split_once(',')
                .ok_or_else(|| broken("is a data: URI with no data."))?;
            let (kind, is_base64) = match head.rsplit_once(';') {
                Some((kind, last)) if last.trim().eq_ignore_ascii_case("base64") => (kind, true),
                _ => (head, false),
            };
            let kind = (!kind.is_empty()).then(|| kind.to_owned()).or(mime_type);
            if !is_base64 {
                let bytes = percent_encoding::percent_decode_str(payload).collect();
                return Ok(Decoded {
                    bytes,
                    mime_type: kind.or_else(|| Some("text/plain".to_owned())),
                });
            }
            // Its "+", "/" and "=" may be escaped.
            let payload = percent_encoding::percent_decode_str(payload).decode_utf8_lossy();
            (payload, kind)
        }
    };
    // Padding ends the content; anywhere else it is a sign of two contents in one.
    let padded = |letter: char| letter == '=' || BLANKS.contains(letter);
    let payload = payload.trim_end_matches(padded);
    let bytes = LENIENT_BASE64.decode(payload.as_bytes()).map_err(|_| {
        broken("is not base64; use the File Content of another action or base64(...).")
    })?;
    Ok(Decoded { bytes, mime_type })
}

/// What follows `data:`, which may be in capitals; `None` if the text is no such URI.
pub(super) fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(5)?;
    scheme.eq_ignore_ascii_case("data:").then_some(rest)
}
