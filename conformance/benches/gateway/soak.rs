//! The soak: callers at 500 requests a second, hostile ones among them, every ten seconds something
//! happens, and not one answer may be wrong. Servers behind the gateway are killed with FIN and
//! with RST, hang, and break off their answers.

use crate::clients::{self, SharedIdp, Tally, ask, client_of_one_connection, switched};
use crate::expected::{Expected, Moment, Question, Switch, Tokens};
use crate::hostile;
use crate::process::{Process, answers, folder, free_address, portcullis};
use crate::upstream::{Mode, Upstream};
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig, Overlap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::RwLock;
use tokio::time::sleep;

const BETWEEN: Duration = Duration::from_secs(10);
/// Fewer than there are fresh tokens in half a minute: so that the cache is full before memory is
/// compared.
const REMEMBERED: usize = 1_000;
/// How much more memory is still flat: of the first minute's median.
const FLAT: f64 = 1.10;

/// What happens, in this order and again. Three minutes of it ask for four fetches of keys that the
/// schedule does not: fewer than callers can force upon the gateway.
const EVENTS: [(&str, Event); 18] = [
    (
        "key rotated, the old one published on",
        Event::Rotate(Overlap::With),
    ),
    ("settings changed", Event::Settings),
    ("upstream 1 killed (RST) and started", Event::Reset(0)),
    ("upstream 2 hangs", Event::Fails(1, Mode::Hangs)),
    (
        "upstream 1 breaks off its answers",
        Event::Fails(0, Mode::BreaksOff),
    ),
    ("upstream 1 killed and started", Event::Restart(0)),
    ("settings that are no TOML", Event::Bad("[[route")),
    (
        "key rotated, the old one gone",
        Event::Rotate(Overlap::Without),
    ),
    ("upstream 2 killed and started", Event::Restart(1)),
    ("settings changed", Event::Settings),
    ("SIGHUP, nothing changed", Event::Hangup),
    ("upstream 2 killed (RST) and started", Event::Reset(1)),
    ("upstream 1 hangs", Event::Fails(0, Mode::Hangs)),
    (
        "upstream 2 breaks off its answers",
        Event::Fails(1, Mode::BreaksOff),
    ),
    ("identity provider down", Event::Outage),
    ("upstream 1 killed and started", Event::Restart(0)),
    (
        "settings with an unknown member",
        Event::Bad("[[route]]\npath = \"/admin\"\nacess = \"public\"\n"),
    ),
    ("upstream 2 killed and started", Event::Restart(1)),
];

#[derive(Clone, Copy)]
enum Event {
    Rotate(Overlap),
    Settings,
    Bad(&'static str),
    Restart(usize),
    Reset(usize),
    Fails(usize, Mode),
    Hangup,
    Outage,
}

/// Everything that takes part.
struct SoakSetup {
    gateway: Process,
    address: SocketAddr,
    settings: PathBuf,
    idp: SharedIdp,
    servers: [SocketAddr; 2],
    running: [Option<Upstream>; 2],
    expected: Expected,
    tally: Tally,
}

/// Whether nothing was wrong.
pub(crate) async fn run(seconds: u64) -> bool {
    let mut world = SoakSetup::start().await;
    let mut callers = clients::start(world.address, &world.idp, &world.expected, &world.tally);
    callers.spawn(hostile::hold(world.address));
    callers.spawn(hostile::run(
        world.address,
        world.expected.clone(),
        world.tally.clone(),
    ));
    let began = Instant::now();
    let mut resident = Vec::new();
    let mut happened = 0;
    while began.elapsed() < Duration::from_secs(seconds) {
        let (name, event) = EVENTS[happened % EVENTS.len()];
        println!("{:>4} s  {name}", began.elapsed().as_secs());
        world.happen(event, began, &mut resident).await;
        happened += 1;
        while began.elapsed() < BETWEEN * u32::try_from(happened).unwrap() {
            world
                .rest(Duration::from_millis(200), began, &mut resident)
                .await;
        }
    }
    drop(callers);
    world.told(happened, began.elapsed(), &resident)
}

impl SoakSetup {
    async fn start() -> Self {
        let folder = folder("soak");
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let servers = [free_address(), free_address()];
        let running = [
            Some(Upstream::start(servers[0]).await),
            Some(Upstream::start(servers[1]).await),
        ];
        let (address, admin) = (free_address(), free_address());
        let settings = folder.join("portcullis.toml");
        let moment = Moment {
            tokens: Tokens::signed(&idp, 0),
            before: None,
            good_from: 0,
            switch: Switch::Everybody,
            restarting: false,
            keys_in_doubt: false,
            breaking: false,
        };
        std::fs::write(&settings, text(&idp, address, admin, servers)).unwrap();
        let arguments = ["serve", "--config", settings.to_str().unwrap()];
        let gateway = Process::start(&portcullis(), &arguments, None, &folder.join("gateway.txt"));
        answers(&format!("http://{admin}/ready")).await;
        let (expected, tally) = (Expected::new(moment), Tally::default());
        Self {
            gateway,
            address,
            settings,
            idp: Arc::new(RwLock::new(idp)),
            servers,
            running,
            expected,
            tally,
        }
    }

    async fn happen(&mut self, event: Event, began: Instant, resident: &mut Vec<(u64, u64)>) {
        match event {
            Event::Rotate(overlap) => self.rotate(overlap).await,
            Event::Settings => self.switch().await,
            Event::Bad(text) => {
                let good = std::fs::read_to_string(&self.settings).unwrap();
                std::fs::write(&self.settings, text).unwrap();
                self.gateway.signal("-HUP");
                self.rest(Duration::from_secs(5), began, resident)
                    .await;
                std::fs::write(&self.settings, good).unwrap();
            }
            Event::Fails(server, mode) => self.fail(server, mode, began, resident).await,
            Event::Restart(server) | Event::Reset(server) => {
                self.expected.change(|moment| moment.restarting = true);
                match (self.running[server].take(), event) {
                    (Some(running), Event::Reset(_)) => running.reset(),
                    (running, _) => drop(running),
                }
                self.rest(Duration::from_secs(3), began, resident)
                    .await;
                self.running[server] = Some(Upstream::start(self.servers[server]).await);
                self.rest(Duration::from_secs(1), began, resident)
                    .await;
                self.expected
                    .change(|moment| moment.restarting = false);
            }
            Event::Hangup => self.gateway.signal("-HUP"),
            Event::Outage => self.outage(began, resident).await,
        }
    }

    /// A server hangs, or breaks off its answers, for five seconds.
    async fn fail(
        &mut self,
        server: usize,
        mode: Mode,
        began: Instant,
        resident: &mut Vec<(u64, u64)>,
    ) {
        let change = |expected: &Expected, fails| {
            expected.change(|moment| match mode {
                Mode::BreaksOff => moment.breaking = fails,
                _ => moment.restarting = fails,
            });
        };
        change(&self.expected, true);
        if let Some(running) = &self.running[server] {
            running.set(mode);
        }
        self.rest(Duration::from_secs(5), began, resident)
            .await;
        if let Some(running) = &self.running[server] {
            running.set(Mode::Answers);
        }
        // What was under way comes to its end, and the server is no longer passed over.
        self.rest(Duration::from_secs(3), began, resident)
            .await;
        change(&self.expected, false);
    }

    /// From now on a token of the new key is good at once; one of the old key as long as it is
    /// published.
    async fn rotate(&mut self, overlap: Overlap) {
        // Those of two keys ago go out of use first, and what is under way comes to its end.
        self.expected.change(|moment| moment.before = None);
        sleep(Duration::from_millis(300)).await;
        let old = self.expected.now().tokens;
        let idp = self.idp.write().await;
        let rotation = old.rotation + 1;
        let gone = overlap == Overlap::Without;
        self.expected
            .change(|moment| moment.good_from = if gone { rotation } else { old.rotation });
        idp.rotate(overlap).await;
        let tokens = Tokens::signed(&idp, rotation);
        self.expected.change(|moment| {
            moment.tokens = Arc::clone(&tokens);
            moment.before = (!gone).then(|| Arc::clone(&old));
        });
        drop(idp);
        // The first token of the new key makes the gateway fetch it; thereafter those of a key that
        // is gone are bad.
        self.check(
            "first token of a new key",
            &tokens.good[0],
            (200, tokens.good[0].0.clone()),
        )
        .await;
        if gone {
            for caller in old.good.iter().take(20) {
                self.check(
                    "token of a key that is gone",
                    caller,
                    (401, "token.key_unknown".to_owned()),
                )
                .await;
            }
        }
    }

    async fn switch(&mut self) {
        let now = self.expected.now();
        let to = if now.switch == Switch::Everybody {
            Switch::Admins
        } else {
            Switch::Everybody
        };
        let before = std::fs::read_to_string(&self.settings).unwrap();
        let (open, closed) = (OPEN, CLOSED);
        let (old, new) = if to == Switch::Admins {
            (open, closed)
        } else {
            (closed, open)
        };
        self.expected
            .change(|moment| moment.switch = Switch::Either);
        std::fs::write(&self.settings, before.replace(old, new)).unwrap();
        self.gateway.signal("-HUP");
        let done = switched(self.address, &now, to).await;
        self.tally.add(
            "settings in use in 5 s",
            done,
            &(u16::from(done), String::new()),
        );
        // What was asked in the meantime comes to its end.
        sleep(Duration::from_millis(300)).await;
        self.expected.change(|moment| moment.switch = to);
    }

    /// Without its identity provider the gateway goes on with the keys it has; of an unknown one it
    /// cannot tell.
    async fn outage(&mut self, began: Instant, resident: &mut Vec<(u64, u64)>) {
        let fault = |idp: &Idp, fault| {
            idp.fail(Endpoint::Jwks, fault);
            idp.fail(Endpoint::Metadata, fault);
        };
        self.expected
            .change(|moment| moment.keys_in_doubt = true);
        fault(&*self.idp.read().await, Fault::InternalError);
        let stranger = self
            .idp
            .read()
            .await
            .token("stranger")
            .kid("nobody-knows")
            .scope("orders:read")
            .sign();
        let caller = ("stranger".to_owned(), stranger);
        self.check(
            "unknown key, provider down",
            &caller,
            (503, "outage.".to_owned()),
        )
        .await;
        self.rest(Duration::from_secs(5), began, resident)
            .await;
        fault(&*self.idp.read().await, Fault::None);
        // Fetches that failed are tried again after 1, 2, 4 and 8 seconds.
        self.rest(Duration::from_secs(9), began, resident)
            .await;
        self.expected
            .change(|moment| moment.keys_in_doubt = false);
    }

    async fn check(&self, name: &'static str, (_, token): &(String, String), right: (u16, String)) {
        let question = Question {
            name,
            path: "/orders/17",
            token: Some(token.clone()),
            post: None,
            right,
            rotation: None,
            open: None,
        };
        let moment = self.expected.now();
        let given = ask(&client_of_one_connection(), self.address, &question).await;
        self.tally
            .add(name, question.allows(&given, &moment, &moment), &given);
    }

    /// Lets time go by, and looks at the memory once a second.
    async fn rest(&self, time: Duration, began: Instant, resident: &mut Vec<(u64, u64)>) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            let second = began.elapsed().as_secs();
            if resident.last().is_none_or(|(last, _)| *last < second) {
                resident.push((second, self.gateway.resident()));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn told(mut self, happened: usize, took: Duration, resident: &[(u64, u64)]) -> bool {
        let counts = self.tally.counts();
        println!("\n{:<34} {:>6} {:>9}", "question", "status", "answers");
        for ((name, status), count) in &counts.answers {
            println!("{name:<34} {status:>6} {count:>9}");
        }
        for told in &counts.told {
            println!("WRONG  {told}");
        }
        let all: u64 = counts.answers.values().sum();
        let last = took.as_secs().saturating_sub(60);
        let early = median(resident.iter().filter(|(second, _)| *second < 60));
        let late = median(resident.iter().filter(|(second, _)| *second >= last));
        let most = resident
            .iter()
            .map(|(_, kilobytes)| *kilobytes)
            .max()
            .unwrap_or_default();
        let (lives, flat) = (self.gateway.lives(), late as f64 <= early as f64 * FLAT);
        println!(
            "\n{all} answers in {} s, {happened} events: {} wrong",
            took.as_secs(),
            counts.wrong
        );
        println!(
            "resident: {early} kB median of the first minute, {late} kB of the last, {most} kB at most"
        );
        match self.gateway.ended() {
            None => println!("the gateway lives"),
            Some(status) => println!("the gateway DIED: {status}"),
        }
        counts.wrong == 0 && lives && flat
    }
}

/// The route that is switched: what opens it, and what closes it.
const OPEN: &str = "path = \"/switch\"\naccess = \"public\"";
const CLOSED: &str = "path = \"/switch\"\nrequire = { role = \"Admin\" }";

fn text(idp: &Idp, address: SocketAddr, admin: SocketAddr, [one, two]: [SocketAddr; 2]) -> String {
    format!(
        "remembered_tokens = {REMEMBERED}\n\n[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n\n\
         [gateway]\nlisten = \"{address}\"\nupstream = \"api\"\ntimeouts = {{ response = 2, body = 1, reader = 2, linger = 1 }}\n\
         limits = {{ body_bytes = 100000 }}\n\n[gateway.admin]\nlisten = \"{admin}\"\n\n\
         [[upstream]]\nname = \"api\"\nservers = [\"http://{one}\", \"http://{two}\"]\n\n\
         [[upstream]]\nname = \"api2\"\nprotocol = \"http2\"\nservers = [\"http://{one}\", \"http://{two}\"]\n\n\
         [[route]]\npath = \"/orders/**\"\nrequire = {{ scope = \"orders:read\" }}\n\n\
         [[route]]\npath = \"/admin/**\"\nrequire = {{ role = \"Admin\" }}\n\n\
         [[route]]\npath = \"/v2/orders/**\"\nrequire = {{ scope = \"orders:read\" }}\nupstream = \"api2\"\n\n\
         [[route]]\npath = \"/v2/public/**\"\naccess = \"public\"\nupstream = \"api2\"\n\n\
         [[route]]\npath = \"/public/**\"\naccess = \"public\"\n\n[[route]]\n{OPEN}\n",
        idp.issuer(),
        idp.audience(),
    )
}

fn median<'r>(samples: impl Iterator<Item = &'r (u64, u64)>) -> u64 {
    let mut samples: Vec<u64> = samples.map(|(_, kilobytes)| *kilobytes).collect();
    samples.sort_unstable();
    samples
        .get(samples.len() / 2)
        .copied()
        .unwrap_or_default()
}
