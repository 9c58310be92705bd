//! What every generation action gets for nothing: an answer in time, or a job; a repeat that takes
//! the lost answer; a replay under the caller's own key; links to its files.

use std::{
    borrow::Cow,
    collections::HashMap,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    body::{BodySize, MessageBody},
    dev::Payload,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
    },
    web::{Bytes, Data},
};
use serde::Serialize;

use super::{
    Input, PublicAddress, Services,
    answer::{JSON, fail, written},
    body::read_json,
};
use crate::{
    error::{Error, Kind, Result},
    jobs::{Answer, Call, Checkpoint, Outcome, Reply, Request, Runner, Work, failure},
    links::Links,
    openrouter::ApiKey,
    telemetry,
};

/// Seconds after which a running job is worth asking for again.
const POLL_AFTER: u64 = 5;

/// The longest key of a caller for its own call, in characters.
const MAX_OWN_KEY: usize = 255;

/// Says that an answer was made for an earlier call.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("x-replayed");

/// An action that has a model make something, which may take long and is paid for.
pub trait Generation: 'static {
    /// The operation's id.
    const OPERATION: &'static str;
    /// What goes in.
    type Input: Input + Send + 'static;
    /// What goes to OpenRouter, and what of the input its answer needs.
    type Prepared: Send + 'static;
    /// What comes out.
    type Output: Serialize + Send + 'static;

    /// Makes ready what goes to OpenRouter. Its errors are told to the caller at once, also of a
    /// call in the background.
    fn prepare(
        services: &Services,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Prepared>> + Send;

    /// Has the model make it.
    fn run(run: Run, prepared: Self::Prepared)
    -> impl Future<Output = Result<Self::Output>> + Send;

    /// The answer while the job `job_id` goes on.
    fn running(job_id: String) -> Self::Output;

    /// Whether the maker wants a job at once.
    fn background(input: &Self::Input) -> bool;

    /// The files of an answer, each of which gets a link.
    fn files(output: &mut Self::Output) -> Vec<&mut dyn LinkedFile> {
        let _ = output;
        Vec::new()
    }
}

/// What a generation works with.
pub struct Run {
    /// The client, the list of models, and what else actions share.
    pub services: Services,
    /// The caller's key.
    pub key: ApiKey,
    /// What a long job keeps of its way.
    pub checkpoint: Checkpoint,
}

/// A file of an answer that can be given a link.
pub trait LinkedFile: Send {
    /// Its content, name and type; `None` if there is nothing to link to.
    fn content(&self) -> Option<(Cow<'_, [u8]>, &str, &str)>;

    /// Takes the link.
    fn set_link(&mut self, url: String);
}

/// A call of a generation action, read and checked.
pub struct Generate<A: Generation> {
    /// What goes in.
    pub input: A::Input,
    /// The request.
    pub http: HttpRequest,
    /// What actions work with.
    pub services: Services,
    /// The caller's key.
    pub key: ApiKey,
    body: Bytes,
}

impl<A: Generation> FromRequest for Generate<A> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(http: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (http, read) = (http.clone(), read_json(http, payload));
        Box::pin(async move {
            let services = http.app_data::<Data<Services>>();
            let services = services.ok_or_else(|| {
                Error::new(Kind::Internal, "The service failed.").detail("there are no services")
            })?;
            let services = services.get_ref().clone();
            let key = ApiKey::from_request(&http, &mut Payload::None).await?;
            let (body, value) = read.await?;
            let input = A::Input::from_json(value)?;
            Ok(Self {
                input,
                http,
                services,
                key,
                body,
            })
        })
    }
}

impl<A: Generation> Generate<A> {
    /// Has the model make it, and answers with it or with the job that will have it.
    ///
    /// # Errors
    ///
    /// What preparing says; `400` for an `Idempotency-Key` that cannot be one, `422` for one that
    /// was used for another request; `401` for a key that OpenRouter does not know, if the call is
    /// to be kept; `503` if a job is wanted and cannot be kept; `429` or `503` if too many
    /// generations are under way. What the generation itself comes to, good or bad, is the answer.
    pub async fn answer(self) -> Result<HttpResponse> {
        let Self {
            input,
            http,
            services,
            key,
            body,
        } = self;
        let request = Request {
            idempotency_key: own_key(&http)?,
            background: A::background(&input) || prefers_job(&http),
            call: Call {
                operation: A::OPERATION.to_owned(),
                key: key.clone(),
                base: PublicAddress::base(&http),
                request_id: telemetry::request_id(),
                body,
            },
        };
        let base = request.call.base.clone();
        let prepared = A::prepare(&services, input).await?;
        if request.background || request.idempotency_key.is_some() {
            services.jobs.check_key(&services.openrouter, &key).await?;
        }
        let flight = services.limits.generation(&key)?;
        let jobs = services.jobs.clone();
        let waited = Instant::now();
        let reply = jobs.serve(request, move |checkpoint| -> Work {
            let run = Run {
                services,
                key,
                checkpoint,
            };
            Box::pin(async move {
                // Of the generation, not of the call: it goes on without its caller.
                let _flight = flight;
                work::<A>(run, base, prepared).await
            })
        });
        let reply = reply.await?;
        if reply.replayed || matches!(reply.answer, Answer::Job(_)) {
            // The wait was for OpenRouter, whose time the call that runs will note.
            telemetry::note(|facts| facts.upstream += waited.elapsed());
        }
        Ok(respond::<A>(&http, reply))
    }
}

/// The runners of operations, by their ids.
pub(crate) type Runners = HashMap<&'static str, Runner>;

/// How the operation of `A` is begun anew from its key and body.
pub(crate) fn runner<A: Generation>(services: &Services) -> (&'static str, Runner) {
    let services = services.clone();
    let runner: Runner = Box::new(move |call, checkpoint| -> Work {
        let flight = services.limits.resumed(&call.key);
        let run = Run {
            services: services.clone(),
            key: call.key,
            checkpoint,
        };
        let input = serde_json::from_slice(&call.body)
            .map_err(|cause| Error::new(Kind::Internal, "The job cannot be read.").because(cause))
            .and_then(A::Input::from_json);
        Box::pin(async move {
            let _flight = flight;
            let prepared = match input {
                Ok(input) => A::prepare(&run.services, input).await,
                Err(error) => Err(error),
            };
            match prepared {
                Ok(prepared) => work::<A>(run, call.base, prepared).await,
                Err(error) => failure(&error),
            }
        })
    });
    (A::OPERATION, runner)
}

async fn work<A: Generation>(run: Run, base: String, prepared: A::Prepared) -> Outcome {
    let links = run.services.links.clone();
    let made = match A::run(run, prepared).await {
        Ok(mut output) => {
            link(&links, &base, A::files(&mut output)).await;
            written(&output)
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(body) => Outcome::success(body),
        Err(error) => failure(&error),
    }
}

/// Gives each file its link; the same content gets one.
pub(crate) async fn link(links: &Links, base: &str, files: Vec<&mut dyn LinkedFile>) {
    let mut last: Option<(Vec<u8>, Option<String>)> = None;
    for file in files {
        let url = match (file.content(), &last) {
            (None, _) => continue,
            (Some((bytes, ..)), Some((same, url))) if *bytes == **same => url.clone(),
            (Some((bytes, name, kind)), _) => {
                let url = links.add(base, name, kind, &bytes).await;
                last = Some((bytes.into_owned(), url.clone()));
                url
            }
        };
        if let Some(url) = url {
            file.set_link(url);
        }
    }
}

fn respond<A: Generation>(http: &HttpRequest, reply: Reply) -> HttpResponse {
    let mut response = match &reply.answer {
        Answer::Done(outcome) => answered(outcome),
        Answer::Job(id) => {
            let id = id.to_text();
            match written(&A::running(id.to_string())) {
                Ok(body) => goes_on(http, &id, body),
                Err(error) => fail(&error),
            }
        }
    };
    if reply.replayed {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, yes);
    }
    response
        .map_body(|_, body| Watched {
            body,
            given: false,
            reply: Some(reply),
        })
        .map_into_boxed_body()
}

/// The answer that an outcome stands for.
pub(crate) fn answered(outcome: &Outcome) -> HttpResponse {
    if let Some(id) = outcome.generation_id() {
        telemetry::note_generation(id);
    }
    let status = StatusCode::from_u16(outcome.status());
    let mut response = HttpResponse::build(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    response.insert_header((CONTENT_TYPE, JSON));
    if let Some(seconds) = outcome.retry_after() {
        response.insert_header((RETRY_AFTER, seconds));
    }
    response.body(outcome.body.clone())
}

/// The answer while the job `id` goes on, which says where and when to ask for its result.
pub(crate) fn goes_on(http: &HttpRequest, id: &str, body: Bytes) -> HttpResponse {
    let base = PublicAddress::base(http);
    HttpResponse::Accepted()
        .insert_header((CONTENT_TYPE, JSON))
        .insert_header((LOCATION, format!("{base}/v1/jobs/{id}/result")))
        .insert_header((RETRY_AFTER, POLL_AFTER))
        .body(body)
}

/// The caller's own key for this call.
fn own_key(http: &HttpRequest) -> Result<Option<String>> {
    let Some(value) = http.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > MAX_OWN_KEY {
        return Err(Error::invalid(
            "Idempotency-Key",
            format!("The header Idempotency-Key must have 1 to {MAX_OWN_KEY} ASCII characters."),
        ));
    }
    Ok(Some(key.to_owned()))
}

/// Whether the caller wants a job at once, by the header of RFC 7240.
fn prefers_job(http: &HttpRequest) -> bool {
    http.headers()
        .get_all("prefer")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

/// A body that tells whether it was sent.
struct Watched<B> {
    body: B,
    given: bool,
    reply: Option<Reply>,
}

impl<B: MessageBody + Unpin> MessageBody for Watched<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.body).poll_next(context);
        match next {
            // The server writes to the socket before it asks again; a connection that broke ends
            // this body there.
            Poll::Ready(None) if !self.given => {
                self.given = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(None) => {
                if let Some(reply) = self.reply.take() {
                    reply.delivered();
                }
                Poll::Ready(None)
            }
            next => next,
        }
    }
}
