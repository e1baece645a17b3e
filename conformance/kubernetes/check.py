"""Renders the chart, and holds what comes out to the schemas of Kubernetes, to `portcullis config
check` and to the rules: `python check.py`, with `requirements.txt` installed, and the command named
by PORTCULLIS_COMMAND."""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm
import kubernetes_validate
import kubernetes_validate.utils
import pod
import yaml
from helm import CHART, IMAGE, ROOT, VALUES, Helm, Missing, Refused, chart_for, documents
from mutants import MUTANTS, Mutant
from rules import RULES, Release

VERSIONS = ("1.30", "1.34", "1.37")
"""The oldest version that Chart.yaml takes, one in between, and the newest."""
WITHOUT_SCHEMA = ("ServiceMonitor", "PrometheusRule")
"""Not of Kubernetes itself: rules say what they must be."""
PLAIN = ROOT / "deploy/kubernetes/sidecar.yaml"
PAGE = ROOT / "docs/how-to/kubernetes.md"
"""Its blocks of YAML are values, except for those of other files."""

GATEWAY = (
    IMAGE,
    "issuer.url=https://idp.example.com",
    "issuer.audience={api://x}",
    "upstream=http://api:8000",
    "tls.existingSecret=api-tls",
)
TEXT = "settings=realm"
REFUSALS = {
    "image.repository: expected the name of an image, found none": (*GATEWAY[1:],),
    "issuer.url: expected the issuer": (IMAGE,),
    "issuer.audience: expected what": (IMAGE,),
    "upstream: expected the URL of the API": (IMAGE,),
    "tls.existingSecret: expected a Secret with a certificate": (*GATEWAY[:4],),
    "upstream: expected an address on the loopback": (*GATEWAY, "mode=sidecar"),
    "upstream: expected none in mode ext-authz": (*GATEWAY, "mode=ext-authz"),
    "tls: expected a certificate, and authorities": (*GATEWAY, "mode=ext-authz"),
    "forwardAuth.proxy: expected nginx": (*GATEWAY, "mode=forward-auth"),
    "forwardAuth.trustedPeers: expected the addresses": (*GATEWAY, "mode=forward-auth"),
    "settings: expected no issuer": (*GATEWAY, TEXT),
    "settings: expected a `listen` on port 8080": (IMAGE, TEXT),
    "settings: expected a `listen` on port 9901": (IMAGE, TEXT),
    "gateway.listen: expected members": (*GATEWAY, "gateway.listen=0.0.0.0:80"),
    "gateway.timeouts.drain: expected": (*GATEWAY, "gateway.timeouts.drain=5"),
    "networkPolicy.upstream.podSelector: expected": (*GATEWAY, "networkPolicy.enabled=true"),
    "networkPolicy.upstream.port: expected": (
        *GATEWAY,
        "networkPolicy.enabled=true",
        "networkPolicy.upstream.podSelector.matchLabels.app=api",
    ),
    "expected a whole number": (*GATEWAY, 'routes=[{"path": "/a", "timeout": 1.5}]'),
    "ingress.hosts: expected the names": (*GATEWAY, "ingress.enabled=true"),
    **{
        f"ingress.enabled: expected false in mode {mode}": (
            *GATEWAY,
            f"mode={mode}",
            "ingress.enabled=true",
        )
        for mode in ("sidecar", "ext-authz", "forward-auth")
    },
    # What the schema of the values refuses.
    "mode": (*GATEWAY, "mode=proxy"),
    "securityContext": (*GATEWAY, "securityContext.runAsNonRoot=false"),
    "digest": (*GATEWAY, "image.digest=latest"),
    "runAs": (*GATEWAY, "runAs.user=0"),
    "ingress/hosts/0/host": (*GATEWAY, 'ingress.hosts=[{"host": "https://api.example.com"}]'),
    "pathType": (*GATEWAY, 'ingress.hosts=[{"host": "api", "paths": [{"path": "/"}]}]'),
}
"""What the chart refuses, and what it says then."""

STORE = "rediss://portcullis:password@redis.redis.svc.cluster.local:6380"
"""What a Secret with the URL of a store holds."""

# One release is validated for each version, and reading the definitions takes most of the time.
kubernetes_validate.utils.schema_contents = functools.cache(
    kubernetes_validate.utils.schema_contents
)


def main() -> int:
    command = shutil.which(os.environ.get("PORTCULLIS_COMMAND", "portcullis"))
    if command is None:
        print("no `portcullis` on the path, and PORTCULLIS_COMMAND names none")
        return 1
    with tempfile.TemporaryDirectory(prefix="portcullis-helm-") as name:
        try:
            helms = helm.unpack(Path(name))
        except Missing as missing:
            print(f"skipped: {missing}")
            return 0
        return Check(Path(name), helms, Path(command).resolve()).run()


class Check:
    def __init__(self, folder: Path, helms: list[Helm], command: Path) -> None:
        self.folder = folder
        self.helm, self.others = helms[0], helms[1:]
        self.command = command
        self.values = sorted(VALUES.glob("*.yaml"))
        self.has_run_a_pod = False

    def run(self) -> int:
        faults = list(self.faults())
        for fault in faults:
            print(fault)
        if faults:
            print(f"helm: {len(faults)} faults")
            return 1
        versions = " and ".join(it.version for it in [self.helm, *self.others])
        print(f"helm: {versions} render alike; {len(REFUSALS)} values are refused with their help")
        print(f"helm: {len(MUTANTS)} mutants of the chart are found by {len(RULES)} rules")
        if self.has_run_a_pod:
            print("helm: one pod has run, from an issuer that is away to the end of its drain")
        count = sum(len(self.release(values).documents) for values in self.values)
        told = f"{count} documents of {len(self.values)} value files"
        print(f"totals: helm: {told}, valid for {', '.join(VERSIONS)}")
        return 0

    def faults(self) -> Iterator[str]:
        for values in self.values:
            chart = self.chart(values)
            try:
                self.helm.lint(chart, values)
                text = self.helm.template(chart, values)
                for other in self.others:
                    if documents(other.template(chart, values)) != documents(text):
                        yield f"{values.name}: Helm {other.version} renders something else"
            except Refused as refused:
                yield f"{values.name}: {refused}"
                continue
            yield from self.faults_of(self.release(values), values.name)
        plain = Release(documents(PLAIN.read_text()), rolls=False)
        yield from self.faults_of(plain, PLAIN.name)
        yield from self.faults_of_page()
        yield from self.faults_of_running()
        for expected, sets in REFUSALS.items():
            yield from self.faults_of_refusal(expected, sets)
        for mutant in MUTANTS:
            yield from self.faults_of_mutant(mutant)

    def chart(self, values: Path) -> Path:
        return chart_for(values, CHART, self.folder)

    def release(self, values: Path, chart: Path | None = None) -> Release:
        text = self.helm.template(chart or self.chart(values), values)
        cluster_chooses = values.stem == "gateway-toml"
        return Release(documents(text), rolls=not cluster_chooses, fixed_user=not cluster_chooses)

    def faults_of(self, release: Release, name: str) -> Iterator[str]:
        """What is wrong with a release."""
        for document in release.documents:
            for version in VERSIONS:
                if fault := schema_fault(document, version):
                    yield f"{name}: {document['kind']}, Kubernetes {version}: {fault}"
        for rule in RULES:
            try:
                yield from (f"{name}: {fault}" for fault in rule(release))
            except (LookupError, StopIteration, TypeError, AttributeError, ValueError) as error:
                yield f"{name}: {rule.__name__}: {error!r}"
        if fault := self.settings_fault(release):
            yield f"{name}: config check: {fault}"

    def settings_fault(self, release: Release) -> str | None:
        """What the command says about the settings, with the pod's files and variables."""
        secrets = self.folder / "secrets"
        secrets.mkdir(exist_ok=True)
        for file in re.findall(r'"/etc/portcullis-secrets/([^"/]+)"', release.text):
            is_url = file.endswith("-url")
            (secrets / file).write_text(STORE if is_url else "0123456789abcdef0123456789abcdef")
        text = release.text.replace("/etc/portcullis-secrets", str(secrets))
        file = self.folder / "portcullis.toml"
        file.write_text(text)
        variables = {it["name"]: it["value"] for it in release.gateway.get("env", [])}
        ended = subprocess.run(
            [self.command, "config", "check", "--without-files", "--config", file],
            capture_output=True,
            text=True,
            env=variables,
            cwd=self.folder,
            timeout=30,
        )
        return ended.stderr or ended.stdout if ended.returncode else None

    def faults_of_page(self) -> Iterator[str]:
        """What is wrong with the values that the page shows; parts of a gateway's belong to it."""
        blocks = re.findall(r"^```yaml.*?\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
        whole = yaml.safe_load(blocks[0])
        for number, block in enumerate(blocks):
            if "{{" in block:
                continue
            shown = yaml.safe_load(block)
            if not set(shown) <= set(yaml.safe_load((CHART / "values.yaml").read_text())):
                continue
            values = self.folder / f"page-{number}.yaml"
            values.write_text(yaml.safe_dump(shown if "mode" in shown else whole | shown))
            try:
                yield from self.faults_of(
                    self.release(values, CHART), f"{PAGE.name}, {values.stem}"
                )
            except Refused as refused:
                yield f"{PAGE.name}: {refused}:\n{block}"

    def faults_of_running(self) -> Iterator[str]:
        """What is wrong with a pod that runs. A sidecar's release has no pod: it gets one."""
        folder = self.folder / "pod"
        folder.mkdir()
        values = folder / "values.yaml"
        values.write_text("")
        example = chart_for(VALUES / "sidecar.yaml", CHART, folder)
        sets = [f"portcullis.{value}" for value in pod.SETS] + ["portcullis.tls.existingSecret="]
        (folder / "release.yaml").write_text(self.helm.template(example, values, sets))
        if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--mount", "true"]).returncode:
            print("excused: no namespaces here, so no pod is run")
            return
        program = [sys.executable, pod.__file__, str(folder), str(self.command)]
        ended = subprocess.run(
            ["unshare", "--net", "--mount", *program],
            capture_output=True,
            text=True,
            timeout=180,
        )
        self.has_run_a_pod = True
        if ended.returncode:
            yield f"the pod: {ended.stdout}{ended.stderr}"

    def faults_of_refusal(self, expected: str, sets: tuple[str, ...]) -> Iterator[str]:
        try:
            self.helm.template(CHART, None, sets)
            yield f"not refused, though `{expected}` was expected: {sets}"
        except Refused as refused:
            if expected not in str(refused):
                yield f"refused, but without `{expected}`: {refused}"

    def faults_of_mutant(self, mutant: Mutant) -> Iterator[str]:
        folder = self.folder / "mutant"
        shutil.rmtree(folder, ignore_errors=True)
        changed = shutil.copytree(CHART, folder / "chart")
        file = changed / mutant.file
        text = file.read_text()
        what = f"{mutant.file}: `{mutant.found}` made `{mutant.written}`"
        if mutant.found not in text:
            yield f"no such text: {what}"
            return
        file.write_text(text.replace(mutant.found, mutant.written))
        values = VALUES / f"{mutant.values}.yaml"
        chart = chart_for(values, changed, folder)
        try:
            if not any(self.faults_of(self.release(values, chart), "mutant")):
                yield f"not noticed: {what}"
        except Refused as refused:
            yield f"does not render: {what}: {refused}"


def schema_fault(document: dict[str, Any], version: str) -> str | None:
    if document["kind"] in WITHOUT_SCHEMA:
        return None
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(str(part) for part in error.path)}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error.message)
    return None


if __name__ == "__main__":
    sys.exit(main())
