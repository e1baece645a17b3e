//! Serves the orders. See README.md.

use metrics_exporter_prometheus::PrometheusBuilder;
use orders_api::settings::Settings;
use orders_api::store::Store;
use orders_api::{Application, admin, app};
use portcullis::ResourceServer;
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use tokio::net::TcpListener;
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
            _ = writeln!(std::io::stderr(), "orders-api: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_env()?;
    let figures = PrometheusBuilder::new().install_recorder()?;
    let server = ResourceServer::from_env()?;
    server.start();
    let store = Store::open(&settings.database_url)
        .await
        .map_err(|error| format!("DATABASE_URL: {error}"))?;
    let application = Application { server, store };
    let (api, _) = app(application.clone(), &settings).await;
    let admin = admin::router(application.clone(), figures);
    let for_api = bind("LISTEN", &settings.listen).await?;
    let for_admin = bind("ADMIN_LISTEN", &settings.admin_listen).await?;
    let (stop_api, stop_admin) = (stop_signal()?, stop_signal()?);
    let at = for_api.local_addr()?;
    writeln!(std::io::stdout(), "orders at http://{at}/docs")?;
    let api = axum::serve(for_api, api).with_graceful_shutdown(stop_api);
    let admin = axum::serve(for_admin, admin).with_graceful_shutdown(stop_admin);
    tokio::try_join!(api.into_future(), admin.into_future())?;
    // Requests under way have ended, so no statement is cut off.
    application.store.close().await;
    Ok(())
}

async fn bind(name: &str, address: &str) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| format!("{name}={address}: {error}"))
}

/// By Ctrl-C, or by SIGTERM, as containers say it.
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}
