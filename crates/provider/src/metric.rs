//! The fixed properties of a metric: its name, its kind, its labels and its meaning.

use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder};

/// What kind of figure a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// A value that can go up and down.
    Gauge,
    /// A distribution: counts by upper bound, their number and their sum.
    Histogram,
}

/// The fixed properties of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, with its unit at the end.
    pub name: &'static str,
    /// What kind of figure it is.
    pub kind: MetricKind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it means, in one sentence.
    pub help: &'static str,
}

impl Metric {
    /// A count that only grows.
    pub const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind: MetricKind::Counter,
            labels,
            help,
        }
    }

    /// A value that can go up and down.
    pub const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind: MetricKind::Gauge,
            labels,
            help,
        }
    }

    /// A distribution of times, in seconds.
    pub const fn seconds(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind: MetricKind::Histogram,
            labels,
            help,
        }
    }

    // A counter is registered once and kept: registering allocates, counting does not.
    /// The counter with these values of its labels, in their order.
    pub fn count(&self, recorder: &dyn Recorder, values: &[&str]) -> Counter {
        recorder.register_counter(&self.key(values), &METADATA)
    }

    /// The histogram with these values of its labels.
    pub fn times(&self, recorder: &dyn Recorder, values: &[&str]) -> Histogram {
        recorder.register_histogram(&self.key(values), &METADATA)
    }

    /// Sets the gauge with these values of its labels.
    pub fn set(&self, recorder: &dyn Recorder, values: &[&str], value: f64) {
        recorder
            .register_gauge(&self.key(values), &METADATA)
            .set(value);
    }

    fn key(&self, values: &[&str]) -> Key {
        let mut labels = Vec::new();
        for (name, value) in self.labels.iter().zip(values) {
            labels.push(Label::new(*name, (*value).to_owned()));
        }
        Key::from_parts(self.name, labels)
    }
}

static METADATA: Metadata<'static> = Metadata::new("portcullis", Level::INFO, None);
