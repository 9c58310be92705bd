//! What jobs, repeats and links leave in the store is searched, byte by byte, for what must not
//! stand there.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::json;
use tempfile::TempDir;

use super::{
    A_MOMENT, Held, finished, is_replayed, question, service_with, until,
    wire::{Caller, Leaving},
};
use crate::{
    store::{
        at_rest::{entries, files, holds},
        bench::{Bench, Engine, connect},
    },
    support::{Answer, Call, PNG, TestApp, upstream::chat},
};

const KEY: &str = "sk-or-v1-5b1d7e55planted00000000000000key";
const OWN_KEY: &str = "planted-order-4711-of-the-lighthouse";
const PROMPT: &str = "a planted prompt about two lighthouses and";
const ANSWER: &str = "a planted answer: the lighthouses agree to nothing";

/// A service that keeps its store at `url` and makes links.
fn service(upstream: &Held, url: String) -> TestApp {
    service_with(upstream, |config| {
        config.store.url = url.try_into().unwrap();
        config.deadline.answer = A_MOMENT;
        config.files.links = true;
    })
}

fn with_key(call: Call<'_>) -> Call<'_> {
    call.no_key()
        .header("authorization", &format!("Bearer {KEY}"))
}

/// Leaves a trace of every kind in the store of `app`, and gives what must not be found there.
async fn fill(app: &TestApp, upstream: &Held) -> Vec<Vec<u8>> {
    let mut secrets: Vec<Vec<u8>> = [KEY, OWN_KEY, PROMPT, ANSWER, "lighthouse", "Bearer", PNG]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    secrets.push(BASE64.decode(PNG.as_bytes()).unwrap());
    let mut secret_id = |id: &str| {
        assert_eq!(id.len(), 43, "{id}");
        secrets.push(id.as_bytes().to_vec());
        secrets.push(BASE64URL_NOPAD.decode(id.as_bytes()).unwrap());
    };
    let ask = |what: &str| {
        let body = question(&format!("{PROMPT} {what}"));
        with_key(app.call("Ask").body(&body))
    };
    let job_id = |answer: &Answer| {
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.json["job_id"].as_str().unwrap().to_owned()
    };

    // A late job, one that still runs, one that was cancelled, and one under the caller's own key.
    let late = job_id(&ask("a late job").send().await);
    upstream.let_one_go();
    assert_eq!(finished(app, &late).await.json["text"], ANSWER);
    secret_id(&late);
    secret_id(&job_id(&ask("a running job").send().await));
    let cancelled = job_id(&ask("a cancelled job").send().await);
    with_key(app.call("CancelJob").path("job_id", &cancelled))
        .ok()
        .await;
    secret_id(&cancelled);
    let named = job_id(
        &ask("an order")
            .header("idempotency-key", OWN_KEY)
            .send()
            .await,
    );
    secret_id(&named);
    let before = upstream.calls();

    // A lost call.
    let body = question(&format!("{PROMPT} a lost call")).to_string();
    let caller = Caller::send_as(app.base(), "/api/v1/ask", &body, KEY);
    until("it is called", || upstream.calls() == before + 1).await;
    caller.leave(Leaving::Reset);
    upstream.let_go();
    assert_eq!(finished(app, &named).await.status, 200);
    tokio::time::sleep(A_MOMENT).await;

    // A picture with a link.
    let mut picture = chat(ANSWER);
    picture["choices"][0]["message"]["images"] = json!([{"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}}]);
    upstream.answer(200, &picture);
    let answer = ask("a picture").send().await;
    let answer = match answer.status {
        202 => finished(app, &job_id(&answer)).await,
        _ => answer,
    };
    let url = answer.json["images"][0]["url"].as_str();
    let url = url.unwrap_or_else(|| panic!("{}", answer.text));
    secret_id(url.split('/').rev().nth(1).unwrap());
    secrets
}

fn search(places: &[(String, Vec<u8>)], secrets: &[Vec<u8>]) {
    for (name, bytes) in places {
        for secret in secrets {
            let shown = String::from_utf8_lossy(secret);
            assert!(!holds(bytes, secret), "{name} holds {shown}");
        }
    }
}

#[tokio::test]
async fn the_file_tells_nothing() {
    let (folder, upstream) = (TempDir::new().unwrap(), Held::saying(ANSWER));
    let url = format!("sqlite://{}/store.db", folder.path().display());
    let app = service(&upstream, url.clone());
    let secrets = fill(&app, &upstream).await;
    let places = files(folder.path());
    assert!(
        places
            .iter()
            .any(|(name, bytes)| name.ends_with("-wal") && bytes.len() > 10_000)
    );
    search(&places, &secrets);
    app.stop();
    let places = files(folder.path());
    assert!(
        places
            .iter()
            .any(|(_, bytes)| holds(bytes, b"CREATE TABLE records"))
    );
    search(&places, &secrets);
    // All of it was there: the lost call is found again.
    let app = service(&upstream, url);
    let body = question(&format!("{PROMPT} a lost call"));
    let repeat = with_key(app.call("Ask").body(&body)).ok().await;
    assert!(is_replayed(&repeat));
}

#[tokio::test]
async fn the_server_is_told_nothing() {
    let Some(bench) = Bench::new(Engine::Redis).await else {
        return;
    };
    let upstream = Held::saying(ANSWER);
    let app = service(&upstream, bench.database());
    let secrets = fill(&app, &upstream).await;
    let mut database = connect(&bench.database()).await;
    let places = entries(&mut database).await;
    let records = places
        .iter()
        .filter(|(name, _)| name.starts_with("orc:1:record:"));
    // Each with its dump: four jobs, a pointer to one, the lost call and its pointer, the picture.
    assert!(records.count() >= 2 * 8);
    search(&places, &secrets);
}
