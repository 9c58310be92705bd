//! Builds the service from its configuration, and runs it until it is told to stop.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpServer,
    dev::{Server, ServerHandle},
};

use crate::{
    actions,
    catalog::Catalog,
    config::Config,
    endpoint::Services,
    error::{Error, Kind, Result},
    hooks::Hooks,
    http,
    jobs::Jobs,
    limits::Limits,
    links::Links,
    openrouter::Client,
    sandbox::Sandbox,
    store::Store,
};

/// The shortest time for connections to close after the last answers are written.
const CLOSING: Duration = Duration::from_secs(1);

/// The time between two looks for what expired in the store.
const SWEEP: Duration = Duration::from_mins(1);

/// The service, bound to its port but not yet running.
pub struct App {
    server: Server,
    address: SocketAddr,
    grace: Duration,
    jobs: Jobs,
    store: Store,
    sandbox: Option<Sandbox>,
}

impl App {
    /// Builds the service: opens the store, binds the port, builds a client per worker, starts to
    /// fetch the list of models. With `sandbox`, starts a simulated OpenRouter and calls that one.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] with a sentence for the operator if the port or the store cannot be had.
    pub async fn build(mut config: Config, sandbox: bool) -> Result<Self> {
        let sandbox = if sandbox {
            Some(start_sandbox(&mut config)?)
        } else {
            None
        };
        // A setting that no client can use ends the start here, not a worker later.
        let catalog = Catalog::new(Client::new(&config.upstream)?, config.catalog.refresh);
        let store = Store::open(&config.store).await?;
        let hooks = Hooks::new(store.clone(), &config.hooks)?;
        let ahead = Arc::clone(&catalog);
        tokio::spawn(async move {
            if let Err(error) = ahead.get().await {
                tracing::warn!(
                    code = error.kind().code(),
                    detail = error.log_detail(),
                    "the list of models cannot be fetched yet"
                );
            }
        });
        let limits = Limits::new(store.clone(), &config.limits);
        let links = Links::new(store.clone(), &config.files);
        let jobs = Jobs::new(store.clone(), config.jobs.clone(), &config.deadline);
        let resumed = Services {
            openrouter: catalog.client().clone(),
            catalog: Arc::clone(&catalog),
            jobs: jobs.clone(),
            hooks: hooks.clone(),
            limits,
            links,
        };
        jobs.connect(
            actions::runners(&resumed),
            Box::new(move |key, id, view| actions::tell(&hooks, key, id, view)),
        );
        let (bind, grace, workers) = (
            config.server.bind,
            config.server.grace,
            config.server.workers,
        );
        let shared = Arc::new(config);
        let for_workers = resumed;
        let server = HttpServer::new(move || {
            // A pool of connections per worker keeps them on the worker's own thread.
            let openrouter =
                Client::new(&shared.upstream).unwrap_or_else(|_| for_workers.openrouter.clone());
            let services = Services {
                openrouter,
                ..for_workers.clone()
            };
            let server = &shared.server;
            http::app(
                services,
                server.max_body_mb.bytes(),
                server.public_url.clone(),
            )
        })
        // Somebody who closes a connection half-way is gone: only then is a caller that went away
        // told from one that waits.
        .h1_allow_half_closed(false)
        .disable_signals()
        .shutdown_timeout(grace.as_secs())
        .workers(if workers == 0 { cores() } else { workers })
        .bind(bind)
        .map_err(|cause| cannot_listen(bind, &cause))?;
        let address = server.addrs().first().copied().unwrap_or(bind);
        Ok(Self {
            server: server.run(),
            address,
            grace,
            jobs,
            store,
            sandbox,
        })
    }

    /// The port that the service listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address that the service listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The simulated OpenRouter, if there is one.
    #[must_use]
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    /// Stops the service from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until Ctrl-C, SIGTERM or [`App::handle`] ends it. After a signal no new work is
    /// taken; what runs may end within the grace period, and is left to be taken up again after
    /// it. A second signal ends the service at once.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn run_until_stopped(self) -> io::Result<()> {
        let (handle, mut server) = (self.server.handle(), self.server);
        let sweeping = tokio::spawn(sweep(self.store.clone()));
        let mut ended = None;
        let mut left = self.grace;
        tokio::select! {
            end = &mut server => ended = Some(end),
            () = stop_signal() => {
                tracing::info!("stopping: no new calls are taken");
                let began = Instant::now();
                let draining = async {
                    self.jobs.drain(self.grace).await;
                    // Callers have their answers or their jobs; the jobs have the time that is left.
                    let rest = self.grace.saturating_sub(began.elapsed() + CLOSING);
                    self.jobs.settle(rest).await;
                };
                tokio::select! {
                    () = draining => left = self.grace.saturating_sub(began.elapsed()),
                    () = stop_signal() => left = Duration::ZERO,
                    end = &mut server => ended = Some(end),
                }
            }
        }
        let ended = if let Some(ended) = ended {
            ended
        } else {
            // Answers that are being sent have the rest of the grace period.
            let closing = async { tokio::join!(handle.stop(true), &mut server).1 };
            let closed = tokio::time::timeout(left.max(CLOSING), closing).await;
            closed.unwrap_or(Ok(()))
        };
        self.jobs.settle(CLOSING).await;
        sweeping.abort();
        self.jobs.release().await;
        self.store.close().await;
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
        ended
    }
}

/// Deletes from the store what expired, as long as the service runs.
async fn sweep(store: Store) {
    let mut minutes = tokio::time::interval(SWEEP);
    loop {
        minutes.tick().await;
        if let Err(error) = store.sweep().await {
            tracing::warn!(detail = error.log_detail(), "the store was not swept");
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        let kind = tokio::signal::unix::SignalKind::terminate();
        match tokio::signal::unix::signal(kind) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

fn start_sandbox(config: &mut Config) -> Result<Sandbox> {
    let sandbox = Sandbox::start().map_err(|cause| {
        Error::new(Kind::Unavailable, "The simulated OpenRouter cannot start.").because(cause)
    })?;
    config.upstream.url = sandbox.base_url().try_into().map_err(|cause: String| {
        Error::new(Kind::Internal, "The simulated OpenRouter has no address.").detail(cause)
    })?;
    Ok(sandbox)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn cannot_listen(bind: SocketAddr, cause: &io::Error) -> Error {
    let message = match cause.kind() {
        io::ErrorKind::AddrInUse => format!(
            "Cannot listen on {bind}: another program uses this port. Choose another with --bind 127.0.0.1:PORT."
        ),
        io::ErrorKind::PermissionDenied => {
            format!("Cannot listen on {bind}: not allowed. Ports below 1024 need special rights.")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("Cannot listen on {bind}: this machine does not have that address.")
        }
        _ => format!("Cannot listen on {bind}: {cause}."),
    };
    Error::new(Kind::Unavailable, message)
}
