//! When a model is added: each model once, whatever its date and whoever answers.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::next_look;
use crate::support::{
    Answer, KEY, TestApp, Upstream, sandbox,
    upstream::{MODELS, Next, header, models},
};

const OPERATION: &str = "WhenAModelIsAdded";

/// A service whose list of models is asked for again at each look, and what upstream lists.
struct Scene {
    upstream: Upstream,
    listed: Next,
    app: TestApp,
}

impl Scene {
    async fn with(list: &[Value]) -> Self {
        let upstream = Upstream::without_models().await;
        let listed = Next::default();
        listed.set(json!({ "data": list }).to_string());
        upstream.responds(MODELS, listed.clone()).await;
        let app = Self::replica(&upstream);
        Self {
            upstream,
            listed,
            app,
        }
    }

    fn replica(upstream: &Upstream) -> TestApp {
        TestApp::on_with(upstream, |config| {
            config.catalog.refresh = Duration::from_millis(1);
        })
    }

    fn list(&self, list: &[Value]) {
        self.listed.set(json!({ "data": list }).to_string());
    }

    /// Waits until the service serves what upstream lists by now.
    async fn refreshed(&self) {
        let before = self.upstream.calls(MODELS).await.len();
        while self.upstream.calls(MODELS).await.len() < before + 2 {
            let call = self.app.call("ListModels").query("output_modality", "all");
            call.ok().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The first look with these filters.
    async fn first_look(&self, filters: &[(&str, &str)]) -> Answer {
        let call = filters
            .iter()
            .fold(self.app.call(OPERATION), |call, (name, value)| {
                call.query(name, *value)
            });
        let answer = call.ok().await;
        assert_eq!((answer.status, answer.text.as_str()), (202, ""));
        answer
    }

    /// The look after `answer` once upstream lists `list`, and the ids that it reports.
    async fn look(&self, answer: &Answer, list: &[Value]) -> (Answer, Vec<String>) {
        self.list(list);
        self.refreshed().await;
        let answer = next_look(&self.app, OPERATION, answer).ok().await;
        let ids = ids(&answer);
        (answer, ids)
    }
}

/// The ids that `answer` reports; a look that reports none is a 202.
fn ids(answer: &Answer) -> Vec<String> {
    let rows = answer.json.as_array().into_iter().flatten();
    let ids: Vec<_> = rows
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(answer.status, if ids.is_empty() { 202 } else { 200 });
    ids
}

fn model(id: &str, created: i64) -> Value {
    let mut model = models()["data"][0].clone();
    model["id"] = id.into();
    model["created"] = created.into();
    model
}

/// So many models, a day between them.
fn many(count: i64) -> Vec<Value> {
    (0..count)
        .map(|n| model(&format!("author/model-{n}"), 1_600_000_000 + n * 86_400))
        .collect()
}

#[tokio::test]
async fn each_model_is_reported_once_the_latest_first() {
    let mut list = many(3);
    let scene = Scene::with(&list).await;
    let first = scene.first_look(&[]).await;
    let (second, none) = scene.look(&first, &list).await;
    assert_eq!(none, [""; 0]);

    // A free variant has the date of its model, which may be years old.
    list.push(model("author/model-0:free", 1_600_000_000));
    list.push(model("author/latest", 1_800_000_000));
    let (third, new) = scene.look(&second, &list).await;
    assert_eq!(new, ["author/latest", "author/model-0:free"]);
    let (fourth, none) = scene.look(&third, &list).await;
    assert_eq!(none, [""; 0]);
    // An answer that was lost on its way is asked for again.
    let (_, again) = scene.look(&second, &list).await;
    assert_eq!(again, new);
    assert_eq!(scene.look(&fourth, &list).await.1, [""; 0]);
}

#[tokio::test]
async fn a_row_is_that_of_list_models() {
    let list = many(1);
    let scene = Scene::with(&list).await;
    let first = scene.first_look(&[]).await;
    let all = models()["data"].as_array().unwrap().clone();
    let (answer, _) = scene.look(&first, &all).await;
    let call = scene.app.call("ListModels").query("sort", "newest");
    assert_eq!(answer.json, call.ok().await.json["data"]);
}

#[tokio::test]
async fn what_vanishes_and_comes_back_is_not_reported() {
    let list = many(20);
    let scene = Scene::with(&list).await;
    let first = scene.first_look(&[]).await;
    let (second, none) = scene.look(&first, &list[..5]).await;
    assert_eq!(none, [""; 0]);
    let (_, none) = scene.look(&second, &list).await;
    assert_eq!(none, [""; 0]);
}

#[tokio::test]
async fn restarts_and_replicas_neither_lose_nor_repeat() {
    let mut list = many(20);
    let scene = Scene::with(&list).await;
    let old = TestApp::on(&scene.upstream);
    old.call("ListModels").ok().await;
    let first = scene.first_look(&[]).await;

    // Added while nobody looks; the one that is asked next was not there before.
    list.push(model("author/new", 1_500_000_000));
    scene.list(&list);
    let fresh = Scene::replica(&scene.upstream);
    let state = |answer: &Answer| {
        let (_, state) = answer.header("location").split_once("state=").unwrap();
        state.to_owned()
    };
    let look = async |app: &TestApp, answer: &Answer| {
        let call = app.call(OPERATION).query("state", state(answer));
        call.ok().await
    };
    let second = look(&fresh, &first).await;
    assert_eq!(ids(&second), ["author/new"]);
    // One whose list is older does not know it yet.
    let third = look(&old, &second).await;
    assert_eq!(ids(&third), [""; 0]);
    let fourth = look(&fresh, &third).await;
    assert_eq!(ids(&fourth), [""; 0]);
}

#[tokio::test]
async fn the_filters_hold_at_every_look() {
    let list = many(3);
    let scene = Scene::with(&list).await;
    let filters = [
        ("search", "gp & t+é"),
        ("output_modality", "all"),
        ("input_modality", "text"),
        ("supported_parameters", "seed, tools"),
        ("min_context", "1000"),
        ("max_price", "2.5"),
        ("zero_data_retention", "False"),
    ];
    let first = scene.first_look(&filters).await;
    let pairs = |answer: &Answer| {
        let (_, query) = answer.header("location").split_once('?').unwrap();
        let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        assert_eq!(pairs.pop().unwrap().0, "state");
        pairs
    };
    let expected: Vec<_> = filters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    assert_eq!(pairs(&first), expected);

    let mut more = list.clone();
    let mut dear = model("author/gp & t+é dear", 1_800_000_000);
    dear["pricing"]["prompt"] = "0.1".into();
    more.push(dear);
    more.push(model("author/other", 1_800_000_000));
    let (second, none) = scene.look(&first, &more).await;
    assert_eq!((pairs(&second), none), (expected.clone(), vec![]));
    more.push(model("author/GP & T+É", 1_800_000_000));
    let (third, new) = scene.look(&second, &more).await;
    assert_eq!(
        (pairs(&third), new),
        (expected, vec!["author/GP & T+É".to_owned()])
    );
}

#[tokio::test]
async fn a_known_model_that_comes_to_pass_the_filters_is_new_to_them() {
    let mut list = many(3);
    let scene = Scene::with(&list).await;
    let first = scene.first_look(&[("max_price", "1")]).await;
    list[1]["pricing"]["prompt"] = "0.000001".into();
    let (second, new) = scene.look(&first, &list).await;
    assert_eq!(new, ["author/model-1"]);
    assert_eq!(scene.look(&second, &list).await.1, [""; 0]);
}

#[tokio::test]
async fn many_new_models_come_in_several_answers() {
    let scene = Scene::with(&many(3)).await;
    let first = scene.first_look(&[]).await;
    let list = many(253);
    let (mut answer, mut found) = (first, Vec::new());
    for (count, wait) in [(100, "15"), (100, "15"), (50, "900")] {
        let (next, new) = scene.look(&answer, &list).await;
        assert_eq!((new.len(), next.header("retry-after")), (count, wait));
        found.extend(new);
        answer = next;
    }
    assert_eq!(
        (found[0].as_str(), found[249].as_str()),
        ("author/model-252", "author/model-3")
    );
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 250);
    assert_eq!(scene.look(&answer, &list).await.1, [""; 0]);
}

#[tokio::test]
async fn a_long_list_fits_an_address() {
    let list = many(3000);
    let scene = Scene::with(&list).await;
    // `next_look` holds the length.
    let first = scene.first_look(&[]).await;
    let (second, none) = scene.look(&first, &list).await;
    assert_eq!(none, [""; 0]);
    let mut more = list.clone();
    more.push(model("author/latest", 1_900_000_000));
    let (third, new) = scene.look(&second, &more).await;
    assert_eq!(new, ["author/latest"]);
    assert_eq!(scene.look(&third, &list).await.1, [""; 0]);
}

#[rstest]
#[case("")]
#[case("rubbish")]
#[case("AAAAAAAAAAAA")]
#[case("%%%")]
#[tokio::test]
async fn a_state_that_cannot_be_read_starts_anew(#[case] state: &str) {
    let mut list = many(3);
    let scene = Scene::with(&list).await;
    let answer = scene.app.call(OPERATION).query("state", state).ok().await;
    assert_eq!(ids(&answer), [""; 0]);
    list.push(model("author/new", 1));
    assert_eq!(scene.look(&answer, &list).await.1, ["author/new"]);
}

#[tokio::test]
async fn a_state_of_other_filters_starts_anew() {
    let list = many(3);
    let scene = Scene::with(&list).await;
    let first = scene.first_look(&[("search", "none of them")]).await;
    let (_, state) = first.header("location").split_once("state=").unwrap();
    let answer = scene.app.call(OPERATION).query("state", state).ok().await;
    assert_eq!(ids(&answer), [""; 0]);
}

#[tokio::test]
async fn retention_is_asked_upstream_with_the_callers_key() {
    let scene = Scene::with(&many(3)).await;
    let first = scene.first_look(&[("zero_data_retention", "True")]).await;
    let calls = scene.upstream.calls(MODELS).await;
    let with_key = |call: &&Request| call.headers.contains_key("authorization");
    let call = calls.iter().find(with_key).unwrap();
    assert_eq!(call.url.query(), Some("output_modalities=text&zdr=true"));
    assert_eq!(header(call, "authorization"), format!("Bearer {KEY}"));
    scene.list(&many(4));
    let answer = next_look(&scene.app, OPERATION, &first).ok().await;
    assert_eq!(ids(&answer), ["author/model-3"]);
}

#[tokio::test]
async fn without_a_list_the_failure_is_that_of_list_models() {
    let upstream = Upstream::without_models().await;
    upstream.responds(MODELS, ResponseTemplate::new(500)).await;
    let app = TestApp::on(&upstream);
    let answer = app.call(OPERATION).fails(502, "upstream_error").await;
    assert_eq!(answer.header("location"), "");
}

#[tokio::test]
async fn the_address_is_the_public_one() {
    let upstream = Upstream::start().await;
    let app = TestApp::on_with(&upstream, |config| {
        let url = "https://connector.example.com/models".to_owned();
        config.server.public_url = url.try_into().unwrap();
    });
    let answer = app.call(OPERATION).ok().await;
    let start = "https://connector.example.com/models/api/v1/triggers/models?state=";
    assert!(answer.header("location").starts_with(start));
}

#[rstest]
#[case("min_context", "0")]
#[case("max_price", "-1")]
#[case("output_modality", "smell")]
#[case("sort", "newest")]
#[case("limit", "5")]
#[tokio::test]
async fn input_at_fault_is_refused_by_name(#[case] name: &str, #[case] value: &str) {
    let call = sandbox().call(OPERATION).query(name, value);
    call.refused(name).await;
}
