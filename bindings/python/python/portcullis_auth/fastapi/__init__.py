"""Guards for FastAPI: dependencies that let a request on only with a token that may.

>>> auth = Portcullis()                      # OAUTH2_ISSUER and OAUTH2_AUDIENCE, or `.env`
>>>
>>> @app.get("/orders")
>>> async def orders(token: Annotated[Token, Security(auth, scopes=["orders:read"])]): ...
>>>
>>> @app.get("/reports", dependencies=[auth.require(role="Auditor")])
>>> def reports(): ...
"""

from portcullis_auth._portcullis import Token
from portcullis_auth.fastapi.application import Portcullis
from portcullis_auth.fastapi.denial import Denial, WebSocketDenial
from portcullis_auth.fastapi.guards import Guard, OptionalGuard

__all__ = ["Denial", "Guard", "OptionalGuard", "Portcullis", "Token", "WebSocketDenial"]
