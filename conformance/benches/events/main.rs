//! Ends that arrive, as a load: how many events a replica set takes, whether one is lost where
//! processes are killed, and how long a logout takes until everybody refuses.
//!
//! `cargo bench -p portcullis-conformance --bench events -- load`, `kills` or `trials`. The
//! gateways are processes of the optimised command, over a real Redis. By itself it does nothing:
//! none of them belongs to the tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

mod api;
mod arguments;
mod decisions;
mod figures;
mod fleet;
mod issuer;
mod kills;
mod load;
mod process;
mod proof;
mod script;
mod sender;
mod sets;
mod sign_in;
mod store;
mod trials;
mod wire;
mod worker;

use std::process::ExitCode;

const USAGE: &str = "\
cargo bench -p portcullis-conformance --bench events -- WHAT [--NAME VALUE]...

load     events at a rate above what is taken: --rate 10000 --seconds 60 --replicas 3
kills    a gateway and the Redis are killed:    --rate 2000 --seconds 60 --store none|snapshots|log
trials   logouts in a browser, and events:      --count 200

--connections 128 are those of the sender; --program names another build of the command. Redis,
Chromium, npm oidc-provider and Python are found by PORTCULLIS_REDIS_SERVER, _CHROMIUM,
_OIDC_PROVIDER and _PYTHON. `cargo xtask test` installs all of them.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = arguments::Arguments::read();
    let is_well = match arguments.what.as_deref() {
        Some("load") => load::run(&arguments).await,
        Some("kills") => kills::run(&arguments).await,
        Some("trials") => trials::run(&arguments).await,
        Some(other) => Err(format!("{other:?} is none of these.\n\n{USAGE}")),
        // `cargo test` and `cargo bench` run every bench, this one without a word.
        None => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
    };
    match is_well {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("{problem}");
            ExitCode::FAILURE
        }
    }
}
