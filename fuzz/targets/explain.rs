//! Any text as a token before a whole server: what is explained is what is decided, and nothing
//! unsigned gets in.

use crate::shared::{runtime, server};
use portcullis_core::Denial;
use portcullis_core::credential::Credential;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (explained, decided) = runtime().block_on(async {
        (
            server().explain(text).await,
            server().authenticate(Credential::bearer(text)).await,
        )
    });
    let code = match &decided {
        Ok(_) => None,
        Err(Denial::Rejection(rejection)) => Some(rejection.code().as_str()),
        Err(Denial::Outage(outage)) => Some(outage.code().as_str()),
    };
    assert_eq!(explained.first_obstacle().map(|step| step.code), code);
}
