//! A receiver that looks after its stream at a real transmitter, with the clock in hand.

use crate::receivers::Stream;
use crate::redis::Redis;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use portcullis_idp::{EventNotice, EventSettings, Idp, IdpConfig, StreamStatus};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{ResourceServer, Settings};
use portcullis_testkit::{clock, eventually, idp_on, server_on};
use std::sync::Arc;
use std::time::Duration;

/// A server, and its gauges.
struct Watched {
    server: ResourceServer,
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Watched {
    fn start(settings: Settings, clock: &Arc<TestClock>) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let server = server_on(clock, settings);
        server.start();
        Self {
            handle: recorder.handle(),
            server,
            recorder,
        }
    }

    /// A gauge of the stream: `enabled` or `verified`.
    fn is(&self, gauge: &str) -> bool {
        metrics::with_local_recorder(&self.recorder, || self.server.record_gauges());
        let text = self.handle.render();
        let line = format!("portcullis_event_stream_{gauge}{{stream=\"idp\"}} ");
        let value = text.lines().find_map(|it| it.strip_prefix(&line));
        value.unwrap_or_else(|| panic!("no {line} in {text}")) == "1"
    }

    /// Lets ten minutes pass, in steps in which whatever waits can look.
    async fn let_ten_minutes_pass(&self, clock: &TestClock) {
        for _ in 0..25 {
            clock.advance(Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn verifications(idp: &Idp) -> Vec<EventNotice> {
    let notices = idp.event_notices().into_iter();
    notices
        .filter(|notice| notice.event.ends_with("/verification"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_read_at_the_start_and_again() {
    let clock = clock();
    let stream = Stream::create_pushed(idp_on(&clock, IdpConfig::default()).await).await;
    let pause = (StreamStatus::Paused, Some("maintenance"));
    assert!(
        stream
            .idp
            .set_stream_status(&stream.id, pause.0, pause.1)
            .await
    );
    let watched = Watched::start(stream.watching(false, None), &clock);
    eventually(|| !watched.is("enabled")).await;
    watched.let_ten_minutes_pass(&clock).await;
    assert_eq!(
        verifications(&stream.idp),
        [],
        "a paused stream verifies nothing"
    );
    let enabled = StreamStatus::Enabled;
    assert!(
        stream
            .idp
            .set_stream_status(&stream.id, enabled, None)
            .await
    );
    clock.advance(Duration::from_secs(600));
    eventually(|| watched.is("enabled")).await;
    stream.delete().await;
    clock.advance(Duration::from_secs(600));
    eventually(|| !watched.is("enabled")).await;
}

/// Nothing of what the transmitter sends arrives, so that its verification event does not either.
#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_does_not_come_is_noticed() {
    let clock = clock();
    let stream = Stream::create_pushed(idp_on(&clock, IdpConfig::default()).await).await;
    let watched = Watched::start(stream.watching(false, None), &clock);
    eventually(|| verifications(&stream.idp).len() == 1).await;
    assert!(watched.is("verified"), "it may still come");
    watched.let_ten_minutes_pass(&clock).await;
    eventually(|| !watched.is("verified")).await;
    // One a day.
    assert_eq!(verifications(&stream.idp).len(), 1);
    clock.advance(Duration::from_secs(86_400));
    eventually(|| verifications(&stream.idp).len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_comes_is_known() {
    let clock = clock();
    let stream = Stream::create_polled(idp_on(&clock, IdpConfig::default()).await).await;
    let watched = Watched::start(stream.watching(true, None), &clock);
    let is_taken = || {
        let all = verifications(&stream.idp);
        all.len() == 1 && !all[0].waits && all[0].error.is_none()
    };
    eventually(is_taken).await;
    watched.let_ten_minutes_pass(&clock).await;
    assert!(watched.is("verified") && watched.is("enabled"));
}

/// SSF 1.0, section 8.1.1: after that time without a request, the transmitter pauses the stream.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_used_before_it_counts_as_unused() {
    let clock = clock();
    let config = IdpConfig {
        events: EventSettings {
            inactivity_timeout: 400,
            ..EventSettings::default()
        },
        ..IdpConfig::default()
    };
    let stream = Stream::create_pushed(idp_on(&clock, config).await).await;
    let watched = Watched::start(stream.watching(false, None), &clock);
    for _ in 0..2 {
        watched.let_ten_minutes_pass(&clock).await;
        assert!(watched.is("enabled"));
    }
    // 1,500 seconds, and one each 200: the steps of the clock take a little more.
    eventually(|| verifications(&stream.idp).len() >= 6).await;
}

/// SSF 1.0, section 8.1.4: as often as the settings say, where each comes.
#[tokio::test(flavor = "multi_thread")]
async fn verifications_are_asked_for_as_often_as_the_settings_say() {
    let clock = clock();
    let stream = Stream::create_polled(idp_on(&clock, IdpConfig::default()).await).await;
    let settings = stream.watching_with("verify_every = 60\n", true, None);
    let watched = Watched::start(settings, &clock);
    for count in 1..=4 {
        // A step may pass before the one before is noted.
        let has_come = || verifications(&stream.idp).len() >= count;
        while !has_come() {
            clock.advance(Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        eventually(|| !verifications(&stream.idp)[0].waits).await;
    }
    let times: Vec<_> = verifications(&stream.idp)
        .iter()
        .map(|notice| notice.at)
        .collect();
    // The newest is first. One is noted a few steps late where the machine is busy.
    let total = times[0] - times[3];
    assert!((3 * 60 - 30..=3 * 180).contains(&total), "{times:?}");
    assert!(watched.is("verified"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_replicas_one_asks_for_a_verification() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    let clock = clock();
    let stream = Stream::create_polled(idp_on(&clock, IdpConfig::default()).await).await;
    let settings = || stream.watching(true, Some(&redis));
    let replicas = [0, 1, 2].map(|_| Watched::start(settings(), &clock));
    eventually(|| verifications(&stream.idp).len() == 1).await;
    // Whichever replica fetches it, the one that asked knows that it came.
    for replica in &replicas {
        replica.let_ten_minutes_pass(&clock).await;
        assert!(replica.is("verified") && replica.is("enabled"));
    }
    assert_eq!(verifications(&stream.idp).len(), 1);
}
