//! Metadata of a transmitter (SSF 1.0, section 7): what it can, and where it is asked.

use crate::member;
use portcullis_core::Limits;
use portcullis_core::jose::json::{Json, Object};
use portcullis_core::rejection::quote;
use portcullis_core::token::Issuer;
use url::Url;

/// What a transmitter says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransmitterMetadata {
    /// `issuer`: the `iss` of its events.
    pub issuer: Issuer,
    /// `spec_version`, such as `1_0`. None means the first draft.
    pub spec_version: Option<String>,
    /// `jwks_uri`: where the keys of its events are.
    pub jwks_uri: Url,
    /// `delivery_methods_supported`: URIs; empty if it names none.
    pub delivery_methods: Vec<String>,
    /// `configuration_endpoint`: where streams are created, read, changed and deleted.
    pub configuration_endpoint: Option<Url>,
    /// `status_endpoint`.
    pub status_endpoint: Option<Url>,
    /// `verification_endpoint`.
    pub verification_endpoint: Option<Url>,
    /// `add_subject_endpoint`.
    pub add_subject_endpoint: Option<Url>,
    /// `remove_subject_endpoint`.
    pub remove_subject_endpoint: Option<Url>,
    /// `authorization_schemes`: the `spec_urn` of each; empty if it names none.
    pub authorization_schemes: Vec<String>,
    /// `default_subjects`: whom a new stream is about.
    pub default_subjects: Option<DefaultSubjects>,
    /// `critical_subject_members`: members of complex subjects that a receiver must understand.
    pub critical_subject_members: Vec<String>,
}

/// Whom a new stream is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "SSF 1.0 knows these two")]
pub enum DefaultSubjects {
    /// `ALL`: everybody, until they are removed.
    All,
    /// `NONE`: nobody, until they are added.
    None,
}

/// An endpoint for the management of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransmitterEndpoint {
    /// `configuration_endpoint`.
    Configuration,
    /// `status_endpoint`.
    Status,
    /// `verification_endpoint`.
    Verification,
    /// `add_subject_endpoint`.
    AddSubject,
    /// `remove_subject_endpoint`.
    RemoveSubject,
}

/// The scope for every request to a transmitter that names no other (CAEP Interoperability Profile
/// 1.0, section 2.7.2).
pub const DEFAULT_SCOPE: &str = "ssf.manage";

/// The scope that is enough to read streams.
pub const DEFAULT_READ_SCOPE: &str = "ssf.read";

/// Where the metadata of a transmitter is: the well-known part stands before the path of the issuer
/// (section 7.2). None for an issuer that is no URL.
pub fn well_known(issuer: &Issuer) -> Option<Url> {
    let text = issuer.as_str();
    let text = text.strip_suffix('/').unwrap_or(text);
    let start = text.find("://")? + "://".len();
    // As it is written: the URL parser would normalize the path.
    let slash = text.get(start..)?.find('/');
    let (origin, path) = match slash {
        Some(slash) => text.split_at_checked(start + slash)?,
        None => (text, ""),
    };
    Url::parse(&format!("{origin}/.well-known/ssf-configuration{path}")).ok()
}

impl TransmitterMetadata {
    /// Reads the metadata of this issuer from a document. With `plain_http`, its addresses may be
    /// http ones.
    ///
    /// # Errors
    ///
    /// What is wrong with the document.
    pub fn parse(
        document: &[u8],
        issuer: &Issuer,
        limits: &Limits,
        plain_http: bool,
    ) -> Result<Self, String> {
        let Json::Object(object) = member::parse(document, limits)? else {
            return Err("the document is not an object".to_owned());
        };
        // Otherwise one transmitter could publish keys for the events of another.
        match member::text(&object, "issuer")? {
            Some(named) if named == issuer.as_str() => {}
            Some(other) => {
                let other = quote(other);
                return Err(format!("it is the metadata of another issuer, {other}"));
            }
            None => return Err("it names no `issuer`".to_owned()),
        }
        let address = |name: &str| member::address(&object, name, plain_http);
        Ok(Self {
            issuer: issuer.clone(),
            spec_version: member::text(&object, "spec_version")?.map(str::to_owned),
            // Optional in the specification for events that are not signed. None such is accepted.
            jwks_uri: address("jwks_uri")?.ok_or("it names no `jwks_uri`")?,
            delivery_methods: member::texts(&object, "delivery_methods_supported")?,
            configuration_endpoint: address("configuration_endpoint")?,
            status_endpoint: address("status_endpoint")?,
            verification_endpoint: address("verification_endpoint")?,
            add_subject_endpoint: address("add_subject_endpoint")?,
            remove_subject_endpoint: address("remove_subject_endpoint")?,
            authorization_schemes: schemes(&object)?,
            default_subjects: default_subjects(&object)?,
            critical_subject_members: member::texts(&object, "critical_subject_members")?,
        })
    }

    /// The address of an endpoint, if there is one.
    pub fn endpoint(&self, endpoint: TransmitterEndpoint) -> Option<&Url> {
        match endpoint {
            TransmitterEndpoint::Configuration => self.configuration_endpoint.as_ref(),
            TransmitterEndpoint::Status => self.status_endpoint.as_ref(),
            TransmitterEndpoint::Verification => self.verification_endpoint.as_ref(),
            TransmitterEndpoint::AddSubject => self.add_subject_endpoint.as_ref(),
            TransmitterEndpoint::RemoveSubject => self.remove_subject_endpoint.as_ref(),
        }
    }
}

impl TransmitterEndpoint {
    /// Its name in the metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration_endpoint",
            Self::Status => "status_endpoint",
            Self::Verification => "verification_endpoint",
            Self::AddSubject => "add_subject_endpoint",
            Self::RemoveSubject => "remove_subject_endpoint",
        }
    }
}

fn schemes(object: &Object) -> Result<Vec<String>, String> {
    let elements = match object.get("authorization_schemes") {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(elements)) => elements,
        Some(_) => return Err("its `authorization_schemes` is no list".to_owned()),
    };
    let mut schemes = Vec::new();
    for element in elements {
        let urn = element
            .as_object()
            .and_then(|scheme| scheme.get("spec_urn"))
            .and_then(Json::as_str);
        match urn {
            Some(urn) => schemes.push(urn.to_owned()),
            None => return Err("one of its `authorization_schemes` has no `spec_urn`".to_owned()),
        }
    }
    Ok(schemes)
}

fn default_subjects(object: &Object) -> Result<Option<DefaultSubjects>, String> {
    match member::text(object, "default_subjects")? {
        None => Ok(None),
        Some("ALL") => Ok(Some(DefaultSubjects::All)),
        Some("NONE") => Ok(Some(DefaultSubjects::None)),
        Some(other) => Err(format!(
            "its `default_subjects` is {}, expected `ALL` or `NONE`",
            quote(other)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<TransmitterMetadata, String> {
        let issuer = Issuer::parse("https://tr.example/a").unwrap();
        TransmitterMetadata::parse(document.as_bytes(), &issuer, &Limits::default(), false)
    }

    #[test]
    fn the_well_known_part_stands_before_the_path() {
        for (issuer, expected) in [
            (
                "https://tr.example",
                "https://tr.example/.well-known/ssf-configuration",
            ),
            (
                "https://tr.example/",
                "https://tr.example/.well-known/ssf-configuration",
            ),
            (
                "https://tr.example:8443/a/B/",
                "https://tr.example:8443/.well-known/ssf-configuration/a/B",
            ),
        ] {
            let issuer = Issuer::parse(issuer).unwrap();
            assert_eq!(well_known(&issuer).unwrap().as_str(), expected);
        }
        let urn = Issuer::identifier("urn:x:y").unwrap();
        assert_eq!(well_known(&urn), None);
    }

    #[test]
    fn a_whole_document_is_read() {
        let metadata = read(
            r#"{"spec_version":"1_0","issuer":"https://tr.example/a","jwks_uri":"https://tr.example/jwks",
                "delivery_methods_supported":["urn:ietf:rfc:8935","urn:ietf:rfc:8936"],
                "configuration_endpoint":"https://tr.example/streams","status_endpoint":null,
                "verification_endpoint":"https://tr.example/verify","critical_subject_members":["tenant"],
                "authorization_schemes":[{"spec_urn":"urn:ietf:rfc:6749"},{"spec_urn":"urn:ietf:rfc:8705","x":1}],
                "default_subjects":"NONE","x":{}}"#,
        )
        .unwrap();
        assert_eq!(metadata.spec_version.as_deref(), Some("1_0"));
        assert_eq!(metadata.jwks_uri.as_str(), "https://tr.example/jwks");
        assert_eq!(metadata.delivery_methods.len(), 2);
        let schemes = ["urn:ietf:rfc:6749", "urn:ietf:rfc:8705"];
        assert_eq!(metadata.authorization_schemes, schemes);
        assert_eq!(metadata.default_subjects, Some(DefaultSubjects::None));
        assert_eq!(metadata.critical_subject_members, ["tenant"]);
        let found = |endpoint| metadata.endpoint(endpoint).map(Url::as_str);
        let verify = found(TransmitterEndpoint::Verification);
        assert_eq!(verify, Some("https://tr.example/verify"));
        assert_eq!(found(TransmitterEndpoint::Status), None);
    }

    #[test]
    fn what_is_no_proper_document_is_refused() {
        let good = r#""issuer":"https://tr.example/a","jwks_uri":"https://tr.example/jwks""#;
        assert!(read(&format!("{{{good}}}")).is_ok());
        for (document, reason) in [
            ("[]".to_owned(), "not an object"),
            ("<html>".to_owned(), "web page"),
            ("{".to_owned(), "not valid JSON"),
            (
                r#"{"jwks_uri":"https://tr.example/jwks"}"#.to_owned(),
                "names no `issuer`",
            ),
            (
                r#"{"issuer":"https://tr.example/a"}"#.to_owned(),
                "names no `jwks_uri`",
            ),
            (good_with(r#""issuer":"https://tr.example/a""#), "repeated"),
            (
                r#"{"issuer":"https://tr.example/a/","jwks_uri":"https://tr.example/jwks"}"#
                    .to_owned(),
                "another issuer, `https://tr.example/a/`",
            ),
            (
                // What AD FS does in its metadata has no meaning here.
                r#"{"issuer":"https://other.example","access_token_issuer":"https://tr.example/a",
                    "jwks_uri":"https://tr.example/jwks"}"#
                    .to_owned(),
                "another issuer",
            ),
            (
                r#"{"issuer":"https://tr.example/a","jwks_uri":"http://tr.example/jwks"}"#
                    .to_owned(),
                "`jwks_uri` cannot be used: it is not https",
            ),
            (
                good_with(r#""status_endpoint":"http://tr.example""#),
                "`status_endpoint` cannot be used",
            ),
            (good_with(r#""status_endpoint":7"#), "not a string"),
            (
                good_with(r#""delivery_methods_supported":"urn:ietf:rfc:8935""#),
                "no list",
            ),
            (
                good_with(r#""authorization_schemes":["urn:ietf:rfc:6749"]"#),
                "no `spec_urn`",
            ),
            (
                good_with(r#""default_subjects":"SOME""#),
                "expected `ALL` or `NONE`",
            ),
        ] {
            let fault = read(&document).unwrap_err();
            assert!(fault.contains(reason), "{document}: {fault}");
        }

        fn good_with(member: &str) -> String {
            format!(
                r#"{{"issuer":"https://tr.example/a","jwks_uri":"https://tr.example/jwks",{member}}}"#
            )
        }
    }

    /// Google's is at an address of its own, and names neither a version nor the present methods.
    #[test]
    fn metadata_of_the_first_draft_is_read() {
        let issuer = Issuer::parse("https://accounts.google.com/").unwrap();
        let document = r#"{"issuer":"https://accounts.google.com/",
            "jwks_uri":"https://www.googleapis.com/oauth2/v3/certs",
            "delivery_methods_supported":["https://schemas.openid.net/secevent/risc/delivery-method/push"],
            "configuration_endpoint":"https://risc.googleapis.com/v1beta/stream",
            "critical_subject_members":[]}"#;
        let read =
            TransmitterMetadata::parse(document.as_bytes(), &issuer, &Limits::default(), false);
        let metadata = read.unwrap();
        assert_eq!(metadata.spec_version, None);
        assert_eq!(metadata.issuer, issuer);
    }
}
