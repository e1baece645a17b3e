//! Providers that do not answer to the letter, through the command.

use super::stand_in::{StandIn, good};
use serde_json::json;

const HTML: &str = "text/html";
const JSON: &str = "application/json";

#[tokio::test(flavor = "multi_thread")]
async fn a_life_in_quotes_and_missing_words_are_read_as_meant() {
    let idp = StandIn::start().await;
    let shell = idp.shell();
    let mut answer = good(1);
    answer["expires_in"] = json!("3599");
    answer["scope"] = json!("orders:read");
    answer.as_object_mut().unwrap().remove("token_type");
    idp.answers_json(200, &answer);
    let arguments = ["token", "--scope", "offline_access orders:read"];
    let said = idp.signed_in(&shell, &arguments).await;
    assert_eq!((said.code, said.out.trim()), (0, "token-1"), "{}", said.err);
    assert!(!said.err.contains("did not grant"), "{}", said.err);
    let again = shell.run(&[&arguments[..], &["--valid-for", "3000"]].concat());
    assert_eq!(
        (again.code, again.out.trim()),
        (0, "token-1"),
        "it is kept for its whole life: {}",
        again.err
    );
    assert_eq!(idp.seen(|script| script.forms.len()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_blamed_on_nobody_else() {
    let idp = StandIn::start().await;
    idp.answers_json(
        200,
        &json!({ "access_token": "marked", "token_type": "Bearer", "expires_in": "soon" }),
    );
    let said = idp.signed_in(&idp.shell(), &["token"]).await;
    assert_eq!(
        (
            said.code,
            said.err
                .contains("`expires_in` is not a number of seconds")
        ),
        (2, true),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("report it to the operator") && !said.err.contains("intercepts"),
        "{}",
        said.err
    );
    assert!(!said.err.contains("marked"), "{}", said.err);
}

/// A refresh token that is refused, in whatever words, is no reason to be stuck: the browser opens
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn a_spent_refresh_token_opens_the_browser_again() {
    for (status, content_type, body) in [
        (400, JSON, r#"{"error":"invalid_grant"}"#),
        (
            200,
            JSON,
            r#"{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect"}"#,
        ),
        (400, JSON, r#"{"error":"interaction_required"}"#),
        (400, "", ""),
        (401, "", ""),
        (401, HTML, "<html>Unauthorized</html>"),
        (403, HTML, "<html>Forbidden</html>"),
    ] {
        let idp = StandIn::start().await;
        let shell = idp.shell();
        assert_eq!(
            idp.signed_in(&shell, &["token"]).await.out.trim(),
            "token-1"
        );
        idp.answers(status, content_type, body);
        let said = idp.signed_in(&shell, &["token", "--renew"]).await;
        assert_eq!(
            (said.code, said.out.trim()),
            (0, "token-3"),
            "{status} {body}: {}",
            said.err
        );
        assert_eq!(
            shell.run(&["token"]).out.trim(),
            "token-3",
            "the new one is kept"
        );
        assert_eq!(shell.list().len(), 1);
    }
}

/// Where nobody is there, the next call is not stuck on the same refusal either; an outage takes
/// nothing away.
#[tokio::test(flavor = "multi_thread")]
async fn without_anybody_a_refusal_is_told_and_an_outage_waited_out() {
    let idp = StandIn::start().await;
    let shell = idp.shell();
    idp.signed_in(&shell, &["token"]).await;
    for (status, body) in [(503, ""), (500, r#"{"error":"invalid_grant"}"#), (429, "")] {
        idp.answers(status, JSON, body);
        let said = shell.run(&["token", "--renew"]);
        assert_eq!(
            (said.code, shell.list().len()),
            (4, 1),
            "{status}: {}",
            said.err
        );
    }
    idp.answers(401, "", "");
    let said = shell.run(&["token", "--grant", "refresh", "--renew"]);
    assert_eq!(
        (said.code, said.err.contains("401, without a reason")),
        (2, true),
        "{}",
        said.err
    );
    assert!(shell.list().is_empty(), "a refused token is not stored");
    let next = shell.run(&["token"]);
    assert_eq!(
        (next.code, next.err.contains("no terminal or browser")),
        (1, true),
        "{}",
        next.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_refused_without_a_word_is_refused() {
    let idp = StandIn::start().await;
    let shell = idp.shell().with("OAUTH2_CLIENT_SECRET", "secret");
    for (status, told) in [
        (401, "compare the client's id and its secret"),
        (403, "the provider gave no reason"),
        (400, "gave no reason"),
    ] {
        idp.answers(status, HTML, "<html></html>");
        let said = shell.run(&["token", "--renew"]);
        assert_eq!(
            (said.code, said.err.contains(told)),
            (2, true),
            "{status}: {}",
            said.err
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_device_answer_is_understood() {
    let idp = StandIn::start().await;
    idp.answers_json(
        200,
        &json!({ "device_code": "d", "user_code": "ABCD-EFGH", "verification_url": "https://www.google.com/device",
                 "expires_in": "1800", "interval": "1" }),
    );
    idp.answers_json(200, &json!({ "error": "authorization_pending" }));
    let said = idp.shell().run(&["token", "--grant", "device"]);
    assert_eq!((said.code, said.out.trim()), (0, "token-3"), "{}", said.err);
    assert!(
        said.err.contains("https://www.google.com/device"),
        "{}",
        said.err
    );
}

/// Silence about PKCE is told and sent PKCE; a list without S256 is refused, with the option that
/// goes on.
#[tokio::test(flavor = "multi_thread")]
async fn pkce_is_sent_to_whoever_is_silent_about_it() {
    let idp = StandIn::start().await;
    idp.says("code_challenge_methods_supported", json!(null));
    let said = idp.signed_in(&idp.shell(), &["token"]).await;
    assert_eq!(
        (said.code, said.err.contains("does not announce PKCE")),
        (0, true),
        "{}",
        said.err
    );
    assert_eq!(
        idp.seen(|script| script.sign_ins[0]["code_challenge_method"].clone()),
        "S256"
    );
    assert_eq!(
        idp.seen(|script| script.forms[0]["code_verifier"].len()),
        43
    );

    idp.says("code_challenge_methods_supported", json!(["plain"]));
    let refused = idp.shell().run(&["token", "--grant", "code"]);
    assert_eq!(
        (refused.code, refused.err.contains("--danger-without-pkce")),
        (1, true),
        "{}",
        refused.err
    );
    let said = idp
        .signed_in(&idp.shell(), &["token", "--danger-without-pkce"])
        .await;
    assert_eq!(said.code, 0, "{}", said.err);
}

/// RFC 8252, section 7.3: either loopback address, and the name for both.
#[tokio::test(flavor = "multi_thread")]
async fn the_browser_comes_back_to_either_loopback_address() {
    let mut hosts = vec!["127.0.0.1", "localhost"];
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        hosts.push("[::1]");
    }
    for host in hosts {
        let idp = StandIn::start().await;
        let redirect_uri = format!(
            "http://{host}:{}/callback",
            crate::e2e::process::free_port()
        );
        let said = idp
            .signed_in(&idp.shell(), &["token", "--redirect-uri", &redirect_uri])
            .await;
        assert_eq!(said.code, 0, "{host}: {}", said.err);
        assert_eq!(
            idp.seen(|script| script.sign_ins[0]["redirect_uri"].clone()),
            redirect_uri
        );
    }
    let idp = StandIn::start().await;
    let said = idp
        .signed_in(
            &idp.shell(),
            &["token", "--redirect-uri", "http://localhost"],
        )
        .await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(idp.seen(|script| script.sign_ins[0]["redirect_uri"].starts_with("http://localhost:")));
}

/// What is empty is a mistake, and is told before anybody is asked.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_empty_is_sent_as_a_secret() {
    let idp = StandIn::start().await;
    let shell = idp.shell();
    let empty = shell.file("empty", " \n");
    for arguments in [
        ["--client-secret-file", &empty],
        ["--client-key-file", &empty],
        ["--client-certificate-file", &empty],
        ["--client-assertion-file", &empty],
        ["--subject-token-file", &empty],
        ["--ca-file", &empty],
    ] {
        let said = shell.run(&[&["token"], &arguments[..]].concat());
        assert_eq!(
            (said.code, said.err.contains("found an empty file")),
            (1, true),
            "{arguments:?}: {}",
            said.err
        );
        assert!(
            said.err.contains(&empty) && said.err.contains("help: "),
            "{}",
            said.err
        );
    }
    for name in ["OAUTH2_CLIENT_SECRET", "PORTCULLIS_PASSPHRASE"] {
        for value in ["", " "] {
            let output = shell
                .command(&["token"])
                .env(name, value)
                .output()
                .unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                (
                    output.status.code(),
                    told.contains(&format!("{name}: expected"))
                ),
                (Some(1), true),
                "{told}"
            );
        }
    }
    assert_eq!(idp.seen(|script| script.forms.len()), 0);
    // The line's end that editors leave is not part of a secret.
    let secret = shell.file("secret", "\u{feff}s\r\n");
    assert_eq!(
        shell.token(&["--client-secret-file", &secret, "--client-secret-post"]),
        "token-1"
    );
    assert_eq!(
        idp.seen(|script| script.forms[0]["client_secret"].clone()),
        "s"
    );
}

/// A workload's assertion is read each time: its platform replaces the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_ready_assertion_is_sent_as_it_is() {
    let idp = StandIn::start().await;
    let shell = idp.shell();
    let file = shell.file("assertion", "a.b.c\n");
    assert_eq!(shell.token(&["--client-assertion-file", &file]), "token-1");
    shell.file("assertion", "d.e.f\n");
    let by_variable = idp.shell().with("OAUTH2_CLIENT_ASSERTION_FILE", &file);
    assert_eq!(by_variable.token(&[]), "token-2");
    let sent = idp.seen(|script| {
        script
            .forms
            .iter()
            .map(|form| form["client_assertion"].clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(sent, ["a.b.c", "d.e.f"]);
    let both = by_variable
        .with("OAUTH2_CLIENT_SECRET", "s")
        .run(&["token", "--renew"]);
    assert_eq!(
        (
            both.code,
            both.err.contains("both OAUTH2_CLIENT_SECRET and")
        ),
        (1, true),
        "{}",
        both.err
    );
    let torn = shell.file("torn", "marked");
    let said = shell.run(&["token", "--renew", "--client-assertion-file", &torn]);
    assert_eq!(
        (said.code, said.err.contains("marked")),
        (1, false),
        "{}",
        said.err
    );
}
