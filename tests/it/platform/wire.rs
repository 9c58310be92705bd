//! One HTTP exchange on a connection of its own, which can be left at any moment in the ways in
//! which callers leave.

use std::{net::Shutdown, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Method, Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustix::net::sockopt::set_socket_linger;
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};

/// How a caller leaves that waits no longer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leave {
    /// It closes the connection.
    Close,
    /// It resets the connection, as a machine does that forgot about it.
    Reset,
    /// It says that it will send no more, and closes the connection a moment later.
    HalfClose,
}

impl Leave {
    pub(super) const ALL: [Self; 3] = [Self::Close, Self::Reset, Self::HalfClose];
}

/// How long a connection stays half closed.
const HALF_CLOSED: Duration = Duration::from_millis(30);

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) method: Method,
    /// Host and port.
    pub(super) host: String,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    /// Null if it is no JSON.
    pub(super) json: Value,
}

impl Answer {
    /// A header as text; empty if it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum Gone {
    /// The caller had no more patience.
    Impatient,
    /// There was no connection, or it broke.
    Broken,
}

/// Sends `message` and waits for the whole answer, for `patience` at most; then it leaves.
pub(super) async fn exchange(
    message: &Message,
    patience: Duration,
    leave: Leave,
) -> Result<Answer, Gone> {
    let stream = TcpStream::connect(&message.host)
        .await
        .map_err(|_| Gone::Broken)?;
    let stream = stream.into_std().unwrap();
    // A second handle, to leave by: the first one belongs to the HTTP client.
    let handle = stream.try_clone().unwrap();
    let stream = TokioIo::new(TcpStream::from_std(stream).unwrap());
    let (mut sender, connection) = http1::handshake(stream).await.map_err(|_| Gone::Broken)?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(&message.method)
        .uri(&message.path)
        .header("host", &message.host);
    for (name, value) in &message.headers {
        request = request.header(*name, value);
    }
    let request = request
        .body(Full::new(Bytes::from(message.body.clone())))
        .unwrap();
    let whole = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let bytes = body.collect().await?.to_bytes();
        Ok::<_, hyper::Error>((head, bytes))
    };
    let came = timeout(patience, whole).await;
    if came.is_err() {
        match leave {
            Leave::Close => {}
            Leave::Reset => set_socket_linger(&handle, Some(Duration::ZERO)).unwrap(),
            Leave::HalfClose => {
                // It may be closed already from the other side.
                let _ = handle.shutdown(Shutdown::Write);
                tokio::time::sleep(HALF_CLOSED).await;
            }
        }
    }
    drop(handle);
    connection.abort();
    let _ = connection.await;
    match came {
        Err(_) => Err(Gone::Impatient),
        Ok(Err(_)) => Err(Gone::Broken),
        Ok(Ok((head, bytes))) => Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            json: serde_json::from_slice(&bytes).unwrap_or_default(),
        }),
    }
}
