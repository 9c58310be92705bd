//! What several replicas need: a Redis of the test's own, which can be stopped, and nginx in front.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use fastrand::Rng;

use super::{
    ledger::Ledger,
    process::{Process, free_port, installed},
    run::say,
    service::Service,
};

/// Says that a test was skipped because `program` is missing.
fn missing(program: &str) -> Option<PathBuf> {
    let found = installed(program);
    if found.is_none() {
        say(format_args!(
            "A test with several replicas was skipped: {program} is not installed."
        ));
    }
    found
}

/// A Redis server that keeps what it has across its own restart, and starts on the same port.
pub(super) struct Redis {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    running: Option<Process>,
}

impl Redis {
    /// Starts one with its files in `folder`; `None` if Redis is not installed.
    pub(super) async fn start(folder: &Path) -> Option<Self> {
        let mut redis = Self {
            program: missing("redis-server")?,
            folder: folder.to_owned(),
            port: free_port(),
            running: None,
        };
        redis.begin().await;
        Some(redis)
    }

    /// Its address.
    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    async fn begin(&mut self) {
        let mut command = Command::new(&self.program);
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args([
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
            ])
            .arg("--dir")
            .arg(&self.folder);
        let mut process = Process::start(&mut command, &self.folder.join("redis.log"));
        process.listens(self.port).await;
        self.running = Some(process);
    }
}

/// Takes Redis away every now and then, and brings it back.
pub(super) async fn outages(redis: &mut Redis, ledger: &Ledger, mut rng: Rng) {
    loop {
        let pause = Duration::from_millis(rng.u64(1_500..3_000));
        tokio::time::sleep(pause).await;
        ledger.goes();
        let process = redis.running.take().unwrap();
        if rng.bool() {
            process.kill();
        } else {
            assert!(process.stop(Duration::from_secs(5)).await, "Redis hangs");
        }
        let away = Duration::from_millis(rng.u64(300..1_500));
        tokio::time::sleep(away).await;
        redis.begin().await;
        ledger.is_back();
    }
}

/// nginx, which hands each request to the next of the replicas.
pub(super) struct Nginx {
    port: u16,
    _running: Process,
}

impl Nginx {
    /// Starts one in front of `replicas` with its files in `folder`; `None` if nginx is not
    /// installed.
    pub(super) async fn start(folder: &Path, replicas: &[Service]) -> Option<Self> {
        let program = missing("nginx")?;
        let port = free_port();
        let config = folder.join("nginx.conf");
        fs::write(&config, configuration(port, replicas)).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).arg("-c").arg(&config);
        command.arg("-e").arg(folder.join("nginx-error.log"));
        let mut process = Process::start(&mut command, &folder.join("nginx.log"));
        process.listens(port).await;
        Some(Self {
            port,
            _running: process,
        })
    }

    /// Its host and port.
    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// One process without rights of its own, files in its own folder. What it repeats by itself is
/// nginx's default: anything after a connection that was refused, because nothing was sent then,
/// and no POST that was sent. A replica that failed is asked again at once, since it is back soon.
fn configuration(port: u16, replicas: &[Service]) -> String {
    let servers: Vec<_> = replicas
        .iter()
        .map(|replica| format!("server {} max_fails=0;", replica.host()))
        .collect();
    let servers = servers.join("\n        ");
    format!(
        r"daemon off;
master_process off;
pid nginx.pid;
events {{}}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    log_format hops '$msec $request $status $upstream_addr $upstream_status $request_time';
    access_log access.log hops;
    upstream replicas {{
        {servers}
    }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 100m;
        location / {{
            proxy_pass http://replicas;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
        }}
    }}
}}
"
    )
}
