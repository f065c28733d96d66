"""Rows of an XML file: elements of one kind, each with its attributes as cells.

Read with defusedxml where the extra `xml` is installed: a document type, an entity or an
external reference is refused before it is expanded. Nothing of the tree is kept but the rows.
"""

import io
from typing import Any, Final
from xml.sax import SAXException, SAXParseException  # the classes only; defusedxml parses
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import InputSource

from recon_core.sessions.files import LinedFile, MissingListError
from recon_core.sessions.json_text import MAX_DEPTH
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.limits import (
    JSON_BYTES,
    JSON_OBJECTS,
    JSON_VALUES,
    TABLE_ROWS,
    TEXT_LENGTH,
    refuse_above,
)
from recon_core.values.printable import printable, quoted

_FORBIDDEN: Final = "declares a document type or an entity; expected plain elements"


def xml_rows(content: LinedFile, at: str | None) -> list[tuple[int, dict[str, str]]]:
    """Return the elements at a path such as `Trades/Trade`, each with the line it begins in.

    A path that begins with a slash begins at the root. Raises `SessionError`.
    """
    if at is None:
        raise SessionError(
            f"{content.name}: an XML file has many lists; expected at = 'Trades/Trade'"
        )
    refuse_above(JSON_BYTES, len(content.data), f"{content.name}: ")
    handler = _Elements(at, content.name)
    _parse(content, handler)
    if not handler.rows and not handler.has_place:
        _refuse_place(content.name, handler)
    return handler.rows


def _parse(content: LinedFile, handler: ContentHandler) -> None:
    parser, forbidden = _defused()
    source = InputSource()
    source.setByteStream(io.BytesIO(content.data))
    source.setEncoding("utf-8")  # what the file was checked to be, whatever it declares
    try:
        parser(source, handler, forbid_dtd=True)
    except ReconError:
        raise
    except forbidden:
        raise SessionError(f"{content.name}: {_FORBIDDEN}") from None
    except SAXParseException as error:
        line = error.getLineNumber()
        problem = printable(error.getMessage(), 60)
        raise SessionError(f"{content.name}: is not XML: {problem} in line {line}") from None
    except SAXException as error:
        raise SessionError(f"{content.name}: is not XML: {printable(error, 60)}") from None


def _defused() -> tuple[Any, type[Exception]]:
    try:
        from defusedxml import DefusedXmlException  # noqa: PLC0415  # an extra
        from defusedxml.sax import parse  # noqa: PLC0415  # as above
    except ImportError:
        raise SessionError(
            "XML is read with defusedxml; expected it to be installed: "
            'pip install "path/to/pytest-recon[xml]"'
        ) from None
    return parse, DefusedXmlException


class _Elements(ContentHandler):
    """Collects the elements at one path, and counts what is passed on the way."""

    def __init__(self, at: str, name: str) -> None:
        super().__init__()
        self.at = tuple(part for part in at.split("/") if part)
        self.rows: list[tuple[int, dict[str, str]]] = []
        self.has_place = False
        self._from_root = at.startswith("/")
        self._name = name
        self._path: list[str] = []
        self._elements = self._values = 0
        self._locator: Any = None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802  # SAX's name
        """Remember what knows the line."""
        self._locator = locator

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802  # SAX's name
        """Take one element; raises `SessionError` where it is one too many."""
        self._path.append(name)
        self._elements += 1
        self._values += len(attrs)
        where = f"{self._name}: "
        if len(self._path) > MAX_DEPTH:
            raise SessionError(f"{where}is nested deeper than {MAX_DEPTH} levels")
        refuse_above(JSON_OBJECTS, self._elements, where, at_least=True)
        refuse_above(JSON_VALUES, self._values, where, at_least=True)
        if self._is_below(self.at):
            self._take(dict(attrs))

    def _is_below(self, place: tuple[str, ...]) -> bool:
        """True if the open elements end with `place`, or are it where it begins at the root."""
        path = self._path if self._from_root else self._path[-len(place) :]
        return bool(place) and tuple(path) == place

    def _take(self, cells: dict[str, str]) -> None:
        for name, value in cells.items():
            refuse_above(TEXT_LENGTH, len(value), f"{self._name}: {printable(name, 60)} ")
        line = self._locator.getLineNumber() or 0
        self.rows.append((line, {name: value for name, value in cells.items() if value}))
        refuse_above(TABLE_ROWS, len(self.rows), f"{self._name}: ", at_least=True)

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802  # SAX's signature
        """Leave one element, and remember the place of a list without rows."""
        if self._is_below(self.at[:-1]):
            self.has_place = True
        self._path.pop()


def _refuse_place(name: str, handler: _Elements) -> None:
    shown = "/".join(handler.at)
    raise MissingListError(f"{name}: has no element at {quoted(shown)}; expected such rows")
