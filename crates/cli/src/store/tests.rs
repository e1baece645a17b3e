use super::folder::Folder;
use super::open::{StoreEnvironment, open};
use super::*;
use crate::exit::{CommandError, Exit};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A folder for one test, deleted when the test ends.
struct TestFolder(PathBuf);

impl TestFolder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("portcullis-store-{name}-{}", std::process::id()));
        _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn environment(&self, passphrase: Option<&str>) -> StoreEnvironment {
        let passphrase = passphrase.map(|text| Zeroizing::new(text.to_owned()));
        StoreEnvironment {
            folder: Folder::at(&self.0),
            passphrase,
            ci: false,
            prompt: || None,
        }
    }

    fn open(&self, passphrase: Option<&str>) -> Result<TokenStore, CommandError> {
        open(StoreKind::File, &self.environment(passphrase)).map(Option::unwrap)
    }

    fn file(&self) -> PathBuf {
        self.0.join("tokens.json")
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

fn token(scope: &str) -> StoredToken {
    let purpose = TokenPurpose {
        issuer: "https://idp.example".to_owned(),
        client: "cli".to_owned(),
        holder: Holder::User,
        scope: TokenPurpose::sort_scopes(scope),
        audience: None,
        resource: None,
        dpop: false,
        sign_in: std::collections::BTreeMap::new(),
    };
    StoredToken {
        purpose,
        access_token: Zeroizing::new("marked-access-token".to_owned()),
        token_type: "Bearer".to_owned(),
        refresh_token: Some(Zeroizing::new("marked-refresh-token".to_owned())),
        id_token: None,
        granted: None,
        signed_in: None,
        obtained: 1_000,
        expires: Some(4_600),
        id_token_expires: None,
        subject: None,
        dpop_key: None,
    }
}

fn scopes(store: &TokenStore) -> Vec<String> {
    store
        .tokens()
        .unwrap()
        .into_iter()
        .map(|token| token.purpose.scope)
        .collect()
}

fn error(result: Result<impl Sized, CommandError>) -> String {
    let failure = result.map(|_| ()).unwrap_err();
    assert_eq!(failure.exit(), Exit::CouldNotRun);
    failure.message()
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_stored_token_is_found_and_other_users_cannot_read_it() {
    let place = TestFolder::new("found");
    let store = place.open(None).unwrap();
    store.put(token("b a"), 1_000).unwrap();
    store.put(token("c"), 1_000).unwrap();
    let again = place.open(None).unwrap();
    let found = again.find(&token("a b a").purpose).unwrap().unwrap();
    assert_eq!(found.access_token.as_str(), "marked-access-token");
    assert_eq!(scopes(&again), ["a b", "c"]);
    store
        .put(
            StoredToken {
                obtained: 2_000,
                ..token("a b")
            },
            2_000,
        )
        .unwrap();
    assert_eq!(
        scopes(&again),
        ["c", "a b"],
        "the new one replaces the old one"
    );
    let text = std::fs::read_to_string(place.file()).unwrap();
    assert!(
        !text.contains("marked") && !text.contains("idp.example"),
        "{text}"
    );
    assert_eq!(
        format!("{:?}", token("a")),
        "a token of https://idp.example for \"a\""
    );
    #[cfg(unix)]
    for file in std::fs::read_dir(&place.0).unwrap() {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            file.unwrap().metadata().unwrap().permissions().mode() & 0o077,
            0
        );
    }
}

#[test]
fn useless_tokens_go_with_the_next_change() {
    let place = TestFolder::new("useless");
    let store = place.open(None).unwrap();
    store
        .put(
            StoredToken {
                refresh_token: None,
                ..token("spent")
            },
            1_000,
        )
        .unwrap();
    store.put(token("renewable"), 1_000).unwrap();
    store.put(token("new"), 9_000).unwrap();
    assert_eq!(scopes(&store), ["renewable", "new"]);
    let removed = store
        .remove(|token| token.purpose.scope == "new")
        .unwrap();
    assert_eq!(
        (removed.len(), scopes(&store)),
        (1, vec!["renewable".to_owned()])
    );
}

#[test]
fn only_the_right_passphrase_opens_the_store() {
    let place = TestFolder::new("passphrase");
    place
        .open(Some("right"))
        .unwrap()
        .put(token("a"), 1_000)
        .unwrap();
    assert!(!place.0.join("tokens.key").exists());
    assert_eq!(scopes(&place.open(Some("right")).unwrap()), ["a"]);
    let before = std::fs::read(place.file()).unwrap();
    assert!(error(place.open(Some("wrong"))).contains("the passphrase does not open"));
    assert!(error(place.open(None)).contains("set PORTCULLIS_PASSPHRASE"));
    assert_eq!(std::fs::read(place.file()).unwrap(), before);
}

#[test]
fn a_passphrase_replaces_the_key_file() {
    let place = TestFolder::new("converted");
    place
        .open(None)
        .unwrap()
        .put(token("a"), 1_000)
        .unwrap();
    assert!(place.0.join("tokens.key").exists());
    assert_eq!(scopes(&place.open(Some("now")).unwrap()), ["a"]);
    assert!(!place.0.join("tokens.key").exists());
    assert_eq!(scopes(&place.open(Some("now")).unwrap()), ["a"]);
}

#[test]
fn a_broken_file_is_reported_and_left_unchanged() {
    let place = TestFolder::new("broken");
    let store = place.open(None).unwrap();
    store.put(token("a"), 1_000).unwrap();
    let good = std::fs::read_to_string(place.file()).unwrap();
    for (broken, problem) in [
        (String::new(), "expected a token store"),
        (
            good.chars().take(good.len() / 2).collect(),
            "expected a token store",
        ),
        (
            good.replace("\"portcullis_tokens\": 1", "\"portcullis_tokens\": 2"),
            "found format 2",
        ),
        (
            good.replace("\"nonce\"", "\"more\": 1, \"nonce\""),
            "a member is missing, unknown",
        ),
        (
            good.replace("\"sealed\": \"", "\"sealed\": \"AAAA"),
            "the key does not open it, or it was modified",
        ),
    ] {
        assert_ne!(broken, good);
        std::fs::write(place.file(), &broken).unwrap();
        let text = error(store.put(token("b"), 1_000));
        assert!(
            text.contains(problem) && text.contains("token clear --all"),
            "{text}"
        );
        assert_eq!(std::fs::read_to_string(place.file()).unwrap(), broken);
    }
    std::fs::write(place.file(), &good).unwrap();
    assert_eq!(scopes(&store), ["a"]);
}

#[test]
fn members_outside_the_seal_cannot_be_modified() {
    let place = TestFolder::new("outside");
    let store = place.open(Some("right")).unwrap();
    store.put(token("a"), 1_000).unwrap();
    edit(&place.file(), "600000", "600001");
    assert!(error(store.tokens()).contains("or it was modified"));
    edit(&place.file(), "600001", "60000100");
    assert!(error(place.open(Some("right"))).contains("at most 10000000 iterations"));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = TestFolder::new("mode");
    place
        .open(None)
        .unwrap()
        .put(token("a"), 1_000)
        .unwrap();
    let key = place.0.join("tokens.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(error(place.open(None)).contains("chmod 600"));
}

#[test]
fn parallel_writers_lose_nothing() {
    let place = TestFolder::new("many");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let place = &place;
            scope.spawn(move || {
                place
                    .open(None)
                    .unwrap()
                    .put(token(&format!("scope-{number}")), 1_000)
                    .unwrap();
            });
        }
    });
    assert_eq!(scopes(&place.open(None).unwrap()).len(), 8);
}

#[test]
fn callers_of_the_same_token_wait_for_each_other() {
    let place = TestFolder::new("wait");
    let store = place.open(None).unwrap();
    let lock = store
        .lock(&token("a").purpose, || panic!("nobody holds it"))
        .unwrap();
    store
        .lock(&token("b").purpose, || panic!("it is another one"))
        .unwrap();
    let (sender, waited) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let store = &store;
        let other = scope.spawn(move || {
            store
                .lock(&token("a").purpose, || sender.send(()).unwrap())
                .map(drop)
        });
        waited.recv().unwrap();
        drop(lock);
        other.join().unwrap().unwrap();
    });
}

#[test]
fn the_store_is_the_named_one_or_a_sensible_default() {
    let place = TestFolder::new("where");
    let environment = place.environment(None);
    assert!(open(StoreKind::None, &environment).unwrap().is_none());
    assert!(
        open(
            StoreKind::Auto,
            &StoreEnvironment {
                ci: true,
                ..place.environment(None)
            }
        )
        .unwrap()
        .is_none()
    );
    let named = open(
        StoreKind::File,
        &StoreEnvironment {
            ci: true,
            ..place.environment(None)
        },
    )
    .unwrap()
    .unwrap();
    assert_eq!(named.path(), place.file());
    let passphrase = open(
        StoreKind::Auto,
        &StoreEnvironment {
            ci: true,
            ..place.environment(Some("x"))
        },
    )
    .unwrap()
    .unwrap();
    assert_eq!(
        passphrase.protection(),
        "encrypted; the key is derived from the passphrase"
    );
    assert!(clear_all(&environment.folder).unwrap());
    assert!(!clear_all(&environment.folder).unwrap() && !place.file().exists());
}

#[test]
fn a_token_is_good_for_the_margin_and_no_clock_makes_it_good_for_ever() {
    let token = token("a"); // from 1,000 to 4,600
    assert!(token.is_good(4_000, 60) && !token.is_good(4_540, 60) && !token.is_good(5_000, 0));
    let short = StoredToken {
        expires: Some(1_010),
        ..token.clone()
    };
    assert!(
        short.is_good(1_000, 60) && !short.is_good(1_001, 60),
        "a lifetime of ten seconds is used for one"
    );
    let unsaid = StoredToken {
        expires: None,
        ..token.clone()
    };
    assert!(unsaid.is_good(1_200, 60) && !unsaid.is_good(1_240, 60));
    assert!(!token.is_good(10, 60), "the clock was set back since");
    assert!(!token.has_good_id_token(1_000, 60));
}
