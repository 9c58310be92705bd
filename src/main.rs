//! The command `openrouter-connector`.

use std::process::ExitCode;

fn main() -> ExitCode {
    openrouter_connector::cli::run()
}
