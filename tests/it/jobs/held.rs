//! An OpenRouter that keeps its answer back until a test lets it go, and that notices when the
//! service hangs up.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::support::upstream::{chat, models};

/// The OpenRouter.
pub(crate) struct Held {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    /// How many answers may go out yet.
    free: usize,
    status: u16,
    answer: Vec<u8>,
    /// The bodies of all calls but those of the list of models and of the key.
    bodies: Vec<String>,
    hung_up: usize,
}

impl Held {
    /// One that will answer chats with `content`.
    pub(crate) fn saying(content: &str) -> Self {
        Self::answering(200, &chat(content))
    }

    /// One that will answer with this status and body.
    pub(crate) fn answering(status: u16, answer: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            free: 0,
            status,
            answer: answer.to_string().into_bytes(),
            bodies: Vec::new(),
            hung_up: 0,
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        Self { address, state }
    }

    /// What the service is told as OpenRouter's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Answers all calls, those that wait and those to come.
    pub(crate) fn let_go(&self) {
        self.state().free = usize::MAX;
    }

    /// Answers one call.
    pub(crate) fn let_one_go(&self) {
        self.state().free += 1;
    }

    /// Answers this from now on.
    pub(crate) fn answer(&self, status: u16, answer: &Value) {
        let mut state = self.state();
        state.status = status;
        state.answer = answer.to_string().into_bytes();
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.state().bodies.len()
    }

    /// How many calls had `text` in their bodies.
    pub(crate) fn calls_with(&self, text: &str) -> usize {
        let state = self.state();
        state
            .bodies
            .iter()
            .filter(|body| body.contains(text))
            .count()
    }

    /// How many calls the service hung up on.
    pub(crate) fn hung_up(&self) -> usize {
        self.state().hung_up
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some((head, body)) = read(&mut stream) else {
        return;
    };
    if head.starts_with("GET /api/v1/models") {
        answer(&mut stream, 200, models().to_string().as_bytes());
        return;
    }
    if head.starts_with("GET /api/v1/key") {
        answer(&mut stream, 200, br#"{"data": {"label": "a key"}}"#);
        return;
    }
    state.lock().unwrap().bodies.push(body);
    let wait = Duration::from_millis(5);
    stream.set_read_timeout(Some(wait)).unwrap();
    loop {
        {
            let mut state = state.lock().unwrap();
            if state.free > 0 {
                if state.free < usize::MAX {
                    state.free -= 1;
                }
                let (status, body) = (state.status, state.answer.clone());
                drop(state);
                answer(&mut stream, status, &body);
                return;
            }
        }
        match stream.read(&mut [0; 1]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Ok(1) => panic!("more than a call"),
            _ => {
                state.lock().unwrap().hung_up += 1;
                return;
            }
        }
    }
}

/// The head of a call and its body; nothing if it breaks off.
fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 65_536];
    loop {
        let length = stream.read(&mut piece).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_ascii_lowercase();
        let wanted = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map_or(0, |length| length.trim().parse().unwrap());
        if body.len() >= wanted {
            let first = text.lines().next().unwrap().to_owned();
            return Some((first, body.to_owned()));
        }
    }
}

fn answer(stream: &mut TcpStream, status: u16, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // Whoever asked may be gone.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}
