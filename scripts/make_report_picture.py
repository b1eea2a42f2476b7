"""Write docs/report.png, the README's picture of a report of `configs/digits.yaml`.

Trains the config, lays out the top of its report.html in two columns, and takes a screenshot.
Needs Chromium on PATH:  python scripts/make_report_picture.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

import nnjit
from nnjit.runs import file_names

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "configs" / "digits.yaml"
PICTURE = ROOT / "docs" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
WIDTH, HEIGHT, SCALE = 1280, 1190, 1.5  # GitHub shows about 840 pixels, on dense screens twice as many
COLOURS = 160  # enough for the pictures' lines and the text's grey edges
LARGEST = 200_000  # bytes

# The result on the left with the network below it, the confusion matrix and the loss on the right.
LAYOUT = """
:root { color-scheme: only light; }
body { max-width: none; padding: 2.2rem 2.6rem; columns: 2; column-gap: 3rem; }
h2 { margin-top: 2rem; break-after: avoid; }
figure { margin: 1.4rem 0 1.6rem; break-inside: avoid; }
section:not(#result, #training, #network), figure:not(#confusion, #loss, #layers) { display: none; }
#result > h3, #result > .scroll ~ .scroll { display: none; }
#network { position: absolute; bottom: 1.6rem; left: 2.6rem; width: calc(50vw - 4.1rem); }
#layers { margin: 0; }
#result > p, #network > :not(#layers), #layers figcaption { display: none; }
"""


def main() -> None:
    """Train, take the screenshot, and write the picture."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"no browser on PATH: install one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as folder:
        run = nnjit.fit(CONFIG, output=Path(folder) / "run", report=True)
        page, screenshot = Path(folder) / "page.html", Path(folder) / "page.png"
        report = (run.path / file_names.REPORT).read_text(encoding="utf-8")
        page.write_text(in_columns(report), encoding="utf-8")
        photograph(browser, page, screenshot, profile=Path(folder) / "profile")
        with Image.open(screenshot) as image:
            image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    size = PICTURE.stat().st_size
    print(f"{PICTURE}: {size / 1000:.0f} kB")
    if size > LARGEST:
        sys.exit(f"more than {LARGEST / 1000:.0f} kB; lower SCALE or COLOURS")


def in_columns(report: str) -> str:
    """The report page in the picture's layout."""
    return report.replace("</head>", f"<style>{LAYOUT}</style>\n</head>", 1)


def photograph(browser: str, page: Path, screenshot: Path, *, profile: Path) -> None:
    """Take a screenshot of the page with a headless browser."""
    options = (
        f"--user-data-dir={profile}",
        f"--window-size={WIDTH},{HEIGHT}",
        f"--force-device-scale-factor={SCALE}",
        f"--screenshot={screenshot}",
    )
    subprocess.run([browser, *FLAGS, *options, page.as_uri()], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
