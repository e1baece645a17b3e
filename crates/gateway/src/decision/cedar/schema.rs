//! The schema of policies: the names and attributes they may use, made from the settings.
//!
//! Every policy is checked against it at the start, so a misspelt role attribute or an unknown
//! action is a fault of the settings and never a policy that silently does not apply.

use super::input::action_of;
use crate::config::{CedarDemand, RequireConfig, Tables};
use http::Method;
use portcullis_core::token::ClaimPath;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The methods that are actions without being named.
const METHODS: [Method; 6] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// The names that policies can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vocabulary {
    pub(crate) actions: BTreeSet<Box<str>>,
    /// The segments of paths that have names.
    pub(crate) parameters: BTreeSet<Box<str>>,
    /// Claims by the name that policies read them under.
    pub(crate) claims: BTreeMap<Box<str>, (ClaimPath, ClaimType)>,
}

/// The type of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimType {
    String,
    Long,
    Bool,
    Strings,
}

impl ClaimType {
    /// Reads the name of a type, in Cedar's words.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "String" => Some(Self::String),
            "Long" => Some(Self::Long),
            "Bool" => Some(Self::Bool),
            "Set<String>" => Some(Self::Strings),
            _ => None,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Long => "Long",
            Self::Bool => "Bool",
            Self::Strings => "Set<String>",
        }
    }
}

impl Vocabulary {
    /// The names in the settings. Malformed ones are left out; the settings report them.
    pub(crate) fn of(tables: &Tables) -> Self {
        let mut actions: BTreeSet<Box<str>> = BTreeSet::new();
        actions.extend(METHODS.iter().map(Method::as_str).map(Box::from));
        let mut parameters: BTreeSet<Box<str>> = BTreeSet::new();
        for route in &tables.route {
            for method in &route.methods {
                // Other methods are actions only if a route lists them.
                if let Ok(method) = Method::from_bytes(method.as_bytes())
                    && is_name(action_of(&method))
                {
                    actions.insert(action_of(&method).into());
                }
            }
            let mut named = Vec::new();
            demands(route.require.as_ref(), &mut named);
            for name in named.into_iter().flatten() {
                if is_name(name) {
                    actions.insert(name.into());
                }
            }
            parameters.extend(
                route
                    .path
                    .split('/')
                    .filter_map(parameter)
                    .map(Box::from),
            );
        }
        let mut claims = BTreeMap::new();
        for (name, kind) in tables.cedar.iter().flat_map(|cedar| &cedar.claims) {
            if let (true, Ok(path), Some(kind)) = (
                is_name(name),
                ClaimPath::parse(name),
                ClaimType::from_name(kind),
            ) {
                claims.insert(name.as_str().into(), (path, kind));
            }
        }
        Self {
            actions,
            parameters,
            claims,
        }
    }
}

/// Collects the actions that a requirement names, `None` standing for the method. A requirement
/// without policies adds nothing.
pub(crate) fn demands<'c>(require: Option<&'c RequireConfig>, named: &mut Vec<Option<&'c str>>) {
    let Some(require) = require else { return };
    match &require.cedar {
        Some(CedarDemand::Asked(_)) => named.push(None),
        Some(CedarDemand::Action(action)) => named.push(Some(action)),
        None => {}
    }
    for inner in require.all.iter().chain(&require.any).flatten() {
        demands(Some(inner), named);
    }
    demands(require.not.as_deref(), named);
}

/// The name of a segment such as `{id}`.
pub(crate) fn parameter(segment: &str) -> Option<&str> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    let mut bytes = name.bytes();
    let is_plain = bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    ((1..=64).contains(&name.len()) && is_plain).then_some(name)
}

/// Whether a text may name an action or a claim: nothing that a schema would have to escape.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')
}

/// The schema, in Cedar's own notation.
pub(super) fn text(vocabulary: &Vocabulary) -> String {
    let mut claims = String::new();
    for (name, (_, kind)) in &vocabulary.claims {
        // Writing to a string cannot fail.
        _ = write!(claims, "\n    \"{name}\"?: {},", kind.name());
    }
    let mut parameters = String::new();
    for name in &vocabulary.parameters {
        _ = write!(parameters, "\n    \"{name}\"?: String,");
    }
    let mut actions = Vec::new();
    for name in &vocabulary.actions {
        actions.push(format!("\"{name}\""));
    }
    SCHEMA
        .replace("{claims}", &close(&claims))
        .replace("{parameters}", &close(&parameters))
        .replace("{actions}", &actions.join(", "))
}

fn close(members: &str) -> String {
    if members.is_empty() {
        String::new()
    } else {
        format!("{members}\n  ")
    }
}

const SCHEMA: &str = r#"// What Cedar policies can talk about: made from the gateway's settings.
namespace Portcullis {
  // Claims of the token that `[cedar.claims]` names.
  type Claims = {{claims}};

  // Segments of the path that the route names, such as `{id}`; percent-decoded.
  type Parameters = {{parameters}};

  // What the caller is a member of. Names are the token's.
  entity Role;
  entity Group;

  // For whom the token was issued: `User::"<issuer>|<subject>"`, or an application in its own name.
  entity User, Application in [Role, Group] = {
    issuer: String,
    subject?: String,
    client?: String,
    tenant?: String,
    scopes: Set<String>,
    roles: Set<String>,
    groups: Set<String>,
    claims: Claims,
  };

  // `Route::"<name>"`, or the path as the settings have it.
  entity Route = {
    path: String,
  };

  type Request = {
    // As it was sent; the action of HEAD is GET.
    method: String,
    // As it is matched and forwarded.
    path: String,
    // Without a port, in small letters.
    host: String,
    // The connection's, or the one that a trusted proxy names. Where nobody knows it, a decision
    // that hangs on it is 503.
    address: ipaddr,
    time: datetime,
    parameters: Parameters,
  };

  action {actions} appliesTo {
    principal: [User, Application],
    resource: [Route],
    context: Request,
  };
}
"#;
