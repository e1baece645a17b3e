"""The conformance corpus through the package: the same verdicts as everywhere."""

import json
from collections import Counter
from pathlib import Path

import pytest

from portcullis_auth import Refusal, Server, Token, _portcullis

CORPUS = Path(__file__).parents[3] / "conformance/corpus/access-tokens.json"
DOCUMENT = json.loads(CORPUS.read_text())
# A space behind the scheme is no part of the token, so this one cannot arrive as it is.
UNFIT = "enc-leading-space"
ROWS = [row for row in DOCUMENT["vectors"] if row["id"] != UNFIT]
# Where the corpus leaves the choice: conformance/tests/it/corpus/access_tokens.rs.
CHOSEN = {
    "base-ed25519-name",
    "base-exponent-exp",
    "iat-type-negative",
    "inject-jku-valid-signature",
    "inject-jwk-same-as-trusted",
    "jws-zip",
    "kid-missing",
    "nbf-after-exp",
    "scope-array",
    "sig-ecdsa-malleated",
    "sub-control",
    "sub-nul",
}


def corpus_server(name: str) -> Server:
    default = DOCUMENT["configurations"]["default"]
    issuers = DOCUMENT["configurations"][name].get("issuers", default["issuers"])
    profile = "generic" if name == "lenient-typ" else "rfc9068"
    settings, key_sets = "", {}
    for issuer in issuers:
        url = issuer["issuer"]
        settings += f'[[issuer]]\nurl = "{url}"\nprofile = "{profile}"\n'
        settings += f"audience = {json.dumps(issuer['audiences'])}\n"
        settings += f"algorithms = {json.dumps(issuer['algorithms'])}\n"
        key_sets[url] = json.dumps({"keys": DOCUMENT["jwks"][url]})
    return _portcullis._corpus_server(settings, key_sets, default["now"])


@pytest.mark.parametrize("name", ["default", "lenient-typ", "two-issuers"])
def test_every_token_gets_its_answer(name: str) -> None:
    server = corpus_server(name)
    rows = [row for row in ROWS if row.get("config", "default") == name]
    wrong, tally = [], Counter()
    for row in rows:
        value = f"Bearer {row['token']}"
        try:
            # Fixed keys: no answer has to wait.
            accepted = isinstance(server.decide({"Authorization": value}), Token)
        except Refusal:
            accepted = False
        expect = row["expect"]
        wanted = row["id"] in CHOSEN if expect == "either" else expect == "accept"
        tally[accepted] += 1
        if accepted != wanted:
            wrong.append(row["id"])
    assert wrong == []
    assert tally.total() == len(rows) > 0


def test_the_corpus_is_whole() -> None:
    assert len(ROWS) == 499
