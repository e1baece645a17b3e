//! Subject identifiers (RFC 9493; SSF 1.0, section 3).

use super::terms::EventProfile;
use crate::jose::json::{Json, Object, Text};
use crate::rejection::Facts;

/// Whom or what an event is about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SubjectId {
    /// `iss_sub`: a subject of an issuer.
    IssuerSubject {
        /// `iss`.
        issuer: Text,
        /// `sub`.
        subject: Text,
    },
    /// `email`: an address.
    Email(Text),
    /// `opaque`: whatever both sides know by this.
    Opaque(Text),
    /// `jwt_id`: one token (SSF 1.0, section 3.5.1).
    TokenId {
        /// `iss`.
        issuer: Text,
        /// `jti`.
        token_id: Text,
    },
    /// `aliases`: the same subject by several names.
    Aliases(Vec<Self>),
    /// `complex`: a subject by what it has in common (SSF 1.0, section 3.2).
    Complex(Vec<SubjectMember>),
    /// A format that nothing here can be found by.
    Other,
}

/// One member of a complex subject.
#[derive(Clone, Debug, PartialEq)]
pub struct SubjectMember {
    /// `user`, `session`, `device`, `tenant` and others.
    pub name: Text,
    /// Its identifier.
    pub id: SubjectId,
}

/// How deep identifiers may stand in one another: a member of a complex one may have aliases.
const DEEPEST: u32 = 3;

const EXPECTED: &str = "a subject identifier with a `format`";

impl SubjectId {
    pub(super) fn read(value: &Json, profile: EventProfile) -> Result<Self, Facts> {
        read(value, profile, DEEPEST)
    }

    /// A member of a complex subject.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Complex(members) = self else {
            return None;
        };
        let mut members = members.iter();
        Some(&members.find(|member| &*member.name == name)?.id)
    }

    /// Every issuer that it names, but for aliases: those may be names with others.
    pub(super) fn issuers(&self) -> Vec<&str> {
        match self {
            Self::IssuerSubject { issuer, .. } | Self::TokenId { issuer, .. } => vec![issuer],
            Self::Complex(members) => {
                let members = members.iter();
                members
                    .flat_map(|member| member.id.issuers())
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

fn read(value: &Json, profile: EventProfile, depth: u32) -> Result<SubjectId, Facts> {
    let Some(object) = value.as_object() else {
        return Err(Facts::new(EXPECTED, value.type_name()));
    };
    // Bounded here too, whatever the bound of the parser is.
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Facts::new(EXPECTED, "identifiers that are too deep"));
    };
    let format = format_of(object, profile)?;
    let text = |name| text(object, name);
    Ok(match format {
        "iss_sub" => SubjectId::IssuerSubject {
            issuer: text("iss")?,
            subject: text("sub")?,
        },
        "email" => SubjectId::Email(text("email")?),
        // What it stands for is for the receiver to know.
        "opaque" => SubjectId::Opaque(text("id")?),
        "jwt_id" => SubjectId::TokenId {
            issuer: text("iss")?,
            token_id: text("jti")?,
        },
        "aliases" => aliases(object, profile, depth)?,
        "complex" => complex(object, profile, depth)?,
        _ => SubjectId::Other,
    })
}

/// The format, also as drafts wrote it.
fn format_of(object: &Object, profile: EventProfile) -> Result<&str, Facts> {
    match object.get("format") {
        Some(Json::String(format)) if !format.is_empty() => return Ok(format),
        Some(other) => return Err(Facts::new(EXPECTED, other.type_name())),
        None => {}
    }
    if profile.has_inner_subject() {
        return Ok(match object.get("subject_type").and_then(Json::as_str) {
            Some("iss-sub" | "iss_sub") => "iss_sub",
            Some("id_token_claims") if object.get("iss").is_some() => "iss_sub",
            Some(other) => other,
            // Drafts wrote complex subjects without any format.
            None => "complex",
        });
    }
    Err(Facts::new(EXPECTED, "no `format`"))
}

fn aliases(object: &Object, profile: EventProfile, depth: u32) -> Result<SubjectId, Facts> {
    let expected = "a list of `identifiers`";
    let found = object.get("identifiers").and_then(Json::as_array);
    let identifiers = found.unwrap_or_default();
    if identifiers.is_empty() {
        return Err(Facts::new(expected, "none"));
    }
    let mut aliases = Vec::new();
    for identifier in identifiers {
        let alias = read(identifier, profile, depth)?;
        // RFC 9493, section 3.2.8: aliases must not hold aliases.
        if matches!(alias, SubjectId::Aliases(_) | SubjectId::Complex(_)) {
            return Err(Facts::new(expected, "one that is a list itself"));
        }
        aliases.push(alias);
    }
    Ok(SubjectId::Aliases(aliases))
}

fn complex(object: &Object, profile: EventProfile, depth: u32) -> Result<SubjectId, Facts> {
    let mut members = Vec::new();
    for (name, value) in object.iter() {
        // Other members than identifiers may be there, and are not about anybody.
        if name == "format" || value.as_object().is_none() {
            continue;
        }
        let id = read(value, profile, depth)?;
        if matches!(id, SubjectId::Complex(_)) {
            return Err(Facts::new(
                "simple members in a complex subject",
                "a complex one",
            ));
        }
        let name = name.into();
        members.push(SubjectMember { name, id });
    }
    if members.is_empty() {
        return Err(Facts::new("members in a complex subject", "none"));
    }
    Ok(SubjectId::Complex(members))
}

/// A member that is a text, and not an empty one: that would stand for everybody without it.
fn text(object: &Object, name: &'static str) -> Result<Text, Facts> {
    let expected = "the members of its format in a subject identifier";
    match object.get(name) {
        Some(Json::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Json::String(_)) => Err(Facts::new(expected, format!("an empty `{name}`"))),
        Some(other) => {
            let found = format!("`{name}` of the type {}", other.type_name());
            Err(Facts::new(expected, found))
        }
        None => Err(Facts::new(expected, format!("no `{name}`"))),
    }
}
