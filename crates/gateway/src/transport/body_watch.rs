//! The end of a body whose token is revoked while it goes up or down.
//!
//! Most bodies are over at once, and cost nothing here. One that is waited for, or that comes in
//! many pieces, is watched from then on.

use super::life::{Life, WatchScope};
use portcullis_resource_server::{TokenEnd, TokenWatch};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Watches over the token of one body.
pub(crate) struct BodyWatch {
    state: WatchState,
    pieces: u8,
}

enum WatchState {
    Due(Life, TokenWatch, WatchScope),
    Running(Wait),
    Over,
}

type Wait = Pin<Box<dyn Future<Output = TokenEnd> + Send>>;

/// A body of fewer pieces that nobody waited for is not watched.
const FIRST_PIECES: u8 = 8;

impl BodyWatch {
    pub(crate) fn new(life: Life, token: TokenWatch, scope: WatchScope) -> Self {
        Self {
            state: WatchState::Due(life, token, scope),
            pieces: 0,
        }
    }

    /// After a piece: ready if the body must go no further.
    pub(crate) fn poll_after_piece(&mut self, context: &mut Context<'_>) -> Poll<TokenEnd> {
        self.pieces = self.pieces.saturating_add(1);
        if self.pieces < FIRST_PIECES {
            return Poll::Pending;
        }
        self.poll_waiting(context)
    }

    /// While a piece is waited for: ready if the body must go no further.
    pub(crate) fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<TokenEnd> {
        let mut wait: Wait = match std::mem::replace(&mut self.state, WatchState::Over) {
            WatchState::Due(life, token, scope) => Box::pin(life.follow(token, scope)),
            WatchState::Running(wait) => wait,
            // It said so once; the body ends by that.
            WatchState::Over => return Poll::Pending,
        };
        let end = wait.as_mut().poll(context);
        if end.is_pending() {
            self.state = WatchState::Running(wait);
        }
        end
    }
}

impl fmt::Debug for BodyWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the watch over the token of a body")
    }
}
