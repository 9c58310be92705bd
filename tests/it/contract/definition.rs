//! The checked-in files are what this build writes, and every operation has its tests.

use std::{collections::BTreeMap, fs, path::Path};

use openrouter_connector::cli::generated;

use super::layering::Source;
use crate::support::definition::OPERATIONS;

#[test]
fn the_checked_in_files_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, text) in generated().unwrap() {
        let found = fs::read_to_string(root.join(name)).unwrap();
        assert!(
            found == text,
            "{name} is not current; run `openrouter-connector definition`"
        );
    }
}

#[test]
fn an_operation_id_is_used_once() {
    let mut ids: Vec<_> = OPERATIONS.iter().map(|operation| operation.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(count > 10, "the definition was not read");
}

#[test]
fn every_operation_has_a_test_file_of_its_name() {
    let tests = Source::all("tests/it");
    let missing: Vec<_> = OPERATIONS
        .iter()
        .map(|operation| format!("{}.rs", snake_case(operation.id)))
        .filter(|name| {
            !tests
                .iter()
                .any(|file| file.path.ends_with(&format!("/{name}")))
        })
        .collect();
    assert!(missing.is_empty(), "no tests for {missing:?}");
}

/// An operation's id as its file is named: `InvokeMCP` is `invoke_mcp`, `WhenAJobFinishes` is
/// `when_a_job_finishes`.
pub(super) fn snake_case(id: &str) -> String {
    let mut name = String::new();
    let mut previous = '_';
    let mut letters = id.chars().peekable();
    while let Some(letter) = letters.next() {
        let begins_word = letters.peek().is_some_and(|next| next.is_lowercase());
        let after_capital = previous.is_uppercase() && begins_word;
        if letter.is_uppercase() && (previous.is_lowercase() || after_capital) {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
        previous = letter;
    }
    name
}

#[test]
fn ids_are_read_as_words() {
    for (id, name) in [
        ("GetModel", "get_model"),
        ("InvokeMCP", "invoke_mcp"),
        ("WhenAJobFinishes", "when_a_job_finishes"),
    ] {
        assert_eq!(snake_case(id), name);
    }
}

/// Two types with one name overwrite each other in the document, without a word.
#[test]
fn no_two_types_have_one_name_in_the_document() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in Source::all("src") {
        for name in described_types(&file.code) {
            places.entry(name).or_default().push(file.path.clone());
        }
    }
    let twice: Vec<_> = places
        .iter()
        .filter(|(_, places)| places.len() > 1)
        .collect();
    assert!(twice.is_empty(), "{twice:#?}");

    let (_, document) = generated().unwrap().pop().unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let unseen: Vec<_> = schemas
        .keys()
        .filter(|name| !places.contains_key(*name))
        .collect();
    assert!(
        unseen.is_empty(),
        "this test does not find the types of {unseen:?}"
    );
}

/// The names of the types in `code` that become schemas: those that derive `ToSchema`, and those
/// of the macro that makes enums of words.
fn described_types(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut derived = false;
    let mut in_choices = false;
    for line in code.lines() {
        in_choices &= line != "}";
        let line = line.trim();
        if line.starts_with("choices! {") {
            in_choices = true;
        } else if line.starts_with("#[derive(") {
            derived = line.contains("ToSchema");
        } else if let Some(rest) = line
            .strip_prefix("pub struct ")
            .or(line.strip_prefix("pub enum "))
        {
            let name = identifier(rest);
            if derived && !name.is_empty() {
                names.push(name);
            }
            derived = false;
        } else if in_choices && line.starts_with(|c: char| c.is_uppercase()) && line.contains(" {")
        {
            names.push(identifier(line));
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}
