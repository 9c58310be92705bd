//! The command line: what an operator sees of the real program.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use openrouter_connector::openrouter::ApiKey;

use crate::support::{Call, KEY, PDF};

/// A store that leaves no files behind.
const IN_MEMORY: (&str, &str) = ("OPENROUTER_CONNECTOR__STORE__URL", "sqlite::memory:");

/// The program with `arguments` and an empty environment.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openrouter-connector"));
    command
        .args(arguments)
        .env_clear()
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn lines(bytes: &[u8]) -> Vec<&str> {
    std::str::from_utf8(bytes).unwrap().lines().collect()
}

/// A folder of this test run's own.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The program while it serves.
pub(crate) struct Serving {
    child: Killed,
    pub(crate) base: String,
    shown: Vec<String>,
    log: JoinHandle<String>,
}

impl Serving {
    /// Starts it on a free port, with more `arguments`, and waits until it says where it is.
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let arguments = [&["serve", "--bind", "127.0.0.1:0"], arguments].concat();
        let mut child = program(&arguments)
            .envs([IN_MEMORY])
            .envs(environment.iter().copied())
            .spawn()
            .map(Killed)
            .unwrap();
        let mut shown = Vec::new();
        for line in BufReader::new(child.0.stdout.take().unwrap()).lines() {
            shown.push(line.unwrap());
            if shown.last().unwrap().starts_with("Stop it") {
                break;
            }
        }
        // Read all the time: a pipe that is full would stop the program.
        let mut errors = child.0.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).unwrap();
            log
        });
        let service = shown
            .iter()
            .find_map(|line| line.trim().strip_prefix("service "));
        let base = service
            .unwrap_or_else(|| panic!("{shown:?}"))
            .trim()
            .to_owned();
        Self {
            child,
            base,
            shown,
            log,
        }
    }

    /// Sends a signal and gives back the exit code and the log.
    pub(crate) fn end(self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        self.ended()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.0.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end and gives back the exit code and the log.
    pub(crate) fn ended(self) -> (Option<i32>, String) {
        let Self { mut child, log, .. } = self;
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.0.try_wait().unwrap() {
                break status;
            }
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "it does not end"
            );
            thread::sleep(Duration::from_millis(10));
        };
        (status.code(), log.join().unwrap())
    }
}

/// A process that is killed if a test leaves it running.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn help_tells_how_to_begin() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for word in [
        "serve",
        "definition",
        "check-config",
        "serve --sandbox",
        "config.default.toml",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let text = String::from_utf8(run(&["serve", "--help"]).stdout).unwrap();
    for word in [
        "--sandbox",
        "--bind",
        "--config",
        "OPENROUTER_CONNECTOR__SERVER__BIND",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn an_unknown_command_is_a_fault_of_the_one_who_gave_it() {
    for arguments in [&["srve"][..], &["serve", "--port", "1"], &[]] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_told_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program(&["serve", "--sandbox", "--bind", &address])
        .envs([IN_MEMORY])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = lines(&output.stderr);
    let told: Vec<_> = told.iter().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains(&address) && told[0].contains("--bind"),
        "{told:?}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn every_problem_of_the_configuration_is_told_at_once() {
    let file = folder("problems").join("settings.toml");
    fs::write(
        &file,
        "[server]\nprot = 1\ngrace = \"soon\"\n[nothing]\na = 1\n",
    )
    .unwrap();
    for command in ["serve", "check-config"] {
        let output = program(&[
            command,
            "--config",
            file.to_str().unwrap(),
            "--bind",
            "nowhere",
            "--upstream-url",
            "ftp://a",
        ])
        .env("OPENROUTER_CONNECTOR__SERVER__WORKERS", "many")
        .env("OPENROUTER_CONNECTOR__LOG__FORMAT", "xml")
        .output()
        .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        let told = lines(&output.stderr);
        for word in [
            "\"prot\"",
            "server.grace",
            "\"nothing\"",
            "--bind",
            "--upstream-url",
            "OPENROUTER_CONNECTOR__SERVER__WORKERS",
            "OPENROUTER_CONNECTOR__LOG__FORMAT",
        ] {
            assert_eq!(
                told.iter().filter(|line| line.contains(word)).count(),
                1,
                "{word}: {told:#?}"
            );
        }
        assert_eq!(told.len(), 7, "{told:#?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let broken = folder("broken").join("settings.toml");
    fs::write(&broken, "[server\n").unwrap();
    for file in ["no-such-file.toml", broken.to_str().unwrap()] {
        let output = run(&["check-config", "--config", file]);
        assert_eq!(output.status.code(), Some(2));
        let told = lines(&output.stderr);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(file), "{told:?}");
    }
}

#[test]
fn the_configuration_is_shown_as_it_would_be_used() {
    let file = folder("layers").join("settings.toml");
    fs::write(&file, "[server]\nworkers = 3\ngrace = \"9s\"\n").unwrap();
    let output = program(&[
        "check-config",
        "--config",
        file.to_str().unwrap(),
        "--bind",
        "127.0.0.1:1",
    ])
    .env("OPENROUTER_CONNECTOR__SERVER__WORKERS", "4")
    .env("OPENROUTER_CONNECTOR__SERVER__BIND", "127.0.0.1:2")
    .env("OPENROUTER_CONNECTOR__UPSTREAM__READ_TIMEOUT", "30s")
    .output()
    .unwrap();
    assert!(output.status.success(), "{:?}", lines(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "bind = \"127.0.0.1:1\"",
        "workers = 4",
        "grace = \"9s\"",
        "read_timeout = \"30s\"",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
    let warnings = lines(&output.stderr);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("read_timeout"));

    // What is shown is itself a configuration.
    let again = folder("again").join("settings.toml");
    fs::write(&again, &text).unwrap();
    let output = run(&["check-config", "--config", again.to_str().unwrap()]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
}

#[test]
fn the_checked_in_definition_is_current_by_the_command_too() {
    let output = run(&["definition", "--check"]);
    assert!(output.status.success(), "{:?}", lines(&output.stderr));
    assert!(
        lines(&output.stdout)
            .iter()
            .all(|line| line.ends_with(": current"))
    );
}

#[test]
fn a_definition_that_is_not_current_is_told_with_its_first_difference() {
    let out = folder("definition");
    let out_name = out.to_str().unwrap();
    assert_eq!(
        run(&["definition", "--check", "--out", out_name])
            .status
            .code(),
        Some(1)
    );
    assert!(run(&["definition", "--out", out_name]).status.success());
    assert!(
        run(&["definition", "--check", "--out", out_name])
            .status
            .success()
    );

    let file = out.join("apiDefinition.swagger.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replacen("connector.example.com", "elsewhere.example.com", 1),
    )
    .unwrap();
    let output = run(&["definition", "--check", "--out", out_name]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("- ") && told.contains("elsewhere.example.com"),
        "{told}"
    );
    assert!(
        fs::read_to_string(&file).unwrap().contains("elsewhere"),
        "--check writes nothing"
    );
}

#[test]
fn a_signal_ends_it_well() {
    for signal in ["-TERM", "-INT"] {
        let serving = Serving::start(
            &["--sandbox"],
            &[("OPENROUTER_CONNECTOR__SERVER__GRACE", "1s")],
        );
        assert_eq!(serving.shown[0], "OpenRouter Connector is ready.");
        let (code, log) = serving.end(signal);
        assert_eq!(code, Some(0), "{log}");
    }
}

#[tokio::test]
async fn the_log_has_a_line_for_each_call_and_no_key_or_prompt() {
    let serving = Serving::start(
        &["--sandbox"],
        &[
            ("OPENROUTER_CONNECTOR__LOG__LEVEL", "trace"),
            ("OPENROUTER_CONNECTOR__SERVER__GRACE", "1s"),
        ],
    );
    let call =
        |path: &str| Call::page(&serving.base, path).header("x-ms-client-request-id", "call-1");
    let prompt = "a prompt for nobody's eyes";
    for (model, status) in [
        ("openai/gpt-4o", 200),
        ("sandbox/provider-down", 502),
        ("sandbox/refuses", 403),
    ] {
        let body = serde_json::json!({
            "model": model, "role": "user", "content": prompt,
            "attachments": [{"name": "a.pdf", "content": PDF}],
        });
        let answer = call("/v1/chat/completions")
            .method("POST")
            .key()
            .body(&body)
            .send()
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    call("/v1/key")
        .header("api_key", "sk-or-invalid-1")
        .fails(401, "invalid_key")
        .await;

    let (_, log) = serving.end("-TERM");
    let served: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .filter(|line: &serde_json::Value| line["message"] == "served")
        .collect();
    assert_eq!(served.len(), 4, "{log}");
    assert_eq!(
        (&served[0]["operation"], &served[0]["status"]),
        (&"ChatCompletion".into(), &200.into())
    );
    assert_eq!(
        (&served[0]["request_id"], &served[1]["code"]),
        (&"call-1".into(), &"upstream_error".into())
    );
    for secret in [KEY, "sk-or-invalid-1", prompt, PDF] {
        assert!(!log.contains(secret), "{secret} in the log");
    }
}

#[test]
fn a_key_never_shows_itself() {
    let key = ApiKey::new("sk-or-v1-secret").unwrap();
    for shown in [
        format!("{key:?}"),
        format!("{key:#?}"),
        format!("{:?}", Some(key)),
    ] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}
