//! A provider that follows a script, and records its requests.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use portcullis_client::clock::TestClock;
use portcullis_client::{Authentication, Client, Provider, Secret};
use portcullis_core::token::NumericDate;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) struct Scripted {
    pub(crate) base: String,
    pub(crate) clock: Arc<TestClock>,
    script: Arc<Script>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Script {
    metadata: Mutex<Value>,
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
}

/// A request to an endpoint other than the metadata.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) form: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn member(&self, name: &str) -> Option<&str> {
        self.form
            .iter()
            .find(|(held, _)| held == name)
            .map(|(_, value)| value.as_str())
    }
}

/// One response.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self {
            status,
            headers,
            body: body.to_string(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl Scripted {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::<Script>::default();
        let endpoint = |path: &str| format!("{base}{path}");
        *script.metadata.lock().unwrap() = json!({
            "issuer": base,
            "jwks_uri": endpoint("/jwks"),
            "authorization_endpoint": endpoint("/authorize"),
            "token_endpoint": endpoint("/token"),
            "device_authorization_endpoint": endpoint("/device"),
            "pushed_authorization_request_endpoint": endpoint("/par"),
            "revocation_endpoint": endpoint("/revoke"),
            "end_session_endpoint": endpoint("/logout"),
            "code_challenge_methods_supported": ["S256"],
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let clock = Arc::new(TestClock::at(NumericDate::from_seconds(1_800_000_000)));
        Self {
            base,
            clock,
            script,
            serving,
        }
    }

    /// Changes a member of the metadata; `null` removes it.
    pub(crate) fn says(&self, name: &str, value: Value) -> &Self {
        let mut metadata = self.script.metadata.lock().unwrap();
        metadata[name] = value;
        metadata
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        drop(metadata);
        self
    }

    /// The next response of any endpoint. Without one, the token endpoint issues `token-1` and so
    /// on.
    pub(crate) fn answers(&self, reply: Reply) -> &Self {
        self.script.replies.lock().unwrap().push_back(reply);
        self
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.asked.lock().unwrap().clone()
    }

    /// The number of requests to a path.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked()
            .iter()
            .filter(|asked| asked.path == path)
            .count()
    }

    pub(crate) fn provider(&self) -> Provider {
        Provider::builder(&self.base)
            .unwrap()
            .clock(self.clock.clone())
            .build()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(
            self.provider(),
            "app",
            Authentication::secret_basic(Secret::new("s")),
        )
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with("/.well-known/") {
        return axum_json(&script.metadata.lock().unwrap());
    }
    let headers = request.headers().clone();
    let body: Bytes = axum::body::to_bytes(request.into_body(), 1 << 20)
        .await
        .unwrap();
    let form = url::form_urlencoded::parse(&body)
        .into_owned()
        .collect();
    let number = {
        let mut asked = script.asked.lock().unwrap();
        asked.push(Asked {
            path: path.clone(),
            headers,
            form,
        });
        asked.iter().filter(|asked| asked.path == path).count()
    };
    let reply = script.replies.lock().unwrap().pop_front();
    match reply {
        Some(Reply {
            status,
            headers,
            body,
        }) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            response.headers_mut().remove("content-type");
            for (name, value) in headers {
                response
                    .headers_mut()
                    .append(name, value.parse().unwrap());
            }
            response
        }
        None => axum_json(&json!({
            "access_token": format!("token-{number}"), "token_type": "Bearer", "expires_in": 300,
        })),
    }
}

fn axum_json(value: &Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}

pub(crate) async fn eventually(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .unwrap();
}

/// Advances the clock in small steps until the work is done.
pub(crate) async fn ticking<T>(clock: &TestClock, done: impl Future<Output = T>) -> T {
    let ticks = async {
        loop {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_millis(10));
        }
    };
    let either = async {
        tokio::select! { done = done => done, () = ticks => unreachable!() }
    };
    tokio::time::timeout(Duration::from_secs(30), either)
        .await
        .unwrap()
}
