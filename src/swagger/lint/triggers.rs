//! Rules about triggers: what starts a flow.

use serde_json::Value;

use super::super::join;
use super::definition::{Definition, Operation, Role, Schema, is_internal};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    ("TriggerSummaryNotWhen", trigger_summary_not_when),
    (
        "TriggerDescriptionNotStandard",
        trigger_description_not_standard,
    ),
    ("TriggerAnswerNotOfItsKind", trigger_answer_not_of_its_kind),
    (
        "WebhookOperationsMissingNotificationUrlProperty",
        webhook_operations_missing_notification_url_property,
    ),
    (
        "OperationMustHaveNotificationContentExtension",
        operation_must_have_notification_content_extension,
    ),
    (
        "WebhookDeleteOperationMissing",
        webhook_delete_operation_missing,
    ),
    (
        "WebhookLocationHeaderMissing",
        webhook_location_header_missing,
    ),
    (
        "NotificationUrlNotAllowedInThisPosition",
        notification_url_not_allowed_in_this_position,
    ),
    ("NotificationUrlNotInternal", notification_url_not_internal),
    ("NotificationUrlNotRequired", notification_url_not_required),
    ("NotificationUrlNotString", notification_url_not_string),
];

fn triggers<'d, 'a>(definition: &'d Definition<'a>) -> impl Iterator<Item = &'d Operation<'a>> {
    definition
        .operations
        .iter()
        .filter(|operation| operation.is_trigger())
}

/// The triggers that the service calls, as against those the platform polls.
fn webhooks<'d, 'a>(definition: &'d Definition<'a>) -> impl Iterator<Item = &'d Operation<'a>> {
    triggers(definition).filter(|operation| operation.method != "get")
}

/// Ours: certification asks for "When a ...", which the designer lists among triggers.
fn trigger_summary_not_when(definition: &Definition<'_>, report: &mut Report<'_>) {
    for trigger in triggers(definition) {
        if !trigger.text("summary").is_empty() && !trigger.text("summary").starts_with("When ") {
            report.add(join(&trigger.at, "summary"), "must start with \"When\"");
        }
    }
}

/// Ours: certification asks for "This operation triggers when ...".
fn trigger_description_not_standard(definition: &Definition<'_>, report: &mut Report<'_>) {
    const START: &str = "This operation triggers when ";
    for trigger in triggers(definition) {
        let description = trigger.text("description");
        if !description.is_empty() && !description.starts_with(START) {
            let message = format!("must start with \"{START}\"");
            report.add(join(&trigger.at, "description"), message);
        }
    }
}

/// Ours: a `batch` answer is split into one run for each element and must be an array; a `single`
/// one is one run and must be an object.
fn trigger_answer_not_of_its_kind(definition: &Definition<'_>, report: &mut Report<'_>) {
    for trigger in triggers(definition) {
        let content = trigger.item["x-ms-notification-content"].get("schema");
        let schema = content.or_else(|| trigger.success_schema());
        let kind = match trigger.text("x-ms-trigger") {
            "batch" => "array",
            _ => "object",
        };
        if schema.is_some_and(|schema| definition.resolve(schema)["type"] != kind) {
            report.add(&trigger.at, format!("its answer must be of type {kind}"));
        }
    }
}

/// The platform has nowhere to write the address it listens on.
fn webhook_operations_missing_notification_url_property(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for webhook in webhooks(definition) {
        if !has_notification_url(definition, webhook) {
            report.add(&webhook.at, "no property is marked `x-ms-notification-url`");
        }
    }
}

fn has_notification_url(definition: &Definition<'_>, operation: &Operation<'_>) -> bool {
    let definitions = definition.reached_from([operation.value].into_iter());
    let parameters = format!("{}/parameters/", operation.at);
    notification_urls(definition).any(|(_, schema)| {
        let mut names = definitions.iter();
        schema.at.starts_with(&parameters)
            || names.any(|name| schema.at.starts_with(&(join("/definitions", name) + "/")))
    })
}

/// The designer has no tokens for what the webhook sends.
fn operation_must_have_notification_content_extension(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for webhook in webhooks(definition) {
        let content = &webhook.item["x-ms-notification-content"];
        if content.get("schema").is_none() && has_notification_url(definition, webhook) {
            let message = "its path has no `x-ms-notification-content` with a schema";
            report.add(&webhook.at, message);
        }
    }
}

/// Ours: the platform ends a subscription by a DELETE, which must be in the definition; without it
/// a deleted flow is called for ever ("Create a webhook trigger").
fn webhook_delete_operation_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    for webhook in webhooks(definition) {
        let below = format!("{}/{{", webhook.path);
        let mut operations = definition.operations.iter();
        if !operations.any(|other| other.method == "delete" && other.path.starts_with(&below)) {
            report.add(&webhook.at, format!("no DELETE is below {}", webhook.path));
        }
    }
}

/// Ours: the platform takes the address of the subscription from the `Location` of a 201.
fn webhook_location_header_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    for webhook in webhooks(definition) {
        let headers = webhook.value.pointer("/responses/201/headers");
        let mut names = headers.and_then(Value::as_object).into_iter().flatten();
        if !names.any(|(name, _)| name.eq_ignore_ascii_case("Location")) {
            report.add(&webhook.at, "its 201 declares no `Location` header");
        }
    }
}

/// Every schema marked as the notification URL, with its index.
fn notification_urls<'d, 'a>(
    definition: &'d Definition<'a>,
) -> impl Iterator<Item = (usize, &'d Schema<'a>)> {
    let schemas = definition.schemas.iter().enumerate();
    schemas.filter(|(_, schema)| schema.value["x-ms-notification-url"] == true)
}

/// The schema and what it is part of, up to the body or the definition.
fn chain<'d, 'a>(
    definition: &'d Definition<'a>,
    index: usize,
) -> impl Iterator<Item = &'d Schema<'a>> {
    let parent = |index: &usize| definition.schemas.get(*index)?.parent;
    let indices = std::iter::successors(Some(index), parent);
    indices.filter_map(|index| definition.schemas.get(index))
}

/// The platform fills the URL into an input body only.
fn notification_url_not_allowed_in_this_position(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for (index, schema) in notification_urls(definition) {
        let is_parameter = |part: &Schema<'_>| matches!(part.role, Role::Parameter { .. });
        if !schema.is_input || chain(definition, index).any(is_parameter) {
            report.add(&schema.at, "a notification URL is in an input body only");
        }
    }
}

/// Makers would be asked for an address that only the platform knows.
fn notification_url_not_internal(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (index, schema) in notification_urls(definition) {
        if !chain(definition, index).any(|part| is_internal(part.value)) {
            report.add(&schema.at, "a notification URL must be internal");
        }
    }
}

/// An optional internal value is not sent.
fn notification_url_not_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (index, schema) in notification_urls(definition) {
        let is_optional = |part: &Schema<'_>| {
            matches!(
                part.role,
                Role::Property {
                    required: false,
                    ..
                }
            )
        };
        if chain(definition, index).any(is_optional) {
            report.add(
                &schema.at,
                "a notification URL must be required, and what holds it too",
            );
        }
    }
}

/// An address is text.
fn notification_url_not_string(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (_, schema) in notification_urls(definition) {
        if schema.kind().is_some_and(|kind| kind != "string") {
            report.add(&schema.at, "a notification URL must be a string");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Broken, check, copy, remove, set};
    use super::RULES;

    const HOOK: &str = "/paths/~1v1~1hooks~1jobs";
    const URL: &str = "/paths/~1v1~1hooks~1jobs/post/parameters/0/schema/properties/callback_url";

    const BROKEN: &[Broken] = &[
        ("TriggerSummaryNotWhen", |d| {
            set(d, &format!("{HOOK}/post/summary"), "On a finished job");
        }),
        ("TriggerDescriptionNotStandard", |d| {
            set(
                d,
                &format!("{HOOK}/post/description"),
                "Starts when a job finishes.",
            );
        }),
        ("TriggerAnswerNotOfItsKind", |d| {
            set(d, &format!("{HOOK}/post/x-ms-trigger"), "batch");
        }),
        ("TriggerAnswerNotOfItsKind", |d| {
            set(
                d,
                "/paths/~1v1~1triggers~1models/get/x-ms-trigger",
                "single",
            );
        }),
        ("WebhookOperationsMissingNotificationUrlProperty", |d| {
            remove(d, &format!("{URL}/x-ms-notification-url"));
            set(d, &format!("{URL}/default"), "https://gw.example.com");
        }),
        ("OperationMustHaveNotificationContentExtension", |d| {
            remove(d, &format!("{HOOK}/x-ms-notification-content"));
        }),
        ("WebhookDeleteOperationMissing", |d| {
            remove(d, "/paths/~1v1~1hooks~1jobs~1{hook_id}");
        }),
        ("WebhookLocationHeaderMissing", |d| {
            remove(d, &format!("{HOOK}/post/responses/201/headers"));
        }),
        ("NotificationUrlNotAllowedInThisPosition", |d| {
            copy(d, URL, "/definitions/Model/properties/callback_url");
            set(d, "/definitions/Model/required", json!(["callback_url"]));
        }),
        ("NotificationUrlNotInternal", |d| {
            remove(d, &format!("{URL}/x-ms-visibility"));
        }),
        ("NotificationUrlNotRequired", |d| {
            remove(d, &format!("{HOOK}/post/parameters/0/schema/required"));
        }),
        ("NotificationUrlNotString", |d| {
            set(d, &format!("{URL}/type"), "object");
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
