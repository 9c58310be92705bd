//! Rules about which keys may stand where, Microsoft's `x-ms-*` above all.
//!
//! The lists restate the schema Microsoft keeps beside its published connectors
//! (github.com/microsoft/PowerPlatformConnectors, `apiDefinition.swagger.schema.json`), with what
//! newer hosts read and that schema does not know yet.

use serde_json::Value;

use super::super::join;
use super::definition::{Definition, Role, elements, every_object, members};
use super::schemas::is_later_keyword;
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    (
        "AdditionalPropertyNotAllowed",
        additional_property_not_allowed,
    ),
    ("ExtensionNotAllowedHere", extension_not_allowed_here),
    ("JsonValueNotInEnum", json_value_not_in_enum),
];

/// The keys of one kind of object, in words; extensions that are not Microsoft's are free.
type Keys = &'static [&'static str];

const ROOT: Keys = &[
    "swagger info host basePath schemes consumes produces paths definitions \
     parameters responses security securityDefinitions tags externalDocs \
     x-ms-capabilities x-ms-connector-metadata x-ms-docs",
];
const INFO: Keys = &["title version description termsOfService contact license \
     x-ms-deployment-version x-ms-api-annotation"];
const CONTACT: Keys = &["name url email"];
const LICENSE: Keys = &["name url"];
const TAG: Keys = &["name description externalDocs"];
const SECURITY_SCHEME: Keys = &["type description name in flow authorizationUrl tokenUrl scopes"];
const PATH_ITEM: Keys = &["$ref get put post delete options head patch parameters \
     x-ms-notification-content"];
const OPERATION: Keys = &[
    "tags summary description externalDocs operationId produces consumes parameters responses \
     schemes deprecated security \
     x-ms-api-annotation x-ms-capabilities x-ms-no-generic-test x-ms-operation-context \
     x-ms-pageable x-ms-safe-operation x-ms-summary x-ms-trigger x-ms-trigger-hint \
     x-ms-trigger-metadata x-ms-notification x-ms-visibility",
    // Read by Copilot Studio and Power Fx.
    "x-ms-agentic-protocol x-ms-require-user-confirmation",
    MODEL_TEXTS,
];
const RESPONSE: Keys = &["$ref description schema headers examples x-ms-summary"];
const BODY: Keys = &[
    "$ref description name in required schema x-ms-summary x-ms-test-value x-ms-visibility",
    MODEL_TEXTS,
    // That these are misplaced here is `DynamicExtensionDefinitionNotAllowedInParameter`'s.
    "x-ms-dynamic-list x-ms-dynamic-values x-ms-dynamic-schema x-ms-dynamic-properties",
];
const HEADER: Keys = &[VALUE, "x-ms-summary x-ms-visibility"];
const PARAMETER: Keys = &[
    VALUE,
    MODEL_TEXTS,
    "$ref name in required allowEmptyValue \
     x-ms-dynamic-list x-ms-dynamic-values x-ms-dynamic-tree x-ms-enum-values \
     x-ms-localizeDefaultValue x-ms-parameter-location x-ms-skip-url-encoding x-ms-summary \
     x-ms-test-value x-ms-trigger-value x-ms-url-encoding x-ms-visibility x-ms-explicit-input \
     x-ms-ai-sensitivity",
    // That it is misplaced here is `NonBodyParameterSchemaNotValid`'s.
    "schema",
];
const SCHEMA: Keys = &[
    VALUE,
    MODEL_TEXTS,
    "$ref title maxProperties minProperties required additionalProperties allOf properties \
     discriminator readOnly xml externalDocs example \
     x-ms-dynamic-list x-ms-dynamic-values x-ms-editor x-ms-enum x-ms-enum-values \
     x-ms-localizeDefaultValue x-ms-notification-url x-ms-summary x-ms-test-value x-ms-visibility \
     x-ms-ai-sensitivity",
];
/// What a whole body, response or definition may have beyond `SCHEMA`.
const WHOLE_SCHEMA: &str =
    "x-ms-dynamic-schema x-ms-dynamic-properties x-ms-dynamic-tree x-ms-media-kind";
/// What any value may have.
const VALUE: &str = "type format items default maximum exclusiveMaximum minimum exclusiveMinimum \
     maxLength minLength pattern maxItems minItems uniqueItems enum multipleOf description \
     collectionFormat";
/// Texts for a model, where they differ from those for a maker; read by Power Fx.
const MODEL_TEXTS: &str = "x-ms-name-for-model x-ms-description-for-model";

/// Calls `visit` with every key that has no place where it stands.
fn each_misplaced_key(definition: &Definition<'_>, visit: &mut dyn FnMut(&str, &str)) {
    let mut check = |at: &str, value: &Value, keys: Keys, more: &str| {
        for (key, _) in members(value) {
            let mut known = keys
                .iter()
                .chain([&more])
                .flat_map(|words| words.split(' '));
            let is_free = key.starts_with("x-") && !key.starts_with("x-ms-");
            if !is_free && !known.any(|known| known == key) {
                visit(at, key);
            }
        }
    };
    let root = definition.root;
    check("", root, ROOT, "");
    check("/info", &root["info"], INFO, "");
    check("/info/contact", &root["info"]["contact"], CONTACT, "");
    check("/info/license", &root["info"]["license"], LICENSE, "");
    for (index, tag) in elements(&root["tags"]).enumerate() {
        check(&format!("/tags/{index}"), tag, TAG, "");
    }
    for (name, scheme) in members(&root["securityDefinitions"]) {
        check(
            &join("/securityDefinitions", name),
            scheme,
            SECURITY_SCHEME,
            "",
        );
    }
    for (path, item) in members(&root["paths"]) {
        check(&join("/paths", path), item, PATH_ITEM, "");
    }
    for operation in &definition.operations {
        check(&operation.at, operation.value, OPERATION, "");
        for (_, at, response) in operation.responses() {
            check(&at, response, RESPONSE, "");
        }
    }
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() == "body")
    {
        check(&parameter.at, parameter.value, BODY, "");
    }
    for schema in &definition.schemas {
        let (keys, more) = match schema.role {
            Role::Header => (HEADER, ""),
            Role::Parameter { .. } => (PARAMETER, ""),
            Role::Body | Role::Response | Role::Notification | Role::Definition => {
                (SCHEMA, WHOLE_SCHEMA)
            }
            _ => (SCHEMA, ""),
        };
        check(&schema.at, schema.value, keys, more);
    }
}

/// The stored schema allows no key it does not know.
fn additional_property_not_allowed(definition: &Definition<'_>, report: &mut Report<'_>) {
    each_misplaced_key(definition, &mut |at, key| {
        if !key.starts_with("x-ms-") && !is_later_keyword(key) {
            report.add(join(at, key), "has no place here");
        }
    });
}

/// Ours: an extension in the wrong place is ignored at best; the stored schema refuses it.
fn extension_not_allowed_here(definition: &Definition<'_>, report: &mut Report<'_>) {
    each_misplaced_key(definition, &mut |at, key| {
        if key.starts_with("x-ms-") {
            report.add(join(at, key), "has no place here");
        }
    });
}

/// The designer ignores an extension whose value it does not know: a field meant to be internal is
/// shown, a trigger is listed as an action.
fn json_value_not_in_enum(definition: &Definition<'_>, report: &mut Report<'_>) {
    const VALUES: [(&str, &[&str]); 4] = [
        ("x-ms-visibility", &["important", "advanced", "internal"]),
        ("x-ms-trigger", &["single", "batch"]),
        ("x-ms-url-encoding", &["single", "double"]),
        ("x-ms-media-kind", &["image", "audio"]),
    ];
    every_object(definition.root, "", &mut |at, object| {
        for (key, allowed) in VALUES {
            if let Some(value) = object.get(key)
                && !allowed.iter().any(|allowed| value == allowed)
            {
                report.add(join(at, key), format!("must be one of {allowed:?}"));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Broken, check, set};
    use super::RULES;

    const BROKEN: &[Broken] = &[
        ("AdditionalPropertyNotAllowed", |d| {
            set(d, "/servers", json!([]));
        }),
        ("AdditionalPropertyNotAllowed", |d| {
            set(d, "/info/summary", "Models.");
        }),
        ("AdditionalPropertyNotAllowed", |d| {
            set(d, "/definitions/Job/unevaluatedItems", true);
        }),
        ("AdditionalPropertyNotAllowed", |d| {
            set(d, "/paths/~1v1~1ask/post/requestBody", json!({}));
        }),
        ("ExtensionNotAllowedHere", |d| {
            set(d, "/x-ms-visibility", "internal");
        }),
        ("ExtensionNotAllowedHere", |d| {
            set(
                d,
                "/definitions/File/properties/content/x-ms-media-kind",
                "image",
            );
        }),
        ("ExtensionNotAllowedHere", |d| {
            set(d, "/paths/~1v1~1ask/post/x-ms-unknown", true);
        }),
        ("JsonValueNotInEnum", |d| {
            set(
                d,
                "/definitions/File/properties/content/x-ms-visibility",
                "none",
            );
        }),
        ("JsonValueNotInEnum", |d| {
            set(d, "/paths/~1v1~1hooks~1jobs/post/x-ms-trigger", "once");
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
