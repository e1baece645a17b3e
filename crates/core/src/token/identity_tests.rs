//! One caller out of many dialects, and what nobody can tell.

use super::*;
use crate::Denial;
use crate::Limits;
use crate::jose::json;
use crate::policy::{self, Permit, Requirement as R};
use crate::token::{AccessToken, Audiences, Issuer, NumericDate, Origin};
use crate::verify::{Profile, Verifier};

fn token(mut profile: Profile, claims: &str, change: impl FnOnce(&mut Mapping)) -> AccessToken {
    let Ok(Json::Object(object)) = json::parse(claims.as_bytes(), &Limits::default()) else {
        panic!("{claims}")
    };
    change(&mut profile.mapping);
    let issuer = Issuer::parse("https://idp.example").unwrap();
    let verifier = Verifier::new(issuer, Audiences::new(["api"]).unwrap(), profile);
    AccessToken::for_test(
        Claims::from_object(object).unwrap(),
        Origin::Introspected,
        verifier,
    )
}

fn permit(token: AccessToken, requirement: &R) -> Result<Permit, Denial> {
    policy::permit(token, requirement, NumericDate::from_seconds(0))
}

fn of(dialect: &str, claims: &str) -> String {
    let token = token(Profile::by_name(dialect).unwrap(), claims, |_| {});
    let identity = token.identity();
    let names = |names: &Membership| names.iter().collect::<Vec<_>>().join(",");
    let or_none = |text: Option<&str>| text.unwrap_or("-").to_owned();
    format!(
        "{} {} {} {} [{}] [{}]",
        identity.kind(),
        or_none(identity.subject()),
        or_none(identity.client()),
        or_none(identity.tenant()),
        identity.scopes(),
        names(identity.roles()),
    )
}

#[test]
fn one_caller_out_of_many_dialects() {
    for (dialect, claims, expected) in [
        (
            "entra-v2",
            r#"{"oid":"o","sub":"s","azp":"c","tid":"t","scp":"a b","roles":["R"]}"#,
            "user o c t [a b] [R]",
        ),
        (
            "entra-v2",
            r#"{"oid":"o","sub":"o","azp":"c","tid":"t","roles":["R"]}"#,
            "application o c t [] [R]",
        ),
        (
            "entra-v1",
            r#"{"oid":"o","appid":"c","idtyp":"app","scp":"x"}"#,
            "application o c - [x] []",
        ),
        (
            "okta",
            r#"{"sub":"a@b","uid":"u","cid":"c","scp":["a","b"],"groups":["R"]}"#,
            "user u c - [a b] [R]",
        ),
        (
            "okta",
            r#"{"sub":"c","cid":"c","scp":["a"]}"#,
            "application c c - [a] []",
        ),
        (
            "auth0",
            r#"{"sub":"auth0|1","azp":"c","scope":"a","permissions":["p"]}"#,
            "user auth0|1 c - [a] [p]",
        ),
        (
            "auth0",
            r#"{"sub":"c@clients","client_id":"c"}"#,
            "application c@clients c - [] []",
        ),
        (
            "google",
            r#"{"sub":"1","azp":"c","hd":"acme.test"}"#,
            "user 1 c acme.test [] []",
        ),
        (
            "firebase",
            r#"{"sub":"1","firebase":{"tenant":"t"},"roles":"R"}"#,
            "user 1 - t [] [R]",
        ),
        (
            "cognito",
            r#"{"sub":"1","client_id":"c","username":"u","cognito:groups":["R"]}"#,
            "user 1 c - [] [R]",
        ),
        (
            "cognito",
            r#"{"sub":"c","client_id":"c","scope":"x/a"}"#,
            "application c c - [x/a] []",
        ),
        (
            "keycloak",
            r#"{"sub":"1","azp":"c","realm_access":{"roles":["R"]},"resource_access":{"api":{"roles":["e"]},"account":{"roles":["no"]}}}"#,
            "user 1 c - [] [R,e]",
        ),
        (
            "keycloak",
            r#"{"sub":"1","azp":"c","preferred_username":"service-account-c"}"#,
            "application 1 c - [] []",
        ),
        (
            "pingone",
            r#"{"client_id":"c","env":"e"}"#,
            "application c c e [] []",
        ),
        (
            "github-actions",
            r#"{"sub":"repo:x","repository":"o/r","repository_owner_id":"9"}"#,
            "application repo:x o/r 9 [] []",
        ),
        (
            "kubernetes",
            r#"{"sub":"system:x","kubernetes.io":{"namespace":"shop","serviceaccount":{"name":"orders"}}}"#,
            "application system:x orders shop [] []",
        ),
        (
            "zitadel",
            r#"{"sub":"1","client_id":"c","urn:zitadel:iam:org:project:roles":{"R":{"o":"x"},"S":{}}}"#,
            "user 1 c - [] [R]",
        ),
        (
            "hydra",
            r#"{"sub":"1","client_id":"c","scp":["a"],"ext":{"roles":["R"]}}"#,
            "user 1 c - [a] [R]",
        ),
        (
            "cloudflare",
            r#"{"sub":"","common_name":"c"}"#,
            "application c c - [] []",
        ),
        (
            "generic",
            r#"{"sub":"1","oid":"o","azp":"c"}"#,
            "user 1 c - [] []",
        ),
        // Answers about opaque tokens of client credentials name no user.
        (
            "generic",
            r#"{"client_id":"c","scope":"a"}"#,
            "application c c - [a] []",
        ),
        (
            "hydra",
            r#"{"sub":"","client_id":"c","scope":"a"}"#,
            "application c c - [a] []",
        ),
        ("auth0", r#"{"client_id":"c"}"#, "application c c - [] []"),
    ] {
        assert_eq!(of(dialect, claims), expected, "{dialect}: {claims}");
    }
}

#[test]
fn groups_that_do_not_fit_are_unknown_and_never_none() {
    let entra = |claims: &str| token(Profile::by_name("entra-v2").unwrap(), claims, |_| {});
    for claims in [
        r#"{"_claim_names":{"groups":"src1"}}"#,
        r#"{"hasgroups":true}"#,
        r#"{"hasgroups":"true"}"#,
    ] {
        let token = entra(claims);
        let code = |requirement: &R| {
            permit(token.clone(), requirement)
                .map(|_| ())
                .map_err(|it| it.code())
        };
        assert!(token.identity().groups().is_unknown(), "{claims}");
        for unknown in [
            R::group("g"),
            R::not(R::group("g")),
            R::all([R::ValidToken, R::group("g")]),
            R::any([R::role("x"), R::group("g")]),
            R::not(R::all([R::group("g"), R::ValidToken])),
        ] {
            assert_eq!(code(&unknown), Err("policy.groups_unknown"), "{unknown}");
        }
        // What is decided without the groups is decided.
        assert_eq!(code(&R::any([R::ValidToken, R::group("g")])), Ok(()));
        assert_eq!(
            code(&R::all([R::scope("a"), R::group("g")])),
            Err("policy.denied")
        );
        let known = token.with_groups(vec!["g".into()]);
        assert!(
            permit(known.clone(), &R::group("g")).is_ok() && permit(known, &R::group("h")).is_err()
        );
    }
    assert!(permit(entra("{}"), &R::not(R::group("g"))).is_ok());
    assert!(permit(entra(r#"{"groups":["g"]}"#), &R::group("g")).is_ok());
}

#[test]
fn where_groups_serve_as_roles_they_are_as_unknown() {
    let places = |mapping: &mut Mapping| mapping.roles = mapping.groups.clone();
    let token = token(
        Profile::by_name("entra-v2").unwrap(),
        r#"{"hasgroups":true}"#,
        places,
    );
    assert!(token.identity().roles().is_unknown() && !token.has_role("g"));
    assert!(token.with_groups(vec!["g".into()]).has_role("g"));
}

#[test]
fn groups_are_no_roles_where_nobody_said_so() {
    let token = token(
        Profile::by_name("entra-v2").unwrap(),
        r#"{"hasgroups":true,"roles":["R"]}"#,
        |_| {},
    );
    assert!(token.has_role("R") && !token.identity().roles().is_unknown());
    let known = token.with_groups(vec!["Admin".into()]);
    assert!(known.has_role("R") && !known.has_role("Admin"));
    assert!(!known.identity().roles().is_unknown() && !known.identity().groups().is_unknown());
    // What a log may show of a caller.
    assert_eq!(
        format!("{:?}", known.identity()),
        "a caller of kind unknown"
    );
    assert_eq!(
        format!("{:?} {:?}", known.identity().roles(), Membership::Unknown),
        "1 names unknown"
    );
}

#[test]
fn prefixes_lists_and_included_roles() {
    let claims = r#"{"sub":"1","scope":"api/a b","roles":"app-Admin; app-Other;x"}"#;
    let token = token(Profile::generic(), claims, |mapping| {
        mapping.delimiter = Some(';');
        mapping.role_prefix = Some("app-".into());
        mapping.scope_prefix = Some("api/".into());
        mapping.role_includes = [
            ("Admin", vec!["Editor"]),
            ("Editor", vec!["Viewer", "Admin"]),
        ]
        .map(|(role, included)| (role.into(), included.into_iter().map(Into::into).collect()))
        .into();
    });
    let roles: Vec<&str> = token.identity().roles().iter().collect();
    assert_eq!(roles, ["Admin", "Other", "Editor", "Viewer"]);
    assert_eq!(token.scopes().to_string(), "a");
}

#[test]
fn users_and_applications_are_told_apart_by_policy() {
    let user = token(
        Profile::by_name("okta").unwrap(),
        r#"{"sub":"s","uid":"u","cid":"c"}"#,
        |_| {},
    );
    let application = token(
        Profile::by_name("okta").unwrap(),
        r#"{"sub":"c","cid":"c"}"#,
        |_| {},
    );
    assert!(
        permit(user.clone(), &R::user()).is_ok()
            && permit(application.clone(), &R::application()).is_ok()
    );
    assert_eq!(
        permit(user, &R::application()).unwrap_err().code(),
        "policy.denied"
    );
    assert_eq!(
        permit(application, &R::user()).unwrap_err().code(),
        "policy.denied"
    );
}

/// Whether somebody holds a role is for its value to say where the names of roles are members of an
/// object; only one provider is known to write them so.
#[test]
fn a_member_of_an_object_is_no_role() {
    let shapes = [
        r#"{"Admin":false}"#,
        r#"{"Admin":true}"#,
        r#"{"Admin":null}"#,
        r#"{"Admin":0}"#,
        r#"{"Admin":1}"#,
        r#"{"Admin":""}"#,
        r#"{"Admin":"yes"}"#,
        r#"{"Admin":[]}"#,
        r#"{"Admin":["x"]}"#,
        r#"{"Admin":{}}"#,
        r#"{"Admin":{"o":"x"}}"#,
        r#"[{"Admin":{"o":"x"}}]"#,
        r#"[{"name":"Admin"}]"#,
        r#"[["Admin"]]"#,
        "[true,1,null]",
        "true",
        "1",
        "null",
        r#""""#,
        r#""Admin Other""#,
        r#""admin""#,
        r#"" Admin""#,
        r#"["Admin "]"#,
    ];
    for dialect in crate::dialect::DIALECTS {
        let places = [dialect.roles, dialect.groups].concat();
        for shape in shapes {
            // At each place of the dialect, however deep it is.
            for place in places
                .iter()
                .filter(|place| !place.starts_with("urn:"))
            {
                let place = place.replace("{audience}", "api");
                let nested = place
                    .rsplit('.')
                    .fold(shape.to_owned(), |inner, name| {
                        format!(r#"{{"{name}":{inner}}}"#)
                    });
                let token = token(Profile::of(dialect), &nested, |_| {});
                assert!(!token.has_role("Admin"), "{dialect:?}: {nested}");
                assert_ne!(
                    token.identity().groups().holds("Admin"),
                    Some(true),
                    "{dialect:?}: {nested}"
                );
            }
        }
    }
}

#[test]
fn zitadel_keeps_roles_as_members_and_says_where_they_are_held() {
    let roles = |profile: &str, claim: &str, value: &str| {
        let claims = format!(r#"{{"sub":"1","{claim}":{value}}}"#);
        let token = token(Profile::by_name(profile).unwrap(), &claims, |mapping| {
            mapping.roles = vec![ClaimPath::parse(claim).unwrap()];
        });
        token
            .identity()
            .roles()
            .iter()
            .collect::<Vec<_>>()
            .join(",")
    };
    const ALL: &str = "urn:zitadel:iam:org:project:roles";
    const ONE: &str = "urn:zitadel:iam:org:project:100:roles";
    for (value, expected) in [
        (
            r#"{"Admin":{"1":"a.test"},"Reader":{"1":"a.test","2":"b.test"}}"#,
            "Admin,Reader",
        ),
        (
            r#"[{"Admin":{"1":"a.test"}},{"Reader":{"1":"a.test"}},"Admin"]"#,
            "Admin,Reader",
        ),
        (
            r#"{"Admin":false,"B":null,"C":0,"D":"","E":[],"F":{},"G":{"1":null},"H":{"1":""},"I":{"1":{}}}"#,
            "",
        ),
        (r#"{"":{"1":"a.test"}," ":{"1":"a.test"}}"#, ""),
        ("null", ""),
    ] {
        for (profile, claim) in [("zitadel", ALL), ("zitadel", ONE), ("generic", ONE)] {
            assert_eq!(
                roles(profile, claim, value),
                expected,
                "{profile} {claim} {value}"
            );
        }
    }
    for claim in [
        "roles",
        "urn:zitadel:iam:org:project:100:other",
        "urn:zitadel:iam:org:project:xroles",
    ] {
        assert_eq!(
            roles("zitadel", claim, r#"{"Admin":{"1":"a.test"}}"#),
            "",
            "{claim}"
        );
    }
}
