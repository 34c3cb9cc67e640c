"""The picture of an institution: read by its content, within limits, and drawn anew."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from apps.tenancy.errors import InvalidValues

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_BYTES = 2_000_000
#: A side as it is sent, in pixels; 45 mm on paper are 900 pixels at 500 to the inch.
SMALLEST_SIDE, LARGEST_SIDE = 32, 4_000
KEPT_WIDTH, KEPT_HEIGHT = 900, 300
#: What the documents take; a palette keeps 900 by 300 pixels of anything below it.
LARGEST_KEPT = 300_000
_KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
#: What damaged files make a decoder raise.
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError),
    *(struct.error, zlib.error),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG of our own making: nothing of the file that was sent but its pixels."""

    content: bytes
    width: int
    height: int


def picture_kind(content: bytes) -> str:
    """Return the media type that the first bytes tell, PNG or JPEG; empty for anything else."""
    return next((kind for mark, kind in _KINDS.items() if content.startswith(mark)), "")


def redrawn(content: bytes) -> Picture:
    """Return a PNG or JPEG drawn anew within 900 by 300 pixels.

    Raises ``InvalidValues`` for another format, whatever its name, for what is too large or too small, and
    for a damaged file. The size is read before any pixel is.
    """
    if len(content) > LARGEST_BYTES:
        raise _refusal(_("This picture is too large: 2 MB at most."))
    try:
        picture = _opened(content)
        _check_sides(*picture.size)
        return _as_png(_small(picture))
    except _DAMAGED as damage:
        raise _refusal(_("This picture is damaged: save it again and send it.")) from damage


def _opened(content: bytes) -> "Image":
    """Open by one of two decoders; nothing is decoded yet."""
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    kind = picture_kind(content)
    if kind == "image/png":
        PngImageFile(BytesIO(content)).verify()
        return PngImageFile(BytesIO(content))
    if kind == "image/jpeg":
        return JpegImageFile(BytesIO(content))
    raise _refusal(_("This file is neither a PNG nor a JPEG picture."))


def _check_sides(width: int, height: int) -> None:
    if max(width, height) > LARGEST_SIDE:
        text = _("This picture has too many pixels: %(side)d a side at most.")
        raise _refusal(text % {"side": LARGEST_SIDE})
    if min(width, height) < SMALLEST_SIDE:
        text = _("This picture is too small: %(side)d pixels a side at least.")
        raise _refusal(text % {"side": SMALLEST_SIDE})


def _small(picture: "Image") -> "Image":
    """Return the pixels alone, upright, at the size that is kept."""
    from PIL import Image, ImageOps

    mode = "RGBA" if picture.has_transparency_data else "RGB"
    upright = ImageOps.exif_transpose(picture).convert(mode)
    upright.thumbnail((KEPT_WIDTH, KEPT_HEIGHT))
    bare = Image.new(mode, upright.size)
    bare.paste(upright)
    return bare


def _as_png(picture: "Image") -> Picture:
    from PIL.Image import Quantize

    content = _saved(picture)
    if len(content) > LARGEST_KEPT:
        content = _saved(picture.quantize(256, method=Quantize.FASTOCTREE))
    return Picture(content, *picture.size)


def _saved(picture: "Image") -> bytes:
    target = BytesIO()
    picture.save(target, "PNG", optimize=True)
    return target.getvalue()


def _refusal(message: Any) -> InvalidValues:
    return InvalidValues(message, fields={"logo": [message]})
