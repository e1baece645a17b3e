//! The callers of the soak: each asks at a fixed rate, in turn every question there is, every other
//! one over HTTP/2.

use crate::expected::{Answer, BROKEN_OFF, Expected, Moment, Question, Switch, good_token};
use crate::http2::Http2;
use portcullis_idp::Idp;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::RwLock;

const CLIENTS: usize = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// What the callers counted, by question and status, and the first wrong answers in full.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Counts>>);

#[derive(Clone, Default)]
pub(crate) struct Counts {
    pub(crate) answers: BTreeMap<(&'static str, u16), u64>,
    pub(crate) wrong: u64,
    pub(crate) told: Vec<String>,
}

impl Tally {
    pub(crate) fn counts(&self) -> Counts {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn add(&self, name: &'static str, right: bool, given: &Answer) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.answers.entry((name, given.0)).or_default() += 1;
        if !right {
            counts.wrong += 1;
            if counts.told.len() < 20 {
                let told: String = given.1.chars().take(300).collect();
                counts.told.push(format!("{name}: {} {told}", given.0));
            }
        }
    }
}

/// The identity provider; while the lock is held for reading no key is exchanged.
pub(crate) type SharedIdp = Arc<RwLock<Idp>>;

/// Asks until the tasks are ended.
pub(crate) fn start(
    gateway: SocketAddr,
    idp: &SharedIdp,
    expected: &Expected,
    tally: &Tally,
) -> tokio::task::JoinSet<()> {
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (idp, expected, tally) = (Arc::clone(idp), expected.clone(), tally.clone());
        clients.spawn(async move {
            let http = client_of_one_connection();
            let mut http2 = Http2::default();
            let mut tick = tokio::time::interval(PAUSE);
            for turn in client.. {
                tick.tick().await;
                // Taken with the key that signs now, so that both are of the same rotation.
                let provider = idp.read().await;
                let sent = expected.now();
                let question = question(turn, &sent, &provider);
                drop(provider);
                let given = if client % 2 == 0 {
                    ask(&http, gateway, &question).await
                } else {
                    http2.ask(gateway, &question).await
                };
                tally.add(
                    question.name,
                    question.allows(&given, &sent, &expected.now()),
                    &given,
                );
            }
        });
    }
    clients
}

pub(crate) fn client_of_one_connection() -> reqwest::Client {
    let builder = reqwest::Client::builder()
        .pool_max_idle_per_host(1)
        .no_proxy();
    builder
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

/// The answer; no answer is the status 0, which is never right.
pub(crate) async fn ask(
    http: &reqwest::Client,
    gateway: SocketAddr,
    question: &Question,
) -> Answer {
    let url = format!("http://{gateway}{}", question.path);
    let mut request = match question.post {
        Some(body) => http.post(url).body(body),
        None => http.get(url),
    };
    if let Some(token) = &question.token {
        request = request.bearer_auth(token);
    }
    let answered = async {
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok::<_, reqwest::Error>((status, response.text().await))
    };
    judged(answered.await)
}

/// An answer, whole or broken off.
pub(crate) fn judged<E: Debug>(answered: Result<(u16, Result<String, E>), E>) -> Answer {
    match answered {
        Ok((status, Ok(text))) => (status, text),
        Ok((200, Err(error))) => (BROKEN_OFF, format!("{error:?}")),
        Ok((_, Err(error))) | Err(error) => (0, format!("{error:?}")),
    }
}

fn question(turn: usize, moment: &Moment, idp: &Idp) -> Question {
    let tokens = &moment.tokens;
    let (subject, known) = &tokens.good[turn * 7 % tokens.good.len()];
    let get = |name, path, token: Option<&str>, status, told: &str| Question {
        name,
        path,
        token: token.map(str::to_owned),
        post: None,
        right: (status, told.to_owned()),
        rotation: token.map(|_| tokens.rotation),
        open: None,
    };
    match turn % 20 {
        0..=3 => get("known token", "/orders/17", Some(known), 200, subject),
        4 | 5 => {
            let subject = format!("fresh-{turn}");
            get(
                "fresh token",
                "/orders/18",
                Some(&good_token(idp, &subject)),
                200,
                &subject,
            )
        }
        6 => match &moment.before {
            Some(before) => {
                let (subject, token) = &before.good[turn % before.good.len()];
                let rotation = Some(before.rotation);
                Question {
                    rotation,
                    ..get(
                        "token of the key before",
                        "/orders/1",
                        Some(token),
                        200,
                        subject,
                    )
                }
            }
            None => get("known token", "/orders/1", Some(known), 200, subject),
        },
        7 => get(
            "expired",
            "/orders/17",
            Some(&tokens.expired),
            401,
            "token.expired",
        ),
        8 => get(
            "wrong audience",
            "/orders/17",
            Some(&tokens.other_audience),
            401,
            "token.audience",
        ),
        9 => get(
            "forged",
            "/admin",
            Some(&tokens.forged),
            401,
            "token.signature",
        ),
        10 => get("role missing", "/admin", Some(known), 403, "policy.role"),
        11 => get("role there", "/admin", Some(&tokens.admin), 200, "root"),
        12 => get("public", "/public/a", None, 200, "nobody"),
        13 => get("no token", "/orders/17", None, 401, "credential.missing"),
        14 => switch(moment),
        15 | 16 => get(
            "known token (2)",
            "/v2/orders/17",
            Some(known),
            200,
            subject,
        ),
        17 => get("public (2)", "/v2/public/a", None, 200, "nobody"),
        18 => {
            let post = Some(" sent this");
            let right = format!("{subject} sent this");
            Question {
                post,
                ..get("POST (2)", "/v2/orders", Some(known), 200, &right)
            }
        }
        _ => {
            let post = Some(" sent this");
            Question {
                post,
                ..get(
                    "POST",
                    "/orders",
                    Some(known),
                    200,
                    &format!("{subject} sent this"),
                )
            }
        }
    }
}

fn switch(moment: &Moment) -> Question {
    let tokens = &moment.tokens;
    Question {
        name: "switched route",
        path: "/switch",
        token: Some(tokens.good[0].1.clone()),
        post: None,
        right: (403, "policy.role".to_owned()),
        rotation: Some(tokens.rotation),
        open: Some((200, "nobody".to_owned())),
    }
}

/// Asks for `/switch` until the answer is the one of these settings; whether it came within five
/// seconds.
pub(crate) async fn switched(gateway: SocketAddr, moment: &Moment, to: Switch) -> bool {
    let http = client_of_one_connection();
    let asked = switch(moment);
    for _ in 0..100 {
        let given = ask(&http, gateway, &asked).await;
        if (given.0 == 200) == (to == Switch::Everybody) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}
