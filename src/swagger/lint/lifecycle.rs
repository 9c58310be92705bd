//! Rules about revisions of operations and about deprecating them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::join;
use super::definition::{Definition, text};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    ("DeprecatedNotSaid", deprecated_not_said),
    (
        "ApiAnnotationExtensionReplacementInfoForNonDeprecatedOperations",
        replacement_for_non_deprecated_operations,
    ),
    (
        "ApiAnnotationExtensionReplacementInfoMissingApiProperty",
        replacement_missing_api_property,
    ),
    (
        "ApiAnnotationExtensionReplacementInfoMissingOperationIdProperty",
        replacement_missing_operation_id_property,
    ),
    (
        "OperationFamilyHasDuplicateRevisions",
        operation_family_has_duplicate_revisions,
    ),
    (
        "OperationFamilyHasManyActiveProductionOperations",
        operation_family_has_many_active_production_operations,
    ),
    (
        "OperationStatusAheadOfConnector",
        operation_status_ahead_of_connector,
    ),
];

const ANNOTATION: &str = "x-ms-api-annotation";

/// The place of each operation's annotation, the annotation, and whether the operation is
/// deprecated.
fn annotations<'a>(definition: &Definition<'a>) -> impl Iterator<Item = (String, &'a Value, bool)> {
    definition.operations.iter().filter_map(|operation| {
        let annotation = operation.value.get(ANNOTATION)?;
        let deprecated = operation.value["deprecated"] == true;
        Some((join(&operation.at, ANNOTATION), annotation, deprecated))
    })
}

/// Ours: flows that use it keep working, and their makers see it by these words only ("Deprecate an
/// operation").
fn deprecated_not_said(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        let says = |key| operation.text(key).to_lowercase().contains("(deprecated)");
        if operation.value["deprecated"] == true && !(says("summary") && says("description")) {
            let message = "its summary and description must say \"(deprecated)\"";
            report.add(&operation.at, message);
        }
    }
}

/// The designer would point away from an operation that is in use.
fn replacement_for_non_deprecated_operations(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (at, annotation, deprecated) in annotations(definition) {
        if annotation.get("replacement").is_some() && !deprecated {
            report.add(at, "only a deprecated operation has a replacement");
        }
    }
}

/// The designer cannot find the replacement.
fn replacement_missing_api_property(definition: &Definition<'_>, report: &mut Report<'_>) {
    replacement_missing(definition, "api", report);
}

/// The designer cannot find the replacement.
fn replacement_missing_operation_id_property(definition: &Definition<'_>, report: &mut Report<'_>) {
    replacement_missing(definition, "operationId", report);
}

fn replacement_missing(definition: &Definition<'_>, key: &str, report: &mut Report<'_>) {
    for (at, annotation, _) in annotations(definition) {
        let replacement = annotation.get("replacement");
        if replacement.is_some_and(|replacement| replacement.get(key).is_none()) {
            report.add(at, format!("the replacement has no `{key}`"));
        }
    }
}

/// The designer shows one of two operations with the same revision.
fn operation_family_has_duplicate_revisions(definition: &Definition<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for (at, annotation, _) in annotations(definition) {
        let family = text(annotation, "family");
        let revision = annotation.get("revision").map(Value::to_string);
        if !family.is_empty() && revision.is_some() && !seen.insert((family, revision)) {
            report.add(
                at,
                format!("the revision is in the family {family} already"),
            );
        }
    }
}

/// Makers would not know which of the revisions to use: deprecate the older one.
fn operation_family_has_many_active_production_operations(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    let mut seen = BTreeSet::new();
    for (at, annotation, deprecated) in annotations(definition) {
        let family = text(annotation, "family");
        let active = text(annotation, "status") == "Production" && !deprecated;
        if !family.is_empty() && active && !seen.insert(family) {
            report.add(
                at,
                format!("the family {family} has another one in production"),
            );
        }
    }
}

/// A connector in preview has nothing in production.
fn operation_status_ahead_of_connector(definition: &Definition<'_>, report: &mut Report<'_>) {
    let connector = text(&definition.root["info"][ANNOTATION], "status");
    for (at, annotation, _) in annotations(definition) {
        if connector == "Preview" && text(annotation, "status") == "Production" {
            report.add(at, "is in production, and the connector in preview");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::sample::{Broken, check, set};
    use super::RULES;

    fn annotate(definition: &mut Value, operation: &str, annotation: Value) {
        let (path, method) = operation.split_once('/').unwrap();
        let at = format!("/paths/~1v1~1{path}/{method}/x-ms-api-annotation");
        set(definition, &at, annotation);
    }

    fn deprecate_ask(definition: &mut Value, replacement: &Value) {
        let ask = "/paths/~1v1~1ask/post";
        set(definition, &format!("{ask}/deprecated"), true);
        set(
            definition,
            &format!("{ask}/summary"),
            "Ask a model (deprecated)",
        );
        let description = "Sends one prompt (deprecated).";
        set(definition, &format!("{ask}/description"), description);
        annotate(definition, "ask/post", json!({"replacement": replacement}));
    }

    const BROKEN: &[Broken] = &[
        ("DeprecatedNotSaid", |d| {
            set(d, "/paths/~1v1~1ask/post/deprecated", true);
        }),
        (
            "ApiAnnotationExtensionReplacementInfoForNonDeprecatedOperations",
            |d| {
                let replacement = json!({"api": "models", "operationId": "GetFile"});
                annotate(d, "ask/post", json!({"replacement": replacement}));
            },
        ),
        (
            "ApiAnnotationExtensionReplacementInfoMissingApiProperty",
            |d| {
                deprecate_ask(d, &json!({"operationId": "GetFile"}));
            },
        ),
        (
            "ApiAnnotationExtensionReplacementInfoMissingOperationIdProperty",
            |d| {
                deprecate_ask(d, &json!({"api": "models"}));
            },
        ),
        ("OperationFamilyHasDuplicateRevisions", |d| {
            annotate(d, "ask/post", json!({"family": "Ask", "revision": 1}));
            annotate(d, "files/post", json!({"family": "Ask", "revision": 1}));
        }),
        ("OperationFamilyHasManyActiveProductionOperations", |d| {
            let status = "Production";
            annotate(
                d,
                "ask/post",
                json!({"family": "Ask", "revision": 1, "status": status}),
            );
            annotate(
                d,
                "files/post",
                json!({"family": "Ask", "revision": 2, "status": status}),
            );
        }),
        ("OperationStatusAheadOfConnector", |d| {
            set(d, "/info/x-ms-api-annotation", json!({"status": "Preview"}));
            annotate(d, "ask/post", json!({"status": "Production"}));
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
