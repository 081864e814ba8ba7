//! The independent test ring: the built binary against two accounts of emulators that know nothing of crossgate.
//! Nothing here may use the library: what the binary does is seen only through its output and through what AWS holds. The
//! exceptions are the cases that start the embedded AWS in this process and hold the binary against that, and those that hold the
//! pages and examples of this repository against the command line (`cases::ci`, `cases::readme`).

// A test that cannot go on fails, and says where.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod support;
