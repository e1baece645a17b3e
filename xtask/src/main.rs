//! The project's own commands. `cargo xtask test` is all that CI runs.

mod api;
mod arrows;
mod cargo;
mod chart;
mod circles;
mod dist;
mod documents;
mod fuzz;
mod hygiene;
mod msrv;
mod names;
mod outside;
mod providers;
mod python;
mod report;
mod rig;
mod site;
mod sizes;
mod source;
mod test;
mod tools;

use report::say;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let result = match command.as_str() {
        "test" => test::run(),
        "arrows" => arrows::check(),
        "circles" => circles::check(),
        "names" => names::check(),
        "sizes" => sizes::check(),
        "supply" => hygiene::supply()
            .into_result()
            .and_then(|_| hygiene::advisories().into_result()),
        "features" => hygiene::each_feature().into_result(),
        "msrv" => msrv::check().into_result(),
        "api" => documents::make_reference().and_then(|()| api::check(true)),
        "docs" => documents::write(),
        "providers" => providers::install_all(),
        "site" => site::build().into_result(),
        "chart" => chart::check().into_result(),
        "python" => python::run().into_result(),
        "dist" => {
            let arguments: Vec<String> = std::env::args().skip(2).collect();
            dist::run(&arguments)
        }
        "fuzz" => {
            let target = std::env::args().nth(2).filter(|name| name != "all");
            let seconds = std::env::args()
                .nth(3)
                .and_then(|text| text.parse().ok())
                .unwrap_or(60);
            fuzz::run(target.as_deref(), seconds)
        }
        "soak" => rig::soak(
            std::env::args()
                .nth(2)
                .and_then(|text| text.parse().ok())
                .unwrap_or(300),
        ),
        "hostile" => rig::hostile(),
        "load" => rig::load(std::env::args().nth(2).as_deref()),
        _ => {
            say(HELP);
            return if command == "help" {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
        }
    };
    match result {
        Ok(told) => {
            say(&told);
            ExitCode::SUCCESS
        }
        Err(told) => {
            say(&told);
            ExitCode::FAILURE
        }
    }
}

const HELP: &str = "\
cargo xtask <command>

  test     install what the tests need, and run everything (what CI runs)
  arrows   which crate may depend on which
  circles  whether files of a crate import each other
  names    whether types are nouns, functions verbs, and a name means one thing
  sizes    how long files and functions are, how wide, how dense, how well explained
  supply   licences, bans and sources of all dependencies; advisories where they can be fetched
  features each feature of the libraries and the command by itself
  msrv     what can be said about the oldest compiler
  api      write the lists of public names in docs/api
  docs     write the documents that are made from the code
  providers  install the suites' identity providers; the lines to tell a shell where they are
  python   the Python package: its wheel, built and installed, its lints, its types and its tests
  dist     what a release publishes, into target/dist: an archive, a Debian package, an image, their bill of
           materials and checksums. [--binary FILE]: packs this program and builds none; [--out FOLDER]
           dist wheels: the wheels of the Python packages instead
  site     the documents as a site in target/site, with every link checked
  chart    the chart for Kubernetes, rendered and held against Kubernetes' schemas
  fuzz     [target or `all`] [seconds]: fuzz from the corpus
  soak     [seconds]: the gateway as a process through rotations, reloads, restarts and outages; no answer may be wrong
  hostile  what attacks cost the gateway beside a plain request, and what good callers notice of them
  load     what a request costs the gateway, beside Envoy and HAProxy where they are; needs wrk
           [site]: only what is around the gateway, for running it by hand under a profiler
  help     this text";
