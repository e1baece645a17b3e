//! How many events came, and what became of them.

use super::report::{EventOutcome, EventReport, Reception};
use crate::events;
use metrics::Counter;
use std::collections::HashMap;

/// Counters of all receivers: registered once, as that allocates.
pub(crate) struct ReceiverMeters {
    received: HashMap<(String, EventOutcome), Counter>,
}

impl ReceiverMeters {
    pub(super) fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut received = HashMap::new();
        for name in names {
            for outcome in EventOutcome::ALL {
                let labels = [name, outcome.as_str()];
                let counter = metrics::with_recorder(|it| events::EVENTS.count(it, &labels));
                received.insert((name.to_owned(), *outcome), counter);
            }
        }
        Self { received }
    }

    /// Counts what came, and tells it to the operator's log.
    pub(crate) fn note(&self, reception: Reception) -> Reception {
        for report in &reception.reports {
            self.count(report);
            report.log();
        }
        reception
    }

    fn count(&self, report: &EventReport) {
        // Names come from the settings, so there are no more labels than those.
        let key = (report.receiver.clone(), report.outcome);
        if let Some(counter) = self.received.get(&key) {
            counter.increment(1);
        }
    }
}
