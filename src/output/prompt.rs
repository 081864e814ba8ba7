//! The one question that the program asks: yes or no, before it writes to AWS.
//! Anything but a clear yes is a no; whether to ask at all is decided by the command.

use std::io::{BufRead, Read, Write};

use super::sanitize;

/// The longest answer that is read, in bytes: more is no yes.
const LONGEST: u64 = 256;

/// Asks on `output` (standard error: the question is no result) and reads one line of `input`.
///
/// True only for `y` or `yes`, in capitals or not. The end of the input, or an input or output that fails, is a no.
pub fn confirm(question: &str, input: &mut impl BufRead, output: &mut impl Write) -> bool {
    let question = sanitize::line(question);
    let asked = write!(output, "{question} [y/N] ").and_then(|()| output.flush());
    if asked.is_err() {
        return false;
    }
    let mut answer = String::new();
    let read = Read::take(input, LONGEST).read_line(&mut answer);
    let yes = ["y", "yes"]
        .iter()
        .any(|yes| answer.trim().eq_ignore_ascii_case(yes));
    // Without the answer's own line break (end of input), what follows would stand in the line of the question.
    if !answer.ends_with('\n') && writeln!(output).is_err() {
        return false;
    }
    // An answer that was cut off is not the answer that was given.
    let whole = read.is_ok_and(|bytes| u64::try_from(bytes).is_ok_and(|bytes| bytes < LONGEST));
    whole && yes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{self, BufReader, Cursor};

    use super::*;

    fn ask(answer: &[u8]) -> (bool, String) {
        let mut output = Vec::new();
        let yes = confirm("Do it?", &mut Cursor::new(answer), &mut output);
        (yes, String::from_utf8(output).unwrap())
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for yes in ["y\n", "yes\n", "Y\n", "YES\r\n", "  yes \n", "y"] {
            assert!(ask(yes.as_bytes()).0, "{yes:?}");
        }
        let long = format!("yes{}yes\n", " ".repeat(1000));
        for no in [
            "",
            "\n",
            "n\n",
            "no\n",
            "yes please\n",
            "yess\n",
            "ja\n",
            "1\n",
            "\u{0}y\n",
            &long,
        ] {
            assert!(!ask(no.as_bytes()).0, "{no:?}");
        }
        assert!(!ask(b"y\xff\n").0);
    }

    #[test]
    fn the_question_is_asked_and_its_line_is_ended() {
        assert_eq!(ask(b"y\n").1, "Do it? [y/N] ");
        assert_eq!(ask(b"").1, "Do it? [y/N] \n");
    }

    #[test]
    fn only_one_line_is_read() {
        let mut input = Cursor::new(b"n\ny\n");
        assert!(!confirm("1", &mut input, &mut Vec::new()));
        assert!(confirm("2", &mut input, &mut Vec::new()));
    }

    #[test]
    fn a_broken_input_is_a_no() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::Other.into())
            }
        }
        assert!(!confirm("x", &mut BufReader::new(Broken), &mut Vec::new()));
    }
}
