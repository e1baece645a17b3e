//! `portcullis dev`: on loopback, an identity provider, the example API, the gateway in front of an
//! API without protection, and a page of requests to try. With `--upstream`, the gateway runs in
//! front of that API alone.

mod front;
mod listener;
mod page;

use crate::args::DevArguments;
use crate::command::idp::read_config;
use crate::exit::{CommandError, Exit};
use crate::output::{QUIET, paint, print};
use crate::stop::StopSignal;
use listener::{API_PORT, GATEWAY_PORT, find_taken, listener};
use page::{DevApi, DevSetup};
use portcullis_gateway::Gateway;
use portcullis_idp::{Idp, TokenFormat};
use portcullis_resource_server::{Config, IssuerConfig, OneOrMore, ResourceServer, Settings};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;

pub(crate) async fn run(arguments: DevArguments) -> Result<Exit, CommandError> {
    let mut config = read_config(arguments.config.as_deref(), arguments.dialect)?;
    config.free_port_if_taken = true;
    config.console_file = arguments.keep.or(config.console_file);
    // The example verifies JWTs, even where the imitated provider issues opaque tokens by default.
    config.access_token_format = config.access_token_format.or(Some(TokenFormat::Jwt));
    let has_own_config = arguments.config.is_some();
    let listen = arguments.listen;
    if let Some(upstream) = arguments.upstream {
        let idp = Idp::start(config).await?;
        run_with_upstream(&idp, upstream, listen, has_own_config).await?;
    } else {
        let example = listener(API_PORT).await?;
        let idp = Idp::start(config).await?;
        run_with_example(&idp, example, listen, has_own_config).await?;
    }
    print(&format!("\n  {}\n", paint(QUIET, "Stopped.")))?;
    Ok(Exit::Fine)
}

/// Runs the example, which the library protects, and the gateway in front of an unprotected API.
async fn run_with_example(
    idp: &Idp,
    example: TcpListener,
    listen: Option<SocketAddr>,
    has_own_config: bool,
) -> Result<(), CommandError> {
    let server = ResourceServer::with_settings(Settings::try_from(api_config(idp))?);
    server.start();
    let behind = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let upstream = format!("http://{}", behind.local_addr()?);
    let gateway = front::open(idp, &upstream, listen, front::EXAMPLE_ROUTES).await?;
    // Heard before the page says how to stop everything.
    let [for_example, for_upstream, for_gateway, for_deadline] = [
        StopSignal::listen()?,
        StopSignal::listen()?,
        StopSignal::listen()?,
        StopSignal::listen()?,
    ];
    let address = example.local_addr()?;
    let api = DevApi::Example(format!("http://{address}"));
    let taken = find_taken(&[(API_PORT, Some(address)), front_port(&gateway, listen)]);
    let setup = DevSetup::new(idp, api, url(&gateway), has_own_config);
    print(&setup.with_taken(taken).page())?;
    let app = enterprise_api::app(server, "web").await;
    let example = axum::serve(example, app).with_graceful_shutdown(for_example.wait());
    let upstream =
        axum::serve(behind, front::unprotected_api()).with_graceful_shutdown(for_upstream.wait());
    let all = async { tokio::join!(example, upstream, gateway.run(for_gateway.wait())) };
    tokio::select! {
        (example, upstream, ()) = all => example.and(upstream)?,
        () = shutdown_deadline(for_deadline) => {}
    }
    Ok(())
}

/// Runs the gateway in front of the user's own API. Every request needs a token.
async fn run_with_upstream(
    idp: &Idp,
    upstream: String,
    listen: Option<SocketAddr>,
    has_own_config: bool,
) -> Result<(), CommandError> {
    let gateway = front::open(idp, &upstream, listen, "").await?;
    let (for_gateway, for_deadline) = (StopSignal::listen()?, StopSignal::listen()?);
    let api = DevApi::Upstream(upstream);
    let taken = find_taken(&[front_port(&gateway, listen)]);
    let setup = DevSetup::new(idp, api, url(&gateway), has_own_config);
    print(&setup.with_taken(taken).page())?;
    tokio::select! {
        () = gateway.run(for_gateway.wait()) => {}
        () = shutdown_deadline(for_deadline) => {}
    }
    Ok(())
}

/// The default port of the gateway and the one in use, unless the user chose it.
fn front_port(gateway: &Gateway, chosen: Option<SocketAddr>) -> (u16, Option<SocketAddr>) {
    // A port that the user asked for is no surprise.
    let address = if chosen.is_some() {
        None
    } else {
        gateway.address()
    };
    (GATEWAY_PORT, address)
}

fn url(gateway: &Gateway) -> String {
    match gateway.address() {
        Some(address) => format!("http://{address}"),
        None => String::new(),
    }
}

/// The settings of an API that trusts this provider.
fn api_config(idp: &Idp) -> Config {
    let mut issuer = IssuerConfig {
        url: idp.issuer().to_string(),
        audience: idp.audiences(),
        profile: Some(idp.dialect().profile().to_owned()),
        ..IssuerConfig::default()
    };
    // Of such a provider, anybody can have tokens for any audience.
    if let Some((claim, value)) = idp.dialect().condition() {
        let value = OneOrMore::One(value.into());
        issuer.claims.insert(claim.to_owned(), value);
    }
    Config {
        issuer: vec![issuer],
        ..Config::default()
    }
}

/// Ends two seconds after the signal: a client that keeps its connection open does not matter here.
async fn shutdown_deadline(stop: StopSignal) {
    stop.wait().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
}
