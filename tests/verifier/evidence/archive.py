"""The archive: gzip and tar, read by hand, in the one form that evidence is packed in."""

import zlib

from .verdict import Refused, require

MAX_ARCHIVE = 256 * 1024 * 1024
MAX_FILE = 64 * 1024 * 1024
MAX_TOTAL = 256 * 1024 * 1024
MAX_ENTRIES = 20_000
_BLOCK = 512
# Flags, time and system: nothing tells where and when the archive was made. The byte before the system is the compressor's.
_GZIP_MAGIC = b"\x1f\x8b\x08"


def _inflate(data):
    require(data[:3] == _GZIP_MAGIC and len(data) > 18, "not_an_archive", "no gzip header")
    canonical = data[3] == 0 and data[4:8] == bytes(4) and data[9] == 255
    require(canonical, "archive_not_canonical", "the gzip header holds flags, a time or a system")
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(data[10:], MAX_TOTAL + 1)
    except zlib.error as error:
        raise Refused("not_an_archive", str(error)) from error
    require(len(content) <= MAX_TOTAL, "archive_too_large", f"more than {MAX_TOTAL} bytes")
    require(inflater.eof, "not_an_archive", "the compressed data ends early")
    trailer = inflater.unused_data
    require(len(trailer) >= 8, "not_an_archive", "the gzip trailer is missing")
    checksum, length = (int.from_bytes(trailer[i : i + 4], "little") for i in (0, 4))
    holds = checksum == zlib.crc32(content) and length == len(content) & 0xFFFFFFFF
    require(holds, "not_an_archive", "the gzip checksum does not match")
    require(len(trailer) == 8, "archive_not_canonical", "something follows the gzip member")
    return content


def _number(field):
    """An octal field, or None. Base 256 is no octal."""
    text = field.rstrip(b"\0 ").lstrip(b" ")
    if not text:
        return 0
    return int(text, 8) if all(byte in b"01234567" for byte in text) else None


def _text(field):
    """A field up to its first zero, which has to be followed by zeros alone, or None."""
    text, _, rest = field.partition(b"\0")
    return text if not rest.strip(b"\0") else None


def _entry(header):
    """Name and size of a regular file."""
    summed = sum(header[:148]) + 8 * ord(" ") + sum(header[156:])
    require(_number(header[148:156]) == summed, "not_an_archive", "a header's checksum does not match")
    require(header[257:265] == b"ustar\x0000", "entry_refused", "an entry that is not in the ustar format")
    require(header[156:157] == b"0", "entry_refused", f"an entry of type {header[156:157]!r}")
    name, prefix = _text(header[:100]), _text(header[345:500])
    size = _number(header[124:136])
    require(None not in (name, prefix, size), "entry_refused", "an entry whose name or size cannot be read")
    try:
        path = (prefix + b"/" + name if prefix else name).decode("ascii")
    except UnicodeDecodeError as error:
        raise Refused("entry_refused", "an entry whose name is not ASCII") from error
    plain = path and not path.startswith("/") and "\\" not in path and not any(character < " " for character in path)
    plain = plain and not any(part in ("", ".", "..") for part in path.split("/"))
    require(plain, "entry_refused", f"an entry named {path!r}")
    require(size <= MAX_FILE, "archive_too_large", f"{path} is said to have {size} bytes")
    fields = [_number(header[a:b]) for a, b in ((100, 108), (108, 116), (116, 124), (136, 148), (329, 337), (337, 345))]
    canonical = fields == [0o644, 0, 0, 0, 0, 0] and not prefix
    # No link, no owner's or group's name, nothing in the rest of the block.
    canonical = canonical and not any(header[157:257]) and not any(header[265:329]) and not any(header[500:])
    return path, size, canonical


def read(data):
    """The files of an archive as a list of (name, bytes), in their order."""
    require(len(data) <= MAX_ARCHIVE, "archive_too_large", f"more than {MAX_ARCHIVE} bytes")
    content = _inflate(data)
    files, seen, canonical, at = [], set(), True, 0
    while True:
        header = content[at : at + _BLOCK]
        require(len(header) == _BLOCK, "not_an_archive", "the archive ends early")
        if not any(header):
            break
        name, size, in_form = _entry(header)
        require(name not in seen, "duplicate_file", f"{name} stands twice in the archive")
        require(len(files) < MAX_ENTRIES, "archive_too_large", f"more than {MAX_ENTRIES} files")
        seen.add(name)
        end = at + _BLOCK + size
        padded = end + -size % _BLOCK
        require(padded <= len(content), "not_an_archive", f"{name} ends early")
        canonical = canonical and in_form and not any(content[end:padded])
        files.append((name, content[at + _BLOCK : end]))
        at = padded
    require(canonical, "archive_not_canonical", "a header or the space after a file holds what does not belong there")
    require(content[at:] == bytes(2 * _BLOCK), "archive_not_canonical", "the archive does not end in two empty blocks")
    return files


def require_names(files, expected, optional=()):
    """The archive has to hold these files in this order, then those of the optional ones that it has."""
    names = [name for name, _ in files]
    for name in expected:
        require(name in names, "missing_file", f"{name} is missing")
    for name in names:
        require(name in expected or name in optional, "unexpected_file", f"{name} does not belong into the archive")
    ordered = [*expected, *(name for name in optional if name in names)]
    require(names == ordered, "archive_not_canonical", "the files stand in another order")
