//! A program that is told of logouts and events, and remembers what it was told.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

#[derive(Clone, Default)]
struct Told {
    /// The content type, the authorization, and the body.
    messages: Arc<Mutex<Vec<[String; 3]>>>,
    /// What is answered, the first first; 202 when there are no more.
    answers: Arc<Mutex<Vec<u16>>>,
    /// The body of what is answered.
    body: Arc<Mutex<String>>,
    arrived: Arc<Notify>,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    told: Told,
}

impl Receiver {
    pub(crate) async fn start(answers: &[u16]) -> Self {
        let told = Told {
            answers: Arc::new(Mutex::new(answers.to_vec())),
            ..Told::default()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap();
        let url = format!("http://{}/told", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/told", post(hear))
            .with_state(told.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, told }
    }

    /// Answers with this body from now on.
    pub(crate) fn answer_with(&self, body: &str) {
        body.clone_into(&mut self.told.body.lock().unwrap());
    }

    pub(crate) fn messages(&self) -> Vec<[String; 3]> {
        self.told.messages.lock().unwrap().clone()
    }

    /// Waits until it was told so many times.
    pub(crate) async fn heard(&self, count: usize) -> Vec<[String; 3]> {
        let wait = async {
            while self.messages().len() < count {
                self.told.arrived.notified().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), wait)
            .await
            .unwrap();
        self.messages()
    }
}

async fn hear(State(told): State<Told>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let header = |name: &str| {
        headers
            .get(name)
            .map(|it| it.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    told.messages
        .lock()
        .unwrap()
        .push([header("content-type"), header("authorization"), body]);
    let mut answers = told.answers.lock().unwrap();
    let answer = if answers.is_empty() {
        202
    } else {
        answers.remove(0)
    };
    told.arrived.notify_one();
    let body = told.body.lock().unwrap().clone();
    (StatusCode::from_u16(answer).unwrap(), body)
}
