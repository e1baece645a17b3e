//! The sockets that the doors are opened on, with what ends TLS there.

use crate::listen::socket::Socket;
use crate::settings::{Address, DoorSettings, ListenerSettings, TlsSettings};
use crate::transport::tls::ServerTls;
use portcullis_core::ConfigErrors;
use std::sync::Arc;

/// The open socket of a door, and its TLS.
#[derive(Debug)]
pub(crate) struct DoorSocket {
    pub(crate) socket: Socket,
    pub(crate) tls: Option<Arc<ServerTls>>,
}

impl DoorSocket {
    /// Opens it, if the settings name an address.
    pub(crate) async fn open(
        place: &str,
        settings: Option<&DoorSettings>,
    ) -> Result<Option<Self>, ConfigErrors> {
        let Some(DoorSettings { listen, tls }) = settings else {
            return Ok(None);
        };
        let tls = read_tls(tls.as_ref())?;
        let socket = Socket::open(place, listen).await?;
        Ok(Some(Self { socket, tls }))
    }

    /// Opens the socket of the proxy, or takes the one that systemd opened.
    pub(crate) async fn open_proxy(
        listeners: &ListenerSettings,
    ) -> Result<Option<Self>, ConfigErrors> {
        let tls = read_tls(listeners.tls.as_ref())?;
        let Some(address) = listeners.listen else {
            return Ok(None);
        };
        let socket = match Socket::inherit()? {
            Some(socket) => socket,
            None => Socket::open("gateway.listen", &Address::Tcp(address)).await?,
        };
        Ok(Some(Self { socket, tls }))
    }
}

fn read_tls(settings: Option<&TlsSettings>) -> Result<Option<Arc<ServerTls>>, ConfigErrors> {
    match settings {
        Some(settings) => Ok(Some(Arc::new(ServerTls::read(settings.clone())?))),
        None => Ok(None),
    }
}
