//! Rules about the definition as a whole: host, metadata, sizes, language.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::{canonical, join};
use super::definition::{Definition, SAMPLE_VALUES, elements, every_object, members, text};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    (
        "SpecificationVersionIncorrect",
        specification_version_incorrect,
    ),
    ("HostNameNotValid", host_name_not_valid),
    ("BasePathNotValid", base_path_not_valid),
    ("SchemesArrayEmpty", schemes_array_empty),
    ("SchemeNotValid", scheme_not_valid),
    ("ConsumesMissing", consumes_missing),
    ("MimeTypeNotValid", mime_type_not_valid),
    ("RequiredPropertyMissing", required_property_missing),
    ("FieldLengthExceeded", field_length_exceeded),
    ("FieldLengthNotInRange", field_length_not_in_range),
    (
        "ValueContainsRestrictedWords",
        value_contains_restricted_words,
    ),
    (
        "ValueMustEndWithAlphanumeric",
        value_must_end_with_alphanumeric,
    ),
    ("ValueMustBeInEnglish", value_must_be_in_english),
    ("RequiredValueEmpty", required_value_empty),
    ("ContactEmailNotValid", contact_email_not_valid),
    ("UrlNotValid", url_not_valid),
    (
        "ConnectorMetadataPropertiesMissing",
        connector_metadata_properties_missing,
    ),
    ("TooManyConnectorCategories", too_many_connector_categories),
    (
        "SecurityRequirementMustBeDefined",
        security_requirement_must_be_defined,
    ),
    (
        "SecuritySchemePropertyRequired",
        security_scheme_property_required,
    ),
    ("TagRedefined", tag_redefined),
    ("DefinitionTooLarge", definition_too_large),
    (
        "TotalOperationsCountExceedsMaxAllowed",
        total_operations_count_exceeds_max_allowed,
    ),
];

/// The import refuses any version but 2.0.
fn specification_version_incorrect(definition: &Definition<'_>, report: &mut Report<'_>) {
    if definition.root["swagger"] != "2.0" {
        report.add("/swagger", "must be \"2.0\"");
    }
}

/// A host with a scheme or a path makes every call of the connector go nowhere.
fn host_name_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    let host = text(definition.root, "host");
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if name.is_empty() || !name.chars().all(is_name) || port.parse::<u16>().is_err() {
        report.add("/host", format!("`{host}` is not a bare host name"));
    }
}

/// The platform appends the base path to the host as it is.
fn base_path_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    if let Some(path) = definition.root.get("basePath")
        && !path.as_str().is_some_and(|path| path.starts_with('/'))
    {
        report.add("/basePath", "must start with a slash");
    }
}

/// Without a scheme the wizard does not know how to call the host.
fn schemes_array_empty(definition: &Definition<'_>, report: &mut Report<'_>) {
    if elements(&definition.root["schemes"]).next().is_none() {
        report.add("/schemes", "names no scheme");
    }
}

/// Power Fx ignores every server that is not https, and the connector with it.
fn scheme_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    if elements(&definition.root["schemes"]).any(|scheme| scheme != "https") {
        report.add("/schemes", "only https is called from all hosts");
    }
}

/// The validator wants a media type for every body that is sent.
fn consumes_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    let named = |value: &Value| elements(&value["consumes"]).next().is_some();
    if named(definition.root) {
        return;
    }
    for operation in &definition.operations {
        let mut parameters = definition.parameters_of(operation);
        let sends = parameters.any(|each| matches!(each.location(), "body" | "formData"));
        if sends && !named(operation.value) {
            report.add(&operation.at, "nothing says what its body is written in");
        }
    }
}

/// The validator knows four media types to send; Power Fx reads a few more as text or as a file,
/// and gives an answer of any other one no type.
fn mime_type_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    const SENT: [&str; 4] = [
        "application/json",
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ];
    const ANSWERED: [&str; 3] = ["application/octet-stream", "text/csv", "text/html"];
    let operations = definition.operations.iter();
    let places = operations.map(|operation| (operation.at.as_str(), operation.value));
    for (at, value) in places.chain([("", definition.root)]) {
        for key in ["consumes", "produces"] {
            for media_type in elements(&value[key]).filter_map(Value::as_str) {
                let answered = key == "produces" && ANSWERED.contains(&media_type);
                if !SENT.contains(&media_type) && !answered {
                    report.add(join(at, key), format!("unknown media type {media_type}"));
                }
            }
        }
    }
}

/// The command line importers crash without a description; certification wants the contact.
fn required_property_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    let info = &definition.root["info"];
    for (at, value, keys) in [
        ("/info", info, ["title", "description", "version"]),
        ("/info/contact", &info["contact"], ["name", "url", "email"]),
    ] {
        for key in keys {
            if value.get(key).is_none() {
                report.add(join(at, key), "is required");
            }
        }
    }
}

/// Certification refuses a title beyond 30 characters, and the designer cuts labels beyond 80.
fn field_length_exceeded(definition: &Definition<'_>, report: &mut Report<'_>) {
    if text(&definition.root["info"], "title").len() > 30 {
        report.add("/info/title", "is longer than 30 characters");
    }
    every_object(definition.root, "", &mut |at, object| {
        let summary = object.get("x-ms-summary").and_then(Value::as_str);
        if summary.is_some_and(|summary| summary.len() > 80) {
            report.add(join(at, "x-ms-summary"), "is longer than 80 characters");
        }
    });
}

/// Certification wants 30 to 500 characters of description.
fn field_length_not_in_range(definition: &Definition<'_>, report: &mut Report<'_>) {
    let description = text(&definition.root["info"], "description");
    if !description.is_empty() && !(30..=500).contains(&description.len()) {
        report.add("/info/description", "must have 30 to 500 characters");
    }
}

/// Certification refuses product names in the title and the description, and the words "API" and
/// "Connector" in the title.
fn value_contains_restricted_words(definition: &Definition<'_>, report: &mut Report<'_>) {
    const PRODUCTS: [&str; 11] = [
        "power apps",
        "powerapps",
        "power automate",
        "power platform",
        "power bi",
        "power pages",
        "power virtual agents",
        "power fx",
        "logic apps",
        "copilot",
        "microsoft flow",
    ];
    const TITLE_WORDS: [&str; 2] = ["api", "connector"];
    for key in ["title", "description"] {
        let value = text(&definition.root["info"], key).to_lowercase();
        let words: Vec<&str> = value.split(|c: char| !c.is_alphanumeric()).collect();
        let spaced = format!(" {} ", words.join(" "));
        let own: &[&str] = if key == "title" { &TITLE_WORDS } else { &[] };
        for word in PRODUCTS.iter().chain(own) {
            if spaced.contains(&format!(" {word} ")) {
                report.add(join("/info", key), format!("must not say \"{word}\""));
            }
        }
    }
}

/// Certification refuses a title that ends with a sign.
fn value_must_end_with_alphanumeric(definition: &Definition<'_>, report: &mut Report<'_>) {
    let title = text(&definition.root["info"], "title");
    if title.ends_with(|c: char| !c.is_ascii_alphanumeric()) {
        report.add("/info/title", "must end with a letter or a digit");
    }
}

/// Certification takes English only, and its reviewers refuse `\u` escapes: plain ASCII.
fn value_must_be_in_english(definition: &Definition<'_>, report: &mut Report<'_>) {
    fn visit(value: &Value, at: &str, report: &mut Report<'_>) {
        match value {
            Value::String(text) if !text.is_ascii() => {
                report.add(at, "holds a character outside ASCII");
            }
            Value::Array(array) => {
                for (index, value) in array.iter().enumerate() {
                    visit(value, &join(at, &index.to_string()), report);
                }
            }
            Value::Object(object) => {
                for (key, value) in object {
                    let at = join(at, key);
                    if !key.is_ascii() {
                        report.add(&at, "has a name outside ASCII");
                    }
                    visit(value, &at, report);
                }
            }
            _ => {}
        }
    }
    visit(definition.root, "", report);
}

/// The validator refuses empty texts; the designer shows an empty label for them.
fn required_value_empty(definition: &Definition<'_>, report: &mut Report<'_>) {
    every_object(definition.root, "", &mut |at, object| {
        for (key, value) in object {
            // A literal that a dynamic call sends may be empty.
            let sample = SAMPLE_VALUES.contains(&key.as_str()) || key == "value";
            if !sample && value.as_str().is_some_and(|text| text.trim().is_empty()) {
                report.add(join(at, key), "is empty");
            }
        }
    });
}

/// The validator refuses a contact whose address is not one.
fn contact_email_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    let email = text(&definition.root["info"]["contact"], "email");
    let is_address = email.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty() && domain.contains('.') && !email.contains(char::is_whitespace)
    });
    if !email.is_empty() && !is_address {
        report.add("/info/contact/email", "is no e-mail address");
    }
}

/// The validator refuses relative and broken links.
fn url_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    for pointer in [
        "/info/contact/url",
        "/info/license/url",
        "/info/termsOfService",
        "/externalDocs/url",
    ] {
        let url = definition.root.pointer(pointer).and_then(Value::as_str);
        let is_absolute = |url: &str| {
            let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
            rest.is_some_and(|rest| !rest.is_empty()) && !url.contains(char::is_whitespace)
        };
        if url.is_some_and(|url| !is_absolute(url)) {
            report.add(pointer, "is no absolute URL");
        }
    }
}

/// Certification wants the website, the privacy policy and the categories.
fn connector_metadata_properties_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    for name in ["Website", "Privacy policy", "Categories"] {
        if metadata(definition, name).is_none() {
            report.add(METADATA, format!("\"{name}\" is missing"));
        }
    }
}

/// The gallery lists a connector under two categories at most.
fn too_many_connector_categories(definition: &Definition<'_>, report: &mut Report<'_>) {
    let categories = metadata(definition, "Categories").unwrap_or_default();
    if categories.split(';').count() > 2 {
        report.add(METADATA, "names more than two categories");
    }
}

const METADATA: &str = "/x-ms-connector-metadata";

fn metadata<'a>(definition: &Definition<'a>, name: &str) -> Option<&'a str> {
    let mut entries = elements(&definition.root["x-ms-connector-metadata"]);
    let entry = entries.find(|entry| entry["propertyName"] == name)?;
    entry.get("propertyValue")?.as_str()
}

/// The wizard makes no connection for a key that nothing defines.
fn security_requirement_must_be_defined(definition: &Definition<'_>, report: &mut Report<'_>) {
    let defined = &definition.root["securityDefinitions"];
    let operations = definition.operations.iter();
    let places = operations.map(|operation| (operation.at.as_str(), operation.value));
    for (at, value) in places.chain([("", definition.root)]) {
        for (name, _) in elements(&value["security"]).flat_map(members) {
            if defined.get(name).is_none() {
                let message = format!("`{name}` is not in `securityDefinitions`");
                report.add(join(at, "security"), message);
            }
        }
    }
}

/// An API key without a name or a place is not sent.
fn security_scheme_property_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (name, scheme) in members(&definition.root["securityDefinitions"]) {
        let keys: &[&str] = match text(scheme, "type") {
            "apiKey" => &["name", "in"],
            _ => &["type"],
        };
        for key in keys.iter().filter(|key| scheme.get(**key).is_none()) {
            report.add(
                join("/securityDefinitions", name),
                format!("has no `{key}`"),
            );
        }
    }
}

/// The validator refuses a tag that is described twice.
fn tag_redefined(definition: &Definition<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for tag in elements(&definition.root["tags"]) {
        if !seen.insert(text(tag, "name")) {
            report.add("/tags", format!("`{}` is there twice", text(tag, "name")));
        }
    }
}

/// Ours: the import refuses a file of 1 MB or more ("Custom connector FAQ").
fn definition_too_large(definition: &Definition<'_>, report: &mut Report<'_>) {
    let size = canonical(definition.root).len();
    if size >= 1_000_000 {
        report.add("", format!("{size} bytes are too many: less than 1 MB"));
    }
}

/// The import refuses more than 256 operations.
fn total_operations_count_exceeds_max_allowed(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    let count = definition.operations.len();
    if count > 256 {
        report.add("/paths", format!("{count} operations are more than 256"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Broken, check, copy, remove, set};
    use super::RULES;

    const BROKEN: &[Broken] = &[
        ("SpecificationVersionIncorrect", |d| {
            set(d, "/swagger", "3.0");
        }),
        ("HostNameNotValid", |d| {
            set(d, "/host", "https://gw.example.com");
        }),
        ("HostNameNotValid", |d| remove(d, "/host")),
        ("BasePathNotValid", |d| set(d, "/basePath", "api")),
        ("SchemesArrayEmpty", |d| set(d, "/schemes", json!([]))),
        ("SchemeNotValid", |d| set(d, "/schemes/-", "http")),
        ("ConsumesMissing", |d| remove(d, "/consumes")),
        ("MimeTypeNotValid", |d| set(d, "/produces/-", "audio/mpeg")),
        ("RequiredPropertyMissing", |d| {
            remove(d, "/info/description");
        }),
        ("RequiredPropertyMissing", |d| remove(d, "/info/contact")),
        ("FieldLengthExceeded", |d| {
            set(d, "/info/title", "A".repeat(31));
        }),
        ("FieldLengthExceeded", |d| {
            set(
                d,
                "/definitions/File/properties/content/x-ms-summary",
                "A".repeat(81),
            );
        }),
        ("FieldLengthNotInRange", |d| {
            set(d, "/info/description", "Too short.");
        }),
        ("ValueContainsRestrictedWords", |d| {
            set(d, "/info/title", "Model API");
        }),
        ("ValueContainsRestrictedWords", |d| {
            set(
                d,
                "/info/description",
                "Language models for Power Automate and others.",
            );
        }),
        ("ValueMustEndWithAlphanumeric", |d| {
            set(d, "/info/title", "Models (all)");
        }),
        ("ValueMustBeInEnglish", |d| {
            set(d, "/info/contact/name", "Andr\u{e1}s");
        }),
        ("RequiredValueEmpty", |d| {
            set(d, "/definitions/Job/description", "");
        }),
        ("ContactEmailNotValid", |d| {
            set(d, "/info/contact/email", "support");
        }),
        ("UrlNotValid", |d| {
            set(d, "/info/contact/url", "gw.example.com");
        }),
        ("ConnectorMetadataPropertiesMissing", |d| {
            set(d, "/x-ms-connector-metadata/0", json!({}));
        }),
        ("TooManyConnectorCategories", |d| {
            set(
                d,
                "/x-ms-connector-metadata/2/propertyValue",
                "AI;Data;Productivity",
            );
        }),
        ("SecurityRequirementMustBeDefined", |d| {
            set(d, "/security/-", json!({"other": []}));
        }),
        ("SecuritySchemePropertyRequired", |d| {
            remove(d, "/securityDefinitions/api_key/in");
        }),
        ("TagRedefined", |d| copy(d, "/tags/0", "/tags/-")),
        ("DefinitionTooLarge", |d| {
            set(
                d,
                "/definitions/Job/example",
                json!({"status": "a".repeat(1_000_000)}),
            );
        }),
        ("TotalOperationsCountExceedsMaxAllowed", |d| {
            let operation = d["paths"]["/v1/triggers/models"]["get"].clone();
            for index in 0..256 {
                let mut operation = operation.clone();
                operation["operationId"] = format!("When{index}").into();
                set(
                    d,
                    &format!("/paths/~1v1~1more{index}"),
                    json!({"get": operation}),
                );
            }
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
