use super::*;
use crate::exit::Exit;
use std::path::Path;

/// A folder of its own for one test, removed when it is dropped.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("portcullis-store-{name}-{}", std::process::id()));
        _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn means(&self, passphrase: Option<&str>) -> Means {
        let passphrase = passphrase.map(|text| Zeroizing::new(text.to_owned()));
        Means {
            folder: Folder::at(&self.0),
            passphrase,
            ci: false,
            ask: || None,
        }
    }

    fn open(&self, passphrase: Option<&str>) -> Result<TokenStore, Failure> {
        open(Keeping::File, &self.means(passphrase)).map(Option::unwrap)
    }

    fn file(&self) -> PathBuf {
        self.0.join("tokens.json")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

fn entry(scope: &str) -> Entry {
    let asked = Asked {
        issuer: "https://idp.example".to_owned(),
        client: "cli".to_owned(),
        holder: Holder::User,
        scope: Asked::scopes(scope),
        audience: None,
        resource: None,
        dpop: false,
        sign_in: std::collections::BTreeMap::new(),
    };
    Entry {
        asked,
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
        .entries()
        .unwrap()
        .into_iter()
        .map(|entry| entry.asked.scope)
        .collect()
}

fn told(result: Result<impl Sized, Failure>) -> String {
    let failure = result.map(|_| ()).unwrap_err();
    assert_eq!(failure.exit(), Exit::CouldNotRun);
    failure.message().to_owned()
}

fn changed(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn what_is_put_is_found_and_nobody_else_can_read_it() {
    let place = Place::new("found");
    let store = place.open(None).unwrap();
    store.put(entry("b a"), 1_000).unwrap();
    store.put(entry("c"), 1_000).unwrap();
    let again = place.open(None).unwrap();
    let found = again.find(&entry("a b a").asked).unwrap().unwrap();
    assert_eq!(found.access_token.as_str(), "marked-access-token");
    assert_eq!(scopes(&again), ["a b", "c"]);
    store
        .put(
            Entry {
                obtained: 2_000,
                ..entry("a b")
            },
            2_000,
        )
        .unwrap();
    assert_eq!(
        scopes(&again),
        ["c", "a b"],
        "the new one takes the place of the old one"
    );
    let text = std::fs::read_to_string(place.file()).unwrap();
    assert!(
        !text.contains("marked") && !text.contains("idp.example"),
        "{text}"
    );
    assert_eq!(
        format!("{:?}", entry("a")),
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
fn what_can_neither_be_used_nor_renewed_goes_with_the_next_change() {
    let place = Place::new("useless");
    let store = place.open(None).unwrap();
    store
        .put(
            Entry {
                refresh_token: None,
                ..entry("spent")
            },
            1_000,
        )
        .unwrap();
    store.put(entry("renewable"), 1_000).unwrap();
    store.put(entry("new"), 9_000).unwrap();
    assert_eq!(scopes(&store), ["renewable", "new"]);
    let removed = store.remove(|entry| entry.asked.scope == "new").unwrap();
    assert_eq!(
        (removed.len(), scopes(&store)),
        (1, vec!["renewable".to_owned()])
    );
}

#[test]
fn a_passphrase_opens_what_it_closed_and_another_one_does_not() {
    let place = Place::new("passphrase");
    place
        .open(Some("right"))
        .unwrap()
        .put(entry("a"), 1_000)
        .unwrap();
    assert!(!place.0.join("tokens.key").exists());
    assert_eq!(scopes(&place.open(Some("right")).unwrap()), ["a"]);
    let before = std::fs::read(place.file()).unwrap();
    assert!(told(place.open(Some("wrong"))).contains("is not opened by this passphrase"));
    assert!(told(place.open(None)).contains("set PORTCULLIS_PASSPHRASE"));
    assert_eq!(std::fs::read(place.file()).unwrap(), before);
}

#[test]
fn a_passphrase_takes_the_place_of_the_key_beside() {
    let place = Place::new("converted");
    place.open(None).unwrap().put(entry("a"), 1_000).unwrap();
    assert!(place.0.join("tokens.key").exists());
    assert_eq!(scopes(&place.open(Some("now")).unwrap()), ["a"]);
    assert!(!place.0.join("tokens.key").exists());
    assert_eq!(scopes(&place.open(Some("now")).unwrap()), ["a"]);
}

#[test]
fn a_broken_file_is_told_and_left_as_it_is() {
    let place = Place::new("broken");
    let store = place.open(None).unwrap();
    store.put(entry("a"), 1_000).unwrap();
    let good = std::fs::read_to_string(place.file()).unwrap();
    for (broken, problem) in [
        (String::new(), "it is no token store, or cut off"),
        (
            good.chars().take(good.len() / 2).collect(),
            "it is no token store, or cut off",
        ),
        (
            good.replace("\"portcullis_tokens\": 1", "\"portcullis_tokens\": 2"),
            "it has format 2",
        ),
        (
            good.replace("\"nonce\"", "\"more\": 1, \"nonce\""),
            "a member is missing or wrong",
        ),
        (
            good.replace("\"sealed\": \"", "\"sealed\": \"AAAA"),
            "the key does not open it, or it was changed",
        ),
    ] {
        assert_ne!(broken, good);
        std::fs::write(place.file(), &broken).unwrap();
        let text = told(store.put(entry("b"), 1_000));
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
fn what_stands_outside_of_the_seal_cannot_be_changed() {
    let place = Place::new("outside");
    let store = place.open(Some("right")).unwrap();
    store.put(entry("a"), 1_000).unwrap();
    changed(&place.file(), "600000", "600001");
    assert!(told(store.entries()).contains("or it was changed"));
    changed(&place.file(), "600001", "60000100");
    assert!(told(place.open(Some("right"))).contains("too much work"));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new("mode");
    place.open(None).unwrap().put(entry("a"), 1_000).unwrap();
    let key = place.0.join("tokens.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(told(place.open(None)).contains("chmod 600"));
}

#[test]
fn many_at_once_lose_nothing() {
    let place = Place::new("many");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let place = &place;
            scope.spawn(move || {
                place
                    .open(None)
                    .unwrap()
                    .put(entry(&format!("scope-{number}")), 1_000)
                    .unwrap();
            });
        }
    });
    assert_eq!(scopes(&place.open(None).unwrap()).len(), 8);
}

#[test]
fn who_wants_the_same_token_waits() {
    let place = Place::new("wait");
    let store = place.open(None).unwrap();
    let held = store
        .hold(&entry("a").asked, || panic!("nobody has it"))
        .unwrap();
    store
        .hold(&entry("b").asked, || panic!("it is another one"))
        .unwrap();
    let (sender, waited) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let store = &store;
        let other = scope.spawn(move || {
            store
                .hold(&entry("a").asked, || sender.send(()).unwrap())
                .map(drop)
        });
        waited.recv().unwrap();
        drop(held);
        other.join().unwrap().unwrap();
    });
}

#[test]
fn tokens_are_kept_where_it_was_said_or_where_it_is_sensible() {
    let place = Place::new("where");
    let means = place.means(None);
    assert!(open(Keeping::None, &means).unwrap().is_none());
    assert!(
        open(
            Keeping::Auto,
            &Means {
                ci: true,
                ..place.means(None)
            }
        )
        .unwrap()
        .is_none()
    );
    let named = open(
        Keeping::File,
        &Means {
            ci: true,
            ..place.means(None)
        },
    )
    .unwrap()
    .unwrap();
    assert_eq!(named.path(), place.file());
    let passphrase = open(
        Keeping::Auto,
        &Means {
            ci: true,
            ..place.means(Some("x"))
        },
    )
    .unwrap()
    .unwrap();
    assert_eq!(
        passphrase.protection(),
        "encrypted, the key is made from the passphrase"
    );
    assert!(clear_all(&means.folder).unwrap());
    assert!(!clear_all(&means.folder).unwrap() && !place.file().exists());
}

#[test]
fn a_token_is_good_for_as_long_as_is_asked_and_no_clock_makes_it_good_for_ever() {
    let entry = entry("a"); // from 1,000 to 4,600
    assert!(entry.is_good(4_000, 60) && !entry.is_good(4_540, 60) && !entry.is_good(5_000, 0));
    let short = Entry {
        expires: Some(1_010),
        ..entry.clone()
    };
    assert!(
        short.is_good(1_000, 60) && !short.is_good(1_001, 60),
        "ten seconds of life are used for one"
    );
    let unsaid = Entry {
        expires: None,
        ..entry.clone()
    };
    assert!(unsaid.is_good(1_200, 60) && !unsaid.is_good(1_240, 60));
    assert!(
        !entry.is_good(10, 60),
        "the clock stood otherwise when it came"
    );
    assert!(!entry.has_good_id_token(1_000, 60));
}
