//! Streams end with the token that opened them: soon after its revocation, and not by polling.

use portcullis_core::credential::Credential;
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_idp::Overlap;
use portcullis_resource_server::{Revocation, Settings, TokenEnd};
use portcullis_testkit::{AUDIENCE, NOW, ResourceServerSetup, server_on};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::task::coop::{Unconstrained, unconstrained};

/// Each stream looks up its marks once in so long.
const WINDOW: Duration = Duration::from_millis(300);

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds)
}

async fn accept(setup: &ResourceServerSetup, id: &str) -> AccessToken {
    let token = setup.idp.token("alice").claim("jti", id).sign();
    let accepted = setup.server.authenticate(Credential::bearer(&token));
    accepted.await.unwrap()
}

async fn revoke(setup: &ResourceServerSetup, id: &str) {
    let revocation = Revocation::token(setup.idp.issuer(), id, at(NOW + 80_000));
    setup.server.revoke(revocation).await.unwrap();
}

/// A future that is polled by hand, and counts how often it was woken. Unconstrained: a test polls
/// more of them at once than the runtime lets a task.
struct Polled<F> {
    future: Pin<Box<Unconstrained<F>>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<F: Future<Output = TokenEnd>> Polled<F> {
    fn new(future: F) -> Self {
        Self {
            future: Box::pin(unconstrained(future)),
            wakes: Arc::default(),
        }
    }

    fn poll(&mut self) -> Option<TokenEnd> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        match self
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
        {
            Poll::Ready(end) => Some(end),
            Poll::Pending => None,
        }
    }

    fn take_wakes(&self) -> usize {
        self.wakes.0.swap(0, Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_revocation_wakes_a_stream_and_ends_it_in_its_next_turn() {
    let setup = ResourceServerSetup::new().await;
    let token = accept(&setup, "t-1").await;
    let mut stream = Polled::new(setup.server.wait_for_end(&token));
    assert_eq!((stream.poll(), stream.take_wakes()), (None, 0));
    revoke(&setup, "t-1").await;
    assert_eq!((stream.take_wakes(), stream.poll()), (1, None));
    setup.clock.advance(WINDOW);
    assert!(stream.take_wakes() > 0);
    assert_eq!(stream.poll(), Some(TokenEnd::Revoked));
}

#[tokio::test]
async fn however_many_revocations_come_they_are_one_lookup_in_each_window() {
    let setup = ResourceServerSetup::new().await;
    let token = accept(&setup, "t-1").await;
    let mut stream = Polled::new(setup.server.wait_for_end(&token));
    assert_eq!(stream.poll(), None);
    for window in 0..5 {
        for number in 0..100 {
            revoke(&setup, &format!("other-{window}-{number}")).await;
            stream.poll();
        }
        assert_eq!(
            stream.take_wakes(),
            1,
            "the first change of window {window}"
        );
        setup.clock.advance(WINDOW);
        assert!(stream.take_wakes() > 0, "its turn");
        assert_eq!(stream.poll(), None);
    }
    revoke(&setup, "t-1").await;
    assert_eq!(stream.poll(), None);
    setup.clock.advance(WINDOW);
    assert_eq!(stream.poll(), Some(TokenEnd::Revoked));
}

/// The stream opens after the decision: what was revoked in between ends it at once.
#[tokio::test]
async fn a_token_that_was_revoked_before_the_wait_ends_it_at_once() {
    let setup = ResourceServerSetup::new().await;
    let token = accept(&setup, "t-1").await;
    revoke(&setup, "t-1").await;
    let mut stream = Polled::new(setup.server.wait_for_end(&token));
    assert_eq!(stream.poll(), Some(TokenEnd::Revoked));
}

/// What comes while a stream waits for its turn is in the lookup of that turn.
#[tokio::test]
async fn a_revocation_behind_another_one_is_not_lost() {
    let setup = ResourceServerSetup::new().await;
    let token = accept(&setup, "t-1").await;
    let mut stream = Polled::new(setup.server.wait_for_end(&token));
    assert_eq!(stream.poll(), None);
    revoke(&setup, "other").await;
    assert_eq!(stream.poll(), None);
    revoke(&setup, "t-1").await;
    setup.clock.advance(WINDOW);
    assert_eq!(stream.poll(), Some(TokenEnd::Revoked));
}

/// With a turn of its own in each window, a burst does not make all streams look up at once.
#[tokio::test]
async fn streams_take_their_turns_over_the_whole_window() {
    let setup = ResourceServerSetup::new().await;
    let token = accept(&setup, "t-1").await;
    let mut streams: Vec<_> = (0..200)
        .map(|_| Polled::new(setup.server.wait_for_end(&token)))
        .collect();
    assert!(
        streams
            .iter_mut()
            .all(|stream| stream.poll().is_none())
    );
    revoke(&setup, "t-1").await;
    assert!(
        streams
            .iter_mut()
            .all(|stream| stream.poll().is_none())
    );
    let mut ended = Vec::new();
    for _ in 0..10 {
        setup.clock.advance(WINDOW / 10);
        let before = streams.len();
        streams.retain_mut(|stream| stream.poll().is_none());
        ended.push(before - streams.len());
    }
    assert!(streams.is_empty(), "{ended:?}");
    // Of 200 in ten parts, 20 each are to be expected; 60 in one would be no accident.
    assert!(ended.iter().all(|ended| *ended < 60), "{ended:?}");
}

#[tokio::test]
async fn a_stream_ends_at_the_expiry_of_its_token_and_not_before() {
    let setup = ResourceServerSetup::new().await;
    let token = accept(&setup, "t-1").await;
    let left = u64::try_from(token.expires().unwrap().since(at(NOW))).unwrap();
    let mut stream = Polled::new(setup.server.wait_for_end(&token));
    assert_eq!(stream.poll(), None);
    setup.clock.advance(Duration::from_secs(left - 1));
    assert_eq!(stream.poll(), None);
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(stream.poll(), Some(TokenEnd::Expired));
}

#[tokio::test]
async fn a_token_within_the_leeway_is_good_for_the_rest_of_it() {
    let setup = ResourceServerSetup::new().await;
    let token = setup.idp.token("alice").claim("exp", NOW - 20).sign();
    let token = setup.server.authenticate(Credential::bearer(&token));
    let token = token.await.unwrap();
    let leeway = token.verifier().profile().leeway.as_secs();
    let mut stream = Polled::new(setup.server.wait_for_end(&token));
    assert_eq!(stream.poll(), None);
    setup.clock.advance(Duration::from_secs(leeway - 21));
    assert_eq!(stream.poll(), None);
    setup.clock.advance(Duration::from_secs(1));
    assert_eq!(stream.poll(), Some(TokenEnd::Expired));
}

#[tokio::test]
async fn a_stream_ends_within_five_seconds_after_its_key_is_withdrawn() {
    let setup = ResourceServerSetup::new().await;
    let token = accept(&setup, "t-1").await;
    let mut stream = Polled::new(setup.server.wait_for_end(&token));
    assert_eq!(stream.poll(), None);
    setup.idp.rotate(Overlap::Without).await;
    setup.server.refresh_keys().await;
    setup.clock.advance(Duration::from_secs(5));
    assert_eq!(stream.poll(), Some(TokenEnd::Distrusted));
}

/// A reload may replace the server, and with other settings its denylist as well.
#[tokio::test]
async fn a_watch_goes_on_with_another_server() {
    let setup = ResourceServerSetup::new().await;
    let token = accept(&setup, "t-1").await;
    let watch = setup.server.watch(token);
    for number in 0..3 {
        revoke(&setup, &format!("other-{number}")).await;
    }
    let settings = Settings::new(setup.idp.issuer().as_str(), AUDIENCE).unwrap();
    let next = server_on(&setup.clock, settings);
    {
        let mut stream = Polled::new(watch.wait(&setup.server));
        assert_eq!(stream.poll(), None);
    }
    let mut stream = pin!(watch.wait(&next));
    let mut context = Context::from_waker(Waker::noop());
    assert!(stream.as_mut().poll(&mut context).is_pending());
    // As many changes as the first list had: only the list differs.
    for id in ["other-0", "other-1", "t-1"] {
        let revocation = Revocation::token(setup.idp.issuer(), id, at(NOW + 80_000));
        next.revoke(revocation).await.unwrap();
    }
    assert!(stream.as_mut().poll(&mut context).is_pending());
    setup.clock.advance(WINDOW);
    assert_eq!(
        stream.as_mut().poll(&mut context),
        Poll::Ready(TokenEnd::Revoked)
    );
}
