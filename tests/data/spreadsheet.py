"""Write small Excel files: one part for the sheets' names, one for the styles of dates, one for each sheet."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Cell = str | float | bool | datetime.date | None

_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_ZERO = datetime.datetime(1899, 12, 30)  # of Excel's days


def write_excel(path: Path, **sheets: Sequence[Sequence[Cell]]) -> None:
    """Write sheets, given as rows of cells; a text that begins with `#` is an error such as `#N/A`."""
    targets = {f"s{k}": f"worksheets/{k}.xml" for k in range(len(sheets))}
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType="application/'
        'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}"/></Types>',
        "_rels/.rels": _relations({"book": "xl/workbook.xml"}, "officeDocument"),
        "xl/_rels/workbook.xml.rels": _relations(targets, "worksheet", '<Relationship Id="styles" '
        f'Type="{_DOCUMENT}/styles" Target="styles.xml"/>'),
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_DOCUMENT}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{k + 1}" r:id="s{k}"/>' for k, name in enumerate(sheets))
        + "</sheets></workbook>",
        "xl/styles.xml": f'<styleSheet xmlns="{_SHEETS}"><cellXfs><xf numFmtId="0"/><xf numFmtId="22" '
        'applyNumberFormat="1"/></cellXfs></styleSheet>',
    }  # fmt: skip
    for k, rows in enumerate(sheets.values()):
        data = "".join(
            f'<row r="{r}">{"".join(map(_cell, _names(r), row))}</row>' for r, row in enumerate(rows, 1)
        )
        parts[f"xl/worksheets/{k}.xml"] = (
            f'<worksheet xmlns="{_SHEETS}"><sheetData>{data}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0"?>{text}')


def _names(row: int) -> list[str]:
    return [f"{letter}{row}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]


def _relations(targets: dict[str, str], kind: str, more: str = "") -> str:
    relations = (
        f'<Relationship Id="{name}" Type="{_DOCUMENT}/{kind}" Target="{target}"/>'
        for name, target in targets.items()
    )
    return f'<Relationships xmlns="{_RELATIONS}">{"".join(relations)}{more}</Relationships>'


def _cell(name: str, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{name}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{name}"><v>{value!r}</v></c>'
    if isinstance(value, datetime.date):
        time = value if isinstance(value, datetime.datetime) else datetime.datetime(*value.timetuple()[:3])
        return f'<c r="{name}" s="1"><v>{(time - _ZERO) / datetime.timedelta(days=1)!r}</v></c>'
    if value.startswith("#"):
        return f'<c r="{name}" t="e"><v>{value}</v></c>'
    return f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
