//! `/videos`: jobs that need three looks to be done, and a small film to fetch then.

use std::collections::{HashMap, VecDeque};

use actix_web::web::{self, Data, Json, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::catalogue::{VideoFacts, find_for, video_facts};
use super::errors::Refusal;
use super::generations::{Facts, new_id};
use super::incoming::{App, Caller, InferenceCaller, JsonBody, invalid};
use super::misbehaviour::Fault;
use super::usage::{Used, float, hash, rounded, tokens};
use super::{State, lock};

mod h264;
mod mp4;

/// How many jobs are kept; the oldest are forgotten first.
const KEPT: usize = 200;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/videos", web::post().to(submit))
        .route("/videos/{job}", web::get().to(poll))
        .route("/videos/{job}/content", web::get().to(content));
}

/// The jobs of this process, newest last.
#[derive(Default)]
pub(super) struct Jobs(VecDeque<Job>);

/// One film to be. What it is about is kept as a number only.
#[derive(Clone)]
struct Job {
    id: String,
    generation: String,
    seed: u64,
    shape: String,
    seconds: u64,
    cost: f64,
    fault: Option<Fault>,
    polls: u32,
}

impl Job {
    /// How far the job is; each poll brings it further.
    fn status(&self) -> &'static str {
        let done = match self.fault {
            Some(Fault::Slow5) => 10,
            Some(Fault::Slow150) => 300,
            _ => 3,
        };
        match self.polls {
            0 | 1 => "pending",
            polls if polls < done => "in_progress",
            _ => match self.fault {
                Some(Fault::ErrorAfterText) => "failed",
                Some(Fault::EmptyChoice) => "expired",
                _ => "completed",
            },
        }
    }

    fn shown(&self, host: &str) -> Value {
        let status = self.status();
        let path = format!("/api/v1/videos/{}", self.id);
        let mut shown = json!({ "id": self.id, "polling_url": path, "status": status });
        // The generation is known once the job has begun.
        if status != "pending" {
            shown["generation_id"] = self.generation.clone().into();
        }
        if status == "failed" {
            shown["error"] = "Provider returned error".into();
        }
        if status == "completed" {
            let url = format!("http://{host}{path}/content?index=0");
            let empty = self.fault == Some(Fault::Empty);
            shown["unsigned_urls"] = if empty { json!([]) } else { json!([url]) };
            shown["usage"] = json!({ "cost": self.cost, "is_byok": false });
        }
        shown
    }
}

/// `POST /videos`.
async fn submit(
    _: InferenceCaller,
    app: App,
    body: JsonBody,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let model = find_for(body.text("model")?, "video", "videos")?;
    let facts = video_facts(model);
    let prompt = body
        .get("prompt")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let inputs = check(&body, &facts, model.fault.is_some())?;
    if let Some(fault) = model.fault
        && let Some(failure) = fault.instead_of_answer(prompt)?
    {
        return Ok(failure);
    }
    let seconds = body.get("duration").and_then(Value::as_u64);
    let seconds = seconds
        .or_else(|| facts.durations.first().copied())
        .unwrap_or(4)
        .min(30);
    let word = |key: &str| body.get(key).and_then(Value::as_str);
    let cost = rounded(float(seconds) * facts.price);
    let job = Job {
        id: new_id("job"),
        generation: new_id("gen"),
        seed: hash(&[
            prompt,
            &body.get("seed").map(Value::to_string).unwrap_or_default(),
        ]),
        shape: word("size")
            .or_else(|| word("aspect_ratio"))
            .unwrap_or("16:9")
            .to_owned(),
        seconds,
        cost,
        fault: model.fault,
        polls: 0,
    };
    let used = Used {
        prompt: tokens(prompt),
        ..Used::default()
    };
    let record = Facts {
        media_in: inputs,
        ..Facts::of(&job.generation, "video", model, used, cost, &app)
    };
    lock(&state.generations).remember(&job.generation, record.record());
    let answer = job.shown(request.connection_info().host());
    let mut jobs = lock(&state.videos);
    if jobs.0.len() == KEPT {
        jobs.0.pop_front();
    }
    jobs.0.push_back(job);
    Ok(HttpResponse::Accepted().json(answer))
}

/// Refuses what the model cannot do; otherwise tells how many pictures and films came along.
fn check(body: &JsonBody, facts: &VideoFacts, lenient: bool) -> Result<usize, Refusal> {
    let one_of = |field: &str, known: &[&str]| {
        let value = body.get(field).and_then(Value::as_str);
        match value.filter(|value| !lenient && !known.contains(value)) {
            Some(_) => Err(invalid(
                field,
                &format!("this model supports {}", known.join(", ")),
            )),
            None => Ok(()),
        }
    };
    one_of("resolution", facts.resolutions)?;
    one_of("aspect_ratio", facts.ratios)?;
    body.number("duration", 1.0, f64::MAX)?;
    if let Some(seconds) = body.get("duration").filter(|seconds| !seconds.is_null()) {
        let known = seconds
            .as_u64()
            .is_some_and(|seconds| lenient || facts.durations.contains(&seconds));
        if !known {
            let known: Vec<String> = facts.durations.iter().map(u64::to_string).collect();
            return Err(invalid(
                "duration",
                &format!("this model supports {}", known.join(", ")),
            ));
        }
    }
    let callback = body.get("callback_url").and_then(Value::as_str);
    if callback.is_some_and(|url| !url.starts_with("https://")) {
        return Err(invalid("callback_url", "must be HTTPS"));
    }
    let list = |field: &str| {
        body.get(field)
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    for (index, frame) in list("frame_images").iter().enumerate() {
        let kind = frame.get("frame_type").and_then(Value::as_str);
        if !matches!(kind, Some("first_frame" | "last_frame")) {
            return Err(invalid(
                &format!("frame_images.{index}.frame_type"),
                "Invalid option",
            ));
        }
    }
    let inputs = list("frame_images").len() + list("input_references").len();
    if facts.needs_prompt {
        body.text("prompt")?;
    } else if inputs == 0 {
        return Err(invalid(
            "input_references",
            "this model needs a video to work on",
        ));
    }
    Ok(inputs)
}

/// `GET /videos/{job}`.
async fn poll(
    _: Caller,
    path: Path<String>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<Json<Value>, Refusal> {
    let mut jobs = lock(&state.videos);
    let job = jobs
        .0
        .iter_mut()
        .find(|job| job.id == *path)
        .ok_or_else(unknown)?;
    job.polls = job.polls.saturating_add(1);
    Ok(Json(job.shown(request.connection_info().host())))
}

/// `GET /videos/{job}/content`.
async fn content(
    _: Caller,
    path: Path<String>,
    asked: Query<HashMap<String, String>>,
    state: Data<State>,
) -> Result<HttpResponse, Refusal> {
    let job = lock(&state.videos)
        .0
        .iter()
        .find(|job| job.id == *path)
        .cloned();
    let job = job.ok_or_else(unknown)?;
    match asked
        .get("index")
        .map_or(Ok(0), |index| index.parse::<u32>())
    {
        Err(_) => return Err(invalid("index", "expected a whole number")),
        Ok(index) if index > 0 || job.fault == Some(Fault::Empty) => {
            return Err(Refusal::not_found());
        }
        Ok(_) => {}
    }
    if job.status() != "completed" {
        let message = format!("Video generation is {}", job.status());
        return Err(Refusal::bad_request(message));
    }
    let (width, height) = super::png::size(&job.shape);
    let film = mp4::film(job.seed, width, height, job.seconds);
    Ok(HttpResponse::Ok().content_type("video/mp4").body(film))
}

fn unknown() -> Refusal {
    Refusal::new(404, "Video generation job not found")
}

#[cfg(test)]
mod tests {
    use actix_web::App;
    use actix_web::test::{TestRequest, call_and_read_body, call_and_read_body_json, init_service};

    use super::super::mount;
    use super::*;

    #[actix_web::test]
    async fn a_job_is_done_at_the_third_look() {
        let state = Data::new(State::default());
        let app = init_service(App::new().configure(|config| mount(config, state))).await;
        let get = |path: &str| {
            let request = TestRequest::get().uri(&format!("/api/v1/videos/{path}"));
            request
                .insert_header(("Authorization", "Bearer sandbox"))
                .to_request()
        };
        let body = json!({ "model": "google/veo-3.1", "prompt": "A river", "duration": 4 });
        let submit = TestRequest::post().uri("/api/v1/videos").set_json(&body);
        let submit = submit.insert_header(("Authorization", "Bearer sandbox"));
        let job: Value = call_and_read_body_json(&app, submit.to_request()).await;
        let id = job["id"].as_str().expect("an id").to_owned();
        let mut seen = Vec::new();
        for _ in 0..3 {
            let job: Value = call_and_read_body_json(&app, get(&id)).await;
            seen.push(job["status"].as_str().expect("a status").to_owned());
        }
        assert_eq!(seen, ["pending", "in_progress", "completed"]);
        let film = call_and_read_body(&app, get(&format!("{id}/content?index=0"))).await;
        assert_eq!(
            infer::get(&film).map(|kind| kind.mime_type()),
            Some("video/mp4")
        );
        let missing: Value = call_and_read_body_json(&app, get("job-unknown")).await;
        assert_eq!(missing["error"]["code"], 404);
    }

    #[test]
    fn what_a_model_cannot_do_is_refused() {
        let veo = find_for("google/veo-3.1", "video", "videos").expect("listed");
        let facts = video_facts(veo);
        let checked = |body: Value| {
            let Value::Object(body) = body else {
                return false;
            };
            check(&body.into(), &facts, false).is_ok()
        };
        assert!(checked(json!({ "prompt": "x" })));
        assert!(checked(
            json!({ "prompt": "x", "duration": 8, "aspect_ratio": "9:16" })
        ));
        for body in [
            json!({}),
            json!({ "prompt": "x", "duration": 7 }),
            json!({ "prompt": "x", "duration": 0 }),
            json!({ "prompt": "x", "resolution": "480p" }),
            json!({ "prompt": "x", "callback_url": "http://example.com" }),
            json!({ "prompt": "x", "frame_images": [{ "frame_type": "middle" }] }),
        ] {
            assert!(!checked(body.clone()), "{body}");
        }
    }
}
