//! How many events came, and what became of them.

use super::report::{EventOutcome, EventReport, Reception};
use crate::events;
use metrics::Counter;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Whoever writes a record of each event.
type Observer = Box<dyn Fn(&EventReport) + Send + Sync>;

/// Counters of all receivers: registered once, as that allocates.
pub(crate) struct ReceiverMeters {
    received: HashMap<(String, EventOutcome), Counter>,
    observer: OnceLock<Observer>,
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
        Self {
            received,
            observer: OnceLock::new(),
        }
    }

    /// From now on, events are told to this observer too. A second one is ignored.
    pub(crate) fn observe(&self, observer: Observer) {
        _ = self.observer.set(observer);
    }

    /// Counts what came, and tells it to the operator's log.
    pub(crate) fn note(&self, reception: Reception) -> Reception {
        // Written down once: the observer has a record of it.
        let is_recorded = self.observer.get().is_some();
        for report in &reception.reports {
            self.count(report);
            report.log(is_recorded);
        }
        reception
    }

    /// Tells the observer what was fetched: no door answers anybody for it.
    pub(crate) fn tell_observer(&self, reports: &[EventReport]) {
        if let Some(observer) = self.observer.get() {
            reports.iter().for_each(observer);
        }
    }

    fn count(&self, report: &EventReport) {
        // Names come from the settings, so there are no more labels than those.
        let key = (report.receiver.clone(), report.outcome);
        if let Some(counter) = self.received.get(&key) {
            counter.increment(1);
        }
    }
}
