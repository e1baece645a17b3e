"""The OpenAPI document: the scheme that Swagger UI signs in by, the responses of guards, and
operations that a guest may call."""

from collections.abc import Iterator
from typing import Any

import fastapi.routing
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.encoders import jsonable_encoder

from portcullis_auth.fastapi.guards import Guard

OPENID_CONNECT = "openIdConnect"
OAUTH2 = "oauth2"
DENIAL = {
    "title": "Denial",
    "type": "object",
    "required": ["detail", "code"],
    "properties": {
        "detail": {"type": "string", "description": "The reason, in a fixed phrase."},
        "code": {"type": "string", "description": "The stable code, such as `token.expired`."},
    },
}


def describe(app: FastAPI, document: dict[str, Any]) -> dict[str, Any]:
    """Completes the document of an application: FastAPI knows the schemes of its guards, and not
    their responses."""
    for path, method, guards in guarded_operations(app):
        operation = document.get("paths", {}).get(path, {}).get(method)
        if operation is None:
            continue
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).setdefault("Denial", DENIAL)
        _add_scheme(components, operation, guards)
        _add_responses(operation, guards)
        if all(guard.is_optional for guard in guards):
            # OpenAPI writes "or without any" as an empty requirement.
            operation["security"].append({})
    return document


def guarded_operations(app: FastAPI) -> Iterator[tuple[str, str, list[Guard]]]:
    """Path, method and guards of each operation that has any."""
    for route in _routes(app):
        guards = list(_guards(route.dependant))
        if guards:
            for method in route.methods or ():
                yield route.path_format, method.lower(), guards


def _routes(app: FastAPI) -> Iterator[Any]:
    # Newer versions keep included routers as they are, and have this to see through them.
    contexts = getattr(fastapi.routing, "iter_route_contexts", None)
    for route in contexts(app.routes) if contexts else app.routes:
        if isinstance(getattr(route, "dependant", None), Dependant) and hasattr(route, "methods"):
            yield route


def _guards(dependant: Dependant) -> Iterator[Guard]:
    if isinstance(dependant.call, Guard):
        yield dependant.call
    for dependency in dependant.dependencies:
        yield from _guards(dependency)


def _add_scheme(components: dict[str, Any], operation: dict[str, Any], guards: list[Guard]) -> None:
    """Lists the second scheme before the first, with the same scopes: Swagger UI shows them in this
    order, and signs in by this one."""
    schemes = components.setdefault("securitySchemes", {})
    if OAUTH2 not in schemes:
        scheme = jsonable_encoder(guards[0].oauth2.model, by_alias=True, exclude_none=True)
        components["securitySchemes"] = {OAUTH2: scheme, **schemes}
    alternatives: list[dict[str, Any]] = []
    for alternative in operation.get("security", []):
        if OPENID_CONNECT in alternative:
            rest = {name: alternative[name] for name in alternative if name != OPENID_CONNECT}
            alternatives.append({**rest, OAUTH2: alternative[OPENID_CONNECT]})
        alternatives.append(alternative)
    operation["security"] = alternatives


def _add_responses(operation: dict[str, Any], guards: list[Guard]) -> None:
    responses = operation.setdefault("responses", {})
    responses.setdefault("401", _response("No valid access token", "WWW-Authenticate"))
    demands_more = any(guard.requirement for guard in guards) or any(
        scopes for scheme in operation.get("security", []) for scopes in scheme.values()
    )
    if demands_more:
        responses.setdefault("403", _response("The caller may not do this", "WWW-Authenticate"))
    responses.setdefault("503", _response("No decision is possible for now", "Retry-After"))


def _response(description: str, header: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {header: {"schema": {"type": "string"}}},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Denial"}}},
    }
