"""Examples of settings: those of the file that `portcullis config init` writes, and some more."""

import re
import tomllib
from typing import Any

HEADER = re.compile(r"^(?:# )?\[{1,2}([a-z_.]+)\]{1,2}(?:\s+#.*)?$")
MEMBER = re.compile(r"^(?:# )?(?P<name>[a-z_-]+)\s*= (?P<rest>\S.*)$")
MORE = {
    "realm": '"orders"',
    "issuer.danger_plain_http": "true",
    "issuer.profile": '"keycloak"',
    "issuer.roles": '"realm_access.roles"',
    "gateway.public_preflight": "true",
    "gateway.identity.forward_token": "true",
    "gateway.identity.assertion.publish": "true",
    "gateway.tls.client_certificate_optional": "true",
    "gateway.tls.minimum": '"1.3"',
    "log.audit": '"/var/log/portcullis/audit.jsonl"',
    "log.audit_peer": "false",
    "log.audit_responses": "true",
    "log.begin_traces": "true",
    "log.format": '"json"',
    "route.encoded_slashes": '"keep"',
    "upstream.host": '"upstream"',
    "upstream.protocol": '"http2"',
    "upstream.retry": "false",
    "forward_auth.tls.client_authorities": '"/etc/portcullis/clients.pem"',
    "forward_auth.tls.minimum": '"1.3"',
    "ext_authz.tls.minimum": '"1.3"',
    "remembered_tokens": "50_000",
    "security_profile": '"fapi2"',
    "token_header": '"cf-access-jwt-assertion"',
    "cedar.claims": '{ department = "String" }',
    "gateway.identity.headers": '{ x-auth-subject = "subject", x-auth-email = "claim:email" }',
    "gateway.identity.assertion.keys": '["/etc/portcullis/assertion.pem"]',
    "gateway.danger_plain_http": "true",
    "forward_auth.danger_plain_http": "true",
    "ext_authz.danger_open_listener": "true",
    "issuer.algorithms": '["RS256", "ES256"]',
    "issuer.ca_file": '"/etc/portcullis/idp-ca.pem"',
    "issuer.danger_any_tenant": "true",
    "issuer.delimiter": '";"',
    "issuer.fetch_token_file": '"/var/run/secrets/kubernetes.io/serviceaccount/token"',
    "issuer.groups": '"groups"',
    "issuer.jwks_file": '"/etc/portcullis/keys.json"',
    "issuer.jwks_uri": '"https://idp.example.com/keys"',
    "issuer.key_snapshot": '"/var/lib/portcullis/keys.json"',
    "issuer.leeway": "30",
    "issuer.max_lifetime": "3600",
    "issuer.metadata_url": '"https://idp.example.com/.well-known/openid-configuration"',
    "issuer.remembered_tenants": "256",
    "issuer.role_includes": '{ Admin = ["Editor"] }',
    "issuer.role_prefix": '"orders-"',
    "issuer.scope_prefix": '"api://enterprise-api/"',
    "issuer.subject": '"sub"',
    "issuer.tenant": '"8a6d4e58-3f0b-4a1c-9d2e-5b7c1f0e9a34"',
    "issuer.tenants": '["8a6d4e58-3f0b-4a1c-9d2e-5b7c1f0e9a34"]',
    "issuer.introspection.auth": '"private_key_jwt"',
    "issuer.introspection.cache_seconds": "30",
    "issuer.introspection.certificate_file": '"/etc/portcullis/client.pem"',
    "issuer.introspection.client_assertion_file": '"/var/run/secrets/tokens/idp"',
    "issuer.introspection.client_id": '"orders-api"',
    "issuer.introspection.client_secret_env": '"OAUTH2_CLIENT_SECRET"',
    "issuer.introspection.client_secret_file": '"/run/secrets/orders-api"',
    "issuer.introspection.danger_answers_without_audience": "true",
    "issuer.introspection.danger_answers_without_type": "true",
    "issuer.introspection.endpoint": '"https://idp.example.com/introspect"',
    "issuer.introspection.key_id": '"orders-api-1"',
    "issuer.introspection.prefix": '"ory_at_"',
    "issuer.introspection.private_key_file": '"/etc/portcullis/client-key.pem"',
    "issuer.introspection.signed": "true",
    "issuer.introspection.signing_algorithm": '"PS256"',
    "issuer.introspection.tokens": '"all"',
    "issuer.groups_lookup.auth": '"private_key_jwt"',
    "issuer.groups_lookup.cache_seconds": "600",
    "issuer.groups_lookup.certificate_file": '"/etc/portcullis/client.pem"',
    "issuer.groups_lookup.client_assertion_file": '"/var/run/secrets/tokens/entra"',
    "issuer.groups_lookup.client_id": '"0b6f2a54-6a3d-4f5e-8c1b-2d9e7f3a1c60"',
    "issuer.groups_lookup.client_secret_env": '"GRAPH_CLIENT_SECRET"',
    "issuer.groups_lookup.client_secret_file": '"/run/secrets/graph"',
    "issuer.groups_lookup.key_id": '"graph-1"',
    "issuer.groups_lookup.private_key_file": '"/etc/portcullis/graph-key.pem"',
    "issuer.groups_lookup.signing_algorithm": '"PS256"',
    "issuer.groups_lookup.token_endpoint": '"https://idp.example.com/{tenantid}/token"',
    "issuer.groups_lookup.url": '"https://graph.microsoft.us"',
    "limits.document_bytes": "1_048_576",
    "limits.json_depth": "16",
    "limits.json_values": "4000",
    "limits.keys": "200",
    "limits.keys_tried": "2",
    "limits.token_bytes": "8192",
    "revocation.danger_plain_store": "true",
    "revocation.danger_serve_without_store": "true",
    "revocation.entries": "100_000",
    "revocation.grace": "30",
    "revocation.store": '"rediss://redis.example:6380"',
    "revocation.store_url_file": '"/run/secrets/store-url"',
    "revocation.stream": '"orders:revocations"',
    "gateway.listen": '"127.0.0.1:9090"',
    "issuer.acr": '"https://idp.example.com/acr"',
    "issuer.auth_time": '"https://idp.example.com/auth_time"',
    "upstream.headers": "200",
    "upstream.header_bytes": "131_072",
    "route.assertion_audience": '"https://orders.internal"',
    "route.hosts": '["api.example.com"]',
    "route.require.acr": '["phr", "mfa"]',
    "route.require.all": '[{ scope = "orders:read" }, { role = "Clerk" }]',
    "route.require.any": '[{ role = "Clerk" }, { claim = { department = "sales" } }]',
    "route.require.cedar": '"orders:write"',
    "route.require.claim": '{ department = ["sales", "support"] }',
    "route.require.group": '"orders-team"',
    "route.require.kind": '"application"',
    "route.require.max_age": "900",
    "route.require.not": '{ role = "Guest" }',
    "route.require.role": '"Admin"',
    "route.require.scope": '["orders:read", "orders:write"]',
}
"""As TOML, where the starter file has none or shows the default only."""


def examples(starter: str, more: dict[str, str]) -> dict[str, str]:
    """By the path of a setting: the text of its value. The first one of a setting counts."""
    found: dict[str, str] = {}
    table = ""
    for line in starter.splitlines():
        if header := HEADER.match(line):
            table = f"{header[1]}."
        elif (member := MEMBER.match(line)) and (text := _value(member["rest"])):
            _add(found, table + member["name"], text)
    return found | more


def _value(rest: str) -> str | None:
    """The shortest beginning that is a value: a comment may stand behind it."""
    for end in [*(mark.start() for mark in re.finditer("#", rest)), len(rest)]:
        text = rest[:end].rstrip()
        try:
            tomllib.loads(f"x = {text}")
        except tomllib.TOMLDecodeError:
            continue
        return text
    return None


def _add(found: dict[str, str], path: str, text: str) -> None:
    found.setdefault(path, text)
    value: Any = tomllib.loads(f"x = {text}")["x"]
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str | int):
                found.setdefault(f"{path}.{name}", _literal(member))


def _literal(value: str | int) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def order(starter: str) -> list[str]:
    """The outermost tables, as the starter file has them."""
    headers = (HEADER.match(line) for line in starter.splitlines())
    return list(dict.fromkeys(found[1].partition(".")[0] for found in headers if found))
