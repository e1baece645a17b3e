//! How the answers of policies are read, and what they are told.

use super::*;
use crate::config::Tables;
use crate::decision::cedar::schema;
use crate::decision::cedar::{PolicyInput, Resource};
use crate::request::caller::Caller;
use crate::request::incoming::IncomingRequest;
use crate::request::target::Target;
use cedar_policy::{Context, Entities, Entity, Request, RestrictedExpression, Schema};
use http::{HeaderMap, HeaderValue, Method};
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_core::{Decision as Decided, Requirement};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::ResourceServer;
use std::collections::HashSet;

fn vocabulary() -> Vocabulary {
    let text = "route = [{ path = \"/users/{id}\", methods = [\"GET\", \"PURGE\"], require = { any \
        = [{ cedar = \"orders:read\" }, { not = { cedar = true } }] } }]\n\
                [cedar]\npolicies = []\nclaims = { department = \"String\", level = \"Long\", vip \
                = \"Bool\", tags = \"Set<String>\" }\n";
    Vocabulary::of(&toml::from_str::<Tables>(text).unwrap())
}

fn engine(policies: &str) -> Engine {
    let set: PolicySet = policies.parse().unwrap();
    let policies: Vec<Policy> = set
        .policies()
        .map(|policy| {
            policy.new_id(cedar_policy::PolicyId::new(
                policy.annotation("id").unwrap(),
            ))
        })
        .collect();
    Engine::new(&policies, &vocabulary()).unwrap()
}

/// A caller with these attributes, who is in the role `r` and the group `g` where they are known.
fn facts(attributes: &[&str], unknown: UnknownMembers) -> PolicyFacts {
    let set = || RestrictedExpression::new_set([RestrictedExpression::new_string("x".to_owned())]);
    let uid = |text: &str| text.parse::<EntityUid>().unwrap();
    let attributes = attributes
        .iter()
        .map(|name| ((*name).to_owned(), set()))
        .collect();
    let mut parents = HashSet::new();
    if unknown != UnknownMembers::GroupsAndRoles {
        parents.insert(uid("Portcullis::Role::\"r\""));
    }
    if unknown == UnknownMembers::Nothing {
        parents.insert(uid("Portcullis::Group::\"g\""));
    }
    let caller = Entity::new(uid("Portcullis::User::\"u\""), attributes, parents).unwrap();
    let (action, route) = (
        uid("Portcullis::Action::\"GET\""),
        uid("Portcullis::Route::\"/\""),
    );
    let request = Request::new(caller.uid(), action, route, Context::empty(), None).unwrap();
    PolicyFacts {
        request,
        entities: Entities::from_entities([caller], None).unwrap(),
        unknown,
        address_known: true,
    }
}

const PERMIT: &str = "@id(\"p\") permit(principal, action, resource);";
const FORBID: &str = "@id(\"f\") forbid(principal, action, resource);";
const OVERFLOW: &str = "when { 9223372036854775807 + 1 == 0 }";

fn told(judgement: &PolicyAnswer) -> String {
    let said = judgement
        .permitted
        .map_or("unknown".to_owned(), |it| it.to_string());
    let failed: Vec<&str> = judgement.failed.iter().map(|(id, _)| &**id).collect();
    format!(
        "{said} {} {}",
        judgement.determining.join(","),
        failed.join(",")
    )
    .trim_end()
    .to_owned()
}

#[test]
fn a_policy_that_fails_is_never_passed_over() {
    let bad_permit = format!("@id(\"bp\") permit(principal, action, resource) {OVERFLOW};");
    let bad_forbid = format!("@id(\"bf\") forbid(principal, action, resource) {OVERFLOW};");
    for (policies, expected) in [
        (vec![], "false"),
        (vec![PERMIT], "true p"),
        (vec![PERMIT, FORBID], "false f"),
        (vec![&*bad_permit], "unknown  bp"),
        (vec![&*bad_forbid], "false  bf"),
        (vec![PERMIT, &bad_permit], "true p bp"),
        (vec![PERMIT, &bad_forbid], "unknown p bf"),
        (vec![FORBID, &bad_permit], "false f bp"),
        (vec![FORBID, PERMIT, &bad_forbid], "false f bf"),
        (vec![&*bad_permit, &bad_forbid], "unknown  bp,bf"),
    ] {
        let judgement =
            engine(&policies.concat()).evaluate("GET", &facts(&[], UnknownMembers::Nothing));
        let mut told = told(&judgement);
        if told.ends_with("bf,bp") {
            told = told.replace("bf,bp", "bp,bf");
        }
        assert_eq!(told, expected, "{policies:?}");
    }
}

#[test]
fn groups_that_nobody_knows_are_never_none() {
    let by_name = "@id(\"n\") EFFECT(principal in Portcullis::Group::\"h\", action, resource);";
    let in_condition = "@id(\"n\") EFFECT(principal, action, resource) when { principal in \
        [Portcullis::Group::\"h\"] };";
    let by_set =
        "@id(\"n\") EFFECT(principal, action, resource) when { principal.groups.contains(\"h\") };";
    for policy in [by_name, in_condition, by_set] {
        let (permit, forbid) = (
            policy.replace("EFFECT", "permit"),
            policy.replace("EFFECT", "forbid"),
        );
        let unknown = facts(&["roles"], UnknownMembers::Groups);
        let known = facts(&["roles", "groups"], UnknownMembers::Nothing);
        assert_eq!(
            told(&engine(&permit).evaluate("GET", &unknown)),
            "unknown",
            "{policy}"
        );
        assert_eq!(
            told(&engine(&permit).evaluate("GET", &known)),
            "false",
            "{policy}"
        );
        let both = engine(&format!("{PERMIT}{forbid}"));
        assert!(
            told(&both.evaluate("GET", &unknown)).starts_with("unknown"),
            "{policy}"
        );
        assert_eq!(told(&both.evaluate("GET", &known)), "true p", "{policy}");
        // What is clear without them is clear.
        let forbidden = engine(&format!("{FORBID}{permit}"));
        assert_eq!(
            told(&forbidden.evaluate("GET", &unknown)),
            "false f",
            "{policy}"
        );
        let permitted = engine(&format!("{PERMIT}{permit}"));
        assert_eq!(
            told(&permitted.evaluate("GET", &unknown)),
            "true p",
            "{policy}"
        );
    }
    let role = engine("@id(\"r\") permit(principal in Portcullis::Role::\"r\", action, resource);");
    assert_eq!(
        told(&role.evaluate("GET", &facts(&["roles"], UnknownMembers::Groups))),
        "true r"
    );
    assert_eq!(
        told(&role.evaluate("GET", &facts(&[], UnknownMembers::GroupsAndRoles))),
        "unknown"
    );
}

#[test]
fn only_policies_for_the_action_are_asked() {
    let engine = engine(
        "@id(\"get\") permit(principal, action == Portcullis::Action::\"GET\", resource);\
         @id(\"two\") permit(principal, action in [Portcullis::Action::\"POST\", \
         Portcullis::Action::\"orders:read\"], resource);\
         @id(\"all\") forbid(principal, action, resource) when { 9223372036854775807 + 1 == 0 };",
    );
    let sizes = ["GET", "POST", "orders:read", "PUT"]
        .map(|action| engine.by_action[action].all.policies.num_of_policies());
    assert_eq!(sizes, [2, 2, 2, 1]);
    assert_eq!(engine.others.all.policies.num_of_policies(), 1);
    assert_eq!(
        engine.by_action.len(),
        8,
        "six methods, and what the routes name"
    );
}

async fn token() -> AccessToken {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
    let token = idp
        .token("alice")
        .claim("department", "sales")
        .claim("level", 7)
        .claim("vip", true)
        .claim("tags", ["a"]);
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        HeaderValue::from_str(&format!("Bearer {}", token.sign())).unwrap(),
    );
    match server
        .decide(&headers, None, &Requirement::ValidToken)
        .await
    {
        Decided::Allow(permit) => permit.into_token(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_policies_are_told_fits_the_schema_that_they_were_checked_against() {
    let vocabulary = vocabulary();
    let (schema, warnings) = Schema::from_cedarschema_str(&schema::text(&vocabulary)).unwrap();
    assert_eq!(warnings.count(), 0);
    let names = SchemaNames::new(&vocabulary).unwrap();
    let resource = Resource {
        id: "users".into(),
        path: "/users/{id}".into(),
        parameters: vec![(1, "id".into())],
    };
    for caller in ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"] {
        let target = "/users/a%2Cb%C3%A9";
        let request = IncomingRequest {
            method: Method::HEAD,
            target: Target::parse(&Method::HEAD, "API.example:8443", target, &[]).unwrap(),
            headers: HeaderMap::new(),
            has_body: false,
            caller: Caller::Direct(caller.parse().unwrap()),
            certificate: None,
            id: "1",
            trace: None,
        };
        let input = PolicyInput {
            request: &request,
            resource: &resource,
            now: NumericDate::from_seconds(1_800_000_000),
        };
        let context = super::super::facts::context(input).ok().unwrap();
        let entity = names.resource(&resource).ok().unwrap();
        let token = token().await;
        let facts = names
            .facts(&token, "GET", &entity, context.clone())
            .ok()
            .unwrap();
        let action = names.action("GET");
        let principal = facts.request.principal().unwrap().clone();
        Request::new(
            principal.clone(),
            action.clone(),
            entity.uid(),
            context.clone(),
            Some(&schema),
        )
        .unwrap();
        Entities::from_entities(facts.entities.iter().cloned(), Some(&schema)).unwrap();
        let policy = "@id(\"all\") permit(principal is Portcullis::User in \
            Portcullis::Role::\"Admin\", action, resource == Portcullis::Route::\"users\") when {\
            principal.claims has department && principal.claims.department == \"sales\" &&\
            principal.claims has level && principal.claims.level == 7 && principal.claims has vip \
            && principal.claims.vip &&\
            principal.claims has tags && principal.claims.tags.contains(\"a\") &&\
            principal has subject && principal.roles.contains(\"Admin\") &&\
            resource.path == \"/users/{id}\" && context.method == \"HEAD\" && context.host == \
            \"api.example\" &&\
            context.path == \"/users/a,b%C3%A9\" && context.parameters has id && \
            context.parameters.id == \"a,b\\u{e9}\" &&\
            context.time == datetime(\"2027-01-15T08:00:00Z\") && (context.address.isIpv4() || \
            context.address.isIpv6()) };";
        assert_eq!(
            told(&engine(policy).evaluate("GET", &facts)),
            "true all",
            "{caller}"
        );
    }
}
