"""Write small Excel files."""

# ruff: noqa: E501  XML

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
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_PARTS = {
    "[Content_Types].xml": f"""<Types xmlns="{_TYPES}">
        <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
        <Default Extension="xml" ContentType="application/xml"/>
        <Override PartName="/xl/workbook.xml" ContentType="{_WORKBOOK}"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{_RELATIONS}">
        <Relationship Id="book" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/styles.xml": f"""<styleSheet xmlns="{_SHEETS}"><cellXfs>
        <xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>""",
}
_ZERO = datetime.datetime(1899, 12, 30)  # day 0 of Excel


def write_excel(path: Path, **sheets: Sequence[Sequence[Cell]]) -> None:
    """Write sheets, given as rows of cells; text that begins with `#` is an error such as `#N/A`."""
    names = "".join(f'<sheet name="{name}" sheetId="{k}" r:id="s{k}"/>' for k, name in enumerate(sheets, 1))
    targets = "".join(
        f'<Relationship Id="s{k}" Type="{_DOCUMENT}/worksheet" Target="worksheets/{k}.xml"/>'
        for k in range(1, len(sheets) + 1)
    )
    styles = f'<Relationship Id="styles" Type="{_DOCUMENT}/styles" Target="styles.xml"/>'
    parts = _PARTS | {
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_DOCUMENT}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{targets}{styles}</Relationships>',
    }
    for k, rows in enumerate(sheets.values(), 1):
        data = "".join(f'<row r="{r}">{_cells(r, row)}</row>' for r, row in enumerate(rows, 1))
        parts[f"xl/worksheets/{k}.xml"] = (
            f'<worksheet xmlns="{_SHEETS}"><sheetData>{data}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0"?>{text}')


def _cells(number: int, row: Sequence[Cell]) -> str:
    names = [f"{chr(ord('A') + k)}{number}" for k in range(len(row))]
    return "".join(map(_cell, names, row))


def _cell(name: str, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{name}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{name}"><v>{value!r}</v></c>'
    if isinstance(value, datetime.date):
        midnight = datetime.datetime(value.year, value.month, value.day)
        time = value if isinstance(value, datetime.datetime) else midnight
        return f'<c r="{name}" s="1"><v>{(time - _ZERO) / datetime.timedelta(days=1)!r}</v></c>'
    if value.startswith("#"):
        return f'<c r="{name}" t="e"><v>{value}</v></c>'
    return f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
