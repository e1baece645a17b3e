"""The figures of a server, for ``prometheus_client``.

>>> register(server)        # beside the metrics of the application

The names are those of docs/observability.md, unchanged.
"""

from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from portcullis_auth._portcullis import Server

__all__ = ["ServerCollector", "register"]


class ServerCollector(Collector):
    """The figures of a server, read anew at each scrape."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterable[Metric]:
        """The metrics of this process."""
        return list(text_string_to_metric_families(self._server.metrics()))

    def describe(self) -> Iterable[Metric]:
        """The same: a registry compares the names with those that it has."""
        return self.collect()


def register(server: Server, registry: CollectorRegistry = REGISTRY) -> ServerCollector:
    """Adds the figures of a server to a registry. The result is for ``registry.unregister``.

    The figures are those of the process that is scraped. The multi-process mode of
    ``prometheus_client`` adds up its own values only: with several workers, each of them needs an
    address of its own to be scraped at.

    Raises ``ValueError`` if the registry has figures of a server already.
    """
    collector = ServerCollector(server)
    registry.register(collector)
    return collector
