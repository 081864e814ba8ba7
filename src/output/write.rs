//! Puts finished text where it belongs: the result on standard output, everything else on standard error.
//! It adds nothing and escapes nothing: text comes from a renderer, which has done both.

use std::io::{self, ErrorKind, Write};

/// Writes the result of a command to standard output.
///
/// A reader that has gone (`crossgate plan | head`) is no error. Any other failure, such as a full disk, is: a script would take a
/// piece of a result for the whole.
pub fn result(text: &str) -> io::Result<()> {
    to(&mut io::stdout().lock(), text)
}

/// Writes one line of a result that is long or has no end, and says whether anybody still reads.
pub fn line(text: &str) -> io::Result<bool> {
    heard(&mut io::stdout().lock(), text)
}

/// Writes anything that is not the result to standard error. Where nobody can be told, nobody is.
pub fn notice(text: &str) {
    // There is no better place to report that standard error cannot be written.
    let _ = to(&mut io::stderr().lock(), text);
}

fn to(target: &mut impl Write, text: &str) -> io::Result<()> {
    heard(target, text).map(|_| ())
}

fn heard(target: &mut impl Write, text: &str) -> io::Result<bool> {
    let written = target
        .write_all(text.as_bytes())
        .and_then(|()| target.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        assert!(to(&mut Broken(ErrorKind::BrokenPipe), "text").is_ok());
        assert!(!heard(&mut Broken(ErrorKind::BrokenPipe), "text").unwrap());
        let full = to(&mut Broken(ErrorKind::StorageFull), "text");
        assert_eq!(full.unwrap_err().kind(), ErrorKind::StorageFull);
    }

    #[test]
    fn the_text_arrives_as_it_is() {
        let mut target = Vec::new();
        to(&mut target, "a\nb\n").unwrap();
        assert_eq!(target, b"a\nb\n");
    }
}
