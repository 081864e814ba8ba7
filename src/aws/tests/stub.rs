//! An HTTP server for tests: it keeps what it is asked and answers with a function.
//! It knows nothing of AWS but how requests are told apart.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What arrived.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The access key id that signed it.
    pub(super) fn key(&self) -> &str {
        let auth = self.header("authorization").unwrap_or_default();
        let (_, rest) = auth.split_once("Credential=").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    /// The region that it is signed for.
    pub(super) fn region(&self) -> &str {
        let auth = self.header("authorization").unwrap_or_default();
        auth.split('/').nth(2).unwrap_or_default()
    }

    /// The operation's name: query protocol, JSON protocol, or the request line.
    pub(super) fn operation(&self) -> &str {
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit('.').next().unwrap_or_default();
        }
        match self.body.strip_prefix("Action=") {
            Some(rest) => rest.split('&').next().unwrap_or_default(),
            None => &self.line,
        }
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

pub(super) fn ok(body: impl Into<String>) -> Answer {
    answer(200, body)
}

pub(super) fn answer(status: u16, body: impl Into<String>) -> Answer {
    Answer {
        status,
        body: body.into(),
    }
}

/// IAM's and STS's way to say no.
pub(super) fn query_error(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>req-1</RequestId></ErrorResponse>"
    );
    answer(status, body)
}

/// IAM's and STS's way to say yes.
pub(super) fn query_ok(operation: &str, result: &str) -> Answer {
    ok(format!(
        "<{operation}Response><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></{operation}Response>"
    ))
}

/// A server that lives until the test process ends; its thread sleeps in `accept`.
pub(super) struct Stub {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Stub {
    pub(super) fn start(reply: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (kept, reply) = (Arc::clone(&seen), Arc::new(reply));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, reply) = (Arc::clone(&kept), Arc::clone(&reply));
                std::thread::spawn(move || serve(stream, &kept, &*reply));
            }
        });
        Self { url, seen }
    }

    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// How often the operation was called.
    pub(super) fn count(&self, operation: &str) -> usize {
        let seen = self.seen();
        seen.iter().filter(|r| r.operation() == operation).count()
    }
}

fn serve(
    stream: TcpStream,
    kept: &Mutex<Vec<Request>>,
    reply: &(dyn Fn(&Request, usize) -> Answer + Send + Sync),
) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let number = {
            let mut kept = kept.lock().unwrap();
            kept.push(request.clone());
            kept.len()
        };
        let Answer { status, body } = reply(&request, number);
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nx-amzn-requestid: req-1\r\n\r\n",
            body.len()
        );
        if writer.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(n, _)| n == "content-length");
    let length = length.map_or(0, |(_, v)| v.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        line: line.trim_end().to_owned(),
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}
