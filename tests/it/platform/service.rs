//! The service as operators run it: the program in a process of its own, which can be killed at
//! any moment and started again on the same port.

use std::{path::PathBuf, process::Command, sync::Arc, time::Duration};

use super::{
    ledger::Ledger,
    process::{Process, free_port},
    upstream::Upstream,
};

/// The service's own times. All times of a run are a hundredth of the usual ones; only a lease is
/// longer, because a busy machine must find the time to renew it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// How long a caller waits before its call becomes a job.
    pub(super) answer: Duration,
    pub(super) lease: Duration,
    pub(super) attempts: usize,
    pub(super) grace: Duration,
    /// How long a process that was told to stop works on at least; the rest of its grace period is
    /// for closing.
    pub(super) works_on: Duration,
}

/// What the service is told in this program.
pub(super) const TIMES: Times = Times {
    answer: Duration::from_millis(900),
    lease: Duration::from_secs(1),
    attempts: 2,
    grace: Duration::from_secs(4),
    works_on: Duration::from_millis(2500),
};

/// Beyond its grace period, the longest that a process may take to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(3);

/// One replica: always the same port, a process after the other.
pub(super) struct Service {
    port: u16,
    store: String,
    folder: PathBuf,
    upstream: Arc<Upstream>,
    ledger: Ledger,
    running: Option<(usize, Process)>,
}

impl Service {
    /// Starts the first process, with its log in `folder`.
    pub(super) async fn start(
        store: &str,
        folder: PathBuf,
        upstream: Arc<Upstream>,
        ledger: Ledger,
    ) -> Self {
        let mut service = Self {
            port: free_port(),
            store: store.to_owned(),
            folder,
            upstream,
            ledger,
            running: None,
        };
        service.begin().await;
        service
    }

    /// Its host and port.
    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts the next process, and waits until it answers.
    pub(super) async fn begin(&mut self) {
        let life = self.ledger.starts();
        let millis = |time: Duration| format!("{}ms", time.as_millis());
        let settings = [
            ("SERVER__BIND", self.host()),
            ("SERVER__WORKERS", "1".to_owned()),
            ("SERVER__GRACE", millis(TIMES.grace)),
            ("UPSTREAM__URL", self.upstream.url(life)),
            ("DEADLINE__ANSWER", millis(TIMES.answer)),
            ("JOBS__LEASE", millis(TIMES.lease)),
            ("JOBS__ATTEMPTS", TIMES.attempts.to_string()),
            ("LIMITS__CALLS", "0".to_owned()),
            ("LIMITS__IN_FLIGHT", "0".to_owned()),
            ("STORE__URL", self.store.clone()),
        ];
        let mut command = Command::new(env!("CARGO_BIN_EXE_openrouter-connector"));
        command.arg("serve").env_clear().current_dir(&self.folder);
        for (name, value) in settings {
            command.env(format!("OPENROUTER_CONNECTOR__{name}"), value);
        }
        let log = self.folder.join(format!("service-{}.log", self.port));
        let mut process = Process::start(&mut command, &log);
        process.listens(self.port).await;
        self.running = Some((life, process));
    }

    /// Kills the process.
    pub(super) fn kill(&mut self) {
        let (life, process) = self.running.take().unwrap();
        self.ledger.killed(life);
        process.kill();
    }

    /// Tells the process to stop and waits until it has.
    pub(super) async fn stop(&mut self) {
        let (life, process) = self.running.take().unwrap();
        self.ledger.told(life);
        let in_time = process.stop(TIMES.grace + STOPS_WITHIN).await;
        self.ledger.stopped(life, in_time);
    }
}
