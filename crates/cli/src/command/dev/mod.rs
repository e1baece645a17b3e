//! `portcullis dev`: the identity provider, the enterprise API, and the gateway in front of an API
//! without any protection, on loopback, and a page of lines to try. With `--upstream`, the gateway
//! is in front of that API alone.

mod front;
mod page;

use crate::args::DevArguments;
use crate::command::idp::configured;
use crate::exit::{Exit, Failure};
use crate::output::{QUIET, print, styled};
use crate::stop::Stop;
use page::{Told, page};
use portcullis_gateway::Gateway;
use portcullis_idp::{Idp, TokenFormat};
use portcullis_resource_server::{Config, IssuerConfig, OneOrMore, ResourceServer, Settings};
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpListener;

pub(crate) async fn run(arguments: DevArguments) -> Result<Exit, Failure> {
    let mut config = configured(arguments.config.as_deref(), arguments.dialect)?;
    config.free_port_if_taken = true;
    // The example verifies JWTs; whoever wants opaque tokens says so in the settings.
    config.access_token_format = config.access_token_format.or(Some(TokenFormat::Jwt));
    let defaults = arguments.config.is_none();
    let idp = Idp::start(config).await?;
    match arguments.upstream {
        Some(upstream) => before_upstream(&idp, upstream, defaults).await?,
        None => with_example(&idp, defaults).await?,
    }
    drop(idp);
    print(&format!("\n  {}\n", styled(QUIET, "Stopped.")))?;
    Ok(Exit::Fine)
}

/// The example, protected by the library; and the gateway in front of one that is not protected at
/// all.
async fn with_example(idp: &Idp, defaults: bool) -> Result<(), Failure> {
    let server = ResourceServer::with_settings(Settings::try_from(trusting(idp))?);
    server.start();
    let example = listener(8000).await?;
    let open = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let gateway = front::open(
        idp,
        &format!("http://{}", open.local_addr()?),
        front::EXAMPLE_ROUTES,
    )
    .await?;
    let api = format!("http://{}", example.local_addr()?);
    // Listened to before the page says how to stop it.
    let [first, second, third, last] = [
        Stop::listen()?,
        Stop::listen()?,
        Stop::listen()?,
        Stop::listen()?,
    ];
    print(&page(&Told::of(idp, api, url(&gateway)), defaults))?;
    let serving =
        axum::serve(example, enterprise_api::app(server)).with_graceful_shutdown(first.told());
    let opened = axum::serve(open, front::unprotected()).with_graceful_shutdown(second.told());
    let all = async { tokio::join!(serving, opened, gateway.run(third.told())) };
    tokio::select! {
        (served, opened, ()) = all => served.and(opened)?,
        () = grace_is_over(last) => {}
    }
    Ok(())
}

/// The gateway in front of an API that runs already: whatever is asked for needs a token.
async fn before_upstream(idp: &Idp, upstream: String, defaults: bool) -> Result<(), Failure> {
    let gateway = front::open(idp, &upstream, "").await?;
    let (first, last) = (Stop::listen()?, Stop::listen()?);
    print(&page(&Told::before(idp, upstream, url(&gateway)), defaults))?;
    tokio::select! {
        () = gateway.run(first.told()) => {}
        () = grace_is_over(last) => {}
    }
    Ok(())
}

fn url(gateway: &Gateway) -> String {
    gateway
        .address()
        .map(|address| format!("http://{address}"))
        .unwrap_or_default()
}

/// The settings of an API that trusts this provider.
fn trusting(idp: &Idp) -> Config {
    let condition = idp.dialect().condition();
    let condition =
        condition.map(|(claim, value)| (claim.to_owned(), OneOrMore::One(value.into())));
    let issuer = IssuerConfig {
        url: idp.issuer().to_string(),
        audience: idp.audiences(),
        profile: Some(idp.dialect().profile().to_owned()),
        claims: condition.into_iter().collect(),
        ..IssuerConfig::default()
    };
    Config {
        issuer: vec![issuer],
        ..Config::default()
    }
}

/// Some time after it is told to stop: whoever still holds a connection has had it.
async fn grace_is_over(stop: Stop) {
    stop.told().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// The usual port, or any free one.
async fn listener(port: u16) -> Result<TcpListener, Failure> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
        }
        other => Ok(other?),
    }
}
