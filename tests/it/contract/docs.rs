//! The pages for makers name what the code has.

use openrouter_connector::error::Kind;

#[test]
fn every_error_code_is_explained_with_its_status() {
    let page = include_str!("../../../docs/errors.md");
    for kind in Kind::ALL {
        let row = format!("| `{}` | {} |", kind.code(), kind.status());
        assert!(page.contains(&row), "docs/errors.md lacks {row}");
        let line = page.lines().find(|line| line.starts_with(&row)).unwrap();
        let repeated = if kind.retryable() {
            "| yes |"
        } else {
            "| no |"
        };
        assert!(line.ends_with(repeated), "{line}");
    }
}

#[test]
fn every_action_has_its_section_and_its_row() {
    let definition: serde_json::Value =
        serde_json::from_str(include_str!("../../../apiDefinition.swagger.json")).unwrap();
    let actions = include_str!("../../../docs/actions.md");
    let readme = include_str!("../../../README.md");
    let items = definition["paths"].as_object().unwrap().values();
    for operation in items.flat_map(|item| item.as_object().unwrap().values()) {
        // Beside the operations stands what a webhook sends.
        if operation["operationId"].is_null() || operation["x-ms-visibility"] == "internal" {
            continue;
        }
        let summary = operation["summary"].as_str().unwrap();
        let id = operation["operationId"].as_str().unwrap();
        assert!(readme.contains(summary), "README.md lacks {summary}");
        assert!(
            actions.contains(summary) || actions.contains(id),
            "docs/actions.md lacks {summary}"
        );
    }
}
