"""A photo as it came in, whatever it is: three small WebP pictures that tell nothing else."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from dataclasses import dataclass
from typing import Literal, get_args

import pillow_heif
from PIL import Image, ImageCms, ImageOps

Size = Literal["small", "medium", "large"]
SIZES: tuple[Size, ...] = get_args(Size)

LARGEST = 25_000_000
"""Bytes of a file that is looked at."""
MOST_PIXELS = 60_000_000
"""Pixels of a picture that is decoded: more than the phones of today take, less than a bomb."""
MOST_DRAWN = 25_000_000
"""Pixels of a picture that no camera made: drawings are packed so well that few bytes hold many."""
_OF_CAMERAS = frozenset({"JPEG", "HEIF"})
SQUARES: dict[Size, int] = {"small": 96, "medium": 224}
FRAME = 900  # pixels in which the large one fits
QUALITY: dict[Size, int] = {"small": 60, "medium": 44, "large": 74}
PAPER = (230, 233, 228)  # what shows through where a picture is transparent

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "BMP", "TIFF")
_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|BM|II\*\0|MM\0\*"
    rb"|....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)",
    re.DOTALL,
)

pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
# Pillow only warns of a bomb of up to twice the limit; for us it is one.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class BadPhotoError(Exception):
    """A file can't be anybody's photo; `code` names the sentence `photo.<code>`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture in its three sizes; the same pixels have the same digest."""

    digest: bytes
    files: dict[Size, bytes]


def prepare(data: bytes) -> Photo:
    """Make the three sizes: upright, in sRGB, without metadata. Takes 20 to 500 ms of one core.

    Raises:
        BadPhotoError: the file is empty, too large, damaged, or no picture.
    """
    _look_at(data)
    try:
        large = _large(data)
        files = {size: _webp(_cut(large, size), size) for size in SIZES}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPhotoError("too_many_pixels") from error
    except BadPhotoError:
        raise
    except Exception as error:  # hostile bytes make decoders raise anything
        raise BadPhotoError("damaged") from error
    shape = repr(large.size).encode()
    return Photo(hashlib.blake2b(shape + large.tobytes(), digest_size=32).digest(), files)


def _look_at(data: bytes) -> None:
    """Refuse what needs no decoding to be refused."""
    if not data:
        raise BadPhotoError("empty")
    if len(data) > LARGEST:
        raise BadPhotoError("too_large")
    if not _SIGNATURE.match(data):
        raise BadPhotoError("not_an_image")


def _large(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:  # reads no more than the header
        width, height = image.size
        if width * height > (MOST_PIXELS if image.format in _OF_CAMERAS else MOST_DRAWN):
            raise BadPhotoError("too_many_pixels")
        profile = image.info.get("icc_profile")
        image.draft(None, (2 * FRAME, 2 * FRAME))  # a large JPEG is decoded smaller, 4 times faster
        image.load()
        upright = ImageOps.exif_transpose(image)
    small = _plain(upright)
    small.thumbnail((FRAME, FRAME), Image.Resampling.LANCZOS, reducing_gap=3)
    bare = _in_srgb(small, profile)
    clean = Image.new("RGB", bare.size, PAPER)  # takes pixels over and nothing else
    clean.paste(bare, mask=bare.getchannel("A") if bare.mode == "RGBA" else None)
    return clean


def _plain(image: Image.Image) -> Image.Image:
    """Bring palettes and rare depths into a mode that can be made smaller."""
    if image.mode in {"RGB", "RGBA", "L", "CMYK"} and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow would keep the lower 8
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Change colours into what every screen takes them for when no profile is told."""
    wanted = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            changed = ImageCms.profileToProfile(image, given, _SRGB, outputMode=wanted)
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile, or one for other modes: the colours as they are
        else:
            return changed or image
    return image.convert(wanted)


_SRGB = ImageCms.createProfile("sRGB")


def _cut(image: Image.Image, size: Size) -> Image.Image:
    if size not in SQUARES:
        return image
    side = SQUARES[size]
    return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)


def _webp(image: Image.Image, size: Size) -> bytes:
    written = io.BytesIO()
    image.save(written, "WEBP", quality=QUALITY[size], method=6)
    return written.getvalue()
