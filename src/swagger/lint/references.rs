//! Rules about references between schemas, and about how many and how deep schemas are.

use serde_json::Value;

use super::definition::{DEFINITIONS, Definition, Role, children, members, text};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    (
        "AdditionalPropertyNotAllowedAdjacentToRef",
        additional_property_not_allowed_adjacent_to_ref,
    ),
    ("SchemaReferenceNotValid", schema_reference_not_valid),
    ("SchemaReferenceNotFound", schema_reference_not_found),
    ("SchemaRefLoopNotAllowed", schema_ref_loop_not_allowed),
    ("SchemaTooDeep", schema_too_deep),
    (
        "BodySchemaCountExceedsMaxAllowed",
        body_schema_count_exceeds_max_allowed,
    ),
    (
        "OperationSchemaCountExceedsMaxAllowed",
        operation_schema_count_exceeds_max_allowed,
    ),
];

/// What stands beside a `$ref` is ignored: a label there is never shown.
fn additional_property_not_allowed_adjacent_to_ref(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for schema in definition
        .schemas
        .iter()
        .filter(|schema| schema.is_reference())
    {
        if members(schema.value).count() > 1 {
            report.add(&schema.at, "nothing may stand beside a `$ref`");
        }
    }
}

/// The import follows references to definitions only, and no deeper than their names.
fn schema_reference_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in definition
        .schemas
        .iter()
        .filter(|schema| schema.is_reference())
    {
        let name = text(schema.value, "$ref").strip_prefix(DEFINITIONS);
        if name.is_none_or(|name| name.is_empty() || name.contains('/')) {
            report.add(&schema.at, format!("must read {DEFINITIONS}NAME"));
        }
    }
}

/// The import fails on a reference that leads nowhere.
fn schema_reference_not_found(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in definition
        .schemas
        .iter()
        .filter(|schema| schema.is_reference())
    {
        if let Some(name) = text(schema.value, "$ref").strip_prefix(DEFINITIONS)
            && !name.contains('/')
            && definition.root["definitions"].get(name).is_none()
        {
            report.add(&schema.at, format!("`{name}` is not defined"));
        }
    }
}

/// The import refuses loops, and a definition that is a reference only; Power Fx replaces a loop by
/// an empty text.
fn schema_ref_loop_not_allowed(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in definition
        .schemas
        .iter()
        .filter(|each| each.role == Role::Definition)
    {
        if schema.is_reference() {
            report.add(&schema.at, "is only a reference to another definition");
        } else if measure(definition, schema.value).loops {
            report.add(&schema.at, "refers to itself");
        }
    }
}

/// The import refuses deep schemas, without saying how deep; Power Fx stops at 30 levels.
fn schema_too_deep(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in definition
        .schemas
        .iter()
        .filter(|each| each.parent.is_none())
    {
        let depth = measure(definition, schema.value).depth;
        if depth > MAX_DEPTH {
            report.add(
                &schema.at,
                format!("is {depth} levels deep, more than {MAX_DEPTH}"),
            );
        }
    }
}

/// The import refuses a body of more than 512 schemas, references followed.
fn body_schema_count_exceeds_max_allowed(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in &definition.schemas {
        let is_body = matches!(
            schema.role,
            Role::Body | Role::Response | Role::Notification
        );
        if is_body && measure(definition, schema.value).count > 512 {
            report.add(&schema.at, "holds more than 512 schemas");
        }
    }
}

/// The import refuses an operation of more than 16,384 schemas, references followed.
fn operation_schema_count_exceeds_max_allowed(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for operation in &definition.operations {
        let place = format!("{}/", operation.at);
        let roots = definition.schemas.iter().filter(|schema| {
            let root = schema.parent.is_none() && schema.role != Role::Definition;
            root && schema.at.starts_with(&place)
        });
        let count: usize = roots
            .map(|root| measure(definition, root.value).count)
            .sum();
        if count > MAX_COUNT {
            report.add(
                &operation.at,
                format!("holds more than {MAX_COUNT} schemas"),
            );
        }
    }
}

const MAX_DEPTH: usize = 30;
const MAX_COUNT: usize = 16_384;

/// How large a schema is with its references followed. Counting stops a little beyond the largest
/// limit and following at a loop.
#[derive(Default)]
struct Size {
    count: usize,
    depth: usize,
    loops: bool,
}

fn measure<'a>(definition: &Definition<'a>, schema: &'a Value) -> Size {
    let mut size = Size::default();
    descend(definition, schema, 1, &mut Vec::new(), &mut size);
    size
}

fn descend<'a>(
    definition: &Definition<'a>,
    schema: &'a Value,
    depth: usize,
    open: &mut Vec<&'a Value>,
    size: &mut Size,
) {
    let schema = definition.resolve(schema);
    if open.iter().any(|outer| std::ptr::eq(*outer, schema)) {
        size.loops = true;
        return;
    }
    size.count += 1;
    size.depth = size.depth.max(depth);
    if size.count > MAX_COUNT {
        return;
    }
    open.push(schema);
    for (_, _, child) in children(schema) {
        descend(definition, child, depth + 1, open, size);
    }
    open.pop();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Broken, check, copy, set};
    use super::RULES;

    const BROKEN: &[Broken] = &[
        ("AdditionalPropertyNotAllowedAdjacentToRef", |d| {
            set(
                d,
                "/definitions/AskRequest/properties/files/items/description",
                "A file.",
            );
        }),
        ("SchemaReferenceNotValid", |d| {
            let job = "#/definitions/Job/properties/status";
            set(
                d,
                "/definitions/AskRequest/properties/files/items/$ref",
                job,
            );
        }),
        ("SchemaReferenceNotFound", |d| {
            let picture = "#/definitions/Picture";
            set(
                d,
                "/definitions/AskRequest/properties/files/items/$ref",
                picture,
            );
        }),
        ("SchemaRefLoopNotAllowed", |d| {
            let file = json!({"type": "array", "items": {"$ref": "#/definitions/File"},
        "description": "Files inside.", "x-ms-summary": "Files"});
            set(d, "/definitions/File/properties/files", file);
        }),
        ("SchemaRefLoopNotAllowed", |d| {
            set(
                d,
                "/definitions/Other",
                json!({"$ref": "#/definitions/File"}),
            );
        }),
        ("SchemaTooDeep", |d| {
            let mut schema = json!({"type": "string"});
            for _ in 0..30 {
                schema = json!({"type": "array", "items": schema});
            }
            set(d, "/definitions/Deep", schema);
        }),
        ("BodySchemaCountExceedsMaxAllowed", |d| {
            for index in 0..512 {
                copy(
                    d,
                    "/definitions/AskRequest/properties/prompt",
                    &format!("/definitions/AskRequest/properties/prompt{index}"),
                );
            }
        }),
        ("OperationSchemaCountExceedsMaxAllowed", |d| {
            let parts = vec![json!({"$ref": "#/definitions/Job"}); 500];
            set(d, "/definitions/Wide", json!({"allOf": parts}));
            for index in 0..20 {
                let header = json!({"type": "array", "items": {"$ref": "#/definitions/Wide"}});
                let headers = "/paths/~1v1~1ask/post/responses/200/headers";
                set(d, &format!("{headers}/x-{index}"), header);
            }
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
