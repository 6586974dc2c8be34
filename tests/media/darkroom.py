"""Photos as phones, forms and mischief send them, made on the spot; and what WebP files hold."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pillow_heif
from PIL import ExifTags, Image, ImageCms

pillow_heif.register_heif_opener()

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 180, 60), (30, 60, 220), (250, 250, 250)
#: Where each quarter of an upright picture is, in parts of its width and height.
QUARTERS = {RED: (0.25, 0.25), GREEN: (0.75, 0.25), BLUE: (0.25, 0.75), WHITE: (0.75, 0.75)}
SECRET = b"Campement de la Source"  # stands in every kind of metadata
#: What to do to an upright picture so that a camera's orientation puts it right again.
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quarters(width: int = 96, height: int = 128) -> Image.Image:
    """Give an upright picture of four colours."""
    image = Image.new("RGB", (width, height))
    for colour, (x, y) in QUARTERS.items():
        corner = (int((x - 0.25) * width), int((y - 0.25) * height))
        image.paste(colour, (*corner, corner[0] + width // 2, corner[1] + height // 2))
    return image


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """Write a picture."""
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    """Give what a phone notes: how it was held, where, when, and by whom."""
    noted = Image.Exif()
    noted[ExifTags.Base.Orientation] = orientation
    noted[ExifTags.Base.Artist] = SECRET.decode()
    place = noted.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 29.9)
    place[ExifTags.GPS.GPSAreaInformation] = SECRET.decode()
    return noted


def from_a_phone(orientation: int = 1, kind: str = "JPEG") -> bytes:
    """Give a picture that is upright when its orientation is heeded, with all that may be noted."""
    image = quarters()
    if orientation in STORED_AS:
        image = image.transpose(STORED_AS[orientation])
    more = {"icc_profile": srgb(), "xmp": b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"}
    if kind == "JPEG":
        more["comment"] = SECRET
    return encoded(image, kind, quality=90, exif=exif(orientation).tobytes(), **more)


def srgb() -> bytes:
    """Give a colour profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def photograph(number: int, size: tuple[int, int] = (120, 160), kind: str = "JPEG") -> bytes:
    """Give a picture as heavy as a photograph of somebody, another for each number.

    The noise on several scales was weighed against real photographs: 5 to 6 kB in medium size.
    """
    chance = random.Random(number)
    image = Image.new("RGB", size, tuple(chance.randrange(60, 200) for _ in range(3)))
    for grain, weight in ((2, 0.3), (4, 0.3), (8, 0.25), (16, 0.22), (32, 0.18)):
        small = (max(2, size[0] * grain // 128), max(2, size[1] * grain // 128))
        bands = [Image.frombytes("L", small, chance.randbytes(small[0] * small[1])) for _ in "rgb"]
        spots = Image.merge("RGB", bands).resize(size, Image.Resampling.BICUBIC)
        image = Image.blend(image, spots, weight)
    return encoded(image, kind, exif=exif(), quality=85)


def png_bomb(width: int, height: int) -> bytes:
    """Give a few bytes that claim to be that many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b""))
    )


def opened(webp: bytes) -> Image.Image:
    """Look at a picture."""
    return Image.open(io.BytesIO(webp)).convert("RGB")


def colours(image: Image.Image) -> list[tuple[int, int, int]]:
    """Give the colours of the four quarters, as the nearest of those that were painted."""
    found = []
    for x, y in QUARTERS.values():
        pixel = image.getpixel((int(x * image.width), int(y * image.height)))
        found.append(min(QUARTERS, key=lambda colour: distance(colour, pixel)))
    return found


def distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def chunks(webp: bytes) -> list[str]:
    """Give the kinds of the chunks of a WebP file, which must be nothing else."""
    magic, length, kind = struct.unpack("<4sI4s", webp[:12])
    assert (magic, kind, length) == (b"RIFF", b"WEBP", len(webp) - 8)
    found, at = [], 12
    while at < len(webp):
        name, size = struct.unpack("<4sI", webp[at : at + 8])
        found.append(name.decode())
        at += 8 + size + size % 2
    assert at == len(webp)
    return found
