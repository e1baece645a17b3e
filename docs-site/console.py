"""A Markdown extension without syntax: it tells Pygments what a prompt is in our console blocks.

Pygments takes any line for a command that could be one of some shell, for example `http://host/?a=%3A`. Here only `$ `
begins a command, and `> ` goes on with it.
"""

import re

from markdown import Markdown
from markdown.extensions import Extension
from pygments.lexers.shell import BashSessionLexer


class Console(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        BashSessionLexer._ps1rgx = re.compile(r"^( *\$ )(.*\n?)")
        BashSessionLexer._bare_continuation = True


def makeExtension(**settings: object) -> Extension:
    return Console(**settings)
