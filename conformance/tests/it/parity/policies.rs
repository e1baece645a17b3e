//! Cedar policies: the same answer through every door of the gateway, whatever the policies hang
//! on.

use super::case::{Case, Outcome};
use super::doors::{Doors, IDENTITY};
use super::{Row, run};
use portcullis_core::token::NumericDate;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::TestClock;
use portcullis_testkit::NOW;
use std::collections::BTreeMap;
use std::sync::Arc;

const POLICIES: &str = r#"
permit (principal in Portcullis::Role::"Admin", action, resource == Portcullis::Route::"/policies/{who}/**");
permit (principal, action == Portcullis::Action::"GET", resource)
when { principal has subject && context.parameters has who && context.parameters.who == principal.subject };
permit (principal, action == Portcullis::Action::"scoped", resource)
when { principal.scopes.contains("orders:write") && context.host == "gw.example" && context.path == "/scoped" };
forbid (principal, action, resource) when { principal.claims has level && principal.claims.level * 9 == 0 };
"#;

const TABLES: &str = r#"
[cedar.claims]
level = "Long"
[[route]]
path = "/policies/{who}/**"
require = { cedar = true }
[[route]]
path = "/scoped"
require = { cedar = "scoped" }
[[route]]
path = "/both"
require = { cedar = true, scope = "orders:write" }
[[route]]
path = "/unless"
require = { not = { cedar = true } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn policies_decide_alike() {
    let idp = Idp::start_at(IdpConfig::default(), || NOW as u64)
        .await
        .unwrap();
    let issuer = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n",
        idp.issuer(),
        idp.audience()
    );
    let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
    let file = std::env::temp_dir().join(format!("portcullis-parity-{}.cedar", std::process::id()));
    std::fs::write(&file, POLICIES).unwrap();
    let tables = format!(
        "{IDENTITY}[cedar]\npolicies = [\"{}\"]\n{TABLES}",
        file.display()
    );
    let world = Doors::telling(&tables, &issuer, &[], &clock).await;
    std::fs::remove_file(&file).unwrap();
    let token = |user: &str| idp.token(user).claim("sub", format!("{user}-1"));
    let writer = || token("bob").scope("orders:write").sign();
    let table = [
        ("GET", "/policies/bob-1", token("bob").sign(), 200, ""),
        ("GET", "/policies/%62ob-1/x", token("bob").sign(), 200, ""),
        ("HEAD", "/policies/bob-1/x", token("bob").sign(), 200, ""),
        (
            "POST",
            "/policies/bob-1/x",
            token("bob").sign(),
            403,
            "policy.denied",
        ),
        (
            "GET",
            "/policies/eve-1",
            token("bob").sign(),
            403,
            "policy.denied",
        ),
        ("POST", "/policies/bob-1", token("alice").sign(), 200, ""),
        ("GET", "/scoped", writer(), 200, ""),
        ("GET", "/scoped/", writer(), 403, "policy.denied"),
        (
            "GET",
            "/scoped",
            token("alice").sign(),
            403,
            "policy.denied",
        ),
        ("GET", "/both", token("bob").sign(), 403, "policy.denied"),
        ("GET", "/unless", token("bob").sign(), 200, ""),
        (
            "GET",
            "/unless",
            token("bob").claim("level", i64::MAX).sign(),
            200,
            "",
        ),
        (
            "POST",
            "/policies/bob-1",
            token("alice").claim("level", i64::MAX).sign(),
            503,
            "outage.policy",
        ),
        (
            "GET",
            "/policies/bob-1",
            token("bob").expire().sign(),
            401,
            "token.expired",
        ),
    ];
    let rows: Vec<_> = table
        .into_iter()
        .map(|(method, target, token, status, code)| {
            let mut case = Case::get(target).with("Authorization", format!("Bearer {token}"));
            case.method = method.to_owned();
            let judge = move |outcome: &Outcome| {
                // An answer to HEAD has no body to tell the code in.
                let right = outcome.status == status && (outcome.code == code || method == "HEAD");
                if right {
                    Ok(())
                } else {
                    Err(format!("not {status} {code}"))
                }
            };
            (
                "policies",
                Row {
                    id: format!("{method} {target} {status}"),
                    case,
                    judge: Box::new(judge),
                },
            )
        })
        .collect();
    run("policies", &BTreeMap::from([("policies", world)]), &rows).await;
}
