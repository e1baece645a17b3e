//! One case a provider: its issuer, how its tokens are imitated, and what must not pass.

use portcullis_idp::{Dialect, TokenBuilder};
use serde_json::{Value, json};

/// A provider in the table.
pub(super) struct Case {
    pub(super) title: &'static str,
    pub(super) profile: &'static str,
    pub(super) imitation: Dialect,
    /// The provider's own issuer.
    pub(super) issuer: &'static str,
    /// The same provider's issuer of another tenant.
    pub(super) other_issuer: &'static str,
    /// Settings beside issuer and audience.
    pub(super) settings: &'static str,
    /// What makes the imitation's token that of this case.
    pub(super) change: fn(TokenBuilder) -> TokenBuilder,
    /// Whose tokens are tried: a user's first, then an application's where there is such a thing.
    pub(super) callers: &'static [&'static str],
    /// The claim that says who each of them is, by the provider's documentation.
    pub(super) subjects: &'static [&'static str],
    /// The claim that names the tenant, and ours.
    pub(super) tenant: Option<(&'static str, &'static str)>,
    /// The member of that claim, where it is an object.
    pub(super) tenant_member: Option<&'static str>,
    /// Where ID tokens are borne: what else must not pass.
    pub(super) instead: Option<Instead>,
}

/// What a token is that must not pass, and how it comes out of a good one.
pub(super) type Instead = (&'static str, fn(TokenBuilder) -> String);

impl Case {
    pub(super) fn dress(&self, token: TokenBuilder) -> TokenBuilder {
        (self.change)(token)
    }

    /// Settings beside the provider's own issuer, which shows the profile unless it is a matter of
    /// taste.
    pub(super) fn settings_as_shown(&self) -> String {
        let profile = if self.profile == "rfc9068" {
            "profile = \"rfc9068\"\n"
        } else {
            ""
        };
        format!("{profile}{}", self.settings)
    }
}

/// The value of a claim, or an object that holds it.
pub(super) fn nested(member: Option<&str>, value: &str) -> Value {
    match member {
        None => json!(value),
        Some(member) => json!({ member: value }),
    }
}

const T: &str = "00000000-1111-4000-8000-000000000001";

const BASE: Case = Case {
    title: "",
    profile: "generic",
    imitation: Dialect::Generic,
    issuer: "https://idp.example",
    other_issuer: "https://other.example",
    settings: "",
    change: |token| token,
    callers: &["alice", "service"],
    subjects: &["sub", "sub"],
    tenant: None,
    tenant_member: None,
    instead: None,
};

pub(super) const CASES: &[Case] = &[
    Case {
        title: "any provider",
        tenant: Some(("tid", "acme")),
        ..BASE
    },
    Case {
        title: "RFC 9068, to the letter",
        profile: "rfc9068",
        tenant: Some(("tid", "acme")),
        ..BASE
    },
    Case {
        title: "Entra ID, v2 tokens",
        profile: "entra-v2",
        imitation: Dialect::Entra,
        issuer: "https://login.microsoftonline.com/00000000-1111-4000-8000-000000000001/v2.0",
        change: |token| token.claim("tid", T),
        tenant: Some(("tid", T)),
        // `sub` is another one for every client.
        subjects: &["oid", "oid"],
        ..BASE
    },
    Case {
        title: "Entra ID, v1 tokens",
        profile: "entra-v1",
        imitation: Dialect::EntraV1,
        issuer: "https://sts.windows.net/00000000-1111-4000-8000-000000000001/",
        change: |token| token.claim("tid", T),
        tenant: Some(("tid", T)),
        // `sub` is another one for every client.
        subjects: &["oid", "oid"],
        ..BASE
    },
    Case {
        title: "Entra External ID",
        profile: "entra-external-id",
        imitation: Dialect::Entra,
        issuer: "https://00000000-1111-4000-8000-000000000001.ciamlogin.com/00000000-1111-4000-8000-000000000001/v2.0",
        change: |token| token.claim("tid", T),
        tenant: Some(("tid", T)),
        // `sub` is another one for every client.
        subjects: &["oid", "oid"],
        ..BASE
    },
    Case {
        title: "Azure AD B2C",
        profile: "entra-b2c",
        imitation: Dialect::Entra,
        issuer: "https://acme.b2clogin.com/00000000-1111-4000-8000-000000000001/v2.0/",
        change: |token| token.claim("tid", T).claim("tfp", "B2C_1_signin"),
        tenant: Some(("tid", T)),
        // `sub` is another one for every client.
        subjects: &["oid", "oid"],
        ..BASE
    },
    Case {
        title: "Okta, custom server",
        profile: "okta",
        imitation: Dialect::Okta,
        issuer: "https://acme.okta.com/oauth2/default",
        other_issuer: "https://evil.okta.com/oauth2/default",
        subjects: &["uid", "sub"],
        ..BASE
    },
    Case {
        title: "Auth0",
        profile: "auth0",
        imitation: Dialect::Auth0,
        issuer: "https://acme.eu.auth0.com/",
        other_issuer: "https://evil.eu.auth0.com/",
        ..BASE
    },
    Case {
        title: "Auth0, RFC 9068 tokens",
        profile: "auth0",
        imitation: Dialect::Auth0Rfc9068,
        issuer: "https://acme.eu.auth0.com/",
        other_issuer: "https://evil.eu.auth0.com/",
        ..BASE
    },
    Case {
        title: "Google",
        profile: "google",
        imitation: Dialect::Google,
        issuer: "https://accounts.google.com",
        callers: &["alice"],
        tenant: Some(("hd", "acme.example")),
        instead: Some(("its access token", |token| token.opaque())),
        ..BASE
    },
    Case {
        title: "Firebase",
        profile: "firebase",
        imitation: Dialect::Firebase,
        issuer: "https://securetoken.google.com/example-project",
        other_issuer: "https://securetoken.google.com/other-project",
        callers: &["alice"],
        instead: Some(("a custom token", |token| token.without("auth_time").sign())),
        ..BASE
    },
    Case {
        title: "Amazon Cognito",
        profile: "cognito",
        imitation: Dialect::Cognito,
        issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE",
        other_issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_OTHER",
        ..BASE
    },
    Case {
        title: "Keycloak",
        profile: "keycloak",
        imitation: Dialect::Keycloak,
        issuer: "https://sso.example.com/realms/acme",
        other_issuer: "https://sso.example.com/realms/other",
        ..BASE
    },
    Case {
        title: "PingOne",
        profile: "pingone",
        imitation: Dialect::PingOne,
        issuer: "https://auth.pingone.eu/00000000-ffff-4000-8000-0000000000f1/as",
        tenant: Some(("env", "00000000-ffff-4000-8000-0000000000f1")),
        subjects: &["sub", "client_id"],
        ..BASE
    },
    Case {
        title: "GitHub Actions",
        profile: "github-actions",
        imitation: Dialect::GithubActions,
        issuer: "https://token.actions.githubusercontent.com",
        settings: "[issuer.claims]\nrepository_owner_id = [\"123456\", \"another-tenant\"]",
        change: |token| token.claim("repository_owner_id", "123456"),
        callers: &["alice"],
        tenant: Some(("repository_owner_id", "123456")),
        instead: Some(("another owner's job", |token| {
            token.claim("repository_owner_id", "666").sign()
        })),
        ..BASE
    },
    Case {
        title: "GitLab CI",
        profile: "gitlab-ci",
        imitation: Dialect::GitlabCi,
        issuer: "https://gitlab.com",
        settings: "[issuer.claims]\nnamespace_id = [\"72\", \"another-tenant\"]",
        change: |token| token.claim("namespace_id", "72"),
        callers: &["alice"],
        tenant: Some(("namespace_id", "72")),
        instead: Some(("another group's job", |token| {
            token.claim("namespace_id", "666").sign()
        })),
        ..BASE
    },
    Case {
        title: "Kubernetes",
        profile: "kubernetes",
        imitation: Dialect::Kubernetes,
        issuer: "https://kubernetes.default.svc.cluster.local",
        settings: "[issuer.claims]\n\"kubernetes.io.namespace\" = [\"shop\", \"another-tenant\"]",
        callers: &["alice"],
        tenant: Some(("kubernetes.io", "shop")),
        tenant_member: Some("namespace"),
        instead: Some(("a legacy token", |token| {
            token.without("exp").without("kubernetes.io").sign()
        })),
        ..BASE
    },
    Case {
        title: "ZITADEL",
        profile: "zitadel",
        imitation: Dialect::Zitadel,
        issuer: "https://acme-1.zitadel.cloud",
        tenant: Some((
            "urn:zitadel:iam:user:resourceowner:id",
            "100000000000000001",
        )),
        ..BASE
    },
    Case {
        title: "authentik",
        profile: "authentik",
        imitation: Dialect::Authentik,
        issuer: "https://auth.example.com/application/o/api/",
        other_issuer: "https://auth.example.com/application/o/other/",
        ..BASE
    },
    Case {
        title: "Ory Hydra",
        profile: "hydra",
        imitation: Dialect::Hydra,
        issuer: "https://acme.projects.oryapis.com",
        other_issuer: "https://evil.projects.oryapis.com",
        ..BASE
    },
    Case {
        title: "Cloudflare Access",
        profile: "cloudflare",
        imitation: Dialect::Cloudflare,
        issuer: "https://acme.cloudflareaccess.com",
        other_issuer: "https://evil.cloudflareaccess.com",
        instead: Some(("the team's session", |token| {
            token.claim("type", "org").sign()
        })),
        subjects: &["sub", "common_name"],
        ..BASE
    },
    Case {
        title: "AD FS",
        profile: "adfs",
        imitation: Dialect::Adfs,
        issuer: "http://sts.example.com/adfs/services/trust",
        other_issuer: "http://sts.evil.example/adfs/services/trust",
        // A service has no `sub` there: it is known by its client alone.
        subjects: &["sub", "appid"],
        ..BASE
    },
];
