//! Links to the files of answers: for whoever has the address, for a while.

use std::{
    collections::HashSet,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use openrouter_connector::config::Config;
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    Answer, Call, PNG, TestApp, Upstream,
    upstream::{CHAT, chat},
};

/// The sound that Create speech gives.
const SOUND: &[u8] = b"ID3\x04\0\xff0123456789";

/// An OpenRouter that makes files of each kind.
async fn making_files() -> Upstream {
    let upstream = Upstream::start().await;
    let picture = json!({"b64_json": PNG, "media_type": "image/png"});
    let drawing = json!({"b64_json": BASE64.encode(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), "media_type": "image/svg+xml"});
    let pictures = json!({"created": 1, "data": [picture, drawing]});
    upstream.answers("/images", pictures).await;
    let sound = ResponseTemplate::new(200).set_body_raw(SOUND, "audio/mpeg");
    upstream.responds("/audio/speech", sound).await;
    let mut said = chat("Here.");
    said["choices"][0]["message"]["images"] = json!([{"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}}]);
    upstream.answers(CHAT, said).await;
    let ordered = json!({"id": "film-1", "status": "pending"});
    upstream
        .responds("/videos", ResponseTemplate::new(202).set_body_json(ordered))
        .await;
    upstream
        .answers(
            "/videos/film-1",
            json!({"id": "film-1", "status": "completed"}),
        )
        .await;
    let film = ResponseTemplate::new(200).set_body_raw(FILM, "video/mp4");
    upstream.responds("/videos/film-1/content", film).await;
    upstream
}

const FILM: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";

fn linking(upstream: &Upstream, change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::on_with(upstream, |config| {
        config.files.links = true;
        change(config);
    })
}

/// The answer of an operation, waited for if it goes on.
async fn answer(app: &TestApp, operation: &str) -> Answer {
    let mut answer = app.call(operation).with_samples().send().await;
    while answer.status == 202 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let at = answer
            .header("location")
            .strip_prefix(app.base())
            .unwrap()
            .to_owned();
        answer = app.get(&at).send().await;
    }
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

/// The address of a link, below that of `app`.
fn address(app: &TestApp, file: &Value) -> String {
    let url = file["url"]
        .as_str()
        .unwrap_or_else(|| panic!("no url: {file}"));
    let path = url.strip_prefix(app.base()).unwrap();
    let parts: Vec<_> = path.split('/').collect();
    assert_eq!(parts[..4], ["", "api", "v1", "files"], "{url}");
    assert_eq!((parts.len(), parts[4].len()), (6, 43), "{url}");
    assert_eq!(
        BASE64URL_NOPAD.decode(parts[4].as_bytes()).unwrap().len(),
        32
    );
    path.to_owned()
}

/// A link to [`SOUND`].
async fn sound(app: &TestApp) -> String {
    address(app, &answer(app, "CreateSpeech").await.json)
}

#[tokio::test]
async fn every_file_of_an_answer_has_a_link_to_its_bytes() {
    let upstream = making_files().await;
    let app = linking(&upstream, |_| {});
    let mut seen = HashSet::new();
    for (operation, place) in [
        ("CreateImage", "/image"),
        ("CreateImage", "/images/1"),
        ("CreateSpeech", ""),
        ("ChatCompletion", "/images/0"),
        ("Ask", "/images/0"),
        ("CreateVideo", "/video"),
    ] {
        let answer = answer(&app, operation).await;
        let file = answer.json.pointer(place).unwrap();
        let path = address(&app, file);
        assert!(path.ends_with(file["name"].as_str().unwrap()), "{path}");
        assert!(seen.insert(path.clone()), "{path}");
        let link = app.get(&path).send().await;
        assert_eq!(link.status, 200, "{operation}");
        assert_eq!(
            BASE64.encode(&link.bytes),
            file["content"].as_str().unwrap()
        );
        assert_eq!(link.bytes.len(), file["size"]);
        assert_eq!(
            link.header("content-type"),
            file["mime_type"].as_str().unwrap()
        );
        // It works more than once.
        assert_eq!(app.get(&path).send().await.bytes, link.bytes);
    }
    let film = app.call("GetVideo").path("video_id", "film-1").ok().await;
    let path = address(&app, &film.json["video"]);
    assert_eq!(app.get(&path).send().await.bytes, FILM);
}

#[tokio::test]
async fn a_link_runs_nothing_and_says_how_it_is_to_be_shown() {
    let upstream = making_files().await;
    let app = linking(&upstream, |_| {});
    let pictures = answer(&app, "CreateImage").await;
    for (file, shown) in [
        (&pictures.json["images"][0], "inline"),
        (&pictures.json["images"][1], "attachment"),
        (&answer(&app, "CreateSpeech").await.json, "inline"),
    ] {
        let link = app.get(&address(&app, file)).send().await;
        let name = file["name"].as_str().unwrap();
        let expected = format!("{shown}; filename=\"{name}\"");
        assert_eq!(link.header("content-disposition"), expected);
        assert_eq!(link.header("accept-ranges"), "bytes");
        assert_eq!(link.header("x-content-type-options"), "nosniff");
        let policies: Vec<_> = link
            .headers
            .get_all("content-security-policy")
            .iter()
            .collect();
        assert_eq!(policies.len(), 1);
        let policy = policies[0].to_str().unwrap();
        assert!(
            policy.starts_with("sandbox; default-src 'none'"),
            "{policy}"
        );
        assert!(link.header("cache-control").starts_with("private"));
    }
}

#[rstest]
#[case::first("bytes=0-0", 0, 0)]
#[case::some("bytes=3-6", 3, 6)]
#[case::open("bytes=6-", 6, 15)]
#[case::all("bytes=0-", 0, 15)]
#[case::last("bytes=15-15", 15, 15)]
#[case::beyond("bytes=6-999", 6, 15)]
#[case::suffix("bytes=-4", 12, 15)]
#[case::long_suffix("bytes=-99", 0, 15)]
#[tokio::test]
async fn a_range_is_answered_with_that_range(
    #[case] range: &str,
    #[case] first: usize,
    #[case] last: usize,
) {
    assert_eq!(SOUND.len(), 16);
    let upstream = making_files().await;
    let app = linking(&upstream, |_| {});
    let path = sound(&app).await;
    let part = app.get(&path).header("range", range).send().await;
    assert_eq!(part.status, 206);
    assert_eq!(part.bytes, SOUND[first..=last]);
    assert_eq!(
        part.header("content-range"),
        format!("bytes {first}-{last}/16")
    );
    assert_eq!(part.header("content-type"), "audio/mpeg");
    assert_eq!(part.header("accept-ranges"), "bytes");
}

#[tokio::test]
async fn a_range_that_is_not_there_is_said_so_and_others_are_ignored() {
    let upstream = making_files().await;
    let app = linking(&upstream, |_| {});
    let path = sound(&app).await;
    for range in ["bytes=16-", "bytes=99-100", "bytes=-0"] {
        let (status, headers, body) = bare(&app, &path, &[("range", range)], "GET").await;
        assert_eq!(status, 416, "{range}");
        assert_eq!(headers["content-range"], "bytes */16");
        assert!(body.is_empty());
    }
    for range in [
        "bytes=0-0,5-6",
        "bytes=a-b",
        "lines=1-2",
        "bytes",
        "bytes=-",
    ] {
        let whole = app.get(&path).header("range", range).send().await;
        assert_eq!((whole.status, &whole.bytes[..]), (200, SOUND), "{range}");
        assert_eq!(whole.header("content-range"), "");
    }
    // There are no validators that a part could depend on.
    for validator in ["\"tag\"", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        let call = app.get(&path).header("range", "bytes=0-0");
        let whole = call.header("if-range", validator).send().await;
        assert_eq!((whole.status, &whole.bytes[..]), (200, SOUND));
    }
}

/// A call without the checks that answers with a body pass.
async fn bare(
    app: &TestApp,
    path: &str,
    headers: &[(&str, &str)],
    method: &str,
) -> (u16, reqwest::header::HeaderMap, Vec<u8>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(method.parse().unwrap(), format!("{}{path}", app.base()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn head_tells_the_same_without_the_bytes() {
    let upstream = making_files().await;
    let app = linking(&upstream, |_| {});
    let path = sound(&app).await;
    for headers in [&[][..], &[("range", "bytes=0-3")]] {
        let (status, get, bytes) = bare(&app, &path, headers, "GET").await;
        let (head_status, head, nothing) = bare(&app, &path, headers, "HEAD").await;
        assert_eq!(status, head_status);
        assert!(nothing.is_empty());
        assert_eq!(head["content-length"], bytes.len().to_string());
        for name in [
            "content-type",
            "content-disposition",
            "accept-ranges",
            "content-security-policy",
        ] {
            assert_eq!(get[name], head[name], "{name}");
        }
        assert_eq!(get.get("content-range"), head.get("content-range"));
    }
    let (status, ..) = bare(&app, "/api/v1/files/none/a.png", &[], "HEAD").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn an_address_that_is_wrong_leads_nowhere() {
    let upstream = making_files().await;
    let app = linking(&upstream, |_| {});
    let path = sound(&app).await;
    let id = path.split('/').nth(4).unwrap();
    let mut other = id.to_owned().into_bytes();
    other[0] = if other[0] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).unwrap();
    for id in [&*other, "a", "%00", &*"A".repeat(43), &*"A".repeat(5000)] {
        app.get(&format!("/api/v1/files/{id}/speech.mp3"))
            .fails(404, "not_found")
            .await;
    }
    // The name at the end is for people.
    let renamed = path.replace("speech.mp3", "mine.mp3");
    assert_eq!(app.get(&renamed).send().await.bytes, SOUND);
    // A link is no job, and the other way round.
    app.get(&format!("/api/v1/jobs/{id}/result"))
        .fails(404, "not_found")
        .await;
    for method in ["POST", "PUT", "DELETE"] {
        let answer = app.get(&path).method(method).key().send().await;
        assert!(
            [404, 405].contains(&answer.status),
            "{method}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn a_link_works_for_so_long_and_no_longer() {
    let upstream = making_files().await;
    let keep = Duration::from_secs(1);
    let app = linking(&upstream, |config| config.files.keep = keep);
    let started = Instant::now();
    let path = sound(&app).await;
    while app.get(&path).send().await.status == 200 {
        assert!(started.elapsed() < keep * 10, "it still works");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(started.elapsed() >= keep, "{:?}", started.elapsed());
    app.get(&path).fails(404, "not_found").await;
}

#[tokio::test]
async fn the_same_content_has_one_link() {
    let upstream = making_files().await;
    let app = linking(&upstream, |_| {});
    let answer = answer(&app, "CreateImage").await;
    let (image, images) = (&answer.json["image"], &answer.json["images"]);
    assert_eq!(image["url"], images[0]["url"]);
    assert_ne!(images[0]["url"], images[1]["url"]);
}

#[tokio::test]
async fn without_links_there_is_no_url() {
    let upstream = making_files().await;
    let app = TestApp::on(&upstream);
    for operation in [
        "CreateImage",
        "CreateSpeech",
        "Ask",
        "ChatCompletion",
        "CreateVideo",
    ] {
        assert!(
            !answer(&app, operation).await.text.contains("\"url\""),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_full_costs_the_link_and_nothing_else() {
    let upstream = making_files().await;
    let app = linking(&upstream, |config| {
        config.store.max_records = NonZeroU32::new(4).unwrap();
    });
    let mut links = 0;
    loop {
        let speech = answer(&app, "CreateSpeech").await;
        assert_eq!(speech.json["content"], BASE64.encode(SOUND));
        if speech.json.get("url").is_none() {
            break;
        }
        links += 1;
    }
    // Half of the store is for jobs, which have no other place.
    assert_eq!(links, 2);
    let job = app.call("Ask").with_samples();
    let job = job.header("prefer", "respond-async").send().await;
    assert_eq!(job.status, 202, "{}", job.text);
}

#[tokio::test]
async fn the_address_is_the_one_that_the_caller_knows() {
    let upstream = making_files().await;
    let app = linking(&upstream, |config| {
        config.server.public_url = "https://public.example/ai".to_owned().try_into().unwrap();
    });
    let speech = answer(&app, "CreateSpeech").await;
    let url = speech.json["url"].as_str().unwrap();
    let path = url.strip_prefix("https://public.example/ai").unwrap();
    assert!(path.starts_with("/api/v1/files/"), "{url}");
    assert_eq!(Call::page(app.base(), path).send().await.bytes, SOUND);
}

/// The type of what nobody recognises is whatever upstream says; it must not break the answer.
#[rstest]
#[case("image/x\ny: z")]
#[case("image/é")]
#[case("text/html; charset=\"x")]
#[case("text/html")]
#[case("")]
#[tokio::test]
async fn a_strange_type_of_a_file_breaks_no_link(#[case] kind: &str) {
    let content = b"\x01\x02\x03zzz";
    let upstream = Upstream::start().await;
    let picture = json!({"b64_json": BASE64.encode(content), "media_type": kind});
    let pictures = json!({"created": 1, "data": [picture]});
    upstream.answers("/images", pictures).await;
    let app = linking(&upstream, |_| {});
    let image = answer(&app, "CreateImage").await.json["image"].clone();
    let link = app.get(&address(&app, &image)).send().await;
    assert_eq!(
        (link.status, &link.bytes[..]),
        (200, &content[..]),
        "{image}"
    );
    let policy = link.header("content-security-policy");
    assert!(policy.starts_with("sandbox"), "{policy}");
}
