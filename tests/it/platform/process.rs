//! Programs that a test starts: on ports of their own, killed and told to stop, and never left
//! behind.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;

/// The longest that a program may take to start.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// A running program; it is killed when this is dropped.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it; what it says is appended to the file `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self {
            child,
            log: log.to_owned(),
        }
    }

    /// Waits until it listens on `port`.
    pub(super) async fn listens(&mut self, port: u16) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let hangs = started.elapsed() > STARTS_WITHIN;
            assert!(
                !self.ended() && !hangs,
                "it does not start:\n{}",
                fs::read_to_string(&self.log).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Kills it: it has no time for anything.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to stop, and waits until it has; whether it did within `patience`.
    pub(super) async fn stop(mut self, patience: Duration) -> bool {
        let told = Instant::now();
        // It may have ended already.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        while !self.ended() {
            if told.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }

    fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on, and that the system gives to no outgoing connection: a program
/// can be started on it again and again.
pub(super) fn free_port() -> u16 {
    let ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    let mut free = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().unwrap()
}

/// Where the program `name` is, if it is installed. Some systems keep servers off the usual path.
pub(super) fn installed(name: &str) -> Option<PathBuf> {
    let path = openrouter_connector::config::environment()
        .find(|(variable, _)| variable == "PATH")
        .map(|(_, path)| path)
        .unwrap_or_default();
    let folders = std::env::split_paths(&path);
    let mut candidates = folders.chain(["/usr/sbin".into()]);
    candidates
        .find(|folder| folder.join(name).is_file())
        .map(|folder| folder.join(name))
}
