//! Just enough HTTP/1.1 for a proxy between an SDK and an emulator on the same machine.
//! No TLS, no redirects, no knowledge of AWS.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request or a response: the first line, the headers as they came, the body without transfer encoding.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) first_line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// The value of a header, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let same = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(same)
            .map(|(_, value)| value.as_str())
    }

    /// Replaces a header, or adds it.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    /// The second word of the first line: a request's target, or a response's status.
    pub(crate) fn second_word(&self) -> &str {
        self.first_line.split(' ').nth(1).unwrap_or("")
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Reads one message; none when the peer has closed. A body without a length ends with the connection if `until_close`.
pub(crate) fn read(from: &mut impl BufRead, until_close: bool) -> io::Result<Option<Message>> {
    let Some(first_line) = line(from)? else {
        return Ok(None);
    };
    let mut message = Message {
        first_line,
        ..Message::default()
    };
    while let Some(text) = line(from)?.filter(|text| !text.is_empty()) {
        let (key, value) = text.split_once(':').unwrap_or((&text, ""));
        message
            .headers
            .push((key.to_owned(), value.trim().to_owned()));
    }
    let chunked = message
        .header("transfer-encoding")
        .is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
    if chunked {
        message.body = read_chunks(from)?;
    } else if let Some(length) = message.header("content-length") {
        let length: usize = length.parse().map_err(io::Error::other)?;
        message.body = vec![0; length];
        from.read_exact(&mut message.body)?;
    } else if until_close {
        from.read_to_end(&mut message.body)?;
    }
    Ok(Some(message))
}

fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut text = String::new();
    if from.read_line(&mut text)? == 0 {
        return Ok(None);
    }
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn read_chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(from)?.unwrap_or_default();
        let size = size.split(';').next().unwrap_or("").trim();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size];
        from.read_exact(&mut chunk)?;
        body.extend(chunk);
        line(from)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// Writes a message with a plain length.
pub(crate) fn write(to: &mut impl Write, message: &Message) -> io::Result<()> {
    let mut text = format!("{}\r\n", message.first_line);
    for (key, value) in &message.headers {
        let framing = ["transfer-encoding", "content-length"];
        if !framing.iter().any(|f| key.eq_ignore_ascii_case(f)) {
            text.extend([key, ": ", value, "\r\n"]);
        }
    }
    let length = message.body.len().to_string();
    text.extend(["content-length: ", &length, "\r\n\r\n"]);
    let mut bytes = text.into_bytes();
    bytes.extend(&message.body);
    to.write_all(&bytes)?;
    to.flush()
}

/// Sends one request to a loopback port, over a connection of its own, and reads the answer.
pub(crate) fn send(port: u16, request: &Message) -> io::Result<Message> {
    let mut request = request.clone();
    request.set("connection", "close");
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    write(&mut stream, &request)?;
    read(&mut BufReader::new(stream), true)?
        .ok_or_else(|| io::Error::other("the emulator closed the connection"))
}
