//! The metrics of this gateway, and their text for Prometheus (exposition format 0.0.4).
//!
//! A recorder of the `metrics` facade that belongs to one gateway and not to the process. Counters
//! and histograms are atomics in fixed buckets, so memory does not grow with requests, scraped or
//! not. Gauges are recorded for every scrape: an upstream that left the settings leaves the
//! response too.

use super::events;
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use portcullis_resource_server::events::{self as decisions, Metric, MetricKind};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The media type of the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// In seconds: from the cost of a cached token to the longest wait for an upstream.
const BOUNDS: [f64; 16] = [
    1e-6, 2.5e-6, 1e-5, 5e-5, 2e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 1.0, 5.0,
    30.0,
];

/// All series by name and labels, with the labels in the text format.
#[derive(Debug, Default)]
pub(crate) struct Exposition(Mutex<Series>);

#[derive(Debug, Default)]
struct Series {
    counters: BTreeMap<(String, String), Arc<AtomicU64>>,
    gauges: BTreeMap<(String, String), Arc<AtomicU64>>,
    histograms: BTreeMap<(String, String), Arc<Buckets>>,
}

/// A histogram: how many durations fall into each bucket, and their sum.
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

    /// All metrics as text. `record` records the gauges as they are now.
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
                for (labels, count) in find_series(&self.counters, name) {
                    let labels = wrap_labels(labels);
                    let count = count.load(Ordering::Relaxed);
                    _ = writeln!(text, "{name}{labels} {count}");
                }
            }
            MetricKind::Gauge => {
                for (labels, bits) in find_series(&self.gauges, name) {
                    let labels = wrap_labels(labels);
                    let value = f64::from_bits(bits.load(Ordering::Relaxed));
                    _ = writeln!(text, "{name}{labels} {value}");
                }
            }
            _ => {
                for (labels, buckets) in find_series(&self.histograms, name) {
                    buckets.write(name, labels, text);
                }
            }
        }
    }
}

/// The series of one metric, each with its labels.
fn find_series<'s, T>(
    all: &'s BTreeMap<(String, String), T>,
    name: &'s str,
) -> impl Iterator<Item = (&'s str, &'s T)> {
    // The map is ordered by name, so the series of one metric stand together.
    let from = all.range((name.to_owned(), String::new())..);
    from.take_while(move |((other, _), _)| other == name)
        .map(|((_, labels), series)| (labels.as_str(), series))
}

impl Buckets {
    fn write(&self, name: &str, labels: &str, text: &mut String) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut sum = 0;
        // Prometheus wants cumulative buckets; each atomic counts its own bucket only.
        for (bound, count) in BOUNDS.iter().zip(&self.counts) {
            sum += count.load(Ordering::Relaxed);
            _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {sum}");
        }
        sum += self.longer.load(Ordering::Relaxed);
        let seconds = self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
        _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {sum}");
        let labels = wrap_labels(labels);
        _ = writeln!(text, "{name}_sum{labels} {seconds}");
        _ = writeln!(text, "{name}_count{labels} {sum}");
    }
}

impl HistogramFn for Buckets {
    fn record(&self, seconds: f64) {
        let mut bucket = &self.longer;
        for (bound, count) in BOUNDS.iter().zip(&self.counts) {
            if seconds <= *bound {
                bucket = count;
                break;
            }
        }
        bucket.fetch_add(1, Ordering::Relaxed);
        // There is no atomic f64; nanoseconds in 64 bits last for centuries.
        let nanoseconds = (seconds * 1e9) as u64;
        self.nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl Recorder for Exposition {
    // Help texts come from the tables in `events`, so descriptions are ignored.
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let mut series = self.series();
        let counter = series.counters.entry(series_key(key)).or_default();
        Counter::from_arc(Arc::clone(counter))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let mut series = self.series();
        let gauge = series.gauges.entry(series_key(key)).or_default();
        Gauge::from_arc(Arc::clone(gauge))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let mut series = self.series();
        let histogram = series.histograms.entry(series_key(key)).or_default();
        Histogram::from_arc(Arc::clone(histogram))
    }
}

/// Name and labels, with the labels in the text format.
fn series_key(key: &Key) -> (String, String) {
    let mut labels = String::new();
    for label in key.labels() {
        if !labels.is_empty() {
            labels.push(',');
        }
        // The backslash first, or the escapes of the others would be escaped again.
        let value = label.value().replace('\\', "\\\\");
        let value = value.replace('"', "\\\"").replace('\n', "\\n");
        _ = write!(labels, "{}=\"{value}\"", label.key());
    }
    (key.name().to_owned(), labels)
}

fn wrap_labels(labels: &str) -> String {
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
    fn metrics_are_rendered_as_text() {
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
            "a gauge that is not recorded is absent"
        );
        assert!(text.contains("status=\"200\"} 3"));
    }
}
