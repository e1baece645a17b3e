//! As much of a browser as signing in needs: cookies, redirects, forms.

use reqwest::{Client, Method, redirect};
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// Keeps cookies by name: there is one host.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Follows redirects and fills in forms until the browser would be sent to the client.
    pub(crate) async fn sign_in(mut self, start: Url, redirect_uri: &str, username: &str) -> Url {
        let (mut url, mut form) = (start, None);
        for _ in 0..12 {
            let (next, page) = self.visit(&url, form.take()).await;
            match next {
                Some(next) if next.as_str().starts_with(redirect_uri) => return next,
                Some(next) => url = next,
                None => {
                    let filled = fill(&page, username);
                    url = url.join(&filled.0).unwrap();
                    form = Some(filled.1);
                }
            }
        }
        panic!("signing in takes too many steps, the last at {url}");
    }

    /// Follows redirects and fills in forms until there is none.
    pub(crate) async fn fill_in_until_the_end(mut self, start: Url, username: &str) {
        let (mut url, mut form) = (start, None);
        for _ in 0..16 {
            let (next, page) = self.visit(&url, form.take()).await;
            match next {
                Some(next) => url = next,
                None if !page.contains("<form") => return,
                None => {
                    let filled = fill(&page, username);
                    url = url.join(&filled.0).unwrap();
                    form = Some(filled.1);
                }
            }
        }
        panic!("it takes too many steps, the last at {url}");
    }

    /// What the script of a page asks for, in JSON: the answer's content.
    pub(crate) async fn call(&mut self, method: Method, url: &Url, content: &Value) -> String {
        let body = (method != Method::GET).then(|| ("application/json", content.to_string()));
        self.request(method, url, body).await.1
    }

    /// A page or a filled form: where it redirects to, or the page.
    pub(crate) async fn visit(&mut self, url: &Url, form: Option<String>) -> (Option<Url>, String) {
        let method = if form.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        self.request(
            method,
            url,
            form.map(|form| ("application/x-www-form-urlencoded", form)),
        )
        .await
    }

    async fn request(
        &mut self,
        method: Method,
        url: &Url,
        body: Option<(&str, String)>,
    ) -> (Option<Url>, String) {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = client
            .request(method, url.clone())
            .header("cookie", cookies.join("; "));
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let next = response
            .headers()
            .get("location")
            .map(|location| url.join(location.to_str().unwrap()).unwrap());
        let status = response.status();
        let page = response.text().await.unwrap();
        assert!(
            status.is_success() || status.is_redirection(),
            "{status} at {url}: {page}"
        );
        (next, page)
    }
}

/// The address and the content of the page's form, the one with a password if there are several: the
/// username as password too, and yes to what is asked.
fn fill(page: &str, username: &str) -> (String, String) {
    let forms: Vec<&str> = page
        .split("<form")
        .skip(1)
        .filter_map(|rest| rest.split("</form>").next())
        .collect();
    let with_password = forms
        .iter()
        .find(|form| form.contains("type=\"password\""));
    let form = *with_password
        .or(forms.first())
        .unwrap_or_else(|| panic!("{page}"));
    let action = attribute(form, "action")
        .unwrap()
        .replace("&amp;", "&");
    let mut content = url::form_urlencoded::Serializer::new(String::new());
    for input in form
        .split("<input")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
    {
        match (attribute(input, "name"), attribute(input, "value")) {
            (Some(name), Some(value)) if !value.is_empty() => content.append_pair(&name, &value),
            (Some(name), _) => content.append_pair(&name, username),
            (None, _) => &mut content,
        };
    }
    for button in form
        .split("<button")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
    {
        if let (Some(name), Some("accept")) = (
            attribute(button, "name"),
            attribute(button, "value").as_deref(),
        ) {
            content.append_pair(&name, "accept");
        }
    }
    (action, content.finish())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split(&format!("{name}=\"")).nth(1)?;
    rest.split('"').next().map(str::to_owned)
}
