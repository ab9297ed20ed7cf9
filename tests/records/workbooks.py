"""Excel workbooks written by hand: the few parts that every reader needs, so that no writer is a dependency."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path
from xml.sax.saxutils import escape

Cell = str | float | int | bool | date | None
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_RELATIONS = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STYLES = (
    f'<?xml version="1.0"?><styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>'
    '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def write_workbook(path: Path, sheets: dict[str, list[list[Cell]]]) -> None:
    """Write rows of cells by sheet; dates are numbers with a format, as Excel has them."""
    named = [f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, 1)]
    linked = [
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    ]
    style = f'<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", _TYPES)
        book.writestr(
            "_rels/.rels",
            f'{_RELATIONS}<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr(
            "xl/workbook.xml",
            f'<?xml version="1.0"?><workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f"{''.join(named)}</sheets></workbook>",
        )
        book.writestr("xl/_rels/workbook.xml.rels", f"{_RELATIONS}{''.join(linked)}{style}</Relationships>")
        book.writestr("xl/styles.xml", _STYLES)
        for number, rows in enumerate(sheets.values(), 1):
            book.writestr(f"xl/worksheets/sheet{number}.xml", _sheet(rows))


def _sheet(rows: list[list[Cell]]) -> str:
    made = [
        f'<row r="{r}">{"".join(_cell(cell, r, c) for c, cell in enumerate(row))}</row>'
        for r, row in enumerate(rows, 1)
    ]
    return f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>{"".join(made)}</sheetData></worksheet>'


def _cell(cell: Cell, row: int, column: int) -> str:
    place = f'r="{chr(65 + column)}{row}"'
    match cell:
        case None:
            return ""
        case bool():
            return f'<c {place} t="b"><v>{int(cell)}</v></c>'
        case datetime():
            days = (cell - datetime(1899, 12, 30)).total_seconds() / 86_400  # noqa: DTZ001  Excel knows no zones
            return f'<c {place} s="2"><v>{days!r}</v></c>'
        case date():
            return f'<c {place} s="1"><v>{(cell - date(1899, 12, 30)).days}</v></c>'
        case int() | float():
            return f"<c {place}><v>{cell!r}</v></c>"
        case _ if cell.startswith("#"):
            return f'<c {place} t="e"><v>{cell}</v></c>'
        case _:
            return f'<c {place} t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
