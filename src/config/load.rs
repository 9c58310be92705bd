//! Reads the configuration from its layers and names every problem at once.

use std::{fs, path::Path};

use serde::Deserialize;
use toml::{Table, Value};

use super::{Config, DEFAULTS};

/// The prefix of environment variables; sections and keys follow, parted by two underscores.
const PREFIX: &str = "OPENROUTER_CONNECTOR__";

/// Settings from the command line: pairs of a dotted key and its value.
pub type Overrides = Vec<(&'static str, String)>;

/// One setting from one layer.
struct Setting {
    /// Where it came from, for the message: a file's name, a variable, a flag.
    origin: String,
    section: String,
    key: String,
    value: Value,
}

/// Reads the defaults, then `file`, then `environment`, then `flags`; later ones win.
///
/// # Errors
///
/// Every problem of every layer, one sentence each.
pub fn load(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    flags: Overrides,
) -> Result<Config, Vec<String>> {
    let mut problems = Vec::new();
    let defaults: Table = DEFAULTS
        .parse()
        .map_err(|error| vec![format!("defaults: {error}")])?;

    let mut settings = Vec::new();
    if let Some(path) = file {
        from_file(path, &mut settings, &mut problems);
    }
    from_environment(environment, &defaults, &mut settings, &mut problems);
    for (dotted, text) in flags {
        let (section, key) = dotted.split_once('.').unwrap_or((dotted, ""));
        // The flags of the server itself go without its name.
        let flag = dotted
            .trim_start_matches("server.")
            .replace(['.', '_'], "-");
        settings.push(Setting {
            origin: format!("--{flag}"),
            section: section.to_owned(),
            key: key.to_owned(),
            value: Value::String(text),
        });
    }

    let mut merged = defaults.clone();
    for setting in settings {
        match apply(&setting, &defaults) {
            Ok(()) => insert(&mut merged, setting),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Config::deserialize(Value::Table(merged)).map_err(|error| vec![error.to_string()])
}

fn from_file(path: &Path, settings: &mut Vec<Setting>, problems: &mut Vec<String>) {
    let name = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return problems.push(format!("{name}: cannot be read: {error}.")),
    };
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            return problems.push(format!("{name}: is not TOML: {}", first_line(&error)));
        }
    };
    for (section, value) in table {
        let Value::Table(keys) = value else {
            problems.push(format!(
                "{name}: \"{section}\" must stand in a section such as [server]."
            ));
            continue;
        };
        for (key, value) in keys {
            settings.push(Setting {
                origin: name.to_string(),
                section: section.clone(),
                key,
                value,
            });
        }
    }
}

fn from_environment(
    environment: impl Iterator<Item = (String, String)>,
    defaults: &Table,
    settings: &mut Vec<Setting>,
    problems: &mut Vec<String>,
) {
    let mut variables: Vec<_> = environment
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    variables.sort();
    for (name, text) in variables {
        let path = name[PREFIX.len()..].to_lowercase();
        let Some((section, key)) = path.split_once("__") else {
            problems.push(format!("{name}: should read {PREFIX}SECTION__KEY."));
            continue;
        };
        let default = defaults.get(section).and_then(|table| table.get(key));
        settings.push(Setting {
            origin: name.clone(),
            section: section.to_owned(),
            key: key.to_owned(),
            value: typed(text, default),
        });
    }
}

/// Reads a variable's text as the type that the default has; a list has commas between its items.
fn typed(text: String, default: Option<&Value>) -> Value {
    match default {
        Some(Value::Integer(_)) => text.parse().map_or(Value::String(text), Value::Integer),
        Some(Value::Boolean(_)) => text
            .to_lowercase()
            .parse()
            .map_or(Value::String(text), Value::Boolean),
        Some(Value::Array(_)) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        _ => Value::String(text),
    }
}

/// Tries one setting alone on top of the defaults, so that its problem is told by its name.
fn apply(setting: &Setting, defaults: &Table) -> Result<(), String> {
    let Setting {
        origin,
        section,
        key,
        value,
    } = setting;
    let Some(Value::Table(keys)) = defaults.get(section) else {
        let known: Vec<_> = defaults.keys().map(String::as_str).collect();
        return Err(format!(
            "{origin}: there is no section \"{section}\"; there are {}.",
            known.join(", ")
        ));
    };
    if !keys.contains_key(key) {
        let known: Vec<_> = keys.keys().map(String::as_str).collect();
        return Err(format!(
            "{origin}: there is no key \"{key}\" in [{section}]; there are {}.",
            known.join(", ")
        ));
    }
    let mut alone = defaults.clone();
    if let Some(Value::Table(keys)) = alone.get_mut(section) {
        keys.insert(key.clone(), value.clone());
    }
    Config::deserialize(Value::Table(alone))
        .map(|_| ())
        .map_err(|error| format!("{origin}: {section}.{key}: {}", first_line(&error)))
}

fn insert(merged: &mut Table, setting: Setting) {
    if let Some(Value::Table(keys)) = merged.get_mut(&setting.section) {
        keys.insert(setting.key, setting.value);
    }
}

/// A TOML error's own sentence, without its drawing of the line.
fn first_line(error: &toml::de::Error) -> String {
    error
        .message()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
        + "."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<Vec<_>>()
            .into_iter()
    }

    #[test]
    fn the_defaults_are_valid_and_without_warnings() {
        let config = load(None, environment(&[]), vec![]).unwrap();
        assert_eq!(config.upstream.url.as_str(), "https://openrouter.ai/api/v1");
        assert_eq!(config.server.max_body_mb.bytes(), 104_857_600);
        assert_eq!(config.warnings(), Vec::<String>::new());
    }

    #[test]
    fn flags_win_over_the_environment() {
        let config = load(
            None,
            environment(&[
                ("OPENROUTER_CONNECTOR__SERVER__BIND", "127.0.0.1:1"),
                ("OPENROUTER_CONNECTOR__SERVER__WORKERS", "3"),
            ]),
            vec![("server.bind", "127.0.0.1:2".to_owned())],
        )
        .unwrap();
        assert_eq!(config.server.bind.port(), 2);
        assert_eq!(config.server.workers, 3);
    }

    #[test]
    fn a_list_in_the_environment_has_commas() {
        let hosts = |text| {
            let variable = [("OPENROUTER_CONNECTOR__HOOKS__ALLOWED_HOSTS", text)];
            let config = load(None, environment(&variable), vec![])?;
            let hosts = config.hooks.allowed_hosts.into_iter().map(String::from);
            Ok::<Vec<_>, Vec<String>>(hosts.collect())
        };
        assert_eq!(hosts("*.a.com, b.com,").unwrap(), ["*.a.com", "b.com"]);
        assert_eq!(hosts("").unwrap(), [""; 0]);
        let problems = hosts("b.com,https://c.com").unwrap_err();
        assert!(problems[0].contains("hooks.allowed_hosts"), "{problems:?}");
    }

    #[test]
    fn every_problem_is_told_at_once_and_by_name() {
        let problems = load(
            Some(Path::new("no-such-file.toml")),
            environment(&[
                ("OPENROUTER_CONNECTOR__SERVER__PORT", "1"),
                ("OPENROUTER_CONNECTOR__SERVER__WORKERS", "many"),
                ("OPENROUTER_CONNECTOR__UPSTREAM__URL", "openrouter.ai"),
                ("OPENROUTER_CONNECTOR__CATALOG__REFRESH", "soon"),
                ("OPENROUTER_CONNECTOR__NOTHING", "1"),
                ("HOME", "/root"),
            ]),
            vec![("server.bind", "nowhere".to_owned())],
        )
        .unwrap_err();
        for expected in [
            "no-such-file.toml",
            "\"port\"",
            "server.workers",
            "upstream.url",
            "catalog.refresh",
            "NOTHING",
            "--bind",
        ] {
            assert!(
                problems.iter().any(|text| text.contains(expected)),
                "{expected}: {problems:#?}"
            );
        }
        assert_eq!(problems.len(), 7);
    }
}
