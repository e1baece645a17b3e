//! A caller of HTTP/2: one connection, opened anew when it ends.

use crate::clients::judged;
use crate::expected::{Answer, Question};
use http::header::AUTHORIZATION;
use http::{Method, Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(crate) struct Http2(Option<SendRequest<Full<Bytes>>>);

type Fault = Box<dyn Error + Send + Sync>;

impl Http2 {
    /// The answer; no answer is the status 0, which is never right.
    pub(crate) async fn ask(&mut self, gateway: SocketAddr, question: &Question) -> Answer {
        let answered = timeout(PATIENCE, self.try_to_ask(gateway, question)).await;
        judged(answered.unwrap_or_else(|late| Err(late.into())))
    }

    async fn try_to_ask(
        &mut self,
        gateway: SocketAddr,
        question: &Question,
    ) -> Result<(u16, Result<String, Fault>), Fault> {
        let mut sender = match self.0.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => open(gateway).await?,
        };
        let mut request = Request::builder()
            .method(if question.post.is_some() {
                Method::POST
            } else {
                Method::GET
            })
            .version(Version::HTTP_2)
            .uri(format!("http://{gateway}{}", question.path));
        if let Some(token) = &question.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = Full::new(Bytes::from(question.post.unwrap_or_default()));
        let response = match sender.send_request(request.body(body)?).await {
            Ok(response) => response,
            // A reset overtakes the head of an answer that breaks off at once.
            Err(error) if format!("{error:?}").contains("Reset(") => {
                return Ok((200, Err(error.into())));
            }
            Err(error) => return Err(error.into()),
        };
        self.0 = Some(sender);
        let status = response.status().as_u16();
        let body = response.into_body().collect().await;
        let text = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
        Ok((status, text.map_err(Into::into)))
    }
}

async fn open(gateway: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Fault> {
    let stream = TcpStream::connect(gateway).await?;
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
