//! A page that shows the document, tries its operations, and signs in for them: Swagger UI.

use super::document::OpenApi;
use super::page_file::PageFile;
use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use url::Url;

/// The page, and what its Authorize button sends to the issuer.
///
/// Its scripts are in the binary, so that a browser fetches nothing from elsewhere; and its policy
/// lets it call this server and the issuers, and nobody else.
///
/// ```
/// use axum::Router;
/// use portcullis::openapi::{ApiInfo, ApiRouter, DocsPage, SecuritySchemes, get};
/// use portcullis::{AuthorizedCaller, ResourceServer};
///
/// async fn hello(caller: AuthorizedCaller) -> String { caller.name().to_owned() }
///
/// let server = ResourceServer::new("https://idp.example", "https://api.example")?;
/// let schemes = SecuritySchemes::of(&server);
/// let (app, document) = ApiRouter::new()
///     .route("/hello", get(hello))
///     .with_state::<()>(server)
///     .finish(ApiInfo::new("Hello", "1.0"), &schemes);
/// let page = DocsPage::new("web").scope("openid");
/// let app: Router = app.merge(page.router(&document, "/docs", "/openapi.json"));
/// # let _ = app;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The client has to be registered at the issuer as a public one, with PKCE, and with the address
/// of the page and `/oauth2-redirect.html` as its redirect URI: here
/// `https://api.example/docs/oauth2-redirect.html`.
#[derive(Clone, Debug)]
#[must_use]
pub struct DocsPage {
    client_id: String,
    scopes: Vec<String>,
    parameters: Map<String, Value>,
}

impl DocsPage {
    /// A page that signs in as this client.
    pub fn new(client_id: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            scopes: Vec::new(),
            parameters: Map::new(),
        }
    }

    /// A scope that is chosen beforehand in the dialog.
    pub fn scope(mut self, scope: &str) -> Self {
        self.scopes.push(scope.to_owned());
        self
    }

    /// A further parameter of the authorization request, such as the `audience` of Auth0 or the
    /// `resource` of RFC 8707.
    pub fn authorize_parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// A router that shows the document at `document_path`, and the page at `path`.
    ///
    /// # Panics
    ///
    /// Where axum's own [`Router::route`] does: if a path does not begin with a slash.
    pub fn router<S>(&self, document: &OpenApi, path: &str, document_path: &str) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let path = path.trim_end_matches('/');
        let policy = policy(document);
        let index = PageFile::new("", "text/html", index(document, path));
        let start = self.start(path, document_path);
        let mut files = PageFile::of_swagger_ui();
        files.push(PageFile::new("/start.js", "text/javascript", start));
        files.push(index);
        let mut router = document.router(document_path);
        for file in files {
            let place = format!("{path}{}", file.name);
            let answer = file.answer(&policy);
            router = router.route(&place, get(async move || answer));
        }
        router
    }

    /// The script that starts Swagger UI. It is a file, so that the policy can forbid all scripts
    /// that stand in a page.
    fn start(&self, path: &str, document_path: &str) -> String {
        let options = json!({
            "url": document_path,
            "dom_id": "#swagger-ui",
            "deepLinking": true,
            "oauth2RedirectUrl": null,
            "persistAuthorization": false,
            "validatorUrl": null,
        });
        let client = json!({
            "clientId": self.client_id,
            "scopes": self.scopes,
            "additionalQueryStringParams": self.parameters,
            "usePkceWithAuthorizationCodeGrant": true,
        });
        let redirect = json!(format!("{path}/oauth2-redirect.html"));
        format!(
            "const options = {options};\n\
             options.oauth2RedirectUrl = window.location.origin + {redirect};\n\
             const ui = SwaggerUIBundle(options);\n\
             ui.initOAuth({client});\n"
        )
    }
}

fn index(document: &OpenApi, path: &str) -> String {
    let title = document.as_value().pointer("/info/title");
    let title = escape_html(title.and_then(Value::as_str).unwrap_or_default());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"{path}/swagger-ui.css\">\n\
         <link rel=\"icon\" href=\"{path}/favicon-32x32.png\">\n</head>\n\
         <body>\n<div id=\"swagger-ui\"></div>\n\
         <script src=\"{path}/swagger-ui-bundle.js\"></script>\n\
         <script src=\"{path}/start.js\"></script>\n</body>\n</html>\n"
    )
}

/// Text as HTML.
fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Scripts from here, calls to here and to the issuers, and nothing else.
fn policy(document: &OpenApi) -> HeaderValue {
    let origins: Vec<String> = origins(document).into_iter().collect();
    let text = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self' {}; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        origins.join(" ")
    );
    // The origins come from parsed URLs; without a policy the browser would allow everything.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The servers that the page has to reach: the issuers, and their token endpoints.
fn origins(document: &OpenApi) -> BTreeSet<String> {
    let schemes = document
        .as_value()
        .pointer("/components/securitySchemes");
    let mut origins = BTreeSet::new();
    for scheme in schemes
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let (_, scheme) = scheme;
        let token_url = scheme.pointer("/flows/authorizationCode/tokenUrl");
        for url in [token_url, scheme.get("openIdConnectUrl")] {
            let url = url
                .and_then(Value::as_str)
                .and_then(|it| Url::parse(it).ok());
            origins.extend(url.map(|url| url.origin().ascii_serialization()));
        }
    }
    origins
}

/// A file of the page, with the headers that all have.
#[derive(Clone)]
struct Answer {
    headers: [(HeaderName, HeaderValue); 5],
    content: Bytes,
}

impl PageFile {
    fn answer(self, policy: &HeaderValue) -> Answer {
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(self.media_type)),
            (CONTENT_SECURITY_POLICY, policy.clone()),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        Answer {
            headers,
            content: self.content,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.headers, self.content).into_response()
    }
}
