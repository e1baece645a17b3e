//! How long a logout takes until everybody refuses: from the last click in a browser at npm
//! oidc-provider, and from an event of a transmitter that is not ours, pushed and fetched.

use crate::api::{closes, open_socket};
use crate::arguments::{Arguments, installed, portcullis, redis_server, source_folder};
use crate::figures::Times;
use crate::fleet::{AUTHORIZATION, Fleet};
use crate::issuer::{API, EVENTS, Issuer, REVOKED};
use crate::process::load_average;
use crate::script::Script;
use crate::sign_in::Person;
use crate::store::{Persistence, Redis};
use crate::wire::{Connection, get};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What polls carry.
const SECRET: &str = "transmitter-secret";

/// Between two questions whether a token is refused.
const PAUSE: Duration = Duration::from_millis(1);

/// How long one trial may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything that the trials need, or what is missing.
struct Programs {
    redis: PathBuf,
    python: PathBuf,
    provider: PathBuf,
}

impl Programs {
    fn find() -> Result<Self, String> {
        installed("PORTCULLIS_CHROMIUM", &["/usr/bin/chromium-headless-shell"])?;
        let driver = source_folder("e2e/chromium");
        if !driver.join("node_modules/playwright-core").is_dir() {
            return Err(
                "missing: playwright-core; `npm ci` in conformance/e2e/chromium".to_owned(),
            );
        }
        let recipes = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("recipes/bin");
        let python = installed("PORTCULLIS_PYTHON", &[recipes.to_str().unwrap()])?;
        let provider = source_folder("e2e/oidc-provider");
        let provider = installed("PORTCULLIS_OIDC_PROVIDER", &[provider.to_str().unwrap()])?;
        if !provider.join("node_modules/oidc-provider").is_dir() {
            return Err(
                "missing: npm oidc-provider; `cargo xtask providers` installs it".to_owned(),
            );
        }
        Ok(Self {
            redis: redis_server()?,
            python: if python.is_dir() {
                python.join("python")
            } else {
                python
            },
            provider,
        })
    }
}

/// The replicas, and those who tell them.
struct Trials {
    fleet: Fleet,
    _redis: Redis,
    idp: Issuer,
    transmitter: Script,
    person: Person,
}

/// How the replicas hear of it.
#[derive(Clone, Copy, Debug)]
enum Way {
    Logout,
    Push,
    Poll,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), String> {
    let programs = Programs::find()?;
    let count = arguments.number("count", 200);
    let mut trials = Trials::start(arguments, &programs).await;
    println!("load average {} before", load_average());
    for way in [Way::Logout, Way::Push, Way::Poll] {
        let (mut refused, mut closed, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let trial = trials.one(way, number);
            let trial = tokio::time::timeout(PATIENCE, trial).await;
            let (tokens, sockets) = trial.map_err(|_| format!("{way:?} {number}: not ended"))?;
            refused.push(tokens);
            closed.push(sockets);
            all.push(tokens.max(sockets));
        }
        println!("{way:?}");
        println!(
            "  all three refuse the token:        {}",
            Times::new(refused)
        );
        println!(
            "  all three WebSockets are closed:   {}",
            Times::new(closed)
        );
        println!("  both:                              {}", Times::new(all));
    }
    println!("load average {} after", load_average());
    Ok(())
}

impl Trials {
    async fn start(arguments: &Arguments, programs: &Programs) -> Self {
        let redis = Redis::start(programs.redis.clone(), Persistence::None).await;
        let mut fleet = Fleet::plan(portcullis(arguments), 3);
        let idp = Issuer::start().await;
        let logout = receiver(&fleet, "logout");
        let person = Person::start(&programs.provider, &logout).await;
        let told = json!({ "audience": EVENTS, "algorithm": "ES256", "secret": SECRET });
        let mut transmitter = Script::start(
            &programs.python,
            &["-B", "transmitter.py", &told.to_string()],
            &source_folder("e2e/transmitter"),
            &[],
        );
        let issuer = transmitter.line().await["issuer"]
            .as_str()
            .unwrap()
            .to_owned();
        fleet.write("poll", &format!("Bearer {SECRET}"));
        let settings = settings(&person.issuer, &idp, &issuer, redis.port);
        let api = crate::api::start(|_| String::new()).await;
        fleet.start(api, &settings).await;
        Self {
            fleet,
            _redis: redis,
            idp,
            transmitter,
            person,
        }
    }

    /// How long until all replicas refuse the token, and until all WebSockets are closed.
    async fn one(&mut self, way: Way, number: usize) -> (Duration, Duration) {
        let session = format!("{way:?}-{number}");
        let token = match way {
            Way::Logout => self.person.sign_in().await,
            _ => self.idp.token("alice", &session),
        };
        let mut watch = Watch::start(&self.fleet.addresses(), &token).await;
        let event = self.event(&session);
        if let Way::Logout = way {
            self.person.ask_to_sign_out().await;
        }
        let began = Instant::now();
        match way {
            Way::Logout => self.person.sign_out().await,
            Way::Push => {
                let told = self.transmitter.ask("push", event).await;
                assert_eq!(told["status"], 202, "{told}");
            }
            Way::Poll => _ = self.transmitter.ask("queue", event).await,
        }
        watch.end(began).await
    }

    fn event(&self, session: &str) -> Value {
        json!({
            "url": receiver(&self.fleet, "events/push"),
            "authorization": AUTHORIZATION,
            "event": REVOKED,
            "subject": {
                "format": "complex",
                "user": { "format": "iss_sub", "iss": self.idp.url, "sub": "alice" },
                "session": { "format": "opaque", "id": session },
            },
        })
    }
}

/// An address below the receivers' path of the first replica.
fn receiver(fleet: &Fleet, path: &str) -> String {
    format!("http://{}/.portcullis/{path}", fleet.replicas[0].address)
}

fn settings(provider: &str, idp: &Issuer, transmitter: &str, store: u16) -> String {
    let (issuer, audience) = (&idp.url, API);
    let stream =
        format!("issuer = \"{transmitter}\"\naudience = \"{EVENTS}\"\ntokens_of = \"{issuer}\"\n");
    format!(
        "[[issuer]]\nurl = \"{provider}\"\naudience = [\"{audience}\"]\n\
         [issuer.logout]\nclients = [\"web\"]\n\
         [[issuer]]\nurl = \"{issuer}\"\naudience = [\"{audience}\"]\n\
         [[events]]\nname = \"push\"\nauthorization_file = \"authorization\"\n{stream}\
         [[events]]\nname = \"poll\"\ndelivery = \"poll\"\npoll_url = \"{transmitter}/poll\"\n\
         authorization_file = \"poll\"\n{stream}\
         [revocation]\nstore = \"redis://127.0.0.1:{store}\"\n"
    )
}

/// Looks at a token and a WebSocket at each replica, until both have ended.
struct Watch {
    tokens: JoinSet<Instant>,
    sockets: JoinSet<Instant>,
}

impl Watch {
    async fn start(addresses: &[SocketAddr], token: &str) -> Self {
        let (mut tokens, mut sockets) = (JoinSet::new(), JoinSet::new());
        for address in addresses {
            let mut connection = Connection::open(*address).await.unwrap();
            let request = get("/orders", token);
            let answer = connection.ask(&request).await.unwrap();
            assert_eq!(answer.status, 200, "before it ends");
            tokens.spawn(refused(connection, request));
            sockets.spawn(closed(open_socket(*address, token).await));
        }
        Self { tokens, sockets }
    }

    async fn end(&mut self, began: Instant) -> (Duration, Duration) {
        let last = async |ends: &mut JoinSet<Instant>| {
            let mut last = began;
            while let Some(end) = ends.join_next().await {
                last = last.max(end.unwrap());
            }
            last - began
        };
        (last(&mut self.tokens).await, last(&mut self.sockets).await)
    }
}

async fn refused(mut connection: Connection, request: Vec<u8>) -> Instant {
    while connection.ask(&request).await.unwrap().status != 401 {
        tokio::time::sleep(PAUSE).await;
    }
    Instant::now()
}

async fn closed(socket: TcpStream) -> Instant {
    closes(socket).await;
    Instant::now()
}
