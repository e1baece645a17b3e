//! The pace at which the body of a request has to come.
//!
//! Each piece has a timeout. Once that much time was spent in all, the whole body has a minimum
//! rate. Only waiting for the client counts: a slow upstream costs the client nothing. The body of
//! a gRPC call may be silent for as long as the call goes on; `life.rs` ends those.

use crate::settings::StreamSettings;
use crate::transport::life::Traffic;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The pace of one body.
#[derive(Debug)]
pub(crate) struct Pace {
    pause: Duration,
    // In bytes a second; zero for no minimum.
    rate: u64,
    /// For a stream: the longest time in total, if there is one.
    stream: Option<Option<Duration>>,
    traffic: Traffic,
    received: u64,
    waited: Duration,
    since: Option<Instant>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// The pace of an ordinary body.
    pub(crate) fn new(settings: &StreamSettings, traffic: Traffic) -> Self {
        Self {
            pause: settings.body_timeout,
            rate: settings.body_rate,
            stream: None,
            traffic,
            received: 0,
            waited: Duration::ZERO,
            since: None,
            waiting: None,
        }
    }

    /// The pace of a stream.
    pub(crate) fn of_stream(
        settings: &StreamSettings,
        traffic: Traffic,
        longest: Option<Duration>,
    ) -> Self {
        Self {
            stream: Some(longest),
            ..Self::new(settings, traffic)
        }
    }

    /// Counts a piece that came.
    pub(crate) fn count(&mut self, bytes: u64) {
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
        self.received = self.received.saturating_add(bytes);
        self.traffic.note();
    }

    /// Ready when the next piece is too late.
    pub(crate) fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            self.wait();
        }
        loop {
            let Some(waiting) = &mut self.waiting else {
                return Poll::Pending;
            };
            if waiting.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if !self.may_go_on() {
                return Poll::Ready(());
            }
            self.wait();
        }
    }

    fn wait(&mut self) {
        let end = Instant::now() + self.pause.min(self.left());
        match &mut self.waiting {
            // One timer for the whole body: a fresh one for each piece would be an allocation.
            Some(waiting) => waiting.as_mut().reset(end),
            None => self.waiting = Some(Box::pin(tokio::time::sleep_until(end))),
        }
    }

    /// The waiting time that is left in total.
    fn left(&self) -> Duration {
        let allowed = match (self.stream, self.rate) {
            (Some(longest), _) => longest.unwrap_or(Duration::MAX),
            (None, 0) => Duration::MAX,
            // Each piece buys time, so a byte every few seconds does not hold a slot for ever.
            (None, rate) => {
                let bought = Duration::from_secs(self.received / rate);
                self.pause.saturating_add(bought)
            }
        };
        let waiting = match self.since {
            Some(since) => since.elapsed(),
            None => Duration::ZERO,
        };
        allowed
            .saturating_sub(self.waited)
            .saturating_sub(waiting)
    }

    /// Whether the body may be silent for longer.
    fn may_go_on(&self) -> bool {
        self.stream.is_some() && !self.traffic.is_over() && !self.left().is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    const SETTINGS: StreamSettings = StreamSettings {
        body_timeout: Duration::from_secs(30),
        body_rate: 500,
        idle: None,
        life: None,
    };

    /// How long a body lasts that sends `bytes` every `every` seconds, an hour at most.
    async fn last(mut pace: Pace, bytes: u64, every: u64) -> u64 {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3_600) {
            let late = poll_fn(|context| pace.poll_late(context));
            if tokio::time::timeout(Duration::from_secs(every), late)
                .await
                .is_ok()
            {
                break;
            }
            pace.count(bytes);
        }
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_late_and_one_that_comes_slowly_but_steadily_is_not() {
        let pace = || Pace::new(&SETTINGS, Traffic::default());
        assert_eq!(last(pace(), 0, 60).await, 30, "silent");
        assert_eq!(last(pace(), 1, 29).await, 30, "a byte every 29 seconds");
        assert_eq!(last(pace(), 100, 1).await, 37, "a hundred bytes a second");
        assert!(
            last(pace(), 600, 1).await >= 3_600,
            "six hundred bytes a second"
        );
        assert!(last(pace(), 16_000, 29).await >= 3_600, "pieces");
    }

    #[tokio::test(start_paused = true)]
    async fn an_upstream_that_takes_its_time_costs_the_client_none() {
        let mut pace = Pace::new(&SETTINGS, Traffic::default());
        for _ in 0..100 {
            let late = poll_fn(|context| pace.poll_late(context));
            assert!(
                tokio::time::timeout(Duration::from_millis(100), late)
                    .await
                    .is_err()
            );
            pace.count(100);
            tokio::time::advance(Duration::from_secs(60)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_may_be_silent_until_its_answer_is_over_or_its_life() {
        let of = |traffic: &Traffic, longest| {
            Pace::of_stream(
                &SETTINGS,
                traffic.clone(),
                Some(Duration::from_secs(longest)),
            )
        };
        let traffic = Traffic::default();
        assert_eq!(last(of(&traffic, 9_999), 1, 1_000).await, 4_000);
        assert_eq!(last(of(&traffic, 600), 1, 29).await, 600);
        traffic.end();
        assert_eq!(last(of(&traffic, 9_999), 0, 1_000).await, 30);
    }
}
