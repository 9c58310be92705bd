//! Turns the complaints of serde and validator into sentences for a maker.

use serde_path_to_error::{Path, Segment};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::error::Error;

/// The longest piece of the maker's own input that is quoted back, in characters.
const MAX_QUOTE: usize = 60;

/// The `400` for input that serde could not read at `path`.
pub(super) fn unreadable(path: &Path, cause: &serde_json::Error) -> Error {
    let text = cause.to_string();
    let path = written(path);
    if let Some(name) = quoted(&text, "missing field `") {
        let field = join(&path, name);
        return Error::invalid(field.clone(), format!("{field} is required."));
    }
    if let Some(name) = quoted(&text, "unknown field `") {
        // serde names the field in its path too.
        let parent = path
            .strip_suffix(&shorten(name))
            .unwrap_or(&path)
            .trim_end_matches('.');
        let known: Vec<_> = text
            .rsplit_once("expected ")
            .map(|(_, allowed)| allowed.split('`').skip(1).step_by(2).collect())
            .unwrap_or_default();
        return no_such_field(&join(parent, name), name, &known);
    }
    if let Some(name) = quoted(&text, "duplicate field `") {
        let field = join(&path, name);
        return Error::invalid(field.clone(), format!("{field} stands twice."));
    }
    let subject = if path.is_empty() {
        "The body".to_owned()
    } else {
        path.clone()
    };
    let message = if let Some((value, allowed)) = variants(&text) {
        format!("{subject} is {}, and must be {allowed}.", shorten(value))
    } else if let Some((_, expected)) = text.rsplit_once(", expected ") {
        format!("{subject} must be {}.", in_words(expected))
    } else {
        format!("{subject}: {}", sentence(&text))
    };
    Error::invalid(path, message)
}

/// The `400` for the first of `errors`, by its path.
pub(super) fn out_of_bounds(errors: &ValidationErrors) -> Error {
    let mut found = Vec::new();
    collect(errors, "", &mut found);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let (field, message) = found
        .into_iter()
        .next()
        .unwrap_or_else(|| (String::new(), "The input is out of range.".to_owned()));
    Error::invalid(field, message)
}

fn collect(errors: &ValidationErrors, path: &str, found: &mut Vec<(String, String)>) {
    for (name, kind) in errors.errors() {
        let field = join(path, name);
        match kind {
            ValidationErrorsKind::Field(list) => {
                for error in list {
                    found.push((field.clone(), bound(&field, error)));
                }
            }
            ValidationErrorsKind::Struct(inner) => collect(inner, &field, found),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    collect(inner, &format!("{field}[{index}]"), found);
                }
            }
        }
    }
}

/// One broken bound in words. A rejected number is quoted; a rejected text never is.
fn bound(field: &str, error: &ValidationError) -> String {
    if let Some(message) = &error.message {
        return format!("{field} {message}");
    }
    let param = |name: &str| {
        let value = error.params.get(name)?;
        let number = value.as_f64()?;
        Some(if number.fract() == 0.0 {
            format!("{number:.0}")
        } else {
            number.to_string()
        })
    };
    let limits = match (param("min"), param("max")) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => return format!("{field} is not valid."),
    };
    match error.code.as_ref() {
        "length" if param("min").as_deref() == Some("1") && param("max").is_none() => {
            format!("{field} is empty.")
        }
        "length" => format!("The length of {field} must be {limits}."),
        _ => match param("value") {
            Some(value) => format!("{field} must be {limits}, and is {value}."),
            None => format!("{field} must be {limits}."),
        },
    }
}

/// A path as makers write it: `messages[0].role`.
fn written(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text = format!("{text}[{index}]"),
            Segment::Map { key } => text = join(&text, &shorten(key)),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

fn quoted<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.split('`').next()
}

/// The rejected value and the allowed ones of serde's "unknown variant `x`, expected one of ...".
fn variants(text: &str) -> Option<(&str, String)> {
    let value = quoted(text, "unknown variant `")?;
    let (_, allowed) = text.rsplit_once("expected ")?;
    let mut names: Vec<&str> = Vec::new();
    for name in allowed.split('`').skip(1).step_by(2) {
        // The same value in lower case is taken too, and not worth a word.
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    Some((value, format!("one of {}", names.join(", "))))
}

/// The `400` for a field that does not exist; `known` are those that do.
#[must_use]
pub fn unknown_field(name: &str, known: &[&str]) -> Error {
    no_such_field(name, name, known)
}

fn no_such_field(path: &str, name: &str, known: &[&str]) -> Error {
    let near = known
        .iter()
        .filter(|_| name.len() <= MAX_QUOTE)
        .map(|candidate| (candidate, strsim::jaro_winkler(candidate, name)))
        .filter(|(_, score)| *score > 0.8)
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let hint = near
        .map(|(near, _)| format!(" Did you mean {near}?"))
        .unwrap_or_default();
    Error::invalid(
        shorten(path),
        format!("There is no field {}.{hint}", shorten(name)),
    )
}

/// serde's name of an expected type in a maker's words.
fn in_words(expected: &str) -> String {
    let expected = expected.split(" at line ").next().unwrap_or(expected);
    match expected {
        "a string" | "a borrowed string" | "string" | "str" => "a text".to_owned(),
        "a boolean" | "bool" => "true or false".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        text if text.starts_with("struct ") => "an object".to_owned(),
        text => text.replace('`', ""),
    }
}

fn sentence(text: &str) -> String {
    let mut text = shorten(text.split(" at line ").next().unwrap_or(text));
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

/// A piece of the maker's own input, short and on one line.
fn shorten(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().map(visible).take(MAX_QUOTE).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}
