//! The `crossgate` program: parse, run, exit code.

use std::process::ExitCode;

use crossgate::commands;
use crossgate::environment::Environment;

fn main() -> ExitCode {
    commands::main(std::env::args_os(), &Environment::of_process()).into()
}
