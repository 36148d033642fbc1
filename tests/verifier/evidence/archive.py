"""The archive: gzip and tar, read by hand, in the one form that evidence is packed in."""

import re
import zlib

from .verdict import Refused, require

MAX_ARCHIVE = 256 * 1024 * 1024
MAX_CONTENT = 512 * 1024 * 1024
# Of all files but those that follow the index.
MAX_DOCUMENTS = 32 * 1024 * 1024
MAX_ENTRIES = 20_000
_BLOCK = 512
_END = bytes(2 * _BLOCK)
_GZIP = b"\x1f\x8b\x08"
# No flags, no time, no word on how hard it was tried, and a system that nobody knows.
_GZIP_REST = bytes(6) + b"\xff"
_BUNDLE = "manifest.json audit_events.json restore_events.json key_events.json checkpoint.txt proof.json bundle.json".split()
_EXPORT = re.compile(
    r"backups/bkp_[^/]*/(manifest|audit_events)\.json|restores/rst_[^/]*\.json"
    r"|organization_events\.json|checkpoint\.txt|proof\.json|bundle\.json"
)


def _inflate(data):
    """What is compressed, and what is wrong with the end of it, if anything."""
    require(data[:3] == _GZIP and len(data) >= 10, "not_an_archive", "no gzip header")
    require(data[3:10] == _GZIP_REST, "archive_not_canonical", "the gzip header holds flags, a time or a system")
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(data[10:], MAX_CONTENT)
    except zlib.error as error:
        raise Refused("not_an_archive", str(error)) from error
    if not inflater.eof:
        longer = bool(inflater.unconsumed_tail) or len(content) == MAX_CONTENT
        code = "archive_too_large" if longer else "not_an_archive"
        return content, Refused(code, "the compressed data does not end where it should")
    trailer = inflater.unused_data
    checksum, length = (int.from_bytes(trailer[at : at + 4], "little") for at in (0, 4))
    if len(trailer) < 8 or checksum != zlib.crc32(content) or length != len(content) & 0xFFFFFFFF:
        return content, Refused("not_an_archive", "the gzip checksum does not match")
    if len(trailer) > 8:
        return content, Refused("archive_not_canonical", "something follows the gzip member")
    return content, None


def _size(size):
    """In octal, and what does not fit into eleven digits of that in binary."""
    return b"%011o" % size if size < 8**11 else b"\x80" + size.to_bytes(11, "big")


def _header(name, size):
    """The one header that a file of this name and size has: ustar, mode 0644, nobody's, of no time."""
    fields = [
        (name.encode(), 100), (b"0000644", 8), (b"0000000", 8), (b"0000000", 8), (_size(size), 12), (b"00000000000", 12),
        (b" " * 8, 8), (b"0", 1), (b"", 100), (b"ustar\x0000", 8), (b"", 32), (b"", 32), (b"", 8), (b"", 8), (b"", 155),
    ]  # fmt: skip
    header = b"".join(value.ljust(width, b"\0") for value, width in fields).ljust(_BLOCK, b"\0")
    return header[:148] + b"%07o\0" % sum(header) + header[156:]


def _entry(header):
    """Name and size of a regular file."""
    try:
        name = header[:100].rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("archive_not_canonical", "an entry whose name is no text") from error
    require(header[156:157] == b"0", "entry_refused", f"an entry of type {header[156:157]!r}")
    strange = any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name
    strange = strange or any(character < " " or "\x7f" <= character <= "\x9f" for character in name)
    require(not strange, "entry_refused", f"an entry named {name!r}")
    octal = re.fullmatch(rb"([0-7]{11})\0", header[124:136])
    size = int(octal.group(1), 8) if octal else int.from_bytes(header[125:136], "big")
    holds = header == _header(name, size)
    require(holds, "archive_not_canonical", f"the header of {name} is not the one that such a file has")
    return name, size


class _Layout:
    """Which files belong into an archive that begins as this one does, and where."""

    def __init__(self):
        self._names = []
        self._is_export = False

    def take(self, name):
        if not self._names:
            self._is_export = name == "organization_events.json" or name.startswith("backups/")
        behind = bool(self._names) and self._names[-1] == "bundle.json"
        require(name not in self._names, "duplicate_file", f"{name} stands twice in the archive")
        last = "leaves.jsonl" if self._is_export else "artifact.dump"
        known = _EXPORT.fullmatch(name) is not None if self._is_export else name in _BUNDLE
        require(name == last if behind else known, "unexpected_file", f"{name} does not belong there")
        if not self._is_export and not behind:
            place = _BUNDLE.index(name)
            # Where a later file stands, an earlier one was left out, or stands behind.
            require(place <= len(self._names), "missing_file", f"{name} stands where an earlier file should")
            require(place == len(self._names), "archive_not_canonical", f"{name} stands too late")
        self._names.append(name)
        return behind


def read(data):
    """The files of an archive as a list of (name, bytes), in their order."""
    require(len(data) <= MAX_ARCHIVE, "archive_too_large", f"more than {MAX_ARCHIVE} bytes")
    content, broken = _inflate(data)
    short = broken if broken is not None and broken.code == "archive_too_large" else None
    short = short or Refused("not_an_archive", "the archive ends early")
    files, layout, documents, at = [], _Layout(), 0, 0
    while True:
        header = content[at : at + _BLOCK]
        if len(header) < _BLOCK:
            raise short
        if not any(header):
            break
        name, size = _entry(header)
        require(len(files) < MAX_ENTRIES, "archive_too_large", f"more than {MAX_ENTRIES} files")
        is_last = layout.take(name)
        documents += 0 if is_last else size
        require(documents <= MAX_DOCUMENTS, "archive_too_large", "the documents are too large")
        end = at + _BLOCK + size
        padded = end + -size % _BLOCK
        if padded > len(content):
            raise short
        require(not any(content[end:padded]), "archive_not_canonical", f"something stands behind the end of {name}")
        files.append((name, content[at + _BLOCK : end]))
        at = padded
        if is_last:
            break
    if len(content) < at + len(_END):
        raise short
    require(content[at:] == _END, "archive_not_canonical", "the archive does not end in two empty blocks and nothing else")
    if broken is not None:
        raise broken
    return files


def require_names(files, expected, optional=()):
    """The archive has to hold these files in this order, then those of the optional ones that it has."""
    names = [name for name, _ in files]
    for name in expected:
        require(name in names, "missing_file", f"{name} is missing")
    for name in names:
        require(name in expected or name in optional, "unexpected_file", f"{name} does not belong into the archive")
    ordered = [*expected, *(name for name in optional if name in names)]
    require(names == ordered, "missing_file", "the files stand in another order")
