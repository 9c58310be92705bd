//! Rules about the texts a maker reads: labels, summaries, descriptions.

use serde_json::Value;

use super::super::join;
use super::definition::{Definition, Role, text};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    ("OperationSummaryRequired", operation_summary_required),
    ("OperationSummaryTooLong", operation_summary_too_long),
    (
        "RestrictedCharactersInSummary",
        restricted_characters_in_summary,
    ),
    (
        "OperationSummaryNotSentenceCase",
        operation_summary_not_sentence_case,
    ),
    (
        "OperationDescriptionRequired",
        operation_description_required,
    ),
    ("SummaryRequired", summary_required),
    ("SummaryNotTitleCase", summary_not_title_case),
    ("DescriptionRequired", description_required),
    ("DescriptionNotSentence", description_not_sentence),
    ("DescriptionSameAsSummary", description_same_as_summary),
];

/// Ours: an operation without a summary is listed under its id.
fn operation_summary_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        if operation.value.get("summary").is_none() {
            report.add(&operation.at, "has no summary");
        }
    }
}

/// The designer cuts it; certification asks for 80 characters at most (the validator for 120).
fn operation_summary_too_long(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        if operation.text("summary").len() > 80 {
            report.add(
                join(&operation.at, "summary"),
                "is longer than 80 characters",
            );
        }
    }
}

/// Certification takes letters, digits and parentheses only.
fn restricted_characters_in_summary(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " ()".contains(c);
        if !operation.text("summary").chars().all(allowed) {
            let message = "may hold letters, digits, spaces and parentheses only";
            report.add(join(&operation.at, "summary"), message);
        }
    }
}

/// Ours: certification asks for sentence case, "Get credits" and not "Get Credits". A word with
/// more than its first letter in capitals is taken for a name.
fn operation_summary_not_sentence_case(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        let summary = operation.text("summary");
        let mut words = summary.split_whitespace();
        let starts_well = words.next().is_none_or(starts_title);
        let is_capitalized = |word: &str| {
            let mut letters = word.chars();
            let first = letters.next().is_some_and(char::is_uppercase);
            first && word.len() > 1 && letters.all(|c| !c.is_uppercase() && !c.is_numeric())
        };
        if !starts_well || words.any(is_capitalized) {
            let message = "must be in sentence case: only the first word and names in capitals";
            report.add(join(&operation.at, "summary"), message);
        }
    }
}

/// Ours: an agent chooses an operation by its description.
fn operation_description_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        if operation.value.get("description").is_none() {
            report.add(&operation.at, "has no description");
        }
    }
}

/// Ours: a parameter or property without a label is shown under its technical name.
fn summary_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in definition.schemas.iter().filter(|each| each.is_labelled()) {
        let value = definition.resolve(schema.value);
        if value.get("x-ms-summary").or(value.get("title")).is_none() {
            report.add(&schema.at, "has no `x-ms-summary`");
        }
    }
}

/// Ours: certification asks for Title Case in labels.
fn summary_not_title_case(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in definition.schemas.iter().filter(|each| each.is_labelled()) {
        for key in ["x-ms-summary", "title"] {
            let label = text(schema.value, key);
            let mut words = label.split([' ', '-', '/']).filter(|word| !word.is_empty());
            let starts_well = words.next().is_none_or(starts_title);
            let is_small = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).len() < 4;
            if !starts_well || words.any(|word| !is_small(word) && !starts_title(word)) {
                report.add(
                    join(&schema.at, key),
                    format!("\"{label}\" is not in Title Case"),
                );
            }
        }
    }
}

fn starts_title(word: &str) -> bool {
    let first = word.chars().find(|c| c.is_alphanumeric());
    first.is_none_or(|first| first.is_uppercase() || first.is_numeric())
}

/// Ours: without a description makers and agents guess what a value is for.
fn description_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in definition.schemas.iter().filter(|each| each.is_labelled()) {
        if definition
            .resolve(schema.value)
            .get("description")
            .is_none()
        {
            report.add(&schema.at, "has no description");
        }
    }
    for parameter in &definition.parameters {
        if parameter.location() == "body" && parameter.value.get("description").is_none() {
            report.add(&parameter.at, "has no description");
        }
    }
}

/// Ours: certification asks for full sentences.
fn description_not_sentence(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (at, value) in described(definition) {
        let description = text(value, "description");
        if !description.is_empty() && !description.ends_with('.') {
            report.add(
                join(&at, "description"),
                "must be sentences that end with a full stop",
            );
        }
    }
}

/// Ours: a description that repeats the summary tells an agent nothing; reviewers refuse it.
fn description_same_as_summary(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (at, value) in described(definition) {
        let plain = |key| text(value, key).trim_end_matches('.').to_lowercase();
        let description = plain("description");
        let repeats = |key| plain(key) == description;
        if !description.is_empty()
            && ["summary", "x-ms-summary", "title"]
                .into_iter()
                .any(repeats)
        {
            report.add(join(&at, "description"), "only repeats the summary");
        }
    }
}

/// Everything that carries a description of its own for a maker.
fn described<'a>(definition: &Definition<'a>) -> impl Iterator<Item = (String, &'a Value)> {
    let operations = definition.operations.iter();
    let operations = operations.map(|operation| (operation.at.clone(), operation.value));
    let schemas = definition.schemas.iter().filter(|schema| {
        schema.is_labelled() || matches!(schema.role, Role::Items | Role::MapValue)
    });
    let schemas = schemas.map(|schema| (schema.at.clone(), schema.value));
    let bodies = definition.parameters.iter();
    let bodies = bodies.filter(|parameter| parameter.location() == "body");
    let bodies = bodies.map(|parameter| (parameter.at.clone(), parameter.value));
    operations.chain(schemas).chain(bodies)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Broken, check, remove, set};
    use super::RULES;

    const BROKEN: &[Broken] = &[
        ("OperationSummaryRequired", |d| {
            remove(d, "/paths/~1v1~1ask/post/summary");
        }),
        ("OperationSummaryTooLong", |d| {
            set(
                d,
                "/paths/~1v1~1ask/post/summary",
                format!("A{}", " long".repeat(20)),
            );
        }),
        ("RestrictedCharactersInSummary", |d| {
            set(d, "/paths/~1v1~1ask/post/summary", "Ask a model, and wait");
        }),
        ("OperationSummaryNotSentenceCase", |d| {
            set(d, "/paths/~1v1~1ask/post/summary", "Ask a Model");
        }),
        ("OperationSummaryNotSentenceCase", |d| {
            set(d, "/paths/~1v1~1ask/post/summary", "ask a model");
        }),
        ("OperationDescriptionRequired", |d| {
            remove(d, "/paths/~1v1~1ask/post/description");
        }),
        ("SummaryRequired", |d| {
            remove(d, "/definitions/File/properties/content/x-ms-summary");
        }),
        ("SummaryRequired", |d| {
            remove(
                d,
                "/paths/~1v1~1models~1{author}/get/parameters/0/x-ms-summary",
            );
        }),
        ("SummaryNotTitleCase", |d| {
            set(
                d,
                "/definitions/File/properties/content/x-ms-summary",
                "File content",
            );
        }),
        ("SummaryNotTitleCase", |d| {
            set(
                d,
                "/definitions/File/properties/content/title",
                "the Content",
            );
        }),
        ("DescriptionRequired", |d| {
            remove(d, "/definitions/File/properties/content/description");
        }),
        ("DescriptionRequired", |d| {
            remove(d, "/paths/~1v1~1ask/post/parameters/0/description");
        }),
        ("DescriptionNotSentence", |d| {
            set(
                d,
                "/definitions/File/properties/content/description",
                "The bytes",
            );
        }),
        ("DescriptionSameAsSummary", |d| {
            set(
                d,
                "/definitions/File/properties/content/description",
                "Content.",
            );
        }),
        ("DescriptionSameAsSummary", |d| {
            set(d, "/paths/~1v1~1ask/post/description", "Ask a model.");
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
