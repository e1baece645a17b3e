//! The gateway as a process: a soak that counts wrong answers, its load beside Envoy and HAProxy,
//! and what attacks cost it.
//!
//! `cargo xtask soak [seconds]`, `load` and `hostile` build an optimised command and run this. By itself it
//! does nothing: none of them belongs to the tests.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

mod attack_costs;
mod attacks;
mod clients;
mod expected;
mod hostile;
mod http2;
mod load;
mod peers;

mod process;
mod sink;
mod soak;
mod upstream;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    match arguments.first().map(String::as_str) {
        Some("soak") => {
            let seconds = arguments
                .get(1)
                .and_then(|text| text.parse().ok())
                .unwrap_or(300);
            if soak::run(seconds).await {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Some("load") => {
            load::run().await;
            ExitCode::SUCCESS
        }
        Some("hostile") => {
            if attack_costs::run().await {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Some("site") => {
            load::site().await;
            ExitCode::SUCCESS
        }
        _ => {
            println!("`cargo xtask soak [seconds]`, `cargo xtask load` or `cargo xtask hostile`");
            ExitCode::SUCCESS
        }
    }
}
