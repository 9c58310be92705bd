//! What becomes of a delivery, by what the receiver does.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use openrouter_connector::callbacks::{Callbacks, Delivered, Delivery};
use wiremock::ResponseTemplate;

use super::receiver::{Receiver, callbacks};

const EVENT: &str = r#"{"job_id":"j-1","status":"succeeded"}"#;

async fn deliver(callbacks: &Callbacks, url: &str) -> Delivery {
    let url = callbacks.check(url).unwrap();
    callbacks.deliver(&url, "event-1", EVENT.into()).await
}

#[tokio::test]
async fn a_receiver_gets_the_event_once() {
    let receiver = Receiver::start().await;
    receiver.answers("/a", &[202]).await;
    let delivery = deliver(&callbacks(|_| {}), &receiver.url("/a?sig=1")).await;
    let expected = Delivery {
        delivered: Delivered::Done,
        attempts: 1,
        status: Some(202),
        problem: "",
    };
    assert_eq!(delivery, expected);
    let calls = receiver.calls("/a").await;
    let [call] = &calls[..] else {
        panic!("{calls:?}");
    };
    assert_eq!(call.method.as_str(), "POST");
    assert_eq!(call.url.query(), Some("sig=1"));
    assert_eq!(call.body, EVENT.as_bytes());
    assert_eq!(
        call.headers["content-type"],
        "application/json; charset=utf-8"
    );
    assert_eq!(call.headers["webhook-id"], "event-1");
    for unwanted in ["authorization", "cookie", "referer", "accept-encoding"] {
        assert!(!call.headers.contains_key(unwanted), "{unwanted}");
    }
}

#[tokio::test]
async fn what_may_pass_is_repeated_with_the_same_id() {
    let receiver = Receiver::start().await;
    receiver.answers("/a", &[500, 408, 200]).await;
    let delivery = deliver(&callbacks(|_| {}), &receiver.url("/a")).await;
    assert_eq!(
        (delivery.delivered, delivery.attempts),
        (Delivered::Done, 3)
    );
    let calls = receiver.calls("/a").await;
    assert_eq!(calls.len(), 3);
    for call in calls {
        assert_eq!(call.headers["webhook-id"], "event-1");
        assert_eq!(call.body, EVENT.as_bytes());
    }
}

#[tokio::test]
async fn the_receivers_wait_is_kept() {
    let receiver = Receiver::start().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "3");
    receiver
        .responds("/a", vec![busy, ResponseTemplate::new(200)])
        .await;
    let started = Instant::now();
    let delivery = deliver(&callbacks(|_| {}), &receiver.url("/a")).await;
    assert_eq!(
        (delivery.delivered, delivery.attempts),
        (Delivered::Done, 2)
    );
    assert!(started.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn a_wait_beyond_the_time_for_repeats_ends_them() {
    let receiver = Receiver::start().await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "21");
    receiver.responds("/a", vec![busy]).await;
    let delivery = deliver(&callbacks(|_| {}), &receiver.url("/a")).await;
    assert_eq!(
        (delivery.delivered, delivery.attempts),
        (Delivered::GaveUp, 1)
    );
}

#[tokio::test]
async fn what_is_final_is_not_repeated() {
    let receiver = Receiver::start().await;
    for (status, expected) in [
        (404, Delivered::Gone),
        (410, Delivered::Gone),
        (400, Delivered::GaveUp),
        (401, Delivered::GaveUp),
        (403, Delivered::GaveUp),
        (409, Delivered::GaveUp),
        (413, Delivered::GaveUp),
    ] {
        let at = format!("/{status}");
        receiver.answers(&at, &[status]).await;
        let delivery = deliver(&callbacks(|_| {}), &receiver.url(&at)).await;
        let found = (delivery.delivered, delivery.attempts, delivery.status);
        assert_eq!(found, (expected, 1, Some(status)));
        assert_eq!(receiver.calls(&at).await.len(), 1);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let receiver = Receiver::start().await;
    receiver.answers("/target", &[200]).await;
    for status in [301, 302, 303, 307, 308] {
        let at = format!("/{status}");
        let target = receiver.url("/target");
        let redirect = ResponseTemplate::new(status).insert_header("location", target.as_str());
        receiver.responds(&at, vec![redirect]).await;
        let delivery = deliver(&callbacks(|_| {}), &receiver.url(&at)).await;
        assert_eq!(
            (delivery.delivered, delivery.attempts),
            (Delivered::GaveUp, 1)
        );
    }
    assert!(receiver.calls("/target").await.is_empty());
}

#[tokio::test]
async fn a_receiver_that_is_slow_is_asked_again() {
    let receiver = Receiver::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
    receiver
        .responds("/a", vec![slow.clone(), ResponseTemplate::new(200)])
        .await;
    let delivery = deliver(&callbacks(|_| {}), &receiver.url("/a")).await;
    assert_eq!(
        (delivery.delivered, delivery.attempts),
        (Delivered::Done, 2)
    );

    receiver.responds("/b", vec![slow]).await;
    let short = callbacks(|settings| settings.retry_for = Duration::from_millis(400));
    let delivery = deliver(&short, &receiver.url("/b")).await;
    let expected = Delivery {
        delivered: Delivered::GaveUp,
        attempts: 1,
        status: None,
        problem: "it took too long",
    };
    assert_eq!(delivery, expected);
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_given_up_in_time() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a", free.local_addr().unwrap());
    drop(free);
    let short = callbacks(|settings| settings.retry_for = Duration::from_secs(2));
    let started = Instant::now();
    let delivery = deliver(&short, &url).await;
    assert_eq!(delivery.delivered, Delivered::GaveUp);
    assert_eq!(delivery.problem, "it cannot be reached");
    assert!(delivery.attempts > 1, "{delivery:?}");
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let endless = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a", endless.local_addr().unwrap());
    let sent = thread::spawn(move || {
        let (mut connection, _) = endless.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]);
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        let mut sent = 0;
        while connection.write_all(&[b'a'; 16384]).is_ok() {
            sent += 16384;
        }
        sent
    });
    let patient = callbacks(|settings| settings.timeout = Duration::from_secs(30));
    let delivery = deliver(&patient, &url).await;
    assert_eq!(
        (delivery.delivered, delivery.attempts),
        (Delivered::Done, 1)
    );
    // What the buffers of the connection hold is sent and never read.
    let sent = tokio::task::spawn_blocking(|| sent.join().unwrap());
    assert!(sent.await.unwrap() < 64 * 1024 * 1024);
}
