"""The page of the settings that take a protection away."""

from dataclasses import dataclass
from typing import Any

from reference_schema import Reader, SchemaFault, Setting
from reference_text import GENERATED, anchor, code, wrapped


@dataclass(frozen=True)
class Advice:
    """What the schema does not say of a setting."""

    gain: str
    """What an attacker gets by it."""
    fit: str
    """When it is reasonable."""
    safer: str


PLAIN_ORIGINS = Advice(
    "Whoever can change such a page on its way runs a script of their own in it, which calls the "
    "API with the user's token.",
    "Developers' machines whose names are not `localhost`.",
    "Serve the page over https. `http://localhost` needs no such setting.",
)
PLAIN_LISTENER = Advice(
    "Whoever is on the way reads the tokens and uses them, and changes requests and responses.",
    "TLS ends on the same machine, in the same pod or in a mesh, and nobody else is on that way.",
    "A certificate in the `tls` table beside it, which may be of your own authority; or listen on "
    "loopback.",
)
ADVICE = {
    "issuer.danger_any_tenant": Advice(
        "Whoever can open a tenant of their own, often for nothing, gets tokens that pass. Roles "
        "are named by the tenant, so its owner also has a role such as `Admin`.",
        "A service for customers of any tenant, whose rights are kept by the API itself and hang "
        "on tenant and subject together.",
        "List the tenants that you know, one `[[issuer]]` each: "
        "[Several issuers](../how-to/several-issuers.md).",
    ),
    "issuer.danger_plain_http": Advice(
        "Whoever is on the way to the provider answers with keys of their own, and then signs "
        "tokens for any user and any role.",
        "A provider in a closed network for tests, or behind a mesh that encrypts.",
        "https with a certificate of your own authority, named by `ca_file`. Loopback needs no "
        "such setting.",
    ),
    "issuer.introspection.danger_answers_without_audience": Advice(
        "A token that the provider issued for another API opens this one, if the endpoint "
        "answers for it.",
        "The endpoint, by the client that asks, answers for tokens of this API alone.",
        "Have the provider put `aud` into its responses.",
    ),
    "issuer.introspection.danger_answers_without_type": Advice(
        "A refresh token, which lives for months, opens this API; so does a token for another API.",
        "The endpoint knows access tokens of this API and nothing else.",
        "Have the provider put `aud` or `token_type` into its responses.",
    ),
    "issuer.logout.danger_untyped": Advice(
        "Another token of the issuer with a logout event in it ends sessions. It lets nobody in.",
        "The provider does not set `typ` in its logout tokens.",
        "A provider that types its logout tokens, as OpenID Connect Back-Channel Logout asks for.",
    ),
    "issuer.logout.danger_without_exp": Advice(
        "A logout token that somebody kept can be sent again later, and ends sessions. It lets "
        "nobody in.",
        "The provider keeps to the first edition of OpenID Connect Back-Channel Logout.",
        "A provider that sets `exp`.",
    ),
    "gateway.danger_plain_http": PLAIN_LISTENER,
    "gateway.cors.danger_plain_http_origins": PLAIN_ORIGINS,
    "route.cors.danger_plain_http_origins": PLAIN_ORIGINS,
    "gateway.identity.danger_pass": Advice(
        "Whoever reaches the gateway sends such a header with any contents, and an API that "
        "believes it takes them for the address, certificate or login of its caller.",
        "A proxy in front always overwrites the header, and nobody reaches the gateway past it.",
        "Have the API read the headers that the gateway writes: [callers](../gateway/callers.md).",
    ),
    "forward_auth.danger_plain_http": PLAIN_LISTENER,
    "ext_authz.danger_open_listener": Advice(
        "Whoever reaches the port learns which tokens are good, and what they are good for. "
        "Without TLS, whoever is on the way reads the tokens.",
        "A mesh with strict mutual TLS and a NetworkPolicy decide who can connect.",
        "Client certificates: `client_authorities` in `[ext_authz.tls]`; or listen on loopback or "
        "on a Unix socket.",
    ),
    "dpop.danger_serve_without_store": Advice(
        "While the store is away, a proof that somebody saw can be used once more at every other "
        "replica, with the token it belongs to.",
        "Requests that can be repeated without harm, and an outage that would cost more.",
        "Without it, requests with proofs get 503 while the store is away. Run the store with a "
        "replica of its own.",
    ),
    "events.danger_plain_http": Advice(
        "Whoever is on the way to the transmitter chooses its keys and makes events up, which end "
        "tokens, or keeps events back, so that ended tokens go on.",
        "A transmitter in a closed network for tests, or behind a mesh that encrypts.",
        "https with a certificate of your own authority, named by `ca_file`.",
    ),
    "receivers.danger_plain_http": Advice(
        "Whoever is on the way keeps logouts back, so that ended sessions go on, and reads the "
        "secrets by which streams are known.",
        "TLS ends on the same machine, in the same pod or in a mesh.",
        "A certificate for that listener; or let it listen on loopback.",
    ),
    "revocation.danger_plain_store": Advice(
        "Whoever is on the way reads the store's password, hides revocations, so that revoked "
        "tokens go on, and makes some up, which locks callers out.",
        "A mesh that encrypts, or a tunnel, is on the whole way.",
        "`rediss://`. For a private authority, see "
        "[Kubernetes](../how-to/kubernetes.md#replicas-that-share-a-redis).",
    ),
    "revocation.danger_serve_without_store": Advice(
        "Whoever can cut a replica off from the store, or waits for an outage, goes on using a "
        "token that was revoked since, until it expires.",
        "Tokens live for minutes, and an outage would cost more than a late revocation.",
        "Without it, the answer is 503 after `grace`. Run the store with a replica of its own, or "
        "raise `grace`.",
    ),
}
"""Of every such setting of `portcullis.toml`, by its path."""
PARAGRAPHS = (
    f"Made from the schema of the settings {GENERATED}.",
    "This page lists every setting of `portcullis.toml` whose name begins with `danger_`: each "
    "takes a protection away. None is on by default. The log names at start which are on, "
    "`portcullis config check` shows them, and `portcullis audit` reports each as "
    "`audit.ours_danger`.",
    "Before you set one, read what an attacker gains by it. To keep one, give the audit the reason "
    "with `--ignore`: [audits](../understand/audits.md).",
)
OTHERS = (
    "## Elsewhere",
    "The [development provider](idp.md) has settings of such names too. It knows public passwords "
    "and belongs in no network that others reach, whatever they are set to. The "
    "[chart for Kubernetes](../how-to/kubernetes.md) writes two settings of this page by its values "
    "`dangerPlainHttp` and `dangerOpenListener`.",
)


def page(schema: dict[str, Any]) -> str:
    tables = Reader(schema).tables
    found = {it.path: it for table in tables for it in table.settings if it.is_dangerous}
    _check(found)
    parts = ["# Settings that loosen security", *map(wrapped, PARAGRAPHS)]
    parts += [_section(found[path], advice) for path, advice in ADVICE.items()]
    return "\n\n".join([*parts, *map(wrapped, OTHERS)]) + "\n"


def _check(found: dict[str, Setting]) -> None:
    for path in found.keys() - ADVICE.keys():
        raise SchemaFault(f"expected advice about {path} in reference_danger.py, found none")
    for path in ADVICE.keys() - found.keys():
        raise SchemaFault(f"expected the setting {path}, which has advice; found none")


def _section(setting: Setting, advice: Advice) -> str:
    lines = [f"{anchor(setting.path)}\n## {code(setting.path)}"]
    lines.append(wrapped(f"{setting.meaning} [In the reference](settings.md#{setting.path})."))
    told = {
        "What an attacker gains": advice.gain,
        "When it is reasonable": advice.fit,
        "The safer way": advice.safer,
    }
    items = [wrapped(f"**{title}.** {text}", "- ", "  ") for title, text in told.items()]
    return "\n\n".join([*lines, "\n".join(items)])
