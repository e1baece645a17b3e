//! A hundred callers in one service call the enterprise API, with a single token request.
//!
//! `cargo run -p portcullis-client --example service-to-service` starts a development identity
//! provider and the API on this machine, makes the calls, and prints the counts. With a provider
//! and an API of your own, only `call_api` is needed.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::TokioExecutor;
use portcullis_client::{Authentication, Client, Provider, Secret, TokenLayer, TokenSource};
use portcullis_idp::{Endpoint, Idp, IdpConfig};
use portcullis_resource_server::ResourceServer;
use std::error::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::{Layer as _, ServiceExt as _};

type Failure = Box<dyn Error + Send + Sync>;

const CALLERS: usize = 100;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints its results")]
async fn main() -> Result<(), Failure> {
    let (answers, fetches) = run().await?;
    let good = answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::OK)
        .count();
    println!(
        "{good} of {CALLERS} calls succeeded, with a response such as: {}",
        answers.first().map_or("", |(_, body)| body)
    );
    println!("token requests to the provider: {fetches}");
    Ok(())
}

/// The responses of all callers, and the number of token requests.
pub async fn run() -> Result<(Vec<(StatusCode, String)>, u64), Failure> {
    let idp = Idp::start(IdpConfig::default()).await?;
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience())?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let api = format!("http://{}", listener.local_addr()?);
    let serving = tokio::spawn(async move {
        axum::serve(listener, enterprise_api::app(server, "web").await).await
    });
    let answers = call_api(idp.issuer().as_str(), Secret::new("service-secret"), &api).await?;
    serving.abort();
    Ok((answers, idp.requests(Endpoint::Token)))
}

/// The service: one source of tokens, one HTTP client with the layer, and many callers.
async fn call_api(
    issuer: &str,
    secret: Secret,
    api: &str,
) -> Result<Vec<(StatusCode, String)>, Failure> {
    let provider = Provider::discover(issuer).await?;
    let client = Client::new(provider, "service", Authentication::secret_basic(secret));
    let source = TokenSource::client_credentials(client)
        .scope("orders:read")
        .build();
    let http = HttpClient::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let http = TokenLayer::new(source, [api])?.replaying().layer(http);

    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let request = Request::get(format!("{api}/protected-data")).body(Full::default())?;
        let http = http.clone();
        callers.spawn(async move {
            let response = http.oneshot(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, Failure>((status, String::from_utf8_lossy(&body).into_owned()))
        });
    }
    callers.join_all().await.into_iter().collect()
}
