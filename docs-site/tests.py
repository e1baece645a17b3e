"""Tests of the checker and of the stage: `python docs-site/tests.py`, with the packages of requirements.txt."""

import tempfile
import unittest
from pathlib import Path

import check
from pages import Page, slug
from stage import Site, stage

CLEAN = """<meta http-equiv="Content-Security-Policy" content="default-src 'self'"><h1 id="top">T</h1>"""


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def markdown(self) -> list[str]:
        report = check.Report(self.root)
        check.markdown(self.root, report)
        return report.faults

    def site(self) -> list[str]:
        report = check.Report(self.root)
        check.site(self.root / "site", report)
        return report.faults


class Markdown(Folder):
    def test_slugs(self) -> None:
        self.assertEqual(slug("`portcullis explain`, in full"), "portcullis-explain-in-full")
        self.assertEqual(slug("`token.key_unknown`"), "tokenkey_unknown")
        self.assertEqual(slug("2. Roles & groups"), "2-roles--groups")
        self.assertEqual(slug("See [the *page*](x.md)"), "see-the-page")

    def test_links_and_anchors_that_lead_somewhere(self) -> None:
        self.write("a.md", "# A\n\n[over\nlines](b.md#b-1) and [`code`](<b.md>) and [up](#a)\n\n[r]: b.md\n")
        self.write("b.md", "# B\n\n## B\n")
        self.assertEqual(self.markdown(), [])

    def test_each_fault_names_its_line(self) -> None:
        self.write("a.md", "# A\n\n[no file](c.md)\n\n![no image](c.png)\n\n[no heading](#c)\n\n[plain](http://a.example/)\n")
        faults = self.markdown()
        self.assertEqual([fault.split(": ")[0] for fault in faults], ["a.md:3", "a.md:5", "a.md:7", "a.md:9"])
        self.assertIn("expected the file c.md", faults[0])
        self.assertIn("expected the heading #c in a.md", faults[2])
        self.assertIn("expected an https address", faults[3])

    def test_code_and_comments_hold_no_links(self) -> None:
        self.write("a.md", "`[x](y.md)` <!-- [x](y.md) -->\n\n```text\n[x](y.md)\n# no heading\n```\n")
        page = Page.read(self.root / "a.md")
        self.assertEqual((page.links, page.anchors), ([], set()))

    def test_a_link_out_of_the_repository(self) -> None:
        self.write("a.md", "[x](../../etc/passwd)\n[y][undefined]\n")
        self.assertEqual(len(self.markdown()), 2)


class Built(Folder):
    def test_a_clean_page(self) -> None:
        self.write("site/a.css", "a { background: url(data:image/png;base64,AA) }")
        self.write("site/index.html", CLEAN + '<link rel=stylesheet href=a.css><a href="b.html#top">b</a>')
        self.write("site/b.html", CLEAN + '<a href="https://example.com/">x</a>')
        self.assertEqual(self.site(), [])

    def test_what_is_loaded_from_elsewhere(self) -> None:
        for loaded in (
            '<script src="https://cdn.example/x.js"></script>',
            '<link rel="stylesheet" href="//cdn.example/x.css">',
            '<img src="https://cdn.example/x.png">',
            "<style>@font-face { src: url(https://cdn.example/x.woff) }</style>",
            '<p style="background: url(https://cdn.example/x.png)"></p>',
        ):
            with self.subTest(loaded):
                self.write("site/index.html", CLEAN + loaded)
                self.assertIn("expected a resource of the site", self.site()[0])

    def test_a_missing_page_anchor_and_policy(self) -> None:
        self.write("site/index.html", '<h1>T</h1><a href="b.html">b</a><a href="#c">c</a>')
        self.assertEqual(len(self.site()), 3)


class Stage(Folder):
    def staged(self, text: str, source: str | None = None) -> str:
        self.write("deploy/x.toml", "")
        self.write("docs/other.md", "# Other\n")
        return stage(self.write("docs/a.md", text), Site(self.root, source))

    def test_links_to_files_that_are_no_pages(self) -> None:
        text = "[a page](other.md#other) and [a *file*](../deploy/x.toml)\n"
        self.assertEqual(self.staged(text), "[a page](other.md#other) and a *file*\n")
        self.assertIn("[a *file*](https://git.example/main/deploy/x.toml)", self.staged(text, "https://git.example/main/{path}"))

    def test_headings_have_the_anchors_of_the_repository(self) -> None:
        self.assertEqual(self.staged("# A & b\n\n# A & b\n"), "# A & b { #a--b }\n\n# A & b { #a--b-1 }\n")

    def test_blocks_in_lists_are_indented_by_four(self) -> None:
        text = "1. one\n\n   ```toml\n   a = 1\n   ```\n\n2. two\n   - deep\n     more\n"
        expected = "1. one\n\n    ```toml\n    a = 1\n    ```\n\n2. two\n    - deep\n        more\n"
        self.assertEqual(self.staged(text), expected)

    def test_a_number_at_the_beginning_of_a_line_is_no_list(self) -> None:
        self.assertEqual(self.staged("- it is\n  503. Then it ends.\n"), "- it is\n    503\\. Then it ends.\n")
        self.assertEqual(self.staged("2. two\n3. three\n"), "2. two\n3. three\n")

    def test_comments_go_and_code_stays(self) -> None:
        text = "<!-- run: skip -->\n```rust,no_run\n<!-- kept -->\n```\n"
        self.assertEqual(self.staged(text), "\n```rust\n<!-- kept -->\n```\n")

    def test_here_documents_count_as_typed(self) -> None:
        self.assertEqual(
            self.staged("```console\n$ cat > x <<'END'\ny\nEND\nout\n```\n"),
            "```console\n$ cat > x <<'END'\n> y\n> END\nout\n```\n",
        )

    def test_a_diagram_is_a_picture_and_its_text(self) -> None:
        staged = self.staged("# A\n\n```mermaid\nflowchart LR\n    A[first] --> B[second]\n```\n")
        self.assertIn('role="img"', staged)
        self.assertIn("A[first] --&gt; B[second]", staged)
        self.assertNotIn("```", staged)


if __name__ == "__main__":
    unittest.main()
