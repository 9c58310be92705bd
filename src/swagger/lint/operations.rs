//! Rules about operations and their paths.

use std::collections::BTreeMap;

use super::super::join;
use super::definition::{Definition, Operation, members};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    ("OperationIdRequired", operation_id_required),
    ("OperationIdNotUnique", operation_id_not_unique),
    ("OperationIdSanitized", operation_id_sanitized),
    ("OperationIdNotPascalCase", operation_id_not_pascal_case),
    ("OperationIdTooLong", operation_id_too_long),
    (
        "OperationPathMustStartWithSlash",
        operation_path_must_start_with_slash,
    ),
    (
        "OperationPathMayNotContainQueryOrFragment",
        operation_path_may_not_contain_query_or_fragment,
    ),
    (
        "OperationPathContainsUnsupportedCharacters",
        operation_path_contains_unsupported_characters,
    ),
    (
        "OperationPathTemplateNotValid",
        operation_path_template_not_valid,
    ),
    ("PathItemRefNotSuppored", path_item_ref_not_supported),
    ("PathRedefined", path_redefined),
    ("DuplicateOperationPath", duplicate_operation_path),
    (
        "PartialDuplicateOperationPath",
        partial_duplicate_operation_path,
    ),
];

/// The platform stores an operation under its id, and a flow names it by that.
fn operation_id_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        if operation.text("operationId").is_empty() {
            report.add(&operation.at, "has no `operationId`");
        }
    }
}

/// Of two operations with one id the platform keeps one; ids are compared as Power Fx does.
fn operation_id_not_unique(definition: &Definition<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeMap::new();
    for operation in &definition.operations {
        let id = operation.text("operationId").to_lowercase();
        if !id.is_empty()
            && let Some(first) = seen.insert(id, &operation.at)
        {
            report.add(id_at(operation), format!("is the id of {first} too"));
        }
    }
}

/// Power Fx strips every other sign, so that a formula must name something else than the id.
fn operation_id_sanitized(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        let mut signs = operation.text("operationId").chars();
        if !signs.all(|c| c.is_ascii_alphanumeric()) {
            report.add(id_at(operation), "may hold letters and digits only");
        }
    }
}

/// Ours: the coding standards ask for `PascalCase`.
fn operation_id_not_pascal_case(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        let first = operation.text("operationId").chars().next();
        if first.is_some_and(|c| c.is_ascii_alphabetic() && !c.is_ascii_uppercase()) {
            report.add(id_at(operation), "must be in PascalCase");
        }
    }
}

/// An id becomes the name of an action in a flow, which holds 80 characters; the validator's own
/// limit is not published.
fn operation_id_too_long(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        if operation.text("operationId").len() > 80 {
            report.add(id_at(operation), "is longer than 80 characters");
        }
    }
}

fn id_at(operation: &Operation<'_>) -> String {
    join(&operation.at, "operationId")
}

/// The path is appended to the base path as it is.
fn operation_path_must_start_with_slash(definition: &Definition<'_>, report: &mut Report<'_>) {
    each_path(definition, report, "must start with a slash", |path| {
        !path.starts_with('/') && !path.starts_with("x-")
    });
}

/// The platform adds the query by itself.
fn operation_path_may_not_contain_query_or_fragment(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    let message = "must not hold `?` or `#`";
    each_path(definition, report, message, |path| {
        path.contains(['?', '#'])
    });
}

/// The gateway reads `*` as a wildcard and routes other paths to the operation.
fn operation_path_contains_unsupported_characters(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    let message = "must not hold `*`";
    each_path(definition, report, message, |path| path.contains('*'));
}

/// The gateway finds no parameter in braces that do not close within a segment.
fn operation_path_template_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    each_path(definition, report, "has unpaired or empty braces", |path| {
        path.split('/').any(|segment| {
            let mut open = false;
            let fits = segment.chars().all(|c| match c {
                '{' => !std::mem::replace(&mut open, true),
                '}' => std::mem::replace(&mut open, false),
                _ => true,
            });
            !fits || open || segment.contains("{}")
        })
    });
}

fn each_path(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
    message: &str,
    is_wrong: impl Fn(&str) -> bool,
) {
    for (path, _) in members(&definition.root["paths"]) {
        if is_wrong(path) {
            report.add(join("/paths", path), message);
        }
    }
}

/// The import does not follow a path item elsewhere. (The name is spelt as the validator has it.)
fn path_item_ref_not_supported(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (path, item) in members(&definition.root["paths"]) {
        if item.get("$ref").is_some() {
            report.add(join("/paths", path), "a path item cannot be a `$ref`");
        }
    }
}

/// The gateway compares paths without case, so the second is never reached.
fn path_redefined(definition: &Definition<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeMap::new();
    for (path, _) in members(&definition.root["paths"]) {
        if let Some(first) = seen.insert(path.to_lowercase(), path) {
            report.add(
                join("/paths", path),
                format!("differs from {first} in case only"),
            );
        }
    }
}

/// The gateway cannot tell two paths apart that differ in the names of their parameters only.
fn duplicate_operation_path(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (first, second) in pairs(definition) {
        if segments(first).eq(segments(second)) {
            report.add(&second.at, format!("cannot be told from {}", first.path));
        }
    }
}

/// A call whose parameter happens to equal the other path's fixed segment goes to the wrong one.
fn partial_duplicate_operation_path(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (first, second) in pairs(definition) {
        let same_length = segments(first).count() == segments(second).count();
        let mut both = segments(first).zip(segments(second));
        let fits = both.all(|(one, other)| one == other || one.is_none() || other.is_none());
        if same_length && fits && !segments(first).eq(segments(second)) {
            report.add(&second.at, format!("can be taken for {}", first.path));
        }
    }
}

/// Every two operations of one method whose paths differ in more than case.
fn pairs<'d, 'a>(
    definition: &'d Definition<'a>,
) -> impl Iterator<Item = (&'d Operation<'a>, &'d Operation<'a>)> {
    let operations = &definition.operations;
    operations.iter().enumerate().flat_map(move |(index, one)| {
        let others = operations.iter().skip(index + 1);
        let others = others.filter(move |other| {
            other.method == one.method && !other.path.eq_ignore_ascii_case(one.path)
        });
        others.map(move |other| (one, other))
    })
}

/// The segments of a path as the gateway compares them; none stands for a parameter.
fn segments(operation: &Operation<'_>) -> impl Iterator<Item = Option<String>> {
    let segments = operation.path.split('/');
    segments.map(|segment| (!segment.contains('{')).then(|| segment.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::sample::{Broken, check, copy, remove, set};
    use super::RULES;

    fn move_ask(definition: &mut Value, to: &str) {
        copy(definition, "/paths/~1v1~1ask", to);
        remove(definition, "/paths/~1v1~1ask");
    }

    fn path_parameter(name: &str) -> Value {
        json!({
            "name": name,
            "in": "path",
            "description": "Which one.",
            "required": true,
            "type": "string",
            "x-ms-summary": "Which",
            "x-ms-url-encoding": "single"
        })
    }

    const BROKEN: &[Broken] = &[
        ("OperationIdRequired", |d| {
            remove(d, "/paths/~1v1~1ask/post/operationId");
        }),
        ("OperationIdNotUnique", |d| {
            set(d, "/paths/~1v1~1ask/post/operationId", "GetFile");
        }),
        ("OperationIdSanitized", |d| {
            set(d, "/paths/~1v1~1ask/post/operationId", "Ask_V2");
        }),
        ("OperationIdNotPascalCase", |d| {
            set(d, "/paths/~1v1~1ask/post/operationId", "ask");
        }),
        ("OperationIdTooLong", |d| {
            set(d, "/paths/~1v1~1ask/post/operationId", "A".repeat(81));
        }),
        ("OperationPathMustStartWithSlash", |d| {
            move_ask(d, "/paths/v1~1ask");
        }),
        ("OperationPathMayNotContainQueryOrFragment", |d| {
            move_ask(d, "/paths/~1v1~1ask?kind=a");
        }),
        ("OperationPathContainsUnsupportedCharacters", |d| {
            move_ask(d, "/paths/~1v1~1ask~1*");
        }),
        ("OperationPathTemplateNotValid", |d| {
            move_ask(d, "/paths/~1v1~1ask}");
        }),
        ("PathItemRefNotSuppored", |d| {
            set(d, "/paths/~1v1~1ask/$ref", "#/paths/~1v1~1files");
        }),
        ("PathRedefined", |d| move_ask(d, "/paths/~1v1~1Files")),
        ("DuplicateOperationPath", |d| {
            move_ask(d, "/paths/~1v1~1ask~1{one}");
            d["paths"]["/v1/ask/{one}"]["parameters"] = json!([path_parameter("one")]);
            copy(d, "/paths/~1v1~1ask~1{one}", "/paths/~1v1~1ask~1{two}");
            let second = &mut d["paths"]["/v1/ask/{two}"];
            second["post"]["operationId"] = "AskAgain".into();
            second["parameters"][0]["name"] = "two".into();
        }),
        ("PartialDuplicateOperationPath", |d| {
            copy(d, "/paths/~1v1~1ask", "/paths/~1v1~1{name}");
            let second = &mut d["paths"]["/v1/{name}"];
            second["parameters"] = json!([path_parameter("name")]);
            second["post"]["operationId"] = "AskByName".into();
            remove(d, "/paths/~1v1~1files");
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
