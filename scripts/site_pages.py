"""A hook of MkDocs that adds README, ARCHITECTURE, CHANGELOG, LICENSE and the configs to the site.

They are above `docs/`, where readers of the repository look for them. The site has them next to the pages of
`docs/`, with links between the two changed accordingly. Lines do not break inside a flag, as in `--engine`.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
ABOVE = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE")
LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)\s#]+)(?=[#)])")
CODE = re.compile(r"(^```.*?^```$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"<code>[^<\n]*</code>")
FLAG = re.compile(r"(?<![\w-])--?[a-z][\w-]*")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files above `docs/`."""
    for path in [*(ROOT / name for name in ABOVE), *sorted((ROOT / "configs").rglob("*.yaml"))]:
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, content=path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to their targets on the site."""
    pieces = CODE.split(markdown)
    return "".join(p if k % 2 else LINK.sub(lambda m: moved(m[1], page), p) for k, p in enumerate(pieces))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Mark flags in inline code, which a browser would break after a hyphen."""
    return INLINE.sub(lambda code: FLAG.sub(r'<span class="flag">\g<0></span>', code[0]), html)


def moved(target: str, page: Page) -> str:
    """The site's link for a link of a page, relative to the page's folder."""
    name = page.file.src_uri
    folder = posixpath.dirname(name if name in ABOVE else f"docs/{name}")
    path = posixpath.normpath(posixpath.join(folder, target)).removeprefix("docs/")
    return posixpath.relpath(path, posixpath.dirname(name) or ".")
