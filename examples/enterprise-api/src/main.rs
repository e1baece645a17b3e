//! Serves the enterprise API. Settings come from the environment or `.env`: `OAUTH2_ISSUER`,
//! `OAUTH2_AUDIENCE`, optionally `OAUTH2_TENANT_ID`, `LISTEN` (default `127.0.0.1:8000`), and
//! `DOCS_CLIENT_ID`, the client as which `/docs` signs in (default `web`).

use portcullis::{Config, ResourceServer};
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::main]
async fn main() -> ExitCode {
    let wanted = std::env::var("RUST_LOG").ok();
    let filter = wanted.and_then(|text| text.parse().ok());
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(filter.unwrap_or(Targets::new().with_default(LevelFilter::INFO)))
        .init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "enterprise-api: {error}");
            ExitCode::FAILURE
        }
    }
}

/// By Ctrl-C, or by SIGTERM, as containers say it.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let server = ResourceServer::from_env()?;
    server.start();
    let listen = Config::variable("LISTEN")?.unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let listener = tokio::net::TcpListener::bind(&listen)
        .await
        .map_err(|error| format!("LISTEN={listen}: {error}"))?;
    writeln!(
        std::io::stdout(),
        "listening on http://{}",
        listener.local_addr()?
    )?;
    let stop = told_to_stop()?;
    let docs_client = Config::variable("DOCS_CLIENT_ID")?.unwrap_or_else(|| "web".to_owned());
    let app = enterprise_api::app(server, &docs_client).await;
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}
