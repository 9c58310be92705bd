//! Strings for a schema: by format, by pattern, or by what the property is called.

use serde_json::{Map, Value};

use super::{pattern, whole};

/// A string within the bounds of its schema.
pub(super) fn fitting(schema: &Map<String, Value>, name: &str, nth: usize, about: &str) -> String {
    let word = |key: &str| schema.get(key).and_then(Value::as_str);
    if let Some(known) = word("format").and_then(|format| formatted(format, nth)) {
        return known;
    }
    if let Some(sample) = word("pattern").and_then(pattern::sample) {
        return lengthened(schema, sample);
    }
    let mut text = free(name, about);
    if nth > 0 {
        // Ahead of the text, where no limit cuts it off: siblings are to differ.
        text = format!("{} {text}", nth + 1);
    }
    let mut text = lengthened(schema, text);
    if let Some(most) = whole(schema, "maxLength") {
        text = text.chars().take(most).collect();
    }
    text
}

fn lengthened(schema: &Map<String, Value>, mut text: String) -> String {
    let least = whole(schema, "minLength").unwrap_or(0);
    let missing = least.saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n('x', missing));
    text
}

/// A text for a property of this name.
pub(super) fn free(name: &str, about: &str) -> String {
    let known = match name.to_ascii_lowercase().as_str() {
        "email" | "mail" | "from" | "to" => "ada@example.com",
        "name" | "person" | "author" | "customer" | "contact" | "sender" => "Ada Example",
        "first_name" | "firstname" => "Ada",
        "last_name" | "lastname" | "surname" => "Example",
        "company" | "organization" | "organisation" | "vendor" | "supplier" => "Example GmbH",
        "url" | "link" | "website" => "https://example.com/",
        "phone" | "telephone" => "+49 30 1234567",
        "city" | "location" | "place" => "Berlin",
        "country" => "Germany",
        "street" | "address" => "1 Example Street",
        "language" | "lang" | "locale" => "en",
        "currency" => "EUR",
        "date" | "day" | "due" | "due_date" | "deadline" => "2026-01-31",
        "time" => "09:30",
        "sentiment" | "mood" => "positive",
        "category" | "topic" | "label" | "type" | "kind" => "general",
        "priority" | "urgency" | "severity" => "normal",
        "status" | "state" => "open",
        "title" | "subject" | "headline" => return titled(about),
        "" => return format!("Simulated answer about: {about}"),
        "summary" | "description" | "text" | "answer" | "content" | "message" | "reply"
        | "body" | "reason" | "explanation" | "reasoning" | "comment" | "result" | "output"
        | "response" => {
            return format!("Simulated {name} about: {about}");
        }
        _ => return format!("Simulated {}", name.replace('_', " ")),
    };
    known.to_owned()
}

fn titled(about: &str) -> String {
    let words: Vec<&str> = about.split_whitespace().take(6).collect();
    if words.is_empty() {
        "A simulated title".to_owned()
    } else {
        words.join(" ")
    }
}

fn formatted(format: &str, nth: usize) -> Option<String> {
    let day = 1 + nth % 28;
    let octet = 1 + nth % 250;
    Some(match format {
        "date" => format!("2026-01-{day:02}"),
        "date-time" => format!("2026-01-{day:02}T09:30:00Z"),
        "time" => format!("09:{:02}:00Z", nth % 60),
        "duration" => format!("P{day}D"),
        "email" | "idn-email" => format!("person{octet}@example.com"),
        "uri" | "url" | "iri" | "uri-reference" => format!("https://example.com/{octet}"),
        "hostname" | "idn-hostname" => format!("host{octet}.example.com"),
        "uuid" => format!("00000000-0000-4000-8000-{octet:012}"),
        "ipv4" => format!("192.0.2.{octet}"),
        "ipv6" => format!("2001:db8::{octet}"),
        "json-pointer" => format!("/{octet}"),
        _ => return None,
    })
}
