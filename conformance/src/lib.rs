//! Nothing but tests and the weighing of the gateway: see `tests/it` and `benches/gateway`.
//!
//! - `corpus/`: hostile and odd inputs made for this project, each with the answer it must get.
//! - `tests/it/corpus`: the corpus through the production code.
//! - `tests/it/parity`: the corpus through every door, with equal answers.
//! - `tests/it/vectors`: other people's vectors, which are read from outside the project.
//! - `tests/it/e2e`: processes, real identity providers, real HTTP.
//! - `waived.toml`: the vectors that are not followed, each with its reason.
//! - `pages/`: runs the snippets of the documents; `src/pages.rs` compiles those in Rust.

#[cfg(doctest)]
mod pages;
