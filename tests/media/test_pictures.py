"""What becomes of a photo: upright, small, nameless; and what is no photo is refused."""

from __future__ import annotations

import io
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from killer.language import LANGUAGES, say, speaking
from killer.media import pictures
from killer.media.pictures import SIZES, BadPhotoError, prepare
from media.darkroom import (
    BLUE,
    GREEN,
    QUARTERS,
    RED,
    SECRET,
    STORED_AS,
    chunks,
    colours,
    encoded,
    exif,
    from_a_phone,
    opened,
    photograph,
    png_bomb,
    quarters,
    srgb,
)

UPRIGHT = list(QUARTERS)


def refused(data: bytes) -> str:
    with pytest.raises(BadPhotoError) as error:
        prepare(data)
    return error.value.code


# --- what it becomes ---


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF"])
def test_every_kind_of_picture_becomes_three_webp(kind: str) -> None:
    photo = prepare(encoded(quarters(1000, 2000), kind))
    shapes = {size: opened(photo.files[size]).size for size in SIZES}
    assert shapes == {"small": (96, 96), "medium": (224, 224), "large": (450, 900)}
    assert all(set(chunks(file)) == {"VP8 "} for file in photo.files.values())
    assert colours(opened(photo.files["large"])) == UPRIGHT


def test_a_small_picture_is_not_blown_up() -> None:
    photo = prepare(encoded(quarters(64, 48)))
    assert opened(photo.files["large"]).size == (64, 48)
    assert opened(photo.files["medium"]).size == (224, 224)


@pytest.mark.parametrize("shape", [(1, 1), (3000, 2), (1, 2000)])
def test_odd_shapes_are_pictures_too(shape: tuple[int, int]) -> None:
    photo = prepare(encoded(Image.new("RGB", shape, RED), "PNG"))
    assert opened(photo.files["small"]).size == (96, 96)


def test_a_square_shows_the_middle() -> None:
    wide = Image.new("RGB", (600, 200), BLUE)
    wide.paste(RED, (200, 0, 400, 200))
    small = opened(prepare(encoded(wide)).files["small"])
    for x in (10, 86):
        assert small.getpixel((x, 48))[0] > 150


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_picture_stands_upright_however_the_phone_was_held(kind: str, orientation: int) -> None:
    photo = prepare(from_a_phone(orientation, kind))
    for size in SIZES:
        assert colours(opened(photo.files[size])) == UPRIGHT, size
    large = opened(photo.files["large"])
    assert large.width < large.height


def test_a_large_jpeg_stands_upright_although_it_is_decoded_smaller() -> None:
    stored = quarters(3000, 4000).transpose(STORED_AS[6])
    photo = prepare(encoded(stored, exif=exif(6)))
    large = opened(photo.files["large"])
    assert large.size == (675, 900)
    assert colours(large) == UPRIGHT


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_nothing_that_the_phone_noted_is_left(kind: str) -> None:
    given = from_a_phone(kind=kind)
    assert SECRET in given
    for size, file in prepare(given).files.items():
        assert SECRET not in file
        assert set(chunks(file)) == {"VP8 "}, size  # neither EXIF, XMP nor ICCP
        assert not Image.open(io.BytesIO(file)).getexif()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_changed_before_their_profile_is_dropped(mode: str) -> None:
    swapped = srgb().replace(b"rXYZ", b"####").replace(b"gXYZ", b"rXYZ").replace(b"####", b"gXYZ")
    red = encoded(Image.new(mode, (60, 60), "red"), "PNG", icc_profile=swapped)
    for file in prepare(red).files.values():
        level = opened(file).getpixel((30, 30))
        assert level[1] > level[0] + 100


def test_a_broken_colour_profile_is_left_aside() -> None:
    photo = prepare(encoded(quarters(), icc_profile=b"nonsense" * 20))
    assert colours(opened(photo.files["large"])) == UPRIGHT


def test_what_shows_through_is_paper() -> None:
    clear = Image.new("RGBA", (50, 50), (255, 0, 0, 0))
    for image in (clear, clear.convert("LA"), clear.convert("PA")):
        kind = "TIFF" if image.mode == "PA" else "PNG"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = encoded(image.convert("RGBA") if image.mode == "PA" else image, kind)
        pixel = opened(prepare(data).files["large"]).getpixel((25, 25))
        assert all(abs(a - b) < 6 for a, b in zip(pixel, pictures.PAPER, strict=True))


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16"])
def test_rare_modes_keep_their_light(mode: str) -> None:
    grey = Image.new("L", (40, 40), 200)
    if mode == "I;16":
        data = encoded(Image.new("I;16", (40, 40), 200 * 256), "PNG")
    elif mode == "1":
        data = encoded(Image.new("1", (40, 40), 1), "PNG")
    else:
        data = encoded(grey.convert("RGB").convert(mode), "TIFF" if mode == "CMYK" else "PNG")
    pixel = opened(prepare(data).files["large"]).getpixel((20, 20))
    assert min(pixel) > 185
    assert max(pixel) - min(pixel) < 12


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_picture_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (80, 80), colour) for colour in (GREEN, RED, BLUE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    for file in prepare(data).files.values():
        red, green, blue = opened(file).getpixel((10, 10))
        assert green > red + 50
        assert green > blue + 50


def test_the_same_picture_has_the_same_digest_whatever_is_noted_in_it() -> None:
    image = quarters()
    digests = {
        prepare(encoded(image, "PNG")).digest,
        prepare(encoded(image, "PNG", exif=exif())).digest,
        prepare(encoded(image, "BMP")).digest,
    }
    assert len(digests) == 1
    assert prepare(encoded(quarters(128, 96), "PNG")).digest not in digests


# --- what is refused ---


@pytest.mark.parametrize("language", ["fr", "en"])
def test_too_many_pixels_are_told_with_both_limits(language: str) -> None:
    with speaking(language):
        told = say("photo.too_many_pixels")
    for most in (pictures.MOST_PIXELS, pictures.MOST_DRAWN):
        assert f"{most // 1_000_000} million" in told


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    assert refused(png_bomb(8000, 7501)) == "too_many_pixels"
    assert refused(png_bomb(60_000, 60_000)) == "too_many_pixels"
    assert refused(png_bomb(2_000_000_000, 2)) == "too_many_pixels"


def test_a_bomb_is_refused_by_our_own_count_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as a program does that wants to hear nothing
        assert refused(png_bomb(8000, 7501)) == "too_many_pixels"


def test_a_bomb_is_refused_in_every_kind() -> None:
    flat = Image.new("1", (9000, 7000))
    for kind in ("TIFF", "BMP", "GIF"):
        assert refused(encoded(flat, kind)) == "too_many_pixels", kind
    assert refused(encoded(flat.convert("L"), "JPEG", quality=1)) == "too_many_pixels"


def test_as_many_pixels_as_the_limit_are_taken() -> None:
    assert pictures.MOST_PIXELS == 60_000_000
    assert refused(png_bomb(5000, 5000)) == "damaged"  # it was looked into
    assert refused(png_bomb(5000, 5001)) == "too_many_pixels"  # no camera makes such a drawing


def test_a_file_that_is_too_large_is_not_looked_into() -> None:
    assert refused(from_a_phone() + bytes(pictures.LARGEST)) == "too_large"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF"])
def test_half_a_picture_is_refused(kind: str) -> None:
    noisy = opened(prepare(photograph(3, (300, 300))).files["large"])
    whole = encoded(noisy, kind)
    for part in (0.95, 0.5, 0.1):
        assert refused(whole[: int(len(whole) * part)]) == "damaged", part


@pytest.mark.parametrize(
    "data",
    [
        b"Bonjour, voici ma photo.\n" * 50,
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"<!doctype html><title>Sign in</title>",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"PK\x03\x04",
        b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41",
        b"\0\0\1\0\1\0\x10\x10",
        b"\xff\xd8",
    ],
    ids=lambda data: repr(data[:8]),
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert refused(data) == "not_an_image"


def test_an_empty_file_is_refused() -> None:
    assert refused(b"") == "empty"


@settings(max_examples=150)
@given(st.data())
def test_no_bytes_whatever_raise_anything_else(data: st.DataObject) -> None:
    start = data.draw(st.sampled_from([b"", *WHOLE]))
    at = data.draw(st.integers(0, len(start)))
    broken = start[:at] + data.draw(st.binary(max_size=20)) + start[at + 7 :]
    code = ""
    try:
        assert not any(SECRET in file for file in prepare(broken).files.values())
    except BadPhotoError as error:
        code = error.code
    for lang in LANGUAGES if code else ():
        with speaking(lang):
            assert say(f"photo.{code}")


WHOLE = [from_a_phone(kind=kind) for kind in ("JPEG", "PNG", "WEBP", "HEIF")] + [
    encoded(quarters(), kind) for kind in ("GIF", "BMP", "TIFF")
]
