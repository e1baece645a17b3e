"""Interceptors for gRPC: a call goes on only with a token that may.

>>> tokens = TokenInterceptor(server, {"/orders.Orders/List": scope("orders:read")})
>>> grpc.aio.server(interceptors=[tokens])
>>>
>>> async def List(self, request, context):
...     token = current_token()
"""

from portcullis_auth.grpc.aio import TokenInterceptor
from portcullis_auth.grpc.blocking import BlockingTokenInterceptor
from portcullis_auth.grpc.denials import CODE_KEY as CODE_KEY
from portcullis_auth.grpc.tokens import current_token, optional_token

__all__ = ["BlockingTokenInterceptor", "TokenInterceptor", "current_token", "optional_token"]
