//! Signing a person in on another device (RFC 8628): for machines without a browser.
//!
//! It asks as slowly as the provider wants, more slowly where the provider says so or does not
//! answer, and stops when the code has expired.

use crate::client::Client;
use crate::code::AuthorizationRequest;
use crate::error::{Error, Refusal, sanitize};
use crate::id_token::IdTokenCriteria;
use crate::metadata::ProviderEndpoint;
use crate::request::TokenRequest;
use crate::response;
use crate::token::TokenResponse;
use portcullis_core::jose::json::Object;
use portcullis_provider::address::{fetchable, parse as parse_url};
use portcullis_provider::client_auth::Secret;
use std::fmt;
use std::time::Duration;
use url::Url;

/// A sign-in that waits for a person with another device.
#[must_use]
pub struct DeviceFlow {
    client: Client,
    request: TokenRequest,
    device_code: Secret,
    user_code: String,
    page: Url,
    page_with_code: Option<Url>,
    interval: Duration,
    /// By the clock that never goes back.
    ends_at: Duration,
}

/// How the waiting goes.
#[derive(Debug)]
pub struct DeviceProgress<'p> {
    time_left: Duration,
    next_request: Duration,
    outage: Option<&'p Error>,
}

impl<'p> DeviceProgress<'p> {
    /// The time until the code expires.
    pub fn time_left(&self) -> Duration {
        self.time_left
    }

    /// The time until the next request to the provider.
    pub fn next_request(&self) -> Duration {
        self.next_request
    }

    /// The error of the last request, if the provider could not be reached.
    pub fn outage(&self) -> Option<&'p Error> {
        self.outage
    }
}

/// Where the provider does not say (RFC 8628, section 3.2).
const INTERVAL: i64 = 5;
/// How long a code is waited for whose end is not told.
const USUAL: i64 = 600;
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// No code is waited for longer than this.
const LONGEST: i64 = 3_600;

impl Client {
    /// Begins to sign a person in on another device: show them the code and where to enter it, then
    /// [wait](DeviceFlow::finish).
    ///
    /// # Errors
    ///
    /// A provider without this grant, its refusal, an answer that cannot be trusted, or an outage.
    pub async fn device(&self, request: &TokenRequest) -> Result<DeviceFlow, Error> {
        self.device_with(request, &[]).await
    }

    /// The same, with more parameters, such as `acr_values`. Those that the flow sets itself cannot
    /// be changed; a provider ignores those that it does not know (RFC 8628, section 3.1).
    ///
    /// # Errors
    ///
    /// As [`device`](Self::device), and a parameter that belongs to the flow.
    pub async fn device_with(
        &self,
        request: &TokenRequest,
        parameters: &[(&str, &str)],
    ) -> Result<DeviceFlow, Error> {
        if let Some((name, _)) = parameters
            .iter()
            .find(|(name, _)| *name != "max_age" && AuthorizationRequest::is_reserved(name))
        {
            let cure = "leave it out: the flow sets it";
            return Err(Error::config(
                name,
                "the flow sets this parameter itself",
                cure,
            ));
        }
        let members: Vec<_> = request
            .members()
            .chain(parameters.iter().copied())
            .collect();
        let began = self.provider().clock().elapsed();
        let document = self.document(ProviderEndpoint::Device, &members).await?;
        DeviceFlow::read(self, request, &document, began)
    }
}

impl DeviceFlow {
    fn read(
        client: &Client,
        request: &TokenRequest,
        document: &Object,
        began: Duration,
    ) -> Result<Self, Error> {
        let held = |name: &str| {
            let text = response::text(document, name)?;
            Ok::<_, Error>(text.filter(|text| !text.is_empty() && text.len() <= 4_096))
        };
        let needed = |name: &str, other: Option<&str>| {
            let text = match (held(name)?, other) {
                (None, Some(other)) => held(other)?,
                (text, _) => text,
            };
            text.ok_or_else(|| Error::malformed_response(format!("the answer holds no `{name}`")))
        };
        // Zero and less say nothing of how long: they stand for what is usual.
        let seconds = |name: &str, usual: i64, most: i64| {
            let seconds = response::seconds(document, name)?
                .filter(|seconds| *seconds > 0)
                .unwrap_or(usual);
            Ok::<_, Error>(Duration::from_secs(seconds.min(most).unsigned_abs()))
        };
        let lasting = seconds("expires_in", USUAL, LONGEST)?;
        let interval = seconds("interval", INTERVAL, 60)?;
        // Google had the page before the standard did, under another name.
        let with_code = match held("verification_uri_complete")? {
            None => held("verification_url_complete")?,
            text => text,
        };
        Ok(Self {
            client: client.clone(),
            request: request.clone(),
            device_code: Secret::new(needed("device_code", None)?),
            user_code: sanitize(needed("user_code", None)?, 64),
            page: page(needed("verification_uri", Some("verification_url"))?)?,
            page_with_code: with_code.map(page).transpose()?,
            interval,
            ends_at: began + lasting,
        })
    }

    /// The code that the person enters.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// The page where they enter it.
    pub fn verification_uri(&self) -> &Url {
        &self.page
    }

    /// The page with the code already entered, for a QR code; not all providers have it.
    pub fn verification_uri_complete(&self) -> Option<&Url> {
        self.page_with_code.as_ref()
    }

    /// How long the code is good for yet.
    pub fn time_left(&self) -> Duration {
        self.ends_at
            .saturating_sub(self.client.provider().clock().elapsed())
    }

    /// Waits until the person has signed in. `progress` is told each time before it waits, for
    /// whoever shows it.
    ///
    /// # Errors
    ///
    /// The person said no (`access_denied`), the code has expired (`expired_token`), another
    /// refusal, or an answer that cannot be trusted. While the provider cannot be reached it goes
    /// on, more slowly, until the code has expired.
    pub async fn finish(
        mut self,
        mut progress: impl FnMut(DeviceProgress<'_>),
    ) -> Result<TokenResponse, Error> {
        let mut trouble = None;
        loop {
            let left = self.time_left();
            if left.is_zero() {
                let said = Some("the code has expired before anybody signed in with it");
                return Err(trouble
                    .unwrap_or_else(|| Error::Refusal(Refusal::new("expired_token", said, None))));
            }
            let next = self.interval.min(left);
            progress(DeviceProgress {
                time_left: left,
                next_request: next,
                outage: trouble.as_ref(),
            });
            self.client.provider().clock().sleep(next).await;
            trouble = match self.ask().await {
                Ok(tokens) => return Ok(tokens),
                Err(error) => self.go_on_after(error)?,
            };
        }
    }

    async fn ask(&self) -> Result<TokenResponse, Error> {
        let members = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", self.device_code.expose()),
        ];
        let granted = self.client.request_form(&members, &self.request).await?;
        self.client
            .verify_response(granted, IdTokenCriteria::default())
            .await
    }

    /// What the next question has to wait for, if there is one (RFC 8628, section 3.5).
    fn go_on_after(&mut self, error: Error) -> Result<Option<Error>, Error> {
        match error.refusal().map(Refusal::error) {
            Some("authorization_pending") => Ok(None),
            Some("slow_down") => {
                self.interval += Duration::from_secs(5);
                Ok(None)
            }
            Some(_) => Err(error),
            None => match error.retry_after() {
                Some(pause) => {
                    self.interval = (self.interval * 2).max(pause).min(LONGEST_INTERVAL);
                    Ok(Some(error))
                }
                None => Err(error),
            },
        }
    }
}

/// An address that a person will open: a web page, and nothing else.
fn page(text: &str) -> Result<Url, Error> {
    let url = parse_url(text).and_then(|url| fetchable(&url).map(|()| url));
    url.map_err(|reason| {
        Error::untrusted_response(format!(
            "the page for signing in cannot be opened: {reason}"
        ))
    })
}

/// Shows the client only.
impl fmt::Debug for DeviceFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sign-in on another device for {:?}", self.client)
    }
}
