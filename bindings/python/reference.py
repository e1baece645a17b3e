"""Renders the reference of the package, as HTML, into a folder.

    python reference.py FOLDER

It reads the installed package: signatures, and the docstrings of everything public. A warning is an
error: a type or a name that cannot be resolved would be missing in the page.
"""

import sys
import warnings
from pathlib import Path

import pdoc
from django.conf import settings

MODULES = [
    "portcullis_auth",
    "portcullis_auth.requirements",
    "portcullis_auth.fastapi",
    "portcullis_auth.asgi",
    "portcullis_auth.wsgi",
    "portcullis_auth.django",
    "portcullis_auth.rest_framework",
    "portcullis_auth.flask",
    "portcullis_auth.grpc",
    "portcullis_auth.client",
    "portcullis_auth.testing",
    "portcullis_auth.pytest_plugin",
    "portcullis_auth.metrics",
]


def main(folder: Path) -> None:
    """Renders all public modules."""
    # Django's modules cannot be imported without settings.
    settings.configure(SECRET_KEY="reference")  # noqa: S106
    warnings.simplefilter("error")
    pdoc.render.configure(docformat="restructuredtext", show_source=False)
    pdoc.pdoc(*MODULES, output_directory=folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
