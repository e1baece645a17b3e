"""The figures of a server in a registry of prometheus_client."""

import re

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest

from conftest import Idp
from portcullis_auth import Refusal, Server
from portcullis_auth.metrics import ServerCollector, register

SERIES = re.compile(r"^([a-z_]+)(\{[^}]*\})? ", re.M)
LABEL = re.compile(r'\w+="[^"]*"')
HEADS = re.compile(r"^# (HELP|TYPE) (\S+) (.*)$", re.M)


def heads_of(text: str) -> set[tuple[str, ...]]:
    return set(HEADS.findall(text))


def series_of(text: str) -> set[str]:
    """Names and labels, whose order means nothing."""
    return {f"{name}{sorted(LABEL.findall(labels))}" for name, labels in SERIES.findall(text)}


def test_names_and_series_are_unchanged(idp: Idp, server: Server) -> None:
    server.decide_blocking(idp.bearer())
    with pytest.raises(Refusal):
        server.decide_blocking({})
    registry = CollectorRegistry()
    register(server, registry)
    text, own = generate_latest(registry).decode(), server.metrics()
    assert series_of(text) == series_of(own)
    assert len(series_of(own)) > 100
    # Names are those of the documentation, the suffixes of counters and histograms included.
    assert heads_of(text) == heads_of(own)
    assert ("TYPE", "portcullis_decisions_total", "counter") in heads_of(text)
    assert ("TYPE", "portcullis_decision_seconds", "histogram") in heads_of(text)
    labels = {"outcome": "deny", "code": "credential.missing"}
    assert registry.get_sample_value("portcullis_decisions_total", labels) == 1
    bucket = {"outcome": "deny", "le": "+Inf"}
    assert registry.get_sample_value("portcullis_decision_seconds_bucket", bucket) == 1


def test_figures_are_read_at_each_scrape(idp: Idp, server: Server) -> None:
    registry = CollectorRegistry()
    register(server, registry)
    labels = {"outcome": "allow", "code": "ok"}
    for count in range(3):
        assert registry.get_sample_value("portcullis_decisions_total", labels) == count
        server.decide_blocking(idp.bearer())


@pytest.mark.parametrize("auto_describe", [True, False])
def test_one_registry_has_the_figures_once(server: Server, auto_describe: bool) -> None:
    registry = CollectorRegistry(auto_describe=auto_describe)
    collector = register(server, registry)
    with pytest.raises(ValueError, match="Duplicated"):
        register(server, registry)
    registry.unregister(collector)
    assert isinstance(register(server, registry), ServerCollector)


def test_they_stand_beside_those_of_the_application(server: Server) -> None:
    counter = Counter("orders_placed", "Orders", registry=None)
    collector = register(server)
    REGISTRY.register(counter)
    try:
        text = generate_latest(REGISTRY).decode()
        assert "portcullis_decisions_total{" in text
        assert "orders_placed_total 0.0" in text
    finally:
        REGISTRY.unregister(counter)
        REGISTRY.unregister(collector)
