"""The bill of materials: against the schema where its library is there, and against itself."""

import json
import re
from pathlib import Path

from archive import only
from report import Report

PURL = re.compile(r"pkg:cargo/[A-Za-z0-9_-]+@[0-9A-Za-z.%_-]+")


def check(report: Report, folder: Path) -> None:
    path = only(folder, "portcullis-*.cdx.json")
    bill = json.loads(path.read_text())
    program, others = bill["metadata"]["component"], bill["components"]
    everything = [program, *others]
    references = [it["bom-ref"] for it in everything]
    report.equal("the bill is of the command", program["name"], "portcullis-cli")
    report.check("the bill has crates", len(others) > 100, len(others))
    report.equal("each crate stands once", len(set(references)), len(references))
    odd = [it["purl"] for it in everything if not PURL.fullmatch(it["purl"])]
    report.equal("package URLs", odd, [])
    bare = [it["name"] for it in everything if not it.get("licenses")]
    report.equal("each crate has a licence", bare, [])
    unsure = [
        it["name"]
        for it in others
        if not it.get("hashes") and not it["name"].startswith(("portcullis", "enterprise-api"))
    ]
    report.equal("each crate of others has a checksum", unsure, [])
    graph = {it["ref"]: it["dependsOn"] for it in bill["dependencies"]}
    named = {it for needed in graph.values() for it in needed} | set(graph)
    report.equal("the graph names these crates alone", named - set(references), set())
    report.equal(
        "the program needs all of them", _reached(graph, program["bom-ref"]), set(references)
    )
    _validate(report, path.read_text())


def _reached(graph: dict[str, list[str]], start: str) -> set[str]:
    reached, open_ = {start}, [start]
    while open_:
        for needed in graph[open_.pop()]:
            if needed not in reached:
                reached.add(needed)
                open_.append(needed)
    return reached


def _validate(report: Report, text: str) -> None:
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError:
        report.skip(
            "the schema of CycloneDX", "cyclonedx-python-lib[json-validation] not installed"
        )
        return
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    report.check("the schema of CycloneDX 1.6", fault is None, fault)
