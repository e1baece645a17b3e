//! The gateway: the decision of the resource server in front of an API in any language.
//!
//! One process, one `portcullis.toml`. A request is read strictly, the most specific route for its
//! method, host and path is found, the resource server decides by what that route demands, and only
//! then an upstream sees it: cleaned of whatever a client may not say, with headers that tell who
//! calls.
//!
//! ```no_run
//! # async fn example() -> Result<(), portcullis_core::ConfigErrors> {
//! use portcullis_gateway::{Gateway, read};
//!
//! let gateway = Gateway::bind(read("portcullis.toml".as_ref())?).await?;
//! gateway.run(std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! Refused are requests with two readings: ambiguous paths, doubled or malformed hosts, `CONNECT`
//! and `TRACE`. What frames a message is checked by hyper. Not checked is what a request's body
//! holds, and what an upstream answers.

mod config;
mod decision;
mod door;
mod forward;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod generation;
mod identity;
mod listen;
mod load;
mod refusal;
mod refusal_code;
mod request;
mod run;
mod settings;
mod telemetry;
mod transport;

pub use config::excerpt::{excerpts, line_of};
pub use config::schema::schema;
pub use config::{
    AdminConfig, AssertionConfig, CedarConfig, CedarDemand, ClientAddressConfig,
    ClientCertificateConfig, Config, CorsConfig, DoorTlsConfig, ExtAuthzConfig, ForwardAuthConfig,
    GatewayConfig, HealthConfig, IdentityConfig, LimitsConfig, LogConfig, Overrides,
    ReceiversConfig, RequireConfig, RouteConfig, Tables, TimeoutsConfig, TlsConfig, UpstreamConfig,
};
pub use decision::cedar::cedar_schema;
pub use decision::routes::{Access, RouteMatch, RouteRule};
pub use door::embedded::{Admission, EmbeddedGateway, EmbeddedRequest, TurnedAway};
pub use door::explain::{
    CertificateExplanation, ForwardExplanation, RequestExplainer, RequestExplanation,
    RequestVerdict, ResourceExplanation, RouteExplanation, TrialRequest, VerdictKind,
};
pub use door::websocket::take_token as take_subprotocol_token;
pub use refusal::PathFault;
pub use refusal_code::{RefusalCode, refusal_codes};
pub use request::path::NormalPath;
pub use run::gateway::{Gateway, Handle};
pub use run::reload::{read, text, watch, watch_with};
pub use settings::{
    ComparedRequest, DemandChange, RequestDemand, Settings, SettingsComparison, SummaryRow,
    SummarySection,
};
pub use telemetry::events;
/// A commented settings file to begin with.
pub const STARTER: &str = include_str!("starter.toml");
