//! What changes from one look to the next. Pure: the time comes with the look.

use super::Look;
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, styled};
use anstyle::Style;
use portcullis_audit::{PublishedKey, clock};
use portcullis_core::token::NumericDate;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

/// What is remembered between looks.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    keys: Option<BTreeMap<String, Known>>,
    down_since: Option<NumericDate>,
    clock_apart: bool,
}

/// A key that was seen.
#[derive(Clone, Debug)]
struct Known {
    name: String,
    since: NumericDate,
    usable: bool,
}

/// Something that changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    at: NumericDate,
    what: What,
    told: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Here,
    Added,
    Removed,
    Rotated,
    Changed,
    Clock,
    Outage,
    Back,
}

impl Watch {
    /// What is different from the look before. A look without keys changes none: a server keeps the
    /// old ones.
    pub(crate) fn step(&mut self, look: &Look) -> Vec<Event> {
        let event = |what, told: String| Event {
            at: look.at,
            what,
            told,
        };
        if let Some(fault) = look.fault() {
            let first = self.down_since.is_none();
            self.down_since.get_or_insert(look.at);
            return if first {
                vec![event(What::Outage, fault)]
            } else {
                Vec::new()
            };
        }
        let mut events = Vec::new();
        if let Some(since) = self.down_since.take() {
            events.push(event(
                What::Back,
                format!("after {}", lasted(look.at, since)),
            ));
        }
        let before = self.keys.take();
        let now = known(look, before.as_ref());
        let changes = match &before {
            None => now.values().map(|key| (What::Here, key.told())).collect(),
            Some(before) => changes(before, &now, look.at),
        };
        events.extend(changes.into_iter().map(|(what, told)| event(what, told)));
        events.extend(self.clock(look).map(|told| event(What::Clock, told)));
        self.keys = Some(now);
        events
    }

    /// The provider's clock, when it begins to be wrong, and when it is right again.
    fn clock(&mut self, look: &Look) -> Option<String> {
        let seconds = clock::difference(look.set.as_ref().ok()?.answer()?)?;
        let (before, apart) = (self.clock_apart, seconds.abs() > clock::DRIFT);
        self.clock_apart = apart;
        match (before, apart) {
            (false, true) => Some(clock::describe(seconds)),
            (true, false) => Some("right again".to_owned()),
            _ => None,
        }
    }
}

/// One key in the place of one other is a rotation; everything else is told key by key.
fn changes(
    before: &BTreeMap<String, Known>,
    now: &BTreeMap<String, Known>,
    at: NumericDate,
) -> Vec<(What, String)> {
    let added: Vec<&Known> = now
        .iter()
        .filter(|(id, _)| !before.contains_key(*id))
        .map(|(_, key)| key)
        .collect();
    let removed: Vec<&Known> = before
        .iter()
        .filter(|(id, _)| !now.contains_key(*id))
        .map(|(_, key)| key)
        .collect();
    let aged = |key: &Known| format!("{}, first seen {} ago", key.name, lasted(at, key.since));
    let mut told = Vec::new();
    if let ([new], [old]) = (&*added, &*removed) {
        told.push((
            What::Rotated,
            format!("{} replaces {}", new.told(), aged(old)),
        ));
    } else {
        told.extend(added.into_iter().map(|key| (What::Added, key.told())));
        told.extend(removed.into_iter().map(|key| (What::Removed, aged(key))));
    }
    let turned =
        |(id, key): &(&String, &Known)| before.get(*id).is_some_and(|old| old.usable != key.usable);
    told.extend(
        now.iter()
            .filter(turned)
            .map(|(_, key)| (What::Changed, key.told())),
    );
    told
}

/// The keys by what they are: a name that is given to another key is another key.
fn known(look: &Look, before: Option<&BTreeMap<String, Known>>) -> BTreeMap<String, Known> {
    let keys = look.set.iter().flat_map(|set| &set.keys);
    keys.map(|key| {
        let identity = format!("{} {}", key.name(), key.thumbprint().unwrap_or_default());
        let since = before
            .and_then(|before| before.get(&identity))
            .map_or(look.at, |known| known.since);
        (
            identity,
            Known {
                name: described(key),
                since,
                usable: key.verdict.is_ok(),
            },
        )
    })
    .collect()
}

fn described(key: &PublishedKey) -> String {
    let alg = key
        .text("alg")
        .map(|alg| format!(" {}", alg.escape_debug()))
        .unwrap_or_default();
    format!("{} ({}{alg})", key.name(), key.kind())
}

fn lasted(now: NumericDate, since: NumericDate) -> String {
    let seconds = u64::try_from(now.since(since)).unwrap_or_default();
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

impl Known {
    fn told(&self) -> String {
        let usable = if self.usable { "usable" } else { "not usable" };
        format!("{}, {usable}", self.name)
    }
}

impl What {
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

impl Event {
    pub(crate) fn line(&self) -> String {
        let word = styled(self.what.style(), &format!("{:<8}", self.what.word()));
        format!("{}  {word} {}\n", self.moment(), self.told)
    }

    pub(crate) fn as_json(&self) -> Value {
        json!({ "time": self.moment(), "event": self.what.word(), "told": self.told })
    }

    fn moment(&self) -> String {
        let seconds = u64::try_from(self.at.seconds()).unwrap_or_default();
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
    }
}

#[cfg(test)]
#[cfg(feature = "dev")]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig, Overlap};
    use portcullis_provider::inspect::Inspector;
    use portcullis_resource_server::IssuerConfig;
    use portcullis_resource_server::clock::{Clock, TestClock};
    use std::sync::Arc;

    struct World {
        idp: Idp,
        clock: Arc<TestClock>,
        inspector: Inspector,
        watch: Watch,
    }

    impl World {
        /// The provider's clock, which stands in its answers, is the machine's.
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
                watch: Watch::default(),
            }
        }

        /// What the next look brings.
        async fn words(&mut self) -> Vec<&'static str> {
            let events = self.watch.step(&Look::at(&self.inspector).await);
            events.iter().map(|event| event.what.word()).collect()
        }
    }

    #[tokio::test]
    async fn rotations_are_told_with_what_they_replace() {
        let mut world = World::new().await;
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
    async fn an_outage_is_told_once_and_so_is_its_end() {
        let mut world = World::new().await;
        world.words().await;
        world.idp.fail(Endpoint::Jwks, Fault::InternalError);
        assert_eq!(world.words().await, ["outage"]);
        assert_eq!(world.words().await, Vec::<&str>::new());
        world.clock.advance(Duration::from_secs(5));
        world.idp.fail(Endpoint::Jwks, Fault::None);
        let events = world.watch.step(&Look::at(&world.inspector).await);
        assert_eq!(
            events.first().map(|event| event.told.as_str()),
            Some("after 5s")
        );
    }

    #[tokio::test]
    async fn a_clock_that_is_wrong_is_told_when_it_begins_and_when_it_ends() {
        let mut world = World::new().await;
        world.words().await;
        world.clock.advance(Duration::from_secs(90));
        let events = world.watch.step(&Look::at(&world.inspector).await);
        let [event] = &*events else {
            panic!("{events:?}")
        };
        assert_eq!(event.what, What::Clock);
        assert!(
            event.told.ends_with("seconds: theirs is behind"),
            "{}",
            event.told
        );
        assert!(event.line().contains("clock") && event.as_json()["event"] == "clock");
        assert_eq!(world.words().await, Vec::<&str>::new());
    }

    /// Between two looks goes the time that a server would wait.
    #[tokio::test]
    async fn the_next_look_is_when_a_server_would_ask_again() {
        let world = World::new().await;
        let look = Look::at(&world.inspector).await;
        assert_eq!(
            (look.max_age(), look.next_fetch()),
            (Some(Duration::from_secs(300)), Duration::from_secs(300))
        );
        world.idp.fail(Endpoint::Jwks, Fault::InternalError);
        assert_eq!(
            Look::at(&world.inspector).await.next_fetch(),
            Duration::from_secs(60)
        );
    }
}
