//! With the development identity provider, and a resource server that verifies what it hands out.

use portcullis_client::{Authentication, Client, Provider, Secret, TokenRequest};
use portcullis_core::{Decision, Requirement};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::ResourceServer;

async fn service(idp: &Idp, authentication: Authentication) -> Client {
    Client::new(Provider::discover(idp.issuer().as_str()).await.unwrap(), "service", authentication)
}

#[tokio::test]
async fn a_service_gets_a_token_that_its_api_takes() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let secret = || Secret::new("service-secret");
    for authentication in [Authentication::secret_basic(secret()), Authentication::secret_post(secret())] {
        let client = service(&idp, authentication).await;
        let tokens = client.client_credentials(&TokenRequest::new().scope("orders:read")).await.unwrap();
        let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", tokens.access_token().authorization());
        match server.decide(&headers, None, &Requirement::scope("orders:read")).await {
            Decision::Allow(permit) => assert_eq!(permit.token().identity().client(), Some("service")),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_the_providers_to_refuse() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let client = service(&idp, Authentication::secret_basic(Secret::new("wrong"))).await;
    let error = client.client_credentials(&TokenRequest::new()).await.unwrap_err();
    assert_eq!(error.refusal().map(|refusal| refusal.error()), Some("invalid_client"), "{error}");
}
