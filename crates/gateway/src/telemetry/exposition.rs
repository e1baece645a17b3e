//! The figures of this gateway, and their text for Prometheus (exposition format 0.0.4).
//!
//! A recorder of the `metrics` facade that belongs to one gateway and not to the process. Counters
//! and histograms are atomics in fixed buckets, so memory does not grow with requests, scraped or
//! not. Gauges are recorded anew for every scrape: what is gone from the settings is gone from the
//! answer.

use super::events;
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use portcullis_resource_server::events::{self as decisions, Metric, MetricKind};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What Prometheus calls the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// From the time of a remembered token to the longest wait for an upstream, in seconds.
const BOUNDS: [f64; 16] = [
    1e-6, 2.5e-6, 1e-5, 5e-5, 2e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 1.0, 5.0,
    30.0,
];

/// All series by name and labels, the labels as they are written.
#[derive(Debug, Default)]
pub(crate) struct Exposition(Mutex<Series>);

#[derive(Debug, Default)]
struct Series {
    counters: BTreeMap<(String, String), Arc<AtomicU64>>,
    gauges: BTreeMap<(String, String), Arc<AtomicU64>>,
    histograms: BTreeMap<(String, String), Arc<Buckets>>,
}

/// How many times were at most as long as each bound, and how long all were.
#[derive(Debug, Default)]
struct Buckets {
    counts: [AtomicU64; BOUNDS.len()],
    longer: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Exposition {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// All figures as text, the states as `record` records them now.
    pub(crate) fn render(&self, record: impl FnOnce(&dyn Recorder)) -> String {
        self.series().gauges.clear();
        record(self);
        let series = self.series();
        let mut text = String::new();
        for metric in decisions::METRICS.iter().chain(events::METRICS) {
            series.write(metric, &mut text);
        }
        text
    }

    fn series(&self) -> MutexGuard<'_, Series> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    fn write(&self, metric: &Metric, text: &mut String) {
        let Metric {
            name, kind, help, ..
        } = metric;
        let kind_name = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            _ => "histogram",
        };
        // Writing to a string cannot fail.
        _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind_name}\n");
        match kind {
            MetricKind::Counter => {
                for (labels, count) in of(&self.counters, name) {
                    _ = writeln!(
                        text,
                        "{name}{} {}",
                        braced(labels),
                        count.load(Ordering::Relaxed)
                    );
                }
            }
            MetricKind::Gauge => {
                for (labels, bits) in of(&self.gauges, name) {
                    let value = f64::from_bits(bits.load(Ordering::Relaxed));
                    _ = writeln!(text, "{name}{} {value}", braced(labels));
                }
            }
            _ => {
                for (labels, buckets) in of(&self.histograms, name) {
                    buckets.write(name, labels, text);
                }
            }
        }
    }
}

/// The series of one metric.
fn of<'s, T>(
    all: &'s BTreeMap<(String, String), T>,
    name: &'s str,
) -> impl Iterator<Item = (&'s str, &'s T)> {
    let from = all.range((name.to_owned(), String::new())..);
    from.take_while(move |((other, _), _)| other == name)
        .map(|((_, labels), it)| (labels.as_str(), it))
}

impl Buckets {
    fn write(&self, name: &str, labels: &str, text: &mut String) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut sum = 0;
        for (bound, count) in BOUNDS.iter().zip(&self.counts) {
            sum += count.load(Ordering::Relaxed);
            _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {sum}");
        }
        sum += self.longer.load(Ordering::Relaxed);
        let seconds = self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
        _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {sum}");
        let labels = braced(labels);
        _ = write!(
            text,
            "{name}_sum{labels} {seconds}\n{name}_count{labels} {sum}\n"
        );
    }
}

impl HistogramFn for Buckets {
    fn record(&self, seconds: f64) {
        let bucket = BOUNDS
            .iter()
            .zip(&self.counts)
            .find(|(bound, _)| seconds <= **bound);
        bucket
            .map_or(&self.longer, |(_, count)| count)
            .fetch_add(1, Ordering::Relaxed);
        self.nanoseconds
            .fetch_add((seconds * 1e9) as u64, Ordering::Relaxed);
    }
}

impl Recorder for Exposition {
    /// The tables of names describe themselves.
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(
            self.series().counters.entry(parts(key)).or_default(),
        ))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(
            self.series().gauges.entry(parts(key)).or_default(),
        ))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(
            self.series().histograms.entry(parts(key)).or_default(),
        ))
    }
}

/// Name and labels, these as they are written.
fn parts(key: &Key) -> (String, String) {
    let labels = key.labels().map(|label| {
        let value = label
            .value()
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        format!("{}=\"{value}\"", label.key())
    });
    (key.name().to_owned(), labels.collect::<Vec<_>>().join(","))
}

fn braced(labels: &str) -> String {
    if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_their_text() {
        let exposition = Exposition::new();
        let recorder: &dyn Recorder = &exposition;
        events::REQUESTS
            .count(recorder, &["a \"b\"\\\n", "200"])
            .increment(2);
        events::REQUESTS
            .count(recorder, &["a \"b\"\\\n", "200"])
            .increment(1);
        let times = events::REQUEST_SECONDS.times(recorder, &["r"]);
        for seconds in [0.0, 1e-6, 0.02, 31.0] {
            times.record(seconds);
        }
        let text = exposition.render(|recorder| events::READY.set(recorder, &[], 1.0));
        for line in [
            "# TYPE portcullis_gateway_requests_total counter",
            "portcullis_gateway_requests_total{route=\"a \\\"b\\\"\\\\\\n\",status=\"200\"} 3",
            "portcullis_gateway_request_seconds_bucket{route=\"r\",le=\"0.000001\"} 2",
            "portcullis_gateway_request_seconds_bucket{route=\"r\",le=\"0.025\"} 3",
            "portcullis_gateway_request_seconds_bucket{route=\"r\",le=\"30\"} 3",
            "portcullis_gateway_request_seconds_bucket{route=\"r\",le=\"+Inf\"} 4",
            "portcullis_gateway_request_seconds_sum{route=\"r\"} 31.020001",
            "portcullis_gateway_request_seconds_count{route=\"r\"} 4",
            "portcullis_gateway_ready 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
        let text = exposition.render(|_| {});
        assert!(
            !text
                .lines()
                .any(|line| line == "portcullis_gateway_ready 1"),
            "a state is told when it is recorded only"
        );
        assert!(text.contains("status=\"200\"} 3"));
    }
}
