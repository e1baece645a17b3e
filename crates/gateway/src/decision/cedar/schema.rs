//! The schema of policies: what they may name and read, made from the settings.
//!
//! Every policy is checked against it at the start, so a misspelt role attribute or an unknown
//! action is a fault of the settings and never a policy that silently does not apply.

use super::action_of;
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

/// What policies can talk about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vocabulary {
    pub(crate) actions: BTreeSet<Box<str>>,
    /// The segments of paths that have names.
    pub(crate) parameters: BTreeSet<Box<str>>,
    /// Claims by the name that policies read them under.
    pub(crate) claims: BTreeMap<Box<str>, (ClaimPath, ClaimType)>,
}

/// Of which type a claim is.
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
    /// What the settings name; what is wrong with them is left out.
    pub(crate) fn of(tables: &Tables) -> Self {
        let mut actions: BTreeSet<Box<str>> = METHODS
            .iter()
            .map(|method| method.as_str().into())
            .collect();
        let mut parameters = BTreeSet::new();
        for route in &tables.route {
            let methods = route
                .methods
                .iter()
                .filter_map(|it| Method::from_bytes(it.as_bytes()).ok());
            for method in methods {
                actions.extend(
                    Some(action_of(&method))
                        .filter(|name| is_name(name))
                        .map(Into::into),
                );
            }
            let mut named = Vec::new();
            demands(route.require.as_ref(), &mut named);
            actions.extend(
                named
                    .into_iter()
                    .flatten()
                    .filter(|name| is_name(name))
                    .map(Into::into),
            );
            parameters.extend(route.path.split('/').filter_map(parameter).map(Into::into));
        }
        let written = tables.cedar.iter().flat_map(|cedar| &cedar.claims);
        let claims = written
            .filter(|(name, _)| is_name(name))
            .filter_map(|(name, kind)| {
                Some((
                    name.as_str().into(),
                    (ClaimPath::parse(name).ok()?, ClaimType::from_name(kind)?),
                ))
            });
        Self {
            actions,
            parameters,
            claims: claims.collect(),
        }
    }
}

/// The actions that a requirement names, `None` for the method; nothing where no policies are
/// asked.
pub(crate) fn demands<'c>(require: Option<&'c RequireConfig>, named: &mut Vec<Option<&'c str>>) {
    let Some(require) = require else { return };
    match &require.cedar {
        Some(CedarDemand::Asked(_)) => named.push(None),
        Some(CedarDemand::Action(action)) => named.push(Some(action)),
        None => {}
    }
    let lists = [require.all.as_deref(), require.any.as_deref()]
        .into_iter()
        .flatten()
        .flatten();
    lists
        .chain(require.not.as_deref())
        .for_each(|inner| demands(Some(inner), named));
}

/// The name of a segment such as `{id}`.
pub(crate) fn parameter(segment: &str) -> Option<&str> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.len() <= 64 && name.bytes().all(fits)).then_some(name)
}

/// Whether a text may name an action or a claim: nothing that a schema would have to escape.
pub(crate) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    (1..=256).contains(&text.len()) && text.bytes().all(fits)
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
    let actions: Vec<String> = vocabulary
        .actions
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
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

/// Every type is said once. The members of a caller stand twice, as Cedar has no entity of two
/// names.
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
