//! The changes from one key set to the next. Pure: the time comes with the key set.

use super::KeySetView;
use crate::clock::nearest_rfc3339;
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, paint};
use anstyle::Style;
use portcullis_audit::{PublishedKey, clock};
use portcullis_core::token::NumericDate;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is remembered between two key sets.
#[derive(Debug, Default)]
pub(crate) struct KeyWatch {
    keys: Option<KeyRecords>,
    down_since: Option<NumericDate>,
    clock_is_off: bool,
}

/// The keys by name and thumbprint: another key under the same `kid` is another key.
type KeyRecords = BTreeMap<String, KeyRecord>;

/// A key, and when it was first seen.
#[derive(Clone, Debug)]
struct KeyRecord {
    name: String,
    since: NumericDate,
    usable: bool,
}

/// A change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeyEvent {
    at: NumericDate,
    change: KeyChange,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyChange {
    Here,
    Added,
    Removed,
    Rotated,
    Changed,
    Clock,
    Outage,
    Back,
}

impl KeyWatch {
    /// The changes since the previous key set. A failed fetch changes no key: a server keeps the
    /// old ones.
    pub(crate) fn step(&mut self, view: &KeySetView) -> Vec<KeyEvent> {
        let mut changes = Vec::new();
        if let Some(fault) = view.fault() {
            // Reported once: a watch at night should not fill a log with one outage.
            if self.down_since.is_none() {
                self.down_since = Some(view.at);
                changes.push((KeyChange::Outage, fault));
            }
            return events(view.at, changes);
        }
        if let Some(since) = self.down_since.take() {
            let text = format!("after {}", duration(view.at, since));
            changes.push((KeyChange::Back, text));
        }
        // The first key set has no predecessor: its keys are listed, not reported as added.
        let before = self.keys.take();
        let now = records(view, before.as_ref());
        match &before {
            None => {
                for key in now.values() {
                    changes.push((KeyChange::Here, key.describe()));
                }
            }
            Some(before) => add_changes(&mut changes, before, &now, view.at),
        }
        self.keys = Some(now);
        if let Some(text) = self.step_clock(view) {
            changes.push((KeyChange::Clock, text));
        }
        events(view.at, changes)
    }

    /// Reports the provider's clock when it begins to be off, and when it is right again.
    fn step_clock(&mut self, view: &KeySetView) -> Option<String> {
        let response = view.set.as_ref().ok()?.answer()?;
        let seconds = clock::difference(response)?;
        let was_off = self.clock_is_off;
        self.clock_is_off = seconds.abs() > clock::DRIFT;
        // Only the turning points: a clock that is off stays off for many fetches.
        match (was_off, self.clock_is_off) {
            (false, true) => Some(clock::describe(seconds)),
            (true, false) => Some("right again".to_owned()),
            _ => None,
        }
    }
}

fn events(at: NumericDate, changes: Vec<(KeyChange, String)>) -> Vec<KeyEvent> {
    let mut events = Vec::new();
    for (change, text) in changes {
        events.push(KeyEvent { at, change, text });
    }
    events
}

fn add_changes(
    changes: &mut Vec<(KeyChange, String)>,
    before: &KeyRecords,
    now: &KeyRecords,
    at: NumericDate,
) {
    let (added, removed) = (missing_from(before, now), missing_from(now, before));
    if let ([new], [old]) = (&*added, &*removed) {
        // One key for one other is a rotation; more than that cannot be paired.
        let text = format!("{} replaces {}", new.describe(), old.describe_age(at));
        changes.push((KeyChange::Rotated, text));
    } else {
        for key in added {
            changes.push((KeyChange::Added, key.describe()));
        }
        for key in removed {
            changes.push((KeyChange::Removed, key.describe_age(at)));
        }
    }
    for (id, key) in now {
        if matches!(before.get(id), Some(old) if old.usable != key.usable) {
            changes.push((KeyChange::Changed, key.describe()));
        }
    }
}

/// The records of `all` that are not in `some`.
fn missing_from<'k>(some: &KeyRecords, all: &'k KeyRecords) -> Vec<&'k KeyRecord> {
    let mut missing = Vec::new();
    for (id, key) in all {
        if !some.contains_key(id) {
            missing.push(key);
        }
    }
    missing
}

/// The keys of the set. Known ones keep the time when they were first seen.
fn records(view: &KeySetView, before: Option<&KeyRecords>) -> KeyRecords {
    let mut records = KeyRecords::new();
    let Ok(set) = &view.set else {
        // Not reached: a view without a key set has a fault.
        return records;
    };
    for key in &set.keys {
        let thumbprint = key.thumbprint().unwrap_or_default();
        let id = format!("{} {thumbprint}", key.name());
        // A provider may publish one key under two names, and another under an old name.
        let known = before.and_then(|before| before.get(&id));
        let record = KeyRecord {
            name: describe(key),
            since: known.map_or(view.at, |known| known.since),
            usable: key.verdict.is_ok(),
        };
        records.insert(id, record);
    }
    records
}

fn describe(key: &PublishedKey) -> String {
    let (name, kind) = (key.name(), key.kind());
    match key.text("alg") {
        // Escaped: it is text of the provider.
        Some(algorithm) => format!("{name} ({kind} {})", algorithm.escape_debug()),
        None => format!("{name} ({kind})"),
    }
}

fn duration(now: NumericDate, since: NumericDate) -> humantime::FormattedDuration {
    let seconds = u64::try_from(now.since(since)).unwrap_or_default();
    humantime::format_duration(Duration::from_secs(seconds))
}

impl KeyRecord {
    fn describe(&self) -> String {
        let usable = if self.usable { "usable" } else { "not usable" };
        format!("{}, {usable}", self.name)
    }

    fn describe_age(&self, now: NumericDate) -> String {
        let age = duration(now, self.since);
        format!("{}, first seen {age} ago", self.name)
    }
}

impl KeyChange {
    /// The word in the output. Programs match it, so it never changes.
    const fn word(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Rotated => "rotated",
            Self::Changed => "changed",
            Self::Clock => "clock",
            Self::Outage => "outage",
            Self::Back => "back",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Here => QUIET,
            Self::Added | Self::Back => GOOD,
            Self::Removed | Self::Rotated => STRONG,
            Self::Changed | Self::Clock => WARNING,
            Self::Outage => BAD,
        }
    }
}

impl KeyEvent {
    /// The change as a line for people.
    pub(crate) fn line(&self) -> String {
        // Padded before it is styled: escape sequences would count as columns.
        let word = format!("{:<8}", self.change.word());
        let word = paint(self.change.style(), &word);
        format!("{}  {word} {}\n", self.moment(), self.text)
    }

    /// The change as a line for programs.
    pub(crate) fn as_json(&self) -> Value {
        json!({ "time": self.moment(), "event": self.change.word(), "told": self.text })
    }

    fn moment(&self) -> String {
        nearest_rfc3339(self.at.seconds())
    }
}

#[cfg(feature = "dev")]
#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig, Overlap};
    use portcullis_provider::inspect::Inspector;
    use portcullis_resource_server::IssuerConfig;
    use portcullis_resource_server::clock::{Clock, TestClock};
    use std::sync::Arc;

    struct WatchedIdp {
        idp: Idp,
        clock: Arc<TestClock>,
        inspector: Inspector,
        watch: KeyWatch,
    }

    impl WatchedIdp {
        /// The clock starts at the machine's time, which the provider's responses carry.
        async fn new() -> Self {
            let idp = Idp::start(IdpConfig::default()).await.unwrap();
            let clock = Arc::new(TestClock::at(std::time::SystemTime::now().into()));
            let written = IssuerConfig {
                url: idp.issuer().to_string(),
                ..IssuerConfig::default()
            };
            let ours: Arc<dyn Clock> = Arc::<TestClock>::clone(&clock);
            let inspector = written.inspector(Limits::default(), ours).unwrap();
            Self {
                idp,
                clock,
                inspector,
                watch: KeyWatch::default(),
            }
        }

        /// The changes of the next key set.
        async fn words(&mut self) -> Vec<&'static str> {
            let events = self
                .watch
                .step(&KeySetView::fetch(&self.inspector).await);
            events
                .iter()
                .map(|event| event.change.word())
                .collect()
        }
    }

    #[tokio::test]
    async fn rotations_name_the_replaced_key() {
        let mut world = WatchedIdp::new().await;
        assert_eq!(world.words().await, ["here"]);
        assert_eq!(world.words().await, Vec::<&str>::new());
        world.idp.rotate(Overlap::With).await;
        assert_eq!(world.words().await, ["added"]);
        world.idp.rotate(Overlap::With).await;
        assert_eq!(world.words().await, ["rotated"]);
        world.idp.rotate(Overlap::Without).await;
        assert_eq!(world.words().await, ["added", "removed", "removed"]);
    }

    #[tokio::test]
    async fn an_outage_and_its_end_are_reported_once() {
        let mut world = WatchedIdp::new().await;
        world.words().await;
        world.idp.fail(Endpoint::Jwks, Fault::InternalError);
        assert_eq!(world.words().await, ["outage"]);
        assert_eq!(world.words().await, Vec::<&str>::new());
        world.clock.advance(Duration::from_secs(5));
        world.idp.fail(Endpoint::Jwks, Fault::None);
        let events = world
            .watch
            .step(&KeySetView::fetch(&world.inspector).await);
        assert_eq!(
            events.first().map(|event| event.text.as_str()),
            Some("after 5s")
        );
    }

    #[tokio::test]
    async fn a_wrong_clock_is_reported_when_it_begins_and_when_it_ends() {
        let mut world = WatchedIdp::new().await;
        world.words().await;
        world.clock.advance(Duration::from_secs(90));
        let events = world
            .watch
            .step(&KeySetView::fetch(&world.inspector).await);
        let [event] = &*events else {
            panic!("{events:?}")
        };
        assert_eq!(event.change, KeyChange::Clock);
        assert!(
            event.text.ends_with("seconds: theirs is behind"),
            "{}",
            event.text
        );
        assert!(event.line().contains("clock") && event.as_json()["event"] == "clock");
        assert_eq!(world.words().await, Vec::<&str>::new());
    }

    #[tokio::test]
    async fn the_next_fetch_is_when_a_server_would_fetch() {
        let world = WatchedIdp::new().await;
        let view = KeySetView::fetch(&world.inspector).await;
        assert_eq!(
            (view.max_age(), view.next_fetch()),
            (Some(Duration::from_secs(300)), Duration::from_secs(300))
        );
        world.idp.fail(Endpoint::Jwks, Fault::InternalError);
        assert_eq!(
            KeySetView::fetch(&world.inspector).await.next_fetch(),
            Duration::from_secs(60)
        );
    }
}
