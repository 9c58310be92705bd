//! A caller on the wire, who leaves in every way in which a connection can end.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use socket2::{Domain, SockRef, Socket, Type};

use crate::support::KEY;

/// How a caller leaves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaving {
    /// The connection is reset, as by a proxy that gives up.
    Reset,
    /// It says that it will send no more, and waits on.
    HalfClose,
    /// It closes its side in order.
    Close,
}

/// A caller that has sent its request.
pub(super) struct Caller(TcpStream);

impl Caller {
    /// Sends `body` to `path`, with the key of the tests.
    pub(super) fn send(base: &str, path: &str, body: &str) -> Self {
        Self::send_as(base, path, body, KEY)
    }

    /// Sends `body` to `path`, with this key.
    pub(super) fn send_as(base: &str, path: &str, body: &str, key: &str) -> Self {
        let host = base.strip_prefix("http://").unwrap();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // What is not read stays with the sender.
        socket.set_recv_buffer_size(8192).unwrap();
        let address: SocketAddr = host.parse().unwrap();
        socket.connect(&address.into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream
            .set_read_timeout(Some(Duration::from_secs(15)))
            .unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all(&[head.as_bytes(), body.as_bytes()].concat())
            .unwrap();
        Self(stream)
    }

    /// Reads `length` bytes of the answer.
    pub(super) fn read(&mut self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Reads the whole answer by its length.
    pub(super) fn read_answer(&mut self) -> String {
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let length = self.0.read(&mut piece).unwrap();
            assert!(length > 0, "the answer broke off");
            bytes.extend_from_slice(&piece[..length]);
            let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let wanted = head.split("content-length: ").nth(1).unwrap();
                let wanted: usize = wanted.lines().next().unwrap().parse().unwrap();
                if body.len() >= wanted {
                    return text;
                }
            }
        }
    }

    /// Leaves; what is given back keeps open what is not closed.
    pub(super) fn leave(self, how: Leaving) -> Option<Self> {
        match how {
            Leaving::Reset => {
                SockRef::from(&self.0)
                    .set_linger(Some(Duration::ZERO))
                    .unwrap();
                None
            }
            Leaving::Close => None,
            Leaving::HalfClose => {
                self.0.shutdown(Shutdown::Write).unwrap();
                Some(self)
            }
        }
    }
}
