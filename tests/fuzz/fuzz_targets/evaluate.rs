//! Any bytes, as cases of `policy simulate` and as a policy document: read and decided without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| crossgate_fuzz::iam::simulate::fuzz(bytes));
