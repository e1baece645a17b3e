"""A request that may not go on, as a response."""

from fastapi import HTTPException, Request, Response, WebSocket, WebSocketException
from fastapi.responses import JSONResponse

from portcullis_auth._errors import Denied

POLICY_VIOLATION = 1008
"""The code of a close frame (RFC 6455, section 7.4.1)."""


class Denial(HTTPException):
    """A request that may not go on, as a response. FastAPI answers it by itself; after
    ``Portcullis.install``, with the code in the body too."""

    code: str
    """The stable code, such as ``token.expired``."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.status, denied.detail, denied.headers)
        self.code = denied.code


class WebSocketDenial(WebSocketException):
    """A WebSocket that may not be opened. FastAPI refuses the handshake with 403; after
    ``Portcullis.install``, with the response that any other request would get."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(POLICY_VIOLATION, denied.detail)
        self.denied = denied
        """The reason, and the response that any other request would get."""


async def respond(_request: Request, denial: Exception) -> Response:
    """The response for a denial, with its code."""
    if isinstance(denial, Denied):
        denial = Denial(denial)
    if not isinstance(denial, Denial):
        raise denial
    body = {"detail": denial.detail, "code": denial.code}
    return JSONResponse(body, denial.status_code, denial.headers)


async def refuse(websocket: WebSocket, denial: Exception) -> None:
    """Refuses a handshake, with a response where the server can send one."""
    if not isinstance(denial, WebSocketDenial):
        raise denial
    denied = denial.denied
    if "websocket.http.response" not in websocket.scope.get("extensions", {}):
        await websocket.close(denial.code, denial.reason)
        return
    body = {"detail": denied.detail, "code": denied.code}
    await websocket.send_denial_response(JSONResponse(body, denied.status, denied.headers))
