//! How the person is to sign in: asked for by arguments, and by an API (RFC 9470).

use super::stand_in::{StandIn, api};

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_asked_for_as_it_is_wanted_and_kept_apart() {
    let idp = StandIn::start().await;
    let shell = idp.shell();
    let plain = idp.signed_in(&shell, &["token"]).await;
    let wanted = [
        "token",
        "--acr-values",
        "mfa",
        "--login-hint",
        "alice",
        "--param",
        "access_type=offline",
    ];
    let strong = idp.signed_in(&shell, &wanted).await;
    assert_eq!(
        (plain.out.trim(), strong.out.trim()),
        ("token-1", "token-2"),
        "{}",
        strong.err
    );
    let asked = idp.seen(|script| script.sign_ins[1].clone());
    assert_eq!(
        (
            asked["acr_values"].as_str(),
            asked["login_hint"].as_str(),
            asked["access_type"].as_str()
        ),
        ("mfa", "alice", "offline")
    );
    // Each is kept for what it was asked for.
    assert_eq!(
        (
            shell.run(&["token"]).out.trim(),
            shell.run(&wanted).out.trim()
        ),
        ("token-1", "token-2")
    );
    // Without the issuer, what is said of the sign-in still tells which one is meant.
    let here = |arguments: &[&str]| {
        let output = shell
            .command(arguments)
            .env_remove("OAUTH2_ISSUER")
            .env_remove("OAUTH2_CLIENT_ID")
            .output()
            .unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .to_owned()
    };
    assert_eq!(
        (here(&["token"]), here(&wanted)),
        ("token-1".to_owned(), "token-2".to_owned())
    );
    let page = shell.run(&["token", "list"]).out;
    assert!(page.contains("acr_values `mfa`"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_must_be_new_is_new() {
    let idp = StandIn::start().await;
    let shell = idp.shell();
    idp.signed_in(&shell, &["token"]).await;
    // Just now is recent enough; no time at all is not, and a renewal is no sign-in.
    assert_eq!(
        shell.run(&["token", "--max-age", "600"]).out.trim(),
        "token-1"
    );
    for (arguments, number) in [
        (["--max-age", "0"], 2),
        (["--prompt", "login"], 3),
        (["--prompt", "select_account"], 4),
    ] {
        let said = idp
            .signed_in(&shell, &[&["token"], &arguments[..]].concat())
            .await;
        assert_eq!(
            said.out.trim(),
            format!("token-{number}"),
            "{arguments:?}: {}",
            said.err
        );
    }
    let names = |name: &str| {
        idp.seen(|script| {
            script
                .sign_ins
                .iter()
                .map(|query| query.get(name).cloned())
                .collect::<Vec<_>>()
        })
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(names("max_age"), [None, text("0"), None, None]);
    assert_eq!(
        names("prompt"),
        [None, None, text("login"), text("select_account")]
    );
    assert_eq!(
        shell.run(&["token"]).out.trim(),
        "token-4",
        "a newer sign-in serves both"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_flow_sets_cannot_be_set_and_a_service_does_not_sign_in() {
    let idp = StandIn::start().await;
    for (arguments, told) in [
        (["--param", "state=x"], "is set by the flow itself"),
        (
            ["--param", "redirect_uri=https://evil.example"],
            "--redirect-uri",
        ),
        (
            ["--param", "response_mode=fragment"],
            "is set by the flow itself",
        ),
        (["--param", "max_age=1"], "--max-age"),
        (["--param", "nothing"], "access_type=offline"),
    ] {
        let said = idp.shell().run(&[&["token"], &arguments[..]].concat());
        assert_eq!(
            (said.code, said.err.contains(told)),
            (1, true),
            "{arguments:?}: {}",
            said.err
        );
    }
    let service = idp.shell().with("OAUTH2_CLIENT_SECRET", "s");
    let said = service.run(&[
        "token",
        "--grant",
        "client-credentials",
        "--acr-values",
        "mfa",
    ]);
    assert_eq!(
        (
            said.code,
            said.err.contains("nobody signs in with this grant")
        ),
        (1, true),
        "{}",
        said.err
    );
    assert_eq!(idp.seen(|script| script.forms.len()), 0);
}

const ASKS: &str =
    "Bearer error=\"insufficient_user_authentication\", acr_values=\"mfa\", max_age=\"300\"";

/// The API asks for more; the command gets it by itself, once, and keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn curl_follows_a_step_up_challenge() {
    let idp = StandIn::start().await;
    let (api, calls) = api(ASKS, &["token-2"]).await;
    let shell = idp.shell();
    idp.signed_in(&shell, &["token"]).await;
    let said = idp
        .signed_in(&shell, &["curl", &api, "-d", "{}"])
        .await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "welcome"),
        "{}",
        said.err
    );
    let asked = idp.seen(|script| script.sign_ins[1].clone());
    assert_eq!(
        (asked["acr_values"].as_str(), asked["max_age"].as_str()),
        ("mfa", "300")
    );
    assert_eq!(
        *calls.lock().unwrap(),
        ["Bearer token-1 {}", "Bearer token-2 {}"],
        "with its content both times"
    );
    // The next call asks nobody: what the challenge wants is kept.
    let said = shell.run(&["curl", "-q", &api]);
    assert_eq!(
        (said.code, said.out.as_str(), said.err.as_str()),
        (0, "welcome", "")
    );
    assert_eq!(idp.seen(|script| script.sign_ins.len()), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_follows_once_and_tells_what_to_type_where_it_cannot() {
    let idp = StandIn::start().await;
    let (api, calls) = api(ASKS, &[]).await;
    let shell = idp.shell();
    idp.signed_in(&shell, &["token"]).await;
    // Nobody is here.
    let told = "portcullis token --grant code --acr-values mfa --max-age 300";
    let said = shell.run(&["curl", &api]);
    assert_eq!(
        (said.code, said.out.as_str(), said.err.contains(told)),
        (2, "no", true),
        "{}",
        said.err
    );
    assert_eq!(calls.lock().unwrap().len(), 1);
    // An API that is never content gets one more call.
    let said = idp.signed_in(&shell, &["curl", &api]).await;
    assert_eq!(
        (said.code, said.err.contains(told)),
        (2, true),
        "{}",
        said.err
    );
    assert_eq!(calls.lock().unwrap().len(), 3);
    // A service has nobody to ask.
    let service = idp.shell().with("OAUTH2_CLIENT_SECRET", "s");
    let said = service.run(&["curl", &api]);
    assert_eq!(
        (said.code, said.err.contains(told)),
        (2, true),
        "{}",
        said.err
    );
    assert_eq!(
        (
            calls.lock().unwrap().len(),
            idp.seen(|script| script.sign_ins.len())
        ),
        (4, 2)
    );
}

/// A bound token is refused by an API that knows no proofs: nobody is sent in a circle.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_knows_no_proofs_is_called_without_one() {
    let idp = StandIn::start().await;
    let (api, _) = api("Bearer", &[]).await;
    let bound = serde_json::json!({ "access_token": "t", "token_type": "DPoP", "expires_in": 300 });
    idp.answers_json(200, &bound);
    let said = idp
        .signed_in(&idp.shell(), &["curl", "--dpop", &api])
        .await;
    assert_eq!(
        (said.code, said.err.contains("without --dpop")),
        (2, true),
        "{}",
        said.err
    );
    assert!(!said.err.contains("portcullis explain"), "{}", said.err);
}
