//! Stands between the binary and a sandbox and changes what is answered, in any way that a test likes.
//! It keeps what was asked, and changes no request.

use std::io::{self, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::calls::Request;
use super::http::{self, Message};

/// What becomes of the answer to a request, which showed this session token; none: the connection ends.
pub(crate) type Change =
    Arc<dyn Fn(&Request, Option<&str>, Message) -> Option<Message> + Send + Sync>;

struct Shared {
    upstream: u16,
    change: Mutex<Change>,
    asked: Mutex<Vec<Request>>,
    /// Values of the header with which temporary credentials are shown.
    tokens: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

/// A listening port before another one.
pub(crate) struct Relay {
    shared: Arc<Shared>,
    port: u16,
}

impl Relay {
    /// Listens before `http://127.0.0.1:PORT`, and changes nothing yet.
    pub(crate) fn before(endpoint: &str) -> Self {
        let upstream = endpoint.rsplit(':').next().unwrap().parse().unwrap();
        let shared = Arc::new(Shared {
            upstream,
            change: Mutex::new(Arc::new(|_, _, answer| Some(answer))),
            asked: Mutex::default(),
            tokens: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&serving);
                // A connection that breaks is the client's affair: the test sees what it says.
                thread::spawn(move || drop(serve(&shared, &stream)));
            }
        });
        Self { shared, port }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Changes answers like this from now on.
    pub(crate) fn change(
        &self,
        change: impl Fn(&Request, Option<&str>, Message) -> Option<Message> + Send + Sync + 'static,
    ) {
        *self.shared.change.lock().unwrap() = Arc::new(change);
    }

    /// Changes nothing from now on.
    pub(crate) fn pass(&self) {
        self.change(|_, _, answer| Some(answer));
    }

    /// What was asked since the last time this was called.
    pub(crate) fn take_asked(&self) -> Vec<Request> {
        std::mem::take(&mut *self.shared.asked.lock().unwrap())
    }

    /// The session tokens that were shown so far.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.shared.tokens.lock().unwrap().clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // The listener waits for a connection before it looks at the flag.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(shared: &Shared, stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(message) = http::read(&mut reader, false)? {
        let request = Request::of(&message, |_| String::new());
        shared.asked.lock().unwrap().push(request.clone());
        let token = message.header("x-amz-security-token").map(str::to_owned);
        shared.tokens.lock().unwrap().extend(token.clone());
        let answer = http::send(shared.upstream, &message)?;
        let change = Arc::clone(&*shared.change.lock().unwrap());
        let Some(mut answer) = change(&request, token.as_deref(), answer) else {
            return Ok(());
        };
        answer.set("connection", "keep-alive");
        let mut writer = stream;
        http::write(&mut writer, &answer)?;
    }
    Ok(())
}
