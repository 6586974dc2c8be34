"""The bucket: an S3 over a real socket, several machines before it, and all that can go wrong."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engines import bucket as s3_
from engines.bucket import SECRET, http, kept, moody, refusal
from engines.processes import free_port
from engines.smtp import certificate
from killer.language import LANGUAGES, say, speaking
from killer.media.bucket import PAUSE, Bucket, shelf_of
from killer.media.pictures import SIZES, prepare
from killer.media.shelf import Shelf, ShelfError
from killer.settings import Settings
from media.darkroom import photograph

PHOTO, OTHER = prepare(photograph(1)), prepare(photograph(2))
XML = "Content-Type: application/xml\r\n"
#: What an endpoint answers, and the sentence for it; `retry` when it may pass by itself.
ANSWERS = {
    "no bucket": (refusal(404, "NoSuchBucket"), "no_bucket", False),
    "no such key": (refusal(403, "InvalidAccessKeyId"), "wrong_key", False),
    "another secret": (refusal(403, "SignatureDoesNotMatch"), "wrong_key", False),
    "no right": (refusal(403, "AccessDenied"), "not_allowed", False),
    "late clock": (refusal(403, "RequestTimeTooSkewed"), "clock", False),
    "region": (refusal(400, "AuthorizationHeaderMalformed"), "region", False),
    "elsewhere": (refusal(301, "PermanentRedirect"), "region", False),
    "broken": (refusal(500, "InternalError"), "bucket", True),
    "busy": (refusal(503, "SlowDown", "Retry-After: 3600\r\n"), "bucket", True),
    "a strange code": (refusal(418, "Bonjour &amp; merci"), "bucket", True),
    "no XML": (http(403, b"{}", XML), "bucket", True),
    "a web site": (http(404, b"<p>Bonjour", "Content-Type: text/html\r\n"), "bucket", True),
    "half a body": (http(200, b"RIFF", "ETag: x\r\n", length=4000), "away", True),
    "nothing": (b"", "away", True),
    "no HTTP": (b"220 mail.example.org ESMTP\r\n", "away", True),
}  # fmt: skip


@pytest.fixture
def settings(in_bucket: dict[str, str], tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "a", secret_key=SECRET, **s3_.fields(in_bucket))


@pytest.fixture
def bucket(settings: Settings) -> Bucket:
    return Bucket(settings)


@pytest.fixture
def nodes(settings: Settings, tmp_path: Path) -> tuple[Shelf, Shelf]:
    """Two machines with a folder each and one bucket."""
    return shelf_of(settings), shelf_of(replace(settings, data_dir=tmp_path / "b"))


def at(url: str, **more: str) -> Settings:
    """Give settings with a bucket there."""
    named = s3_.fields(s3_.variables(url, "photos")) | more
    return Settings(secret_key=SECRET, **named)


def names(shelf: Shelf) -> list[str]:
    return sorted(each.name for each in shelf.folder.rglob("*") if each.is_file())


# --- what the bucket does ---


def test_a_file_is_kept_given_listed_and_thrown_away(bucket: Bucket) -> None:
    assert bucket.get("1/a.webp") is None
    bucket.put("1/a.webp", b"first")
    bucket.put("1/a.webp", b"second")
    bucket.put("11/b.webp", b"")
    assert (bucket.get("1/a.webp"), bucket.get("11/b.webp")) == (b"second", b"")
    assert [file for file, _ in bucket.files("1/")] == ["1/a.webp"]
    assert [file for file, _ in bucket.files("")] == ["1/a.webp", "11/b.webp"]
    bucket.remove("1/a.webp")
    bucket.remove("1/a.webp")
    assert bucket.files("1/") == []


def test_a_deployment_has_only_what_is_under_its_prefix(settings: Settings) -> None:
    whole = Bucket(replace(settings, photos_url=settings.photos_url.removesuffix("/week-end")))
    whole.put("1/a.webp", b"of nobody")
    Bucket(settings).put("1/a.webp", b"ours")
    assert Bucket(settings).files("")[0][0] == "1/a.webp"
    assert kept(settings) == {"1/a.webp": b"of nobody", "week-end/1/a.webp": b"ours"}


def test_it_is_checked_by_doing_everything_once(bucket: Bucket, settings: Settings) -> None:
    bucket.check()
    assert kept(settings) == {}


# --- several machines ---


def test_a_photo_kept_by_one_machine_is_read_by_the_other(nodes: tuple[Shelf, Shelf]) -> None:
    one, other = nodes
    name = one.keep(7, PHOTO)
    for size in SIZES:
        assert other.read(7, name, size) == PHOTO.files[size]
    assert names(other) == names(one) == sorted(f"{name}-{size}.webp" for size in SIZES)
    assert other.path(7, name, "small").stat().st_mode & 0o777 == 0o644  # nginx may read it
    assert other.read(8, name, "small") is None
    assert other.read(7, "0" * 32, "small") is None


def test_both_may_keep_the_same_photo(nodes: tuple[Shelf, Shelf], settings: Settings) -> None:
    names_ = {shelf.keep(7, PHOTO) for shelf in nodes}
    assert len(names_) == 1
    assert len(kept(settings)) == 3


def test_a_lost_copy_comes_back(nodes: tuple[Shelf, Shelf]) -> None:
    name = nodes[0].keep(7, PHOTO)
    for file in nodes[0].folder.rglob("*.webp"):
        file.unlink()
    assert nodes[0].read(7, name, "large") == PHOTO.files["large"]
    assert len(names(nodes[0])) == 1


def test_a_disk_that_takes_no_copies_keeps_nobody_from_the_photos(
    nodes: tuple[Shelf, Shelf],
) -> None:
    one, other = nodes
    for shelf in nodes:
        shelf.folder.parent.mkdir()
        shelf.folder.write_text("in the way")
    name = one.keep(7, PHOTO)
    assert other.read(7, name, "medium") == PHOTO.files["medium"]


@pytest.mark.parametrize("name", ["", "..", "../7/x", "a" * 31, "A" * 32, "a" * 32 + "\n"])
def test_a_name_that_is_none_is_not_asked_for(name: str, tmp_path: Path) -> None:
    with moody(refusal(404, "NoSuchKey")) as endpoint:
        shelf = Shelf(tmp_path, b"secret", Bucket(at(endpoint.url)))
        assert shelf.read(7, name, "small") is None
        assert shelf.read(7, "a" * 32, "huge") is None  # type: ignore[arg-type]
        assert endpoint.asked == []
        assert shelf.read(7, "a" * 32, "small") is None
        assert len(endpoint.asked) == 1


def test_what_is_here_is_read_without_asking(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, b"secret")
    name = shelf.keep(7, PHOTO)
    gone = Shelf(tmp_path, b"secret", Bucket(at(f"http://127.0.0.1:{free_port()}")))
    assert gone.read(7, name, "small") == PHOTO.files["small"]
    with pytest.raises(ShelfError):
        gone.read(7, "0" * 32, "small")


def test_what_can_not_be_put_has_no_name_and_no_copy(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, b"secret", Bucket(at(f"http://127.0.0.1:{free_port()}")))
    with pytest.raises(ShelfError) as error:
        shelf.keep(7, PHOTO)
    assert (error.value.code, error.value.retry) == ("away", True)
    assert names(shelf) == []


def test_half_a_picture_is_not_kept(tmp_path: Path) -> None:
    with moody(http(200, PHOTO.files["large"][:900], length=len(PHOTO.files["large"]))) as endpoint:
        shelf = Shelf(tmp_path, b"secret", Bucket(at(endpoint.url)))
        with pytest.raises(ShelfError):
            shelf.read(7, "0" * 32, "large")
    assert names(shelf) == []


# --- sweeping, gathering, handing over ---


def test_what_no_game_uses_is_thrown_away(nodes: tuple[Shelf, Shelf], settings: Settings) -> None:
    one, _ = nodes
    used, elsewhere = one.keep(7, PHOTO), one.keep(8, OTHER)
    one.keep(7, OTHER)
    Bucket(settings).put(f"7/{'0' * 32}.txt", b"somebody else's")
    worn = {7: {used}, 8: {elsewhere}}
    assert one.sweep_depot(worn) == 0, "it is not a day old"
    assert one.sweep_depot(worn, grace=0) == 3
    left = {file for file, _ in Bucket(settings).files("")}
    assert {name[:34] for name in left} == {f"7/{used}", f"8/{elsewhere}", f"7/{'0' * 32}"}
    assert len(one.copies()) == 9, "each machine throws its own copies away"
    assert one.sweep(7, {used}, grace=0) == 3


def test_a_sweep_minds_no_bucket_that_is_away(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, b"secret", Bucket(at(f"http://127.0.0.1:{free_port()}")))
    assert shelf.sweep_depot({}, grace=0) == 0


def test_what_is_shown_is_gathered(nodes: tuple[Shelf, Shelf]) -> None:
    one, other = nodes
    photos = [(7, one.keep(7, PHOTO)), (8, one.keep(8, OTHER)), (8, "0" * 32)]
    other.gather(photos)
    assert other.copies() == one.copies()
    assert len(one.copies()) == 6


def test_a_folder_is_handed_over_and_only_what_is_missing(
    nodes: tuple[Shelf, Shelf], settings: Settings
) -> None:
    one, told = nodes[0], []
    Shelf(one.folder, SECRET.encode()).keep(7, PHOTO)  # as before there was a bucket
    name = one.keep(7, OTHER)
    (one.folder / "7" / "holiday.webp").write_bytes(b"not ours")
    assert one.hand_over([*one.copies(), f"9/{name}-small.webp"], told.append) == 3
    assert told == [3, 4, 5, 6, 7]
    assert len(kept(settings)) == 6
    assert one.hand_over(one.copies(), told.append) == 0
    assert Shelf(one.folder, b"no bucket").hand_over(one.copies(), told.append) == 0


# --- faults ---


@pytest.mark.parametrize(("answer", "code", "retry"), ANSWERS.values(), ids=list(ANSWERS))
def test_what_is_wrong_is_said_in_a_sentence(
    answer: bytes, code: str, *, retry: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with moody(answer) as endpoint, capture_logs() as logs:
        with pytest.raises(ShelfError) as caught:
            Bucket(at(endpoint.url)).get("1/a.webp")
        assert len(endpoint.asked) <= 2
    assert (caught.value.code, caught.value.retry) == (code, retry)
    for language in LANGUAGES:
        with speaking(language):
            sentence = say(caught.value.sentence, **caught.value.params)
        assert "%(" not in sentence
        assert SECRET not in sentence
        assert "Bonjour" not in sentence
    assert [line["event"] for line in logs] == ["bucket.failed"]
    assert SECRET not in str(logs)
    assert caplog.text == "", "the library would name the photo"


def test_one_that_hangs_is_left_after_a_second_try() -> None:
    with moody(None) as endpoint:
        with pytest.raises(ShelfError) as caught:
            Bucket(at(endpoint.url), answer_seconds=1.0).put("1/a.webp", b"data")
        assert len(endpoint.asked) == 2
    assert (caught.value.code, caught.value.params["cause"]) == ("away", "ReadTimeoutError")


def test_after_a_silence_nobody_asks_for_a_moment() -> None:
    now = [0.0]
    with moody(b"") as endpoint:
        bucket = Bucket(at(endpoint.url), clock=lambda: now[0])
        for _ in range(3):
            with pytest.raises(ShelfError) as caught:
                bucket.get("1/a.webp")
            assert caught.value.code == "away"
            assert caught.value.params["cause"], "what was wrong is not forgotten"
        assert len(endpoint.asked) == 2
        now[0] += PAUSE
        endpoint.answer = http(200, b"back", "ETag: x\r\n")
        assert bucket.get("1/a.webp") == b"back"


@pytest.mark.parametrize("answer", [refusal(503, "SlowDown"), refusal(403, "AccessDenied")])
def test_one_photo_that_is_refused_hides_no_other(answer: bytes) -> None:
    with moody(answer) as endpoint:
        bucket = Bucket(at(endpoint.url), clock=lambda: 0.0)
        with pytest.raises(ShelfError):
            bucket.get("1/a.webp")
        endpoint.answer = http(200, b"the other", "ETag: x\r\n")
        assert bucket.get("1/b.webp") == b"the other"


def test_nobody_is_sent_elsewhere() -> None:
    with moody(http(200, b"stolen")) as elsewhere:
        for status in (301, 302, 307, 308):
            away = f"Location: {elsewhere.url}/photos/1/a.webp\r\n"
            with moody(http(status, b"", away)) as endpoint, pytest.raises(ShelfError):
                Bucket(at(endpoint.url)).get("1/a.webp")
        assert elsewhere.asked == []


def test_the_secret_goes_over_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with moody(http(200, b"", "ETag: x\r\n")) as endpoint:
        Bucket(at(endpoint.url)).put("1/a.webp", b"data")
        [head] = endpoint.asked
    assert b"AWS4-HMAC-SHA256" in head
    assert SECRET.encode() not in head
    assert SECRET not in caplog.text


def test_a_certificate_of_nobody_is_refused_and_said(tmp_path: Path) -> None:
    context = certificate(tmp_path, ("localhost",))
    with moody(b"", context) as endpoint, pytest.raises(ShelfError) as caught:
        Bucket(at(endpoint.url)).put("1/a.webp", b"data")
    assert (caught.value.code, endpoint.asked) == ("certificate", [])


def test_an_https_that_is_none_is_said_to_be_away() -> None:
    with (
        moody(b"HTTP/1.1 400 Bad Request\r\n\r\n") as endpoint,
        pytest.raises(ShelfError) as caught,
    ):
        Bucket(at(endpoint.url.replace("http", "https"))).get("1/a.webp")
    assert caught.value.code == "away"
