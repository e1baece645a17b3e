//! Settings from a document or from the environment: the faults of their form and of their meaning
//! at once.

use crate::config::{Config, DOORS, Document, Part, variables};
use crate::settings::Settings;
use portcullis_core::ConfigErrors;

impl Config {
    /// Reads a TOML document. The tables of the [doors](DOORS) are left to them. `${NAME}` in a
    /// string is the variable of that name, of the environment or of `.env`.
    ///
    /// # Errors
    ///
    /// What cannot be read, with its line; every variable that is not set; and beside them what is
    /// wrong with the rest.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        let document = Document::parse(text)?;
        let part = Self::of_document(&document);
        let mut config = part.value;
        config.origin = part.origin;
        config.whole()
    }

    /// Reads what a document says about tokens: everything but the tables of the [doors](DOORS).
    pub fn of_document(document: &Document<'_>) -> Part<Self> {
        document.read(|name| !DOORS.contains(&name))
    }

    /// Reads the environment, and `.env` in the working directory for what the environment does not
    /// hold.
    ///
    /// `OAUTH2_ISSUER` and `OAUTH2_AUDIENCE` (several with commas between) are needed;
    /// `OAUTH2_TENANT_ID`, `OAUTH2_PROFILE`, `OAUTH2_ROLES_CLAIM`, `OAUTH2_JWKS_FILE`,
    /// `OAUTH2_DANGER_PLAIN_HTTP`, `PORTCULLIS_STORE`, the URL of the revocation store, and
    /// `PORTCULLIS_CODE_URL`, where codes are explained, are optional.
    /// `OAUTH2_INTROSPECTION=true` has the issuer asked about opaque tokens, as the client
    /// `OAUTH2_CLIENT_ID` with `OAUTH2_CLIENT_SECRET`; `OAUTH2_INTROSPECTION_ENDPOINT` says where,
    /// if the issuer's metadata does not.
    ///
    /// # Errors
    ///
    /// Every variable that is missing, and beside them what is wrong with the others; each that
    /// begins with `OAUTH2_`, is unknown, and resembles one that is not set; or a `.env` that
    /// cannot be read, with each line about a variable of Portcullis that has no meaning.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        Self::from_env_below(|_| None)
    }

    /// Reads the environment as [`from_env`](Self::from_env) does, below the arguments of a
    /// command, each under the name of its variable.
    ///
    /// # Errors
    ///
    /// Those of [`from_env`](Self::from_env).
    pub fn from_env_below(argument: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        variables::read_process(argument)?.whole()
    }

    /// One variable of the environment, or else of `.env`, for the settings of the application
    /// itself.
    ///
    /// # Errors
    ///
    /// A `.env` that cannot be read.
    pub fn variable(name: &str) -> Result<Option<String>, ConfigErrors> {
        variables::one(name)
    }

    /// Reads variables from anywhere.
    ///
    /// # Errors
    ///
    /// Every variable that is missing, and beside them what is wrong with the others.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        variables::read(variable).whole()
    }

    /// These settings, if all of them could be read.
    fn whole(self) -> Result<Self, ConfigErrors> {
        if self.origin.is_whole() {
            return Ok(self);
        }
        // What could be read is judged all the same, so that one round shows every fault.
        match Settings::try_from(self.clone()) {
            Err(errors) => Err(errors),
            Ok(_) => Ok(self),
        }
    }
}
