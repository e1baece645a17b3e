//! A server that gives one answer to everything, and remembers what it was asked.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, serve};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// It stops with the runtime of its test.
pub struct AnsweringServer {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<Answer>,
    requests: Mutex<Vec<Request>>,
}

#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl AnsweringServer {
    pub async fn start(body: &str) -> Self {
        let answer = Mutex::new(Answer::json(body));
        let shared = Arc::new(Shared {
            answer,
            requests: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, router(&shared)).into_future());
        Self { url, shared }
    }

    pub fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    pub fn router(&self) -> Router {
        router(&self.shared)
    }
}

impl Answer {
    pub fn json(body: &str) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self {
            status: 200,
            headers,
            body: body.to_owned(),
        }
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .fallback(respond)
        .with_state(Arc::clone(shared))
}

async fn respond(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request {
        method,
        path: uri.to_string(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    shared.requests.lock().unwrap().push(request);
    let answer = shared.answer.lock().unwrap().clone();
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body).into_response();
    response.headers_mut().clear();
    for (name, value) in answer.headers {
        response
            .headers_mut()
            .insert(name, value.parse().unwrap());
    }
    response
}
