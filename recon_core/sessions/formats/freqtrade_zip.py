"""The zip of a freqtrade backtest: one member is read, bounded, and nothing is unpacked."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import BinaryIO, Final

from recon_core.values.errors import SessionError
from recon_core.values.limits import ZIP_BYTES, ZIP_DIRECTORY_BYTES, refuse_above
from recon_core.values.printable import printable

META: Final = ".meta.json"
"""End of the name of the file in which freqtrade notes when a backtest ran."""
_MOST_EXPANSION: Final = 100
"""Unpacked bytes of a packed byte; a zip bomb has far more, and text far fewer."""
_SMALL: Final = 1024 * 1024
"""Bytes: a member that unpacks to no more is harmless at any ratio."""
_ENCRYPTED: Final = 1
"""Bit of the flags of a member of a zip file."""
_END: Final = struct.Struct("<4s4H2LH")
"""The end of an archive; its sixth field is the size of the list of members."""
_END_MARK: Final = b"PK\5\6"
_LARGE_MARK: Final = b"PK\6\7"
_MOST_END: Final = _END.size + 65_535


def opened_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open an archive whose list of members is short enough to be read; raises `SessionError`.

    `zipfile` makes an object of some KiB of every member before anything can be asked.
    """
    file.seek(0, os.SEEK_END)
    tail = min(file.tell(), _MOST_END)
    file.seek(-tail, os.SEEK_END)
    end = file.read(tail)
    start = len(end) - _END.size
    if start < 0 or not end.startswith(_END_MARK, start) or not end.endswith(b"\0\0"):
        start = end.rfind(_END_MARK)
    if _LARGE_MARK in end:
        raise SessionError("is an archive of more than 65535 members or 4 GiB")
    if 0 <= start <= len(end) - _END.size:
        refuse_above(ZIP_DIRECTORY_BYTES, _END.unpack_from(end, start)[5], "its list of members ")
    return zipfile.ZipFile(file)


def result_name(names: Iterable[str], archive: str) -> str:
    """The member that holds the result: the JSON file whose name all others continue.

    Members are NAME.json, NAME_config.json, NAME_Strategy.json, NAME_Strategy.py; NAME.meta.json,
    which freqtrade writes beside the archive, may be in it. Raises `SessionError` where there is
    none at the top of the archive.
    """
    candidates = sorted({name for name in names if _may_be_the_result(name)}, key=len)
    stems = [name.removesuffix(".json") for name in candidates]
    if not stems or not all(stem.startswith(f"{stems[0]}_") for stem in stems[1:]):
        expected = printable(f"{archive.removesuffix('.zip')}.json", 60)
        raise SessionError(f"holds no backtest result; expected a member like '{expected}'")
    return candidates[0]


def _may_be_the_result(name: str) -> bool:
    return name.endswith(".json") and not name.endswith(META) and not {"/", "\\"} & set(name)


def result_text(content: bytes, archive: str) -> tuple[str, str]:
    """The name and the text of the member with the result; raises `SessionError`."""
    try:
        with opened_archive(io.BytesIO(content)) as opened:
            member = _member(opened, archive)
            data = _bounded(opened, member)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError) as error:
        raise SessionError(f"is no readable zip: {printable(error, 100)}") from None
    except (NotImplementedError, RuntimeError, OverflowError) as error:
        raise SessionError(f"cannot be unpacked: {printable(error, 100)}") from None
    name = printable(member.filename, 100)
    try:
        return name, data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SessionError(f"{name}: byte {error.start} is not UTF-8") from None


def _member(opened: zipfile.ZipFile, archive: str) -> zipfile.ZipInfo:
    """The member with the result, refused where unpacking it would be no good idea."""
    names = opened.namelist()
    found = result_name(names, archive)
    shown = printable(found, 100)
    if names.count(found) > 1:
        raise SessionError(f"{shown}: duplicate in the archive")
    member = opened.getinfo(found)
    if member.flag_bits & _ENCRYPTED:
        raise SessionError(f"{shown}: is encrypted; expected a plain zip")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SessionError(f"{shown}: is compressed by method {member.compress_type}")
    refuse_above(ZIP_BYTES, member.file_size, f"{shown}: ")
    if member.file_size > max(_SMALL, _MOST_EXPANSION * member.compress_size):
        raise SessionError(
            f"{shown}: grows from {member.compress_size} to {member.file_size} bytes; "
            f"expected at most {_MOST_EXPANSION} times"
        )
    return member


def _bounded(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The content; what the archive says of its size is not believed."""
    with opened.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise SessionError(f"{printable(member.filename, 100)}: is cut off")
    return data
