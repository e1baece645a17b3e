//! What single providers demand beyond the table.

use super::{good, imitated, judge, server};
use crate::providers::cases::{CASES, Case};
use portcullis_core::Denial;
use portcullis_core::Requirement;
use portcullis_core::credential::Credential;
use portcullis_core::token::AccessToken;
use portcullis_idp::{Idp, TokenBuilder};
use portcullis_resource_server::ResourceServer;

pub(super) fn case(title: &str) -> &'static Case {
    CASES.iter().find(|case| case.title == title).unwrap()
}

/// A server under the address where the imitation runs.
pub(super) fn live(idp: &Idp, case: &Case) -> ResourceServer {
    let settings = format!("profile = \"{}\"\n{}", case.profile, case.settings);
    server(idp.issuer().as_str(), &idp.audiences(), &settings, None)
}

/// What becomes of a demand: `fine`, or the code.
pub(super) async fn permitted(
    server: &ResourceServer,
    token: AccessToken,
    requirement: &Requirement,
) -> String {
    match server.permit(token, requirement).await {
        Ok(_) => "fine".to_owned(),
        Err(Denial::Rejection(rejection)) => rejection.code().to_string(),
        Err(Denial::Outage(outage)) => outage.code().to_string(),
    }
}

/// Entra ID names the contexts that were met in `acrs`; its `acr` is another thing, and no way to
/// sign in.
#[tokio::test]
async fn authentication_contexts_are_the_ways_to_sign_in() {
    let case = case("Entra ID, v2 tokens");
    let idp = imitated(case).await;
    let server = live(&idp, case);
    for (token, expected) in [
        (good(&idp, "alice").acr("c1"), "fine"),
        (good(&idp, "alice").acr("c2"), "policy.step_up"),
        (good(&idp, "alice").claim("acr", "c1"), "policy.step_up"),
        (good(&idp, "service"), "policy.denied"),
    ] {
        let token = judge(&server, &token.sign()).await.unwrap();
        assert_eq!(
            permitted(&server, token, &Requirement::acr(["c1"])).await,
            expected
        );
    }
}

#[tokio::test]
async fn groups_that_do_not_fit_are_unknown() {
    let case = case("Entra ID, v2 tokens");
    let idp = imitated(case).await;
    let server = live(&idp, case);
    let token = judge(&server, &good(&idp, "alice").group_overage().sign())
        .await
        .unwrap();
    assert!(token.identity().groups().is_unknown());
    for requirement in [
        Requirement::group("g"),
        Requirement::not(Requirement::group("g")),
    ] {
        assert_eq!(
            permitted(&server, token.clone(), &requirement).await,
            "policy.groups_unknown"
        );
    }
}

#[tokio::test]
async fn many_tenants_of_entra_share_one_entry_and_one_key_set() {
    let case = case("Entra ID, v2 tokens");
    let idp = imitated(case).await;
    let tenant = idp
        .issuer()
        .as_str()
        .rsplit('/')
        .nth(1)
        .unwrap()
        .to_owned();
    let template = idp.issuer().as_str().replace(&tenant, "{tenantid}");
    let settings = format!("profile = \"entra-v2\"\ntenants = [\"{tenant}\"]");
    let server = server(&template, &idp.audiences(), &settings, None);
    assert!(
        judge(&server, &good(&idp, "alice").sign())
            .await
            .is_ok()
    );
    let foreign = good(&idp, "alice")
        .key_of_another_tenant()
        .await
        .sign();
    assert_eq!(
        judge(&server, &foreign).await.unwrap_err(),
        "token.key_issuer"
    );
    let other = tenant.replace('1', "2");
    let elsewhere = good(&idp, "alice")
        .issuer(&template.replace("{tenantid}", &other))
        .claim("tid", other)
        .sign();
    assert_eq!(
        judge(&server, &elsewhere).await.unwrap_err(),
        "token.tenant"
    );
}

#[tokio::test]
async fn users_and_applications_with_the_same_role_are_told_apart() {
    let case = case("Entra ID, v2 tokens");
    let idp = imitated(case).await;
    let server = live(&idp, case);
    let admins = Requirement::all([Requirement::role("Admin"), Requirement::user()]);
    let user = judge(&server, &idp.token("alice").sign())
        .await
        .unwrap();
    let application = judge(&server, &idp.token("service").role("Admin").sign())
        .await
        .unwrap();
    assert!(application.has_role("Admin") && user.has_role("Admin"));
    assert_eq!(permitted(&server, user, &admins).await, "fine");
    assert_eq!(
        permitted(&server, application, &admins).await,
        "policy.denied"
    );
}

#[tokio::test]
async fn both_spellings_of_google_and_cognito_are_accepted() {
    for (title, spelling) in [
        ("Google", "accounts.google.com"),
        (
            "Amazon Cognito",
            "https://issuer.cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE",
        ),
    ] {
        let case = case(title);
        let idp = imitated(case).await;
        let server = server(case.issuer, &idp.audiences(), "", Some(&idp));
        let token = judge(&server, &good(&idp, "alice").issuer(spelling).sign())
            .await
            .unwrap();
        assert_eq!(
            token.issuer().as_str(),
            case.issuer,
            "one caller has one issuer"
        );
        for odd in [format!("{spelling}/"), spelling.to_uppercase()] {
            assert_eq!(
                judge(&server, &good(&idp, "alice").issuer(&odd).sign())
                    .await
                    .unwrap_err(),
                "token.issuer"
            );
        }
    }
}

/// Explanations name the profile and the provider's own setting.
#[tokio::test]
async fn explain_speaks_each_dialect() {
    for (title, change, expected) in [
        (
            "Keycloak",
            (|token| token.without("aud")) as fn(TokenBuilder) -> TokenBuilder,
            "audience mapper",
        ),
        ("Auth0", |token| token.audience("x"), "audience="),
        ("Amazon Cognito", |token| token.audience("x"), "app clients"),
        (
            "Entra ID, v2 tokens",
            |token| token.claim("ver", "1.0"),
            "requestedAccessTokenVersion",
        ),
        (
            "GitHub Actions",
            |token| token.claim("repository_owner_id", "666"),
            "repository, owner",
        ),
        (
            "Okta, custom server",
            |token| token.audience("x"),
            "in Okta",
        ),
    ] {
        let case = case(title);
        let idp = imitated(case).await;
        let explanation = live(&idp, case)
            .explain(&change(case.dress(good(&idp, "alice"))).sign())
            .await;
        assert_eq!(explanation.profile, Some(case.profile));
        let hint = explanation.hint.unwrap_or_default();
        assert!(hint.contains(expected), "{title}: {hint}");
    }
}

/// Cloudflare puts the token into a header of its own, bare.
#[tokio::test]
async fn a_proxys_own_header_is_read_where_it_is_named() {
    let case = case("Cloudflare Access");
    let idp = imitated(case).await;
    let text = format!(
        "token_header = \"cf-access-jwt-assertion\"\n[[issuer]]\nurl = \"{}\"\naudience = {:?}\nprofile = \"cloudflare\"\n",
        idp.issuer(),
        idp.audiences()
    );
    let config = portcullis_resource_server::Config::from_toml(&text).unwrap();
    let settings = portcullis_resource_server::Settings::try_from(config).unwrap();
    let clock = portcullis_resource_server::clock::TestClock::at(
        portcullis_core::token::NumericDate::from_seconds(super::NOW),
    );
    let server = ResourceServer::with_clock(settings, std::sync::Arc::new(clock));
    let token = idp.token("alice").sign();
    let mut headers = http::HeaderMap::new();
    headers.insert("cf-access-jwt-assertion", token.parse().unwrap());
    assert!(server.sees_credential(&headers));
    let decision = server
        .decide(&headers, None, &Requirement::user())
        .await;
    assert!(decision.into_result().is_ok());
    assert!(
        server
            .authenticate(Credential::bearer(&token))
            .await
            .is_ok()
    );
}

/// An ID token that lacks the claims that only ID tokens have, with our audience in it. Most
/// dialects tell it by what it does not have; these cannot, and their ID tokens are told by the
/// audience alone, which is the client's.
#[tokio::test]
async fn id_tokens_without_their_telltale_claims() {
    let mut passed = Vec::new();
    for case in CASES.iter().filter(|case| case.instead.is_none()) {
        let idp = imitated(case).await;
        let audience = idp.audiences().first().cloned().unwrap();
        let token = |audience: &str| {
            let token = case
                .dress(idp.token("alice").id_token())
                .claim("aud", audience);
            ["nonce", "at_hash", "c_hash", "s_hash"]
                .into_iter()
                .fold(token, TokenBuilder::without)
                .sign()
        };
        assert!(
            judge(&live(&idp, case), &token("web")).await.is_err(),
            "{}",
            case.title
        );
        if judge(&live(&idp, case), &token(&audience))
            .await
            .is_ok()
        {
            passed.push(case.title);
        }
    }
    assert_eq!(passed, ["any provider"]);
}
