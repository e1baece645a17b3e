//! Sign-in on another device (RFC 8628), for machines without a browser.
//!
//! It polls at the provider's interval, more slowly after `slow_down` or an outage, until the code
//! expires.

use crate::client::Client;
use crate::code::AuthorizationRequest;
use crate::error::{Error, Refusal, sanitize};
use crate::id_token::IdTokenCriteria;
use crate::metadata::ProviderEndpoint;
use crate::request::TokenRequest;
use crate::response;
use crate::token::TokenResponse;
use portcullis_core::jose::json::Object;
use portcullis_provider::address;
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
    /// By the monotonic clock.
    expires_at: Duration,
}

/// The state of a sign-in that waits.
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

/// The default of RFC 8628, section 3.2, in seconds.
const DEFAULT_INTERVAL: i64 = 5;
/// The lifetime, in seconds, of a code without `expires_in`.
const DEFAULT_LIFETIME: i64 = 600;
/// The longest lifetime, in seconds, that is believed.
const LONGEST_LIFETIME: i64 = 3_600;
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

impl Client {
    /// Starts a sign-in on another device: show the person the code and the address of the page,
    /// then [wait](DeviceFlow::finish).
    ///
    /// ```no_run
    /// use portcullis_client::{Client, Error, TokenRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), Error> {
    /// let flow = client.device(&TokenRequest::new().scope("openid orders:read")).await?;
    /// println!("Open {} and enter {}", flow.verification_uri(), flow.user_code());
    /// let tokens = flow
    ///     .finish(|progress| println!("{} s left", progress.time_left().as_secs()))
    ///     .await?;
    /// # let _ = tokens;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A provider without this grant, its refusal, a response that cannot be trusted, or an outage.
    pub async fn device(&self, request: &TokenRequest) -> Result<DeviceFlow, Error> {
        self.device_with(request, &[]).await
    }

    /// The same with more parameters, such as `acr_values`. The flow's own parameters cannot be
    /// changed. A provider ignores parameters that it does not know (RFC 8628, section 3.1).
    ///
    /// # Errors
    ///
    /// As [`device`](Self::device), and a parameter that belongs to the flow.
    pub async fn device_with(
        &self,
        request: &TokenRequest,
        parameters: &[(&str, &str)],
    ) -> Result<DeviceFlow, Error> {
        for (name, _) in parameters {
            // The code flow sends `max_age` itself, to check the ID token by it. This flow does
            // not.
            if *name != "max_age" && AuthorizationRequest::is_reserved(name) {
                let problem = "the flow sets this parameter itself";
                return Err(Error::config(name, problem, "leave the parameter out"));
            }
        }
        let mut members: Vec<_> = request.members().collect();
        members.extend_from_slice(parameters);
        // Read before the request: the code must not outlive its lifetime at the provider.
        let began = self.provider().clock().elapsed();
        let document = self
            .document(ProviderEndpoint::Device, &members)
            .await?;
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
        let lifetime = seconds(document, "expires_in", DEFAULT_LIFETIME, LONGEST_LIFETIME)?;
        let interval = seconds(document, "interval", DEFAULT_INTERVAL, 60)?;
        // Google had the page before the standard did, under the names with `url`.
        let page_with_code = match member(document, "verification_uri_complete")? {
            None => member(document, "verification_url_complete")?,
            text => text,
        };
        let device_code = require(document, "device_code")?;
        let user_code = require(document, "user_code")?;
        let page_address = match member(document, "verification_uri")? {
            None => member(document, "verification_url")?,
            text => text,
        };
        let page_address = page_address.ok_or_else(|| missing("verification_uri"))?;
        Ok(Self {
            client: client.clone(),
            request: request.clone(),
            device_code: Secret::new(device_code),
            user_code: sanitize(user_code, 64),
            page: page(page_address)?,
            page_with_code: page_with_code.map(page).transpose()?,
            interval,
            expires_at: began + lifetime,
        })
    }

    /// The code that the person enters.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// The page where the person enters the code.
    pub fn verification_uri(&self) -> &Url {
        &self.page
    }

    /// The page with the code already filled in, for a QR code. Not every provider has it.
    pub fn verification_uri_complete(&self) -> Option<&Url> {
        self.page_with_code.as_ref()
    }

    /// The time until the code expires.
    pub fn time_left(&self) -> Duration {
        let now = self.client.provider().clock().elapsed();
        self.expires_at.saturating_sub(now)
    }

    /// Waits until the person has signed in. `progress` is called before each wait, so that the
    /// caller can show it.
    ///
    /// # Errors
    ///
    /// The person refused (`access_denied`), the code has expired (`expired_token`), another
    /// refusal, or a response that cannot be trusted. During an outage it continues, more slowly,
    /// until the code expires.
    pub async fn finish(
        mut self,
        mut progress: impl FnMut(DeviceProgress<'_>),
    ) -> Result<TokenResponse, Error> {
        let mut outage = None;
        loop {
            let time_left = self.time_left();
            if time_left.is_zero() {
                // The outage is the better explanation: the person may well have signed in.
                return Err(outage.unwrap_or_else(expiry_error));
            }
            let next_request = self.interval.min(time_left);
            progress(DeviceProgress {
                time_left,
                next_request,
                outage: outage.as_ref(),
            });
            self.client
                .provider()
                .clock()
                .sleep(next_request)
                .await;
            outage = match self.poll().await {
                Ok(tokens) => return Ok(tokens),
                Err(error) => self.continue_after(error)?,
            };
        }
    }

    async fn poll(&self) -> Result<TokenResponse, Error> {
        let members = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", self.device_code.expose()),
        ];
        let response = self
            .client
            .request_form(&members, &self.request)
            .await?;
        let criteria = IdTokenCriteria::default();
        self.client.verify_response(response, criteria).await
    }

    /// Adapts the interval to an error (RFC 8628, section 3.5). Returns an outage, and fails with
    /// every error that ends the flow.
    fn continue_after(&mut self, error: Error) -> Result<Option<Error>, Error> {
        match error.refusal().map(Refusal::error) {
            Some("authorization_pending") => return Ok(None),
            Some("slow_down") => {
                self.interval += Duration::from_secs(5);
                return Ok(None);
            }
            Some(_) => return Err(error),
            None => {}
        }
        let Some(pause) = error.retry_after() else {
            return Err(error);
        };
        // RFC 8628, section 3.5, asks for exponential backoff when requests time out.
        self.interval = (self.interval * 2).max(pause).min(LONGEST_INTERVAL);
        Ok(Some(error))
    }
}

/// A text of the response; `None` if it is missing, empty, or absurdly long.
fn member<'o>(document: &'o Object, name: &str) -> Result<Option<&'o str>, Error> {
    let text = response::text(document, name)?;
    Ok(text.filter(|text| !text.is_empty() && text.len() <= 4_096))
}

fn require<'o>(document: &'o Object, name: &str) -> Result<&'o str, Error> {
    member(document, name)?.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    Error::malformed_response(format!("the response holds no `{name}`"))
}

/// A number of seconds, with a default and a bound.
fn seconds(document: &Object, name: &str, default: i64, most: i64) -> Result<Duration, Error> {
    let seconds = match response::seconds(document, name)? {
        Some(seconds) if seconds > 0 => seconds,
        // Zero or less cannot be meant: a code that has expired, or polling without a pause.
        _ => default,
    };
    Ok(Duration::from_secs(seconds.min(most).unsigned_abs()))
}

fn expiry_error() -> Error {
    let description = Some("the code expired before anybody signed in with it");
    Error::Refusal(Refusal::new("expired_token", description, None))
}

/// The address of a web page. A person, or a program for them, opens it, so no other scheme is
/// accepted.
fn page(text: &str) -> Result<Url, Error> {
    address::parse_fetchable(text, false).map_err(|reason| {
        Error::untrusted_response(format!(
            "the page for signing in cannot be opened: {reason}"
        ))
    })
}

/// Shows only the client.
impl fmt::Debug for DeviceFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sign-in on another device for {:?}", self.client)
    }
}
