//! The command line: serve, definition, check-config.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::{
    app::App,
    config::{self, Config, Overrides},
    endpoint::BASE_PATH,
    http::document::document,
    swagger::{self, Target},
    telemetry,
};

/// The exit status for a fault in what the operator gave.
const USAGE: u8 = 2;

/// The host that stands in the checked-in definition; the served one names the real host.
const PLACEHOLDER_HOST: &str = "connector.example.com";

#[derive(Parser)]
#[command(
    name = "openrouter-connector",
    version,
    about = "OpenRouter's models as actions for Power Automate, Logic Apps, Power Apps and Copilot Studio.",
    after_help = "Try it with nothing else installed:\n  openrouter-connector serve --sandbox\n\nEvery setting is explained in config.default.toml."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service.
    #[command(
        after_help = "Examples:\n  openrouter-connector serve --sandbox\n      everything on this machine, with a simulated OpenRouter\n  openrouter-connector serve --bind 0.0.0.0:8080 --config connector.toml\n      the real OpenRouter, reachable from other machines\n\nEvery setting can also come from the environment:\n  OPENROUTER_CONNECTOR__SERVER__BIND=0.0.0.0:8080"
    )]
    Serve(Serve),
    /// Write the connector definition and the OpenAPI document, or check that they are current.
    Definition(Definition),
    /// Print the configuration as it would be used, and every problem in it.
    CheckConfig(Settings),
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// Call a simulated OpenRouter inside this process instead of the real one.
    #[arg(long)]
    sandbox: bool,
}

#[derive(Args)]
struct Settings {
    /// A file of settings in TOML; config.default.toml names and explains all of them.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address and port to listen on [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    bind: Option<String>,
    /// OpenRouter's address.
    #[arg(
        long,
        value_name = "URL",
        help = "OpenRouter's address [default: https://openrouter.ai/api/v1]"
    )]
    upstream_url: Option<String>,
    /// The store of jobs and kept answers.
    #[arg(
        long,
        value_name = "URL",
        help = "Where jobs and kept answers stand [default: sqlite://data/connector.db]"
    )]
    store_url: Option<String>,
}

#[derive(Args)]
struct Definition {
    /// Write nothing; fail and show the difference if a file is not current.
    #[arg(long)]
    check: bool,
    /// The folder that holds the files.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Definition(definition) => definition.run(),
        Command::CheckConfig(settings) => check_config(settings),
    }
}

impl Settings {
    fn load(self) -> Result<Config, Vec<String>> {
        let flags: Overrides = [
            ("server.bind", self.bind),
            ("upstream.url", self.upstream_url),
            ("store.url", self.store_url),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
        config::load(self.config.as_deref(), config::environment(), flags)
    }
}

impl Serve {
    fn run(self) -> ExitCode {
        let config = match self.settings.load() {
            Ok(config) => config,
            Err(problems) => return usage(&problems),
        };
        telemetry::start(&config.log);
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        let upstream = config.upstream.url.to_string();
        actix_web::rt::System::new().block_on(async move {
            let app = match App::build(config, self.sandbox).await {
                Ok(app) => app,
                Err(error) => return usage(&[error.to_string()]),
            };
            let at = format!("http://{}", app.address());
            let running = actix_web::rt::spawn(app.run_until_stopped());
            // At its first turn it starts its workers and listens to signals: then it is ready.
            tokio::task::yield_now().await;
            let behind = if self.sandbox {
                "a simulated OpenRouter; any key such as \"sandbox\" works".to_owned()
            } else {
                upstream
            };
            say(&format!(
                "OpenRouter Connector is ready.\n  service     {at}{BASE_PATH}\n  Swagger UI  {at}/swagger-ui/\n  definition  {at}/apiDefinition.swagger.json\n  upstream    {behind}\nStop it with Ctrl-C."
            ));
            match running.await.unwrap_or_else(|cause| Err(io::Error::other(cause))) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tell(&format!("The service ended: {error}"));
                    ExitCode::FAILURE
                }
            }
        })
    }
}

impl Definition {
    fn run(&self) -> ExitCode {
        let files = match generated() {
            Ok(files) => files,
            Err(problems) => {
                for problem in &problems {
                    tell(problem);
                }
                return ExitCode::FAILURE;
            }
        };
        let mut code = ExitCode::SUCCESS;
        for (name, text) in files {
            let path = self.out.join(name);
            let done = if self.check {
                compare(&path, &text)
            } else {
                write(&path, &text)
            };
            match done {
                Ok(line) => say(&line),
                Err(error) => {
                    tell(&format!("{error:#}"));
                    code = ExitCode::FAILURE;
                }
            }
        }
        code
    }
}

/// The generated files of this build: name and content.
///
/// # Errors
///
/// Every reason why this build has no definition that the platform would take.
pub fn generated() -> Result<Vec<(&'static str, String)>, Vec<String>> {
    let document = document()?;
    let target = Target {
        host: PLACEHOLDER_HOST.to_owned(),
        base_path: BASE_PATH.to_owned(),
        scheme: "https".to_owned(),
    };
    let definition = swagger::lower(&document, &target).map_err(|error| vec![error.to_string()])?;
    let findings = swagger::lint(&definition);
    if !findings.is_empty() {
        return Err(findings.iter().map(ToString::to_string).collect());
    }
    Ok(vec![
        (
            "apiDefinition.swagger.json",
            swagger::canonical(&definition),
        ),
        ("openapi/openapi.json", swagger::canonical(&document)),
    ])
}

fn write(path: &Path, text: &str) -> anyhow::Result<String> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(format!("{}: written", path.display()))
}

fn compare(path: &Path, text: &str) -> anyhow::Result<String> {
    let found =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    if found == text {
        return Ok(format!("{}: current", path.display()));
    }
    let differing = found
        .lines()
        .zip(text.lines())
        .enumerate()
        .find(|(_, (old, new))| old != new);
    let (line, (old, new)) =
        differing.unwrap_or((found.lines().count().min(text.lines().count()), ("", "")));
    anyhow::bail!(
        "{} is not current; run `openrouter-connector definition`. First difference, line {}:\n- {old}\n+ {new}",
        path.display(),
        line + 1
    )
}

fn check_config(settings: Settings) -> ExitCode {
    match settings.load() {
        Ok(config) => {
            say(config.to_toml().trim_end());
            for warning in config.warnings() {
                tell(&format!("warning: {warning}"));
            }
            ExitCode::SUCCESS
        }
        Err(problems) => usage(&problems),
    }
}

fn usage(problems: &[String]) -> ExitCode {
    for problem in problems {
        tell(problem);
    }
    ExitCode::from(USAGE)
}

/// Writes to standard output; a reader that has gone away is no fault.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Writes to standard error.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
