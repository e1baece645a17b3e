"""The security schemes of the OpenAPI document."""

from collections.abc import Iterable, Mapping

from fastapi.openapi.models import OAuth2, OAuthFlowAuthorizationCode, OAuthFlows

from portcullis_auth._portcullis import Server


class OAuth2Scheme:
    """The scheme that Swagger UI signs in by: the authorization code grant, with PKCE."""

    def __init__(self, scopes: Mapping[str, str] | None) -> None:
        self.scopes = dict(scopes or {})
        # Without endpoints there is no flow to offer.
        self.model = OAuth2(flows=OAuthFlows())

    def set_endpoints(self, authorization: str, token: str) -> None:
        """Offers the flow."""
        flow = OAuthFlowAuthorizationCode(
            authorizationUrl=authorization, tokenUrl=token, scopes=self.scopes
        )
        # Scopes that are added later are in it too.
        self.scopes = flow.scopes
        self.model = OAuth2(flows=OAuthFlows(authorizationCode=flow))

    def add_scopes(self, scopes: Iterable[str]) -> None:
        """Lists scopes that have no description."""
        for scope in scopes:
            self.scopes.setdefault(scope, "")


def metadata_url(server: Server) -> str:
    """Where the first issuer's metadata is (OpenID Connect Discovery 1.0, section 4)."""
    issuers = server.issuers
    return f"{issuers[0].rstrip('/')}/.well-known/openid-configuration" if issuers else ""
