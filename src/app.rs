//! Builds the service from its configuration, and runs it until it is told to stop.

use std::{io, net::SocketAddr, sync::Arc};

use actix_web::{
    HttpServer,
    dev::{Server, ServerHandle},
};

use crate::{
    catalog::Catalog,
    config::Config,
    endpoint::Services,
    error::{Error, Kind, Result},
    hooks::Hooks,
    http,
    openrouter::Client,
    sandbox::Sandbox,
    store::Store,
};

/// The service, bound to its port but not yet running.
pub struct App {
    server: Server,
    address: SocketAddr,
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
        let (bind, grace, workers) = (
            config.server.bind,
            config.server.grace,
            config.server.workers,
        );
        let shared = Arc::new(config);
        let server = HttpServer::new(move || {
            // A pool of connections per worker keeps them on the worker's own thread.
            let openrouter =
                Client::new(&shared.upstream).unwrap_or_else(|_| catalog.client().clone());
            let services = Services {
                openrouter,
                catalog: Arc::clone(&catalog),
                hooks: hooks.clone(),
            };
            let server = &shared.server;
            http::app(
                services,
                server.max_body_mb.bytes(),
                server.public_url.clone(),
            )
        })
        .shutdown_timeout(grace.as_secs())
        .workers(if workers == 0 { cores() } else { workers })
        .bind(bind)
        .map_err(|cause| cannot_listen(bind, &cause))?;
        let address = server.addrs().first().copied().unwrap_or(bind);
        Ok(Self {
            server: server.run(),
            address,
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

    /// Serves until Ctrl-C, SIGTERM or [`App::handle`] ends it; running calls may finish within
    /// the grace period.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub async fn run_until_stopped(self) -> io::Result<()> {
        let ended = self.server.await;
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
        ended
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
