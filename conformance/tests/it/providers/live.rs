//! Discovery as each provider does it, against the imitation's real documents.

use super::{CASES, good, imitated, judge, server};
use portcullis_idp::Endpoint;

/// Nothing but issuer, audience and profile is set: the documents are found wherever the provider
/// keeps them.
#[tokio::test]
async fn documents_are_found_where_each_provider_keeps_them() {
    for case in CASES {
        let idp = imitated(case).await;
        let settings = format!("profile = \"{}\"\n{}", case.profile, case.settings);
        let server = server(idp.issuer().as_str(), &idp.audiences(), &settings, None);
        let token = case.dress(good(&idp, case.callers[0])).sign();
        let accepted = judge(&server, &token).await;
        assert!(
            accepted.is_ok(),
            "{}: {}",
            case.title,
            accepted.unwrap_err()
        );
        assert_eq!(idp.requests(Endpoint::Jwks), 1, "{}", case.title);
        // Other kinds of keys in the same set do no harm, and a rotation is followed.
        idp.rotate(portcullis_idp::Overlap::Without).await;
        let token = case.dress(good(&idp, case.callers[0])).sign();
        let accepted = judge(&server, &token).await;
        assert!(
            accepted.is_ok(),
            "{} after a rotation: {}",
            case.title,
            accepted.unwrap_err()
        );
    }
}
