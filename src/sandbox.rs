//! A simulated OpenRouter inside the binary, for trying the connector without a key and for tests.
//!
//! Every answer is a function of the request: the same question gets the same text, picture, tone
//! and price. Only ids, timestamps and what grows with use (credits, generations, video jobs)
//! differ. The models named `sandbox/...` misbehave on purpose.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, BytesMut, Data, ServiceConfig};
use actix_web::{App, HttpMessage as _, HttpServer};
use futures_util::StreamExt as _;

mod account;
mod answers;
mod audio;
mod bits;
mod catalogue;
mod chat;
mod embeddings;
mod errors;
mod generations;
mod images;
mod incoming;
mod misbehaviour;
mod png;
mod schema_filler;
mod usage;
mod video;

use errors::Refusal;
use generations::Generations;
use incoming::RawBody;
use video::Jobs;

/// How many calls are remembered; the oldest are forgotten first.
const REMEMBERED_CALLS: usize = 1_000;

/// The largest body read; beyond it the answer is a 413, as upstream.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// A simulated upstream listening on a free local port; dropping it stops it.
#[must_use = "the simulated server stops when this is dropped"]
pub struct Sandbox {
    address: SocketAddr,
    handle: ServerHandle,
    state: Data<State>,
}

impl Sandbox {
    /// Binds a free port on the loopback address and serves there, on the current runtime.
    pub fn start() -> io::Result<Self> {
        let state = Data::new(State::default());
        let shared = state.clone();
        let server = HttpServer::new(move || {
            let shared = shared.clone();
            App::new().configure(|config| mount(config, shared))
        })
        .workers(1)
        .disable_signals()
        // Longer than clients keep idle connections in tests, so that they never meet one just closed.
        .keep_alive(Duration::from_secs(75))
        // Slow models hold their connections for minutes; nobody waits for those at the end.
        .shutdown_timeout(1)
        .bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = server
            .addrs()
            .first()
            .copied()
            .ok_or_else(|| io::Error::other("the sandbox got no address"))?;
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            address,
            handle,
            state,
        })
    }

    /// The base URL to give the connector instead of the real one.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// The handle that stops or pauses the server.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// The last calls received, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state.calls).iter().cloned().collect()
    }

    /// Stops the server and waits until it has stopped.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The order to stop is sent at once; only the confirmation would have to be awaited.
        drop(self.handle.stop(false));
    }
}

/// What is remembered of one call: enough to count, nothing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The HTTP method, such as `POST`.
    pub method: String,
    /// The path without its query, such as `/api/v1/chat/completions`.
    pub path: String,
    /// Whether an `Authorization` header came along.
    pub authorization: bool,
    /// The size of the body.
    pub body_bytes: usize,
}

/// Mounts the simulated API at `/api/v1`; all workers and all mounts of a process share one state.
pub fn configure(config: &mut ServiceConfig) {
    static SHARED: LazyLock<Data<State>> = LazyLock::new(|| Data::new(State::default()));
    mount(config, SHARED.clone());
}

/// What the server remembers between calls.
#[derive(Default)]
struct State {
    calls: Mutex<VecDeque<Call>>,
    generations: Mutex<Generations>,
    videos: Mutex<Jobs>,
}

fn mount(config: &mut ServiceConfig, state: Data<State>) {
    let recorded = state.clone();
    config.service(
        web::scope("/api/v1")
            .app_data(state)
            .configure(catalogue::routes)
            .configure(chat::routes)
            .configure(images::routes)
            .configure(audio::routes)
            .configure(embeddings::routes)
            .configure(video::routes)
            .configure(account::routes)
            .default_service(web::to(incoming::not_found))
            .wrap(from_fn(move |request, next| {
                record(recorded.clone(), request, next)
            })),
    );
}

/// Reads the body once, for the record and for the handler.
async fn record<B: MessageBody>(
    state: Data<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let body = read(&mut request).await;
    remember(
        &state,
        Call {
            method: request.method().to_string(),
            path: request.path().to_owned(),
            authorization: request.headers().contains_key(header::AUTHORIZATION),
            body_bytes: body.as_ref().map_or(BODY_LIMIT, Bytes::len),
        },
    );
    request.extensions_mut().insert(RawBody(body?));
    next.call(request).await
}

async fn read(request: &mut ServiceRequest) -> Result<Bytes, Refusal> {
    let mut payload = request.take_payload();
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad_request("The request body was cut short"))?;
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(Refusal::new(413, "Request payload too large").kind("payload_too_large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn remember(state: &State, call: Call) {
    let mut calls = lock(&state.calls);
    if calls.len() == REMEMBERED_CALLS {
        calls.pop_front();
    }
    calls.push_back(call);
}

/// Locks, also after a panic elsewhere: what is kept here is never left half written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
