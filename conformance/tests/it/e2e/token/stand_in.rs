//! A provider that answers as a test wants it, and an API that asks for another sign-in. Nobody has
//! to type anything: its page sends the browser straight back.

use super::{Said, Shell, Waiting};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

pub(super) type Form = HashMap<String, String>;

#[derive(Default)]
pub(super) struct Script {
    metadata: Value,
    replies: VecDeque<(u16, &'static str, String)>,
    pub(super) forms: Vec<Form>,
    /// The parameters with which the browser came.
    pub(super) sign_ins: Vec<Form>,
}

#[derive(Clone)]
pub(in crate::e2e) struct StandIn {
    pub(in crate::e2e) issuer: String,
    script: Arc<Mutex<Script>>,
}

impl StandIn {
    pub(in crate::e2e) async fn start() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap();
        let issuer = format!("http://{}", socket.local_addr().unwrap());
        let at = |path: &str| format!("{issuer}{path}");
        let metadata = json!({
            "issuer": issuer, "jwks_uri": at("/jwks"), "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "device_authorization_endpoint": at("/token"), "code_challenge_methods_supported": ["S256"],
        });
        let script = Arc::new(Mutex::new(Script {
            metadata,
            ..Script::default()
        }));
        let app = Router::new()
            .route("/authorize", get(authorize))
            .fallback(answer)
            .with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(socket, app).await });
        Self { issuer, script }
    }

    /// Changes a member of the metadata; `null` leaves it out.
    pub(super) fn says(&self, name: &str, value: Value) {
        let mut script = self.script.lock().unwrap();
        script.metadata[name] = value;
        script
            .metadata
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
    }

    /// The next answer of the token endpoint; without one it hands out `token-1` and so on, with
    /// refresh tokens.
    pub(in crate::e2e) fn answers(
        &self,
        status: u16,
        content_type: &'static str,
        body: &str,
    ) -> &Self {
        self.script
            .lock()
            .unwrap()
            .replies
            .push_back((status, content_type, body.to_owned()));
        self
    }

    pub(in crate::e2e) fn answers_json(&self, status: u16, body: &Value) -> &Self {
        self.answers(status, "application/json", &body.to_string())
    }

    pub(super) fn seen<T>(&self, look: impl FnOnce(&Script) -> T) -> T {
        look(&self.script.lock().unwrap())
    }

    pub(super) fn shell(&self) -> Shell {
        Shell::new(&self.issuer).with("OAUTH2_CLIENT_ID", "app")
    }

    /// Runs a command that has to open the browser, and goes where it is sent.
    pub(super) async fn signed_in(&self, shell: &Shell, arguments: &[&str]) -> Said {
        let waiting = Waiting::start(shell.command(arguments).env("BROWSER", "true"));
        let start = format!("{}/authorize?", self.issuer);
        let page = waiting.hears(|said| {
            // The address may be read before its end is: it is whole where a line ends.
            let line = said
                .split_inclusive('\n')
                .find(|line| line.contains(&start) && line.ends_with('\n'))?;
            Some(line.trim().to_owned())
        });
        let landed = reqwest::get(page).await.unwrap();
        assert_eq!(landed.status(), 200);
        waiting.end()
    }
}

async fn authorize(
    State(script): State<Arc<Mutex<Script>>>,
    Query(query): Query<Form>,
) -> Redirect {
    let back = format!("{}?code=c&state={}", query["redirect_uri"], query["state"]);
    script.lock().unwrap().sign_ins.push(query);
    Redirect::to(&back)
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, uri: Uri, body: Bytes) -> Response {
    let mut script = script.lock().unwrap();
    let json = |body: String| ([("content-type", "application/json")], body).into_response();
    if uri.path().starts_with("/.well-known/") {
        return json(script.metadata.to_string());
    }
    script.forms.push(
        url::form_urlencoded::parse(&body)
            .into_owned()
            .collect(),
    );
    let number = script.forms.len();
    match script.replies.pop_front() {
        Some((status, content_type, body)) => (
            StatusCode::from_u16(status).unwrap(),
            [("content-type", content_type)],
            body,
        )
            .into_response(),
        None => json(good(number).to_string()),
    }
}

pub(super) fn good(number: usize) -> Value {
    let (access, refresh) = (format!("token-{number}"), format!("refresh-{number}"));
    json!({ "access_token": access, "token_type": "Bearer", "expires_in": 300, "refresh_token": refresh })
}

/// An API that takes these tokens, and answers others with a challenge.
pub(in crate::e2e) async fn api(
    challenge: &'static str,
    takes: &'static [&'static str],
) -> (String, Arc<Mutex<Vec<String>>>) {
    let calls = Arc::<Mutex<Vec<String>>>::default();
    let answer = move |State(calls): State<Arc<Mutex<Vec<String>>>>,
                       headers: HeaderMap,
                       body: Bytes| async move {
        let shown = headers["authorization"].to_str().unwrap();
        calls
            .lock()
            .unwrap()
            .push(format!("{shown} {}", String::from_utf8_lossy(&body)));
        match takes.iter().any(|token| shown.ends_with(token)) {
            true => "welcome".into_response(),
            false => (
                StatusCode::UNAUTHORIZED,
                [("www-authenticate", challenge)],
                "no",
            )
                .into_response(),
        }
    };
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let app = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&calls));
    tokio::spawn(async move { axum::serve(socket, app).await });
    (url, calls)
}
