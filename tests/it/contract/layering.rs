//! The arrows between the modules: who may know whom, and what stands in which module only.

use std::{collections::BTreeSet, fs, path::Path};

use super::definition::snake_case;
use crate::support::definition::OPERATIONS;

/// A source file without its comments and its unit tests.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// From the package's folder, such as `src/http/ops.rs`.
    pub(super) path: String,
    pub(super) code: String,
}

impl Source {
    /// Every file below `folder` that is no unit test.
    pub(super) fn all(folder: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        let mut folders = vec![root.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let name = path
                        .strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned();
                    if !name.ends_with("tests.rs") {
                        let text = fs::read_to_string(&path).unwrap();
                        found.push(Self {
                            path: name,
                            code: without_tests(&text),
                        });
                    }
                }
            }
        }
        assert!(found.len() > 10, "{folder} was not read");
        found
    }

    /// The modules that the file stands in: `["http", "ops"]`.
    fn place(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/').collect()
    }

    /// The module below the crate's root.
    fn module(&self) -> &str {
        self.place()[0]
    }

    /// The crate's own modules that the code names, by `crate::` or by enough `super::`.
    fn arrows(&self) -> BTreeSet<String> {
        let to_root = "super::".repeat(self.place().len());
        let mut found = named_after(&self.code, "crate::");
        found.extend(named_after(&self.code, &to_root));
        found.extend(named_after(&self.code, "openrouter_connector::"));
        found
    }
}

/// The text up to its unit tests, without comments.
fn without_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let tests = |next: &&str| next.contains("mod ") && next.ends_with('{');
        if line == "#[cfg(test)]" && lines.peek().is_some_and(tests) {
            break;
        }
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// The first names after each `start`, also of a list in braces.
fn named_after(code: &str, start: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (index, _) in code.match_indices(start) {
        let before = code[..index].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[index + start.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.insert(first_name(rest));
            continue;
        };
        let (mut depth, mut fresh) = (1, true);
        for (at, letter) in list.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => fresh = true,
                _ if fresh && depth == 1 && letter.is_alphabetic() => {
                    names.insert(first_name(&list[at..]));
                    fresh = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

fn first_name(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Each module and those that it may know, beside itself.
const ARROWS: [(&str, &[&str]); 20] = [
    ("main", &["cli"]),
    ("lib", &[]),
    (
        "cli",
        &[
            "app",
            "endpoint",
            "http",
            "swagger",
            "config",
            "error",
            "telemetry",
        ],
    ),
    (
        "app",
        &[
            "http",
            "actions",
            "endpoint",
            "jobs",
            "limits",
            "links",
            "catalog",
            "hooks",
            "openrouter",
            "store",
            "sandbox",
            "store",
            "config",
            "error",
            "telemetry",
        ],
    ),
    (
        "http",
        &[
            "actions",
            "endpoint",
            "jobs",
            "limits",
            "links",
            "catalog",
            "openrouter",
            "config",
            "error",
            "telemetry",
        ],
    ),
    (
        "actions",
        &[
            "endpoint",
            "jobs",
            "catalog",
            "hooks",
            "openrouter",
            "config",
            "error",
            "telemetry",
        ],
    ),
    (
        "endpoint",
        &[
            "jobs",
            "limits",
            "links",
            "hooks",
            "catalog",
            "openrouter",
            "config",
            "error",
            "telemetry",
        ],
    ),
    (
        "jobs",
        &["openrouter", "store", "config", "error", "telemetry"],
    ),
    (
        "limits",
        &["openrouter", "store", "config", "error", "telemetry"],
    ),
    ("links", &["store", "config", "error"]),
    (
        "hooks",
        &[
            "callbacks",
            "openrouter",
            "store",
            "config",
            "error",
            "telemetry",
        ],
    ),
    ("callbacks", &["config", "error", "telemetry"]),
    ("catalog", &["openrouter", "config", "error", "telemetry"]),
    ("openrouter", &["config", "error", "telemetry"]),
    ("store", &["config", "error", "telemetry"]),
    ("telemetry", &["config", "error"]),
    ("config", &[]),
    ("error", &[]),
    ("swagger", &[]),
    ("sandbox", &[]),
];

#[test]
fn arrows_go_down_the_house_only() {
    for file in Source::all("src") {
        let module = file.module();
        let (_, allowed) = ARROWS
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("the table of arrows does not know {module}"));
        for arrow in file.arrows() {
            // What starts with a capital is a type or a macro of the module itself.
            let fine = arrow == module || allowed.contains(&arrow.as_str());
            assert!(fine, "{} may not know {arrow}", file.path);
        }
    }
}

#[test]
fn an_action_knows_no_other_action() {
    let actions: Vec<_> = OPERATIONS
        .iter()
        .map(|operation| snake_case(operation.id))
        .collect();
    for file in Source::all("src") {
        // The files above the actions name all of them, and that is what they are for.
        if file.module() != "actions" || file.place().len() < 3 {
            continue;
        }
        let words: BTreeSet<_> = paths(&file.code).collect();
        let own = file.place()[2];
        let others: Vec<_> = actions
            .iter()
            .filter(|action| *action != own && words.contains(action.as_str()))
            .collect();
        assert!(others.is_empty(), "{} knows {others:?}", file.path);
    }
}

/// Every word of `code` that has `::` behind it.
fn paths(code: &str) -> impl Iterator<Item = &str> {
    code.match_indices("::").map(|(end, _)| {
        let before = &code[..end];
        let start = before
            .rfind(|c: char| !c.is_alphanumeric() && c != '_')
            .map_or(0, |at| at + 1);
        &before[start..]
    })
}

/// What may be named in which modules only.
const PLACES: [(&str, &[&str]); 9] = [
    (
        "actix_web",
        &[
            "app", "http", "actions", "endpoint", "catalog", "cli", "sandbox",
        ],
    ),
    ("utoipa", &["http", "actions", "endpoint", "error"]),
    ("utoipa_actix_web", &["http", "actions"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("sqlx", &["store"]),
    ("redis", &["store"]),
    ("chacha20poly1305", &["store"]),
    ("wiremock", &[]),
];

#[test]
fn what_a_module_is_made_of_stays_in_it() {
    for file in Source::all("src") {
        for (library, modules) in PLACES {
            let named = paths(&file.code).any(|word| word == library);
            assert!(
                !named || modules.contains(&file.module()),
                "{} names {library}",
                file.path
            );
        }
    }
}

/// Pieces of code that stand in these files only.
const ONLY_IN: [(&str, &[&str]); 8] = [
    ("std::env::", &["src/config.rs"]),
    ("env::var", &["src/config.rs"]),
    ("Client::builder", &CLIENTS),
    ("ClientBuilder", &CLIENTS),
    ("expose_secret", &["src/openrouter/key.rs"]),
    (".reveal()", &KEYS),
    ("Hkdf", &["src/store/seal.rs"]),
    ("tracing_subscriber::fmt", &["src/telemetry.rs"]),
];

/// The client of OpenRouter, and the one that calls flows back.
const CLIENTS: [&str; 2] = ["src/openrouter/client.rs", "src/callbacks.rs"];

/// Where a key, a callback URL or the store's password is taken out of its wrapping.
const KEYS: [&str; 8] = [
    "src/jobs/keys.rs",
    "src/hooks.rs",
    "src/jobs/record.rs",
    "src/jobs/repeats.rs",
    "src/limits.rs",
    "src/openrouter/client.rs",
    "src/openrouter/key.rs",
    "src/store.rs",
];

#[test]
fn what_has_its_place_is_done_there_only() {
    for file in Source::all("src") {
        for (piece, places) in ONLY_IN {
            assert!(
                places.contains(&file.path.as_str()) || !file.code.contains(piece),
                "{} has {piece}",
                file.path
            );
        }
    }
}

#[test]
fn the_reader_of_arrows_sees_every_form() {
    let code = "use crate::{a::{b, c}, d, e::f};\nfn x() { crate::g::h(); super::super::i::j() }\nuse other_crate::k;";
    let file = Source {
        path: "src/m/n.rs".to_owned(),
        code: code.to_owned(),
    };
    let found: Vec<_> = file.arrows().into_iter().collect();
    assert_eq!(found, ["a", "d", "e", "g", "i"]);
}
