//! The settings, from the environment or `.env`. Those of the token check are Portcullis' own.

use portcullis::{Config, ConfigErrors};

/// The settings beside the issuer and the audience.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `LISTEN`: where the API is.
    pub listen: String,
    /// `ADMIN_LISTEN`: where health and figures are; not for everybody's eyes.
    pub admin_listen: String,
    /// `DATABASE_URL`: `sqlite:` or `postgres:`.
    pub database_url: String,
    /// `DOCS_CLIENT_ID`: the client as which `/docs` signs in.
    pub docs_client: String,
    /// `CORS_ORIGINS`: the web pages that may call, with commas between.
    pub cors_origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8000".to_owned(),
            admin_listen: "127.0.0.1:9100".to_owned(),
            database_url: "sqlite://orders.db?mode=rwc".to_owned(),
            docs_client: "web".to_owned(),
            cors_origins: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// A `.env` that cannot be read.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        let mut settings = Self::default();
        for (name, member) in [
            ("LISTEN", &mut settings.listen),
            ("ADMIN_LISTEN", &mut settings.admin_listen),
            ("DATABASE_URL", &mut settings.database_url),
            ("DOCS_CLIENT_ID", &mut settings.docs_client),
        ] {
            if let Some(value) = Config::variable(name)? {
                *member = value;
            }
        }
        let origins = Config::variable("CORS_ORIGINS")?.unwrap_or_default();
        for origin in origins.split(',').map(str::trim) {
            if !origin.is_empty() {
                settings.cors_origins.push(origin.to_owned());
            }
        }
        Ok(settings)
    }
}
