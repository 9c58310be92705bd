//! A simulated OpenRouter that outlives the service: it writes down every generation that it is
//! asked for, answers when the call's plan says so, and notices when its caller is cut off. The
//! shapes of its answers are those of the sandbox.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::{Method, StatusCode},
    web::{self, Bytes, Data, PayloadConfig},
};
use data_encoding::BASE64;
use futures_util::{StreamExt as _, stream};
use openrouter_connector::sandbox::Sandbox;
use serde_json::Value;

use super::{
    ledger::{Asked, Fate, Ledger, Visit},
    mix::{Plan, prompt_in},
};

/// The running server; it stops when this is dropped.
pub(super) struct Upstream {
    base: String,
    handle: ServerHandle,
    _sandbox: Sandbox,
}

struct State {
    ledger: Ledger,
    plans: HashMap<Asked, Plan>,
    /// Where the sandbox is.
    sandbox: String,
}

impl Upstream {
    /// Starts one that takes each call as its plan says.
    pub(super) fn start(plans: &[Plan], ledger: &Ledger) -> Self {
        let sandbox = Sandbox::start().unwrap();
        let state = Arc::new(State {
            ledger: ledger.clone(),
            plans: plans
                .iter()
                .map(|plan| (plan.asked.clone(), plan.clone()))
                .collect(),
            sandbox: sandbox.base_url(),
        });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::from(Arc::clone(&state)))
                .app_data(Data::new(client()))
                .app_data(PayloadConfig::new(64 * 1024 * 1024))
                .route("/{life}/api/v1/{rest:.*}", web::to(serve))
        })
        .workers(1)
        .disable_signals()
        // A caller that closes its connection is gone, and its call is over.
        .h1_allow_half_closed(false)
        .keep_alive(Duration::from_secs(75))
        .shutdown_timeout(1)
        .bind(("127.0.0.1", 0))
        .unwrap();
        let base = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            base,
            handle,
            _sandbox: sandbox,
        }
    }

    /// Where the process with this number finds OpenRouter: the address tells its calls apart.
    pub(super) fn url(&self, life: usize) -> String {
        format!("{}/{life}/api/v1", self.base)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // The order to stop is sent at once.
        drop(self.handle.stop(false));
    }
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn serve(
    state: Data<State>,
    http: Data<reqwest::Client>,
    path: web::Path<(usize, String)>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    let (life, rest) = path.into_inner();
    let key = request.headers().get("authorization");
    let key = key.map_or("", |key| key.to_str().unwrap());
    let key = key.trim_start_matches("Bearer ").to_owned();
    let text = String::from_utf8_lossy(&body).into_owned();
    let query = request.query_string();
    let url = format!("{}/{rest}?{query}", state.sandbox);
    let plan = prompt_in(&text)
        .and_then(|prompt| {
            let key = key.clone();
            state.plans.get(&Asked { prompt, key })
        })
        .cloned();
    let Some(plan) = plan else {
        // Not a generation of the run: the list of models.
        return whole(forward(&http, request.method(), &url, &key, text).await);
    };
    let visit = state.ledger.arrives(plan.asked.clone(), life);
    let mut wanted: Value = serde_json::from_str(&text).unwrap();
    if let Some(fault) = plan.faults.get(visit.failed) {
        wanted["model"] = (*fault).into();
        let answer = forward(&http, request.method(), &url, &key, wanted.to_string()).await;
        tokio::time::sleep(plan.takes).await;
        return fails(answer, visit);
    }
    if let Some(refusal) = plan.refusal {
        wanted["model"] = refusal.into();
        let answer = forward(&http, request.method(), &url, &key, wanted.to_string()).await;
        tokio::time::sleep(plan.takes).await;
        visit.ends(Fate::Refused);
        return whole(answer);
    }
    let answer = forward(&http, request.method(), &url, &key, text).await;
    let mut answer = serde_json::from_slice(&answer.body.unwrap()).unwrap();
    sign(&mut answer, &visit);
    slowly(plan.takes, &answer, visit)
}

/// What the sandbox said.
struct Said {
    status: u16,
    retry_after: Option<String>,
    kind: String,
    /// `None` if it broke off.
    body: Option<Bytes>,
}

async fn forward(
    http: &reqwest::Client,
    method: &Method,
    url: &str,
    key: &str,
    body: String,
) -> Said {
    let method: reqwest::Method = method.as_str().parse().unwrap();
    let request = http.request(method, url).bearer_auth(key);
    let request = request
        .header("content-type", "application/json")
        .body(body);
    let response = request.send().await.unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    Said {
        status: response.status().as_u16(),
        retry_after: header("retry-after"),
        kind: header("content-type").unwrap_or_default(),
        body: response.bytes().await.ok(),
    }
}

fn whole(said: Said) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(said.status).unwrap());
    response.content_type(said.kind);
    if let Some(wait) = said.retry_after {
        response.insert_header(("retry-after", wait));
    }
    response.body(said.body.unwrap())
}

/// A failure, whole or in its middle.
fn fails(said: Said, visit: Visit) -> HttpResponse {
    if said.body.is_some() {
        visit.ends(Fate::Failed);
        return whole(said);
    }
    let start = Ok(Bytes::from_static(b"{\"id\":"));
    let broken = stream::once(async move {
        // What was sent must have left before the end comes, or nothing arrives at all.
        tokio::time::sleep(Duration::from_millis(50)).await;
        visit.ends(Fate::Failed);
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    HttpResponse::Ok()
        .content_type("application/json")
        .streaming(stream::iter([start]).chain(broken))
}

/// Writes into `answer` whose it is, and into the ledger what its caller must get.
fn sign(answer: &mut Value, visit: &Visit) {
    let Asked { prompt, key } = &visit.asked;
    let signature = format!("Answer {} to call {prompt} of {key}.", visit.number());
    if let Some(said) = answer.pointer_mut("/choices/0/message/content") {
        *said = signature.clone().into();
        visit.will_say(&signature);
    } else {
        let picture = answer["data"][0]["b64_json"].as_str().unwrap();
        // What follows the end of a picture is not looked at.
        let mut picture = BASE64.decode(picture.as_bytes()).unwrap();
        picture.extend_from_slice(signature.as_bytes());
        let picture = BASE64.encode(&picture);
        visit.will_say(&picture);
        answer["data"][0]["b64_json"] = picture.into();
    }
}

/// The answer when its time has come, with blank lines ahead of it as OpenRouter sends them.
fn slowly(takes: Duration, answer: &Value, visit: Visit) -> HttpResponse {
    const LINES: u32 = 10;
    let answer = Bytes::from(answer.to_string());
    let pieces = stream::unfold(0, move |sent| {
        let piece = match sent {
            0..LINES => Some(Bytes::from_static(b"\n")),
            LINES => Some(answer.clone()),
            _ => {
                visit.ends(Fate::Answered);
                None
            }
        };
        async move {
            if (1..=LINES).contains(&sent) {
                tokio::time::sleep(takes / LINES).await;
            }
            Some((Ok::<_, io::Error>(piece?), sent + 1))
        }
    });
    HttpResponse::Ok()
        .content_type("application/json")
        .streaming(pieces)
}
