//! A person with a browser at npm oidc-provider: signs in by its own pages, and out again.

use crate::arguments::source_folder;
use crate::issuer::API;
use crate::script::Script;
use crate::wire::Connection;
use serde_json::{Value, json};
use std::path::Path;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct Person {
    pub(crate) issuer: String,
    browser: Script,
    _provider: Script,
    redirect_uri: String,
    id_token: String,
}

impl Person {
    /// Starts the provider, with an address for its logout tokens, and the browser.
    pub(crate) async fn start(provider: &Path, logout: &str) -> Self {
        let variables = [("ALGORITHM", "ES256"), ("LOGOUT_URI", logout)];
        let node = Path::new("node");
        let mut provider = Script::start(node, &["server.mjs"], provider, &variables);
        let issuer = provider.line().await["issuer"]
            .as_str()
            .unwrap()
            .to_owned();
        let folder = source_folder("e2e/chromium");
        // An application's page, which the browser comes back to.
        let application = crate::api::start(|_| "\"Welcome back\"".to_owned()).await;
        Self {
            issuer,
            browser: Script::start(node, &["drive.mjs"], &folder, &[]),
            _provider: provider,
            redirect_uri: format!("http://{application}/callback"),
            id_token: String::new(),
        }
    }

    /// Signs in. Answers with the access token.
    pub(crate) async fn sign_in(&mut self) -> String {
        let url = format!(
            "{}/auth?response_type=code&client_id=web&redirect_uri={}&scope=openid%20orders:read\
             &resource={API}&code_challenge={CHALLENGE}&code_challenge_method=S256&state=s&nonce=n",
            self.issuer, self.redirect_uri
        );
        let browser = &mut self.browser;
        browser.ask("open", json!({ "url": url })).await;
        for field in ["login", "password"] {
            let selector = format!("input[name={field}]");
            let written = json!({ "selector": selector, "value": "alice" });
            browser.ask("write", written).await;
        }
        browser
            .ask("press", json!({ "name": "Sign-in" }))
            .await;
        browser
            .ask("press", json!({ "name": "Continue" }))
            .await;
        let start = json!({ "start": self.redirect_uri });
        let back = browser.ask("at", start).await["answer"].take();
        let back = back.as_str().unwrap();
        let code = back
            .split(['?', '&'])
            .find_map(|pair| pair.strip_prefix("code="));
        let code = code.unwrap().to_owned();
        let tokens = self.redeem(&code).await;
        tokens["id_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.id_token);
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    async fn redeem(&self, code: &str) -> Value {
        let form = format!(
            "grant_type=authorization_code&client_id=web&code={code}&redirect_uri={}&\
             code_verifier={VERIFIER}",
            self.redirect_uri
        );
        let (address, length) = (self.issuer.trim_start_matches("http://"), form.len());
        let request = format!(
            "POST /token HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}"
        );
        let mut connection = Connection::open(address.parse().unwrap())
            .await
            .unwrap();
        let answer = connection.ask(request.as_bytes()).await.unwrap();
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Goes to the page with the last button.
    pub(crate) async fn ask_to_sign_out(&mut self) {
        let url = format!(
            "{}/session/end?id_token_hint={}",
            self.issuer, self.id_token
        );
        self.browser.ask("open", json!({ "url": url })).await;
    }

    /// Presses it.
    pub(crate) async fn sign_out(&mut self) {
        let button = json!({ "name": "Yes, sign me out" });
        self.browser.ask("press", button).await;
        let text = json!({ "text": "Sign-out Success" });
        self.browser.ask("see", text).await;
    }
}
