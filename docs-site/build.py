"""Builds the documentation site and checks the links of the repository's pages and of the site.

    python docs-site/build.py [--target FOLDER]

It stages docs/ into target/site-src, builds target/site, and ends with one line of totals. With a fault the status is 1.
Nothing is fetched.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import check
from stage import Site, stage

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "docs-site" / "zensical.toml"


def main() -> int:
    arguments = argparse.ArgumentParser(description="Builds the documentation site and checks its links.")
    arguments.add_argument("--target", type=Path, default=ROOT / "target", help="the folder for site-src and site")
    target = arguments.parse_args().target.resolve()
    settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))["project"]
    site = Site(ROOT, settings.get("extra", {}).get("source"))
    began = time.monotonic()

    report = check.Report(ROOT)
    check.navigation(site, settings["nav"], SETTINGS, report)
    check.markdown(ROOT, report)
    write(site, target)
    if not build(target):
        print("portcullis site: the generator failed", file=sys.stderr)
        return 1
    check.site(target / "site", report)
    return finish(report, time.monotonic() - began)


def write(site: Site, target: Path) -> None:
    staged = target / "site-src"
    for old in (staged, target / "site", target / ".cache"):
        shutil.rmtree(old, ignore_errors=True)
    for page in site.pages():
        path = staged / page.relative_to(site.docs)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(stage(page, site), encoding="utf-8")
    for file in site.files():
        path = staged / file.relative_to(site.docs)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, path)
    # A page that is missing is one fault, not one on every page that shows the navigation.
    entry = re.compile(r'^\s*\{ ".*" = "(.*\.md)" \},$')
    lines = SETTINGS.read_text(encoding="utf-8").split("\n")
    present = [line for line in lines if not (found := entry.match(line)) or (site.docs / found[1]).is_file()]
    (target / "zensical.toml").write_text("\n".join(present), encoding="utf-8")


def build(target: Path) -> bool:
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--config-file", str(target / "zensical.toml")]
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(SETTINGS.parent)}
    result = subprocess.run(command, cwd=target, env=environment, capture_output=True, text=True)
    if result.returncode:
        print(result.stdout + result.stderr, file=sys.stderr)
    return result.returncode == 0 and (target / "site" / "index.html").is_file()


def finish(report: check.Report, seconds: float) -> int:
    for fault in sorted(set(report.faults)):
        print(fault)
    print(f"Markdown: {report.files} files, {report.markdown_links} internal links")
    print(f"site: {report.pages} pages, {report.site_links} internal links, {report.resources} resources")
    print(f"external: {len(report.external)} addresses; their form is checked, they are not fetched")
    print(f"built and checked in {seconds:.1f} s")
    internal = report.markdown_links + report.site_links
    print(
        f"totals: site: {report.pages} pages, {internal} internal links, "
        f"{len(report.external)} external links not fetched, {len(set(report.faults))} broken"
    )
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
