//! Whether a stream is enabled (SSF 1.0, section 8.1.2).

use super::stream::require_text;
use crate::member;
use portcullis_core::jose::json::Object;
use portcullis_core::rejection::quote;
use std::fmt;

/// The state of a stream, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamStatus {
    /// `status`.
    pub state: StreamState,
    /// `reason`: the transmitter's or the receiver's words.
    pub reason: Option<String>,
}

/// The state of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "SSF 1.0 knows these three")]
pub enum StreamState {
    /// Events come.
    Enabled,
    /// Events do not come; the transmitter should hold them until the stream is enabled.
    Paused,
    /// Events do not come, and are not held.
    Disabled,
}

impl StreamState {
    /// Its name in the specification.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    /// The state of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Paused, Self::Disabled]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

impl fmt::Display for StreamState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl StreamStatus {
    /// Reads the status of this stream.
    pub(super) fn read(object: &Object, stream: &str) -> Result<Self, String> {
        let named = require_text(object, "stream_id")?;
        if named != stream {
            let (stream, named) = (quote(stream), quote(&named));
            return Err(format!(
                "it is the status of another stream: expected {stream}, found {named}"
            ));
        }
        let name = require_text(object, "status")?;
        let Some(state) = StreamState::of_name(&name) else {
            return Err(format!(
                "expected the status enabled, paused or disabled, found {}",
                quote(&name)
            ));
        };
        Ok(Self {
            state,
            reason: member::text(object, "reason")?.map(str::to_owned),
        })
    }
}
