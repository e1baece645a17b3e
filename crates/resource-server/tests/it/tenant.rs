//! One tenant of a provider that serves many, some of its tenants, and thousands of them.

use crate::setup::idp;
use axum::Router;
use axum::routing::get;
use portcullis_core::jose::Jwks;
use portcullis_core::{ConfigError, Limits};
use portcullis_idp::{Idp, TokenBuilder};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::{AUDIENCE, clock, decide};
use serde_json::{Value, json};
use std::sync::Arc;

const ONE: &str = "00000000-1111-4000-8000-000000000001";
const TWO: &str = "00000000-1111-4000-8000-000000000002";
const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

#[tokio::test]
async fn only_the_configured_tenant_gets_in() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{AUDIENCE}\"]\ntenant = \"t-1\"\n",
        idp.issuer()
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_clock(settings, Arc::<_>::clone(&clock) as Arc<_>);
    assert_eq!(
        decide(&server, &idp.token("alice").claim("tid", "t-1").sign()).await,
        "allow"
    );
    for tenant in [json!("t-2"), json!(""), json!(["t-1"]), json!(null)] {
        assert_eq!(
            decide(&server, &idp.token("alice").claim("tid", tenant).sign()).await,
            "token.tenant"
        );
    }
    assert_eq!(
        decide(&server, &idp.token("alice").sign()).await,
        "token.tenant"
    );
}

/// A v2 token of Entra ID for a user of this tenant.
fn entra(idp: &Idp, tenant: &str) -> TokenBuilder {
    idp.token("alice")
        .typ(Some("JWT"))
        .issuer(&TEMPLATE.replace("{tenantid}", tenant))
        .claim("tid", tenant)
        .claim("ver", "2.0")
        .claim("azp", "client-1")
        .claim("scp", "orders:read")
}

/// The provider's keys as Entra ID publishes them: each says whose it is.
fn keys(idp: &Idp, issuer: &str) -> Jwks {
    let mut keys: Value = serde_json::from_str(&idp.jwks()).unwrap();
    keys["keys"][0]["issuer"] = json!(issuer);
    Jwks::parse(keys.to_string().as_bytes(), &Limits::default()).unwrap()
}

fn server(clock: &Arc<TestClock>, tenants: &str, keys: &Jwks) -> ResourceServer {
    let text =
        format!("[[issuer]]\nurl = \"{TEMPLATE}\"\naudience = [\"{AUDIENCE}\"]\n{tenants}\n");
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    ResourceServer::with_clock(
        settings.with_fixed_keys(keys),
        Arc::<_>::clone(clock) as Arc<_>,
    )
}

/// The issuer names the tenant, and is compared whole: `tid` need not be compared with it, although
/// all tenants share their keys.
#[tokio::test]
async fn the_issuer_of_one_tenant_shuts_the_others_out_without_a_setting() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let issuer = TEMPLATE.replace("{tenantid}", ONE);
    let text = format!("[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{AUDIENCE}\"]\n");
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let settings = settings.with_fixed_keys(&keys(&idp, TEMPLATE));
    let server = ResourceServer::with_clock(settings, Arc::<_>::clone(&clock) as Arc<_>);
    assert_eq!(decide(&server, &entra(&idp, ONE).sign()).await, "allow");
    let other = entra(&idp, TWO);
    assert_eq!(decide(&server, &other.sign()).await, "token.issuer");
}

#[tokio::test]
async fn the_tenants_on_the_list_get_in_and_no_others() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let listed = server(
        &clock,
        &format!("tenants = [\"{ONE}\"]"),
        &keys(&idp, TEMPLATE),
    );
    assert_eq!(decide(&listed, &entra(&idp, ONE).sign()).await, "allow");
    assert_eq!(
        decide(&listed, &entra(&idp, TWO).sign()).await,
        "token.tenant"
    );
    // The issuer and the claim must name the same tenant.
    assert_eq!(
        decide(&listed, &entra(&idp, ONE).claim("tid", TWO).sign()).await,
        "token.tenant"
    );
    assert_eq!(
        decide(&listed, &entra(&idp, ONE).without("tid").sign()).await,
        "token.claim_missing"
    );
    let any = server(&clock, "danger_any_tenant = true", &keys(&idp, TEMPLATE));
    assert_eq!(decide(&any, &entra(&idp, TWO).sign()).await, "allow");
    for odd in [
        "common",
        "",
        "../x",
        "00000000-1111-4000-8000-00000000000G",
        "a/b",
    ] {
        assert_eq!(
            decide(&any, &entra(&idp, odd).sign()).await,
            "token.tenant",
            "{odd}"
        );
    }
}

#[tokio::test]
async fn a_key_of_one_tenant_is_good_for_that_tenant_only() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let both = format!("tenants = [\"{ONE}\", \"{TWO}\"]");
    let of_one = server(
        &clock,
        &both,
        &keys(&idp, &TEMPLATE.replace("{tenantid}", ONE)),
    );
    assert_eq!(decide(&of_one, &entra(&idp, ONE).sign()).await, "allow");
    assert_eq!(
        decide(&of_one, &entra(&idp, TWO).sign()).await,
        "token.key_issuer"
    );
    // Documents write the template in different letter cases.
    let shared = server(
        &clock,
        &both,
        &keys(&idp, &TEMPLATE.replace("{tenantid}", "{tenantId}")),
    );
    assert_eq!(decide(&shared, &entra(&idp, TWO).sign()).await, "allow");
}

#[tokio::test]
async fn ten_thousand_tenants_are_no_burden() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let tenant = |number: usize| format!("00000000-1111-4000-8000-{number:012x}");
    let list: Vec<String> = (0..10_000)
        .map(|number| format!("\"{}\"", tenant(number)))
        .collect();
    let settings = format!("tenants = [{}]\nremembered_tenants = 100", list.join(","));
    let server = server(&clock, &settings, &keys(&idp, TEMPLATE));
    for number in (0..10_000).step_by(50) {
        assert_eq!(
            decide(&server, &entra(&idp, &tenant(number)).sign()).await,
            "allow",
            "{number}"
        );
    }
    assert_eq!(
        decide(&server, &entra(&idp, &tenant(10_000)).sign()).await,
        "token.tenant"
    );
    assert_eq!(
        server.status().keys.len(),
        1,
        "the tenants share one key set"
    );
}

/// Serves metadata and keys of tenants under one origin.
async fn serving<'t>(tenants: impl IntoIterator<Item = (&'t str, String)>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let mut app = Router::new();
    for (name, keys) in tenants {
        let issuer = format!("{origin}/t/{name}");
        let metadata =
            json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string();
        let well_known = format!("/t/{name}/.well-known/openid-configuration");
        app = app
            .route(&well_known, get(async || metadata))
            .route(&format!("/t/{name}/keys"), get(async || keys));
    }
    tokio::spawn(async { axum::serve(listener, app).await });
    origin
}

#[tokio::test]
async fn tenants_with_keys_of_their_own_are_kept_apart() {
    let clock = clock();
    let listen = ([127, 0, 0, 1], 0).into();
    let (a, b) = (idp(&clock, listen).await, idp(&clock, listen).await);
    let origin = serving([("a", a.jwks()), ("b", b.jwks())]).await;
    let text = format!(
        "[[issuer]]\nurl = \"{origin}/t/{{tenantid}}\"\naudience = [\"{AUDIENCE}\"]\ntenants = [\"a\", \"b\", \"c\"]\n"
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_clock(settings, Arc::<_>::clone(&clock) as Arc<_>);
    let token = |signer: &Idp, tenant: &str| {
        signer
            .token("alice")
            .issuer(&format!("{origin}/t/{tenant}"))
            .claim("tid", tenant)
            .sign()
    };
    for (own, other, tenant) in [(&a, &b, "a"), (&b, &a, "b")] {
        assert_eq!(decide(&server, &token(own, tenant)).await, "allow");
        assert_eq!(
            decide(&server, &token(other, tenant)).await,
            "token.key_unknown"
        );
    }
    assert_eq!(decide(&server, &token(&a, "c")).await, "outage.metadata");
    assert_eq!(decide(&server, &token(&a, "d")).await, "token.tenant");
    assert_eq!(
        server.status().keys.len(),
        3,
        "only tenants of ours are remembered"
    );
}

/// What is remembered of tenants is bounded: whoever comes again after too many others is looked up
/// again.
#[tokio::test]
async fn no_more_tenants_are_remembered_than_was_said() {
    const MANY: usize = 24;
    const MOST: usize = 4;
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let names: Vec<String> = (0..MANY).map(|number| format!("t{number}")).collect();
    let tenants: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), idp.jwks()))
        .collect();
    let origin = serving(tenants).await;
    let text = format!(
        "[[issuer]]\nurl = \"{origin}/t/{{tenantid}}\"\naudience = [\"{AUDIENCE}\"]\ntenants = {names:?}\n\
         remembered_tenants = {MOST}\n"
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_clock(settings, Arc::<_>::clone(&clock) as Arc<_>);
    for tenant in &names {
        let token = idp
            .token("alice")
            .issuer(&format!("{origin}/t/{tenant}"))
            .claim("tid", tenant.as_str());
        assert_eq!(decide(&server, &token.sign()).await, "allow", "{tenant}");
        assert!(
            server.status().keys.len() <= MOST,
            "{} after {tenant}",
            server.status().keys.len()
        );
    }
    assert!(!server.status().keys.is_empty(), "some are");
}

#[test]
fn what_is_wrong_with_tenants_is_told_at_the_start() {
    let places = |text: &str| -> Vec<String> {
        let text = format!("[[issuer]]\naudience = [\"a\"]\n{text}\n");
        let errors = Settings::try_from(Config::from_toml(&text).unwrap())
            .map(|_| ())
            .unwrap_err();
        errors
            .iter()
            .map(ConfigError::place)
            .map(str::to_owned)
            .collect()
    };
    let url = |url: &str| format!("url = \"{url}\"\n");
    let entra = url(TEMPLATE);
    assert_eq!(places(&entra), ["issuer[0].tenants"]);
    assert_eq!(
        places(&(entra.clone() + "tenants = [\"acme\"]")),
        ["issuer[0].tenants[0]"]
    );
    assert_eq!(
        places(&format!(
            "{entra}danger_any_tenant = true\ntenant = \"{ONE}\""
        )),
        ["issuer[0].tenants"]
    );
    assert_eq!(
        places(&(url("https://idp.example") + "tenants = [\"a\"]")),
        ["issuer[0].url"]
    );
    let own = url("https://sso.example/realms/{tenantid}") + "danger_any_tenant = true";
    assert_eq!(places(&own), ["issuer[0].danger_any_tenant"]);
    assert_eq!(
        places(&url("https://login.microsoftonline.com/common/v2.0")),
        ["issuer[0].url"]
    );
    assert_eq!(
        places(&url("https://token.actions.githubusercontent.com")),
        ["issuer[0].claims"]
    );
    assert_eq!(
        places(&(url("https://acme.okta.com/oauth2/x") + "tenant = \"a\"")),
        ["issuer[0].tenant"]
    );
    assert_eq!(
        places(&(url("https://a.example") + "roles = \"resource_access.{client}.roles\"")),
        ["issuer[0].roles"]
    );
}
