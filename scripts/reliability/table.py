"""Format the table of results, for the terminal and for `docs/reliability.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmark.children import ROOT
from scripts.reliability.faults import FAULTS
from scripts.reliability.running import Shown
from scripts.reliability.trial import Verdict

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"


def table(results: Sequence[Shown]) -> str:
    """A Markdown table with a row per fault: its number of tries, and their verdicts."""
    counts = Counter((shown.planned.fault, shown.verdict) for shown in results)
    header = ["fault", "what happens", "tries", *Verdict]
    rows = [
        [f"`{name}`", fault.words, *_counts([counts[name, verdict] for verdict in Verdict])]
        for name, fault in FAULTS.items()
        if any(counts[name, verdict] for verdict in Verdict)
    ]
    total = ["all", "", *_counts([sum(counts[name, verdict] for name in FAULTS) for verdict in Verdict])]
    rule = ["---", "---", *["---:"] * (len(Verdict) + 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, rule, *rows, total])


def _counts(counts: Sequence[int]) -> list[str]:
    return [str(sum(counts)), *(str(count or "–") for count in counts)]


def rewrite(text: str, page: Path = PAGE) -> None:
    """Replace the text between the page's markers."""
    before, found, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found and found_end):
        raise ValueError(f"{page}: the markers {BEGIN} and {END} are missing")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
