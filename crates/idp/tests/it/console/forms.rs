//! Users and clients that are added, changed and removed by hand, and the file that keeps them.

use super::{page, started};
use crate::{client, json, post};
use portcullis_idp::{Idp, IdpConfig};
use std::path::PathBuf;

const CAROL: &str = "username=carol&password=pw&name=Carol+%22C%22&email=c@example.test\
    &roles=Admin%0D%0AAudit+Clerk&claims=%7B%22note%22%3A%22a%5C%22b%22%7D";

const SPA: &str = "id=spa&redirect_uris=http://localhost:3000/cb%0D%0Acom.example.app:/cb\
    &scopes=orders:read+orders:write";

async fn sign_in(idp: &Idp, username: &str, client_id: &str, redirect_uri: &str) -> u16 {
    let query = crate::authorize_query(&[
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        ("scope", "openid orders:read"),
    ]);
    let form = format!("username={username}&password=pw");
    let path = format!("/authorize?{query}");
    post(idp, &path, &form, None).await.status().as_u16()
}

#[tokio::test]
async fn they_count_at_once() {
    let idp = started().await;
    assert_eq!(
        post(&idp, "/console/users/edit", CAROL, None)
            .await
            .status(),
        303
    );
    assert_eq!(
        post(&idp, "/console/clients/edit", SPA, None)
            .await
            .status(),
        303
    );
    assert_eq!(
        sign_in(&idp, "carol", "spa", "com.example.app:/cb").await,
        303
    );
    let token = post(&idp, "/dev/token", "user=carol", None)
        .await
        .text()
        .await
        .unwrap();
    let claims = crate::key::claims(&token);
    assert_eq!(claims["roles"], serde_json::json!(["Admin", "Audit Clerk"]));
    assert_eq!(claims["note"], "a\"b");

    // A change replaces what the form has, and keeps the rest.
    let change = "was=spa&scopes=orders:read&redirect_uris=http://localhost/other";
    assert_eq!(
        post(&idp, "/console/clients/edit", change, None)
            .await
            .status(),
        303
    );
    assert_eq!(
        sign_in(&idp, "carol", "spa", "com.example.app:/cb").await,
        400
    );
    let settings = page(&idp, "/console/settings.toml").await;
    let read = IdpConfig::from_toml(&settings).unwrap();
    let names: Vec<&str> = read
        .users
        .iter()
        .map(|user| user.username.as_str())
        .collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    assert_eq!(read.users[2].name, "Carol \"C\"");
    assert_eq!(read.clients[1].redirect_uris, ["http://localhost/other"]);
    assert!(
        read.clients[0]
            .secret
            .as_ref()
            .unwrap()
            .is("service-secret")
    );

    assert_eq!(
        post(&idp, "/console/users/remove", "username=carol", None)
            .await
            .status(),
        303
    );
    assert_eq!(
        sign_in(&idp, "carol", "spa", "http://localhost:1/other").await,
        401
    );
}

#[tokio::test]
async fn mistakes_are_named_and_nothing_changes() {
    let idp = started().await;
    for (form, told) in [
        ("password=x", "expected a name in one line"),
        ("username=alice", "found <code>alice</code>, which exists"),
        ("username=eve&claims=1", "expected a JSON object"),
        ("username=eve%0A1", "expected a name in one line"),
    ] {
        let response = post(&idp, "/console/users/edit", form, None).await;
        assert_eq!(response.status(), 400, "{form}");
        let page = response.text().await.unwrap();
        assert!(
            page.contains("role=\"alert\"") && page.contains(told),
            "{form}: {page}"
        );
    }
    for (form, told) in [
        ("id=web", "which exists"),
        ("id=spa", "a secret, a key or a redirect URI"),
        (
            "id=spa&redirect_uris=javascript:alert(1)",
            "found <code>javascript:alert(1)</code>",
        ),
        (
            "id=spa&redirect_uris=http://app.example/cb",
            "http on loopback",
        ),
        (
            "id=spa&secret=s&grant_types=password",
            "found <code>password</code>",
        ),
    ] {
        let response = post(&idp, "/console/clients/edit", form, None).await;
        assert_eq!(response.status(), 400, "{form}");
        let page = response.text().await.unwrap();
        assert!(
            page.contains("role=\"alert\"") && page.contains(told),
            "{form}: {page}"
        );
    }
    let settings = page(&idp, "/console/settings.toml").await;
    assert!(!settings.contains("eve") && !settings.contains("spa"));
}

#[tokio::test]
async fn a_password_counts_as_it_was_typed() {
    let idp = started().await;
    let dora = "username=dora&password=+&email=+";
    let added = post(&idp, "/console/users/edit", dora, None).await;
    assert_eq!(added.status(), 303);
    let path = format!("/authorize?{}", crate::authorize_query(&[]));
    let status = async |form: &'static str| post(&idp, &path, form, None).await.status();
    assert_eq!(status("username=dora").await, 401, "no password");
    assert_eq!(status("username=dora&password=+").await, 303);
    let settings = page(&idp, "/console/settings.toml").await;
    assert!(!settings.contains("email = \"\""), "{settings}");
}

/// An error page leads to the form, with the value that was missing.
#[tokio::test]
async fn a_missing_address_is_registered_in_two_steps() {
    let idp = started().await;
    let query = crate::authorize_query(&[("redirect_uri", "http://localhost:3000/<cb>")]);
    let address = format!("{}/authorize?{query}", idp.base());
    let response = client().get(&address).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let refusal = response.text().await.unwrap();
    let (_, rest) = refusal
        .split_once("href=\"/console/clients/edit?")
        .unwrap();
    let link = rest.split('"').next().unwrap().replace("&amp;", "&");
    let form = page(&idp, &format!("/console/clients/edit?{link}")).await;
    assert!(form.contains("http://127.0.0.1/callback") && form.contains("3000/&lt;cb&gt;"));
}

#[tokio::test]
async fn the_file_keeps_them_over_a_restart() {
    let folder = std::env::temp_dir().join(format!("idp-console-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file: PathBuf = folder.join("console.toml");
    let config = || IdpConfig {
        algorithm: "ES256".to_owned(),
        console_file: Some(file.clone()),
        ..IdpConfig::default()
    };
    let idp = Idp::start(config()).await.unwrap();
    assert!(!file.exists(), "nothing was changed yet");
    // Readable for everybody: its mode must not pass to the new file.
    std::fs::write(folder.join("console.toml.new"), "of a crash").unwrap();
    post(&idp, "/console/users/edit", CAROL, None).await;
    post(&idp, "/console/clients/edit", SPA, None).await;
    post(&idp, "/console/users/remove", "username=bob", None).await;
    drop(idp);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it has passwords");
    }
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("removed_users = [\"bob\"]") && !text.contains("alice"),
        "{text}"
    );

    let idp = Idp::start(config()).await.unwrap();
    assert_eq!(
        sign_in(&idp, "carol", "spa", "http://localhost:1/cb").await,
        303
    );
    let (status, _) = json(post(&idp, "/dev/token", "user=bob", None).await).await;
    assert_eq!(status, 400, "bob stays removed");
    drop(idp);

    std::fs::write(&file, "[[users]]\n").unwrap();
    let error = Idp::start(config()).await.unwrap_err().to_string();
    assert!(
        error.contains("console_file") && error.contains("users"),
        "{error}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
    let idp = Idp::start(config()).await.unwrap();
    let refused = post(&idp, "/console/users/edit", CAROL, None).await;
    assert_eq!(refused.status(), 500, "the folder is gone");
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("could not be kept")
    );
}
