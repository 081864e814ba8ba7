//! The `crossgate` program: parse, run, exit code.

use std::process::ExitCode;

use crossgate::commands;
use crossgate::environment::Environment;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::main(std::env::args_os(), &Environment::of_process()).into()
}
