"""Photos on the web when a bucket keeps them: shown, sent, and what is said when it is away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import FileSystemBytecodeCache

from engines import bucket as s3_
from engines.bucket import http, kept, moody, refusal
from engines.processes import free_port
from killer import app as app_
from killer.media.pictures import prepare
from media.darkroom import photograph
from web.test_photos import photo_of, send
from web.world import World, settings_in, submit

EXPECTED = prepare(photograph(1)).files


@pytest.fixture
def world(template: Path, tmp_path: Path, in_bucket: dict[str, str]) -> Iterator[World]:
    """A server whose photos are in a bucket."""
    shutil.copytree(template, tmp_path / "data")
    yield from opened(template, tmp_path / "data", **s3_.fields(in_bucket))


def opened(template: Path, folder: Path, **more: Any) -> Iterator[World]:
    world = World(app_.create(settings_in(folder, **more)), 1)
    world.app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(template))
    yield world
    world.site.database.close()


@pytest.fixture
def worn(world: World) -> str:
    """The address of Ana's photo."""
    assert send(world.phone("Ana"), photograph(1)).status_code == 303
    return f"/photos/{photo_of(world, 'Ana')}?size=large"


@pytest.fixture
def lost(world: World, worn: str) -> str:
    """The same, when this machine has no copy."""
    shutil.rmtree(world.site.settings.photos)
    return worn


@pytest.fixture
def beside(world: World, template: Path) -> Iterator[Any]:
    """The same server with other settings of the bucket."""
    opened_ = []

    def make(**more: Any) -> World:
        named = {"photos_url": world.site.settings.photos_url, "s3_key": "k", "s3_secret": "s"}
        made = opened(template, world.site.settings.data_dir, **named | more)
        opened_.append(made)
        return next(made)

    yield make
    for made in opened_:
        next(made, None)


def nowhere() -> str:
    return f"http://127.0.0.1:{free_port()}"


def test_a_photo_from_the_phone_is_in_the_bucket_and_here(world: World, worn: str) -> None:
    assert sorted(kept(world.site.settings).values()) == sorted(EXPECTED.values())
    assert len(list(world.site.settings.photos.rglob("*.webp"))) == 3
    assert world.phone("Bo").get(worn).data == EXPECTED["large"]


def test_a_photo_that_is_not_here_is_fetched_as_if_it_were(world: World, lost: str) -> None:
    answer = world.phone("Bo").get(lost)
    assert (answer.status_code, answer.data) == (200, EXPECTED["large"])
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    [copy] = world.site.settings.photos.rglob("*.webp")
    assert copy.read_bytes() == EXPECTED["large"]


def test_nginx_sends_it_as_soon_as_it_is_here(world: World, lost: str, beside: Any) -> None:
    settings = world.site.settings
    behind = beside(s3_endpoint=settings.s3_endpoint, photo_accel=True)
    first, second = (behind.phone("Bo").get(lost) for _ in range(2))
    assert (first.data, "X-Accel-Redirect" in first.headers) == (EXPECTED["large"], False)
    assert second.data == b""
    assert second.headers["X-Accel-Redirect"].endswith("-large.webp")


def test_a_photo_in_no_place_does_not_exist(world: World, lost: str) -> None:
    there = s3_.client(world.site.settings.s3_endpoint)
    name = world.site.settings.photos_url.split("/")[2]
    for file in kept(world.site.settings):
        there.remove_object(name, file)
    assert world.phone("Bo").get(lost).status_code == 404


def test_without_the_bucket_what_is_here_is_shown_and_the_rest_is_missing(
    world: World, worn: str, beside: Any
) -> None:
    cut = beside(s3_endpoint=nowhere())
    assert cut.phone("Bo").get(worn).data == EXPECTED["large"]
    shutil.rmtree(world.site.settings.photos)
    answer = cut.phone("Bo").get(worn)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert "en ce moment" in answer.text
    assert "ETag" not in answer.headers
    assert cut.phone("Bo").get("/players").status_code == 200


def test_without_the_bucket_a_photo_can_be_taken_away(world: World, worn: str, beside: Any) -> None:
    cut = beside(s3_endpoint=nowhere())
    cut.site.shelf.sweep(cut.number, (), grace=0)
    assert list(cut.site.settings.photos.rglob("*.webp")) == []
    assert len(kept(world.site.settings)) == 3


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "InternalError"])
def test_a_photo_that_can_not_be_kept_is_told_and_nothing_changes(
    world: World, beside: Any, code: str
) -> None:
    with moody(refusal(403, code)) as endpoint:
        shut = beside(s3_endpoint=endpoint.url)
        before = shut.game.version
        answer = send(shut.phone("Ana"), photograph(1))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "Il faut réessayer dans une minute" in answer.text
    assert endpoint.url not in answer.text
    assert (shut.game.version, photo_of(shut, "Ana")) == (before, "")
    assert not list(shut.site.settings.photos.rglob("*.webp"))


def test_no_player_waits_until_the_bucket_is_swept(world: World, beside: Any) -> None:
    with moody(http(200, b"", "ETag: x\r\n")) as endpoint:
        ana = beside(s3_endpoint=endpoint.url).phone("Ana")
        assert send(ana, photograph(1)).status_code == 303
        assert [head.split()[0] for head in endpoint.asked] == [b"PUT"] * 3
        assert submit(ana, "/photo/remove", "/photo").status_code == 303
        assert len(endpoint.asked) == 3


def test_nobody_learns_the_key_from_a_page(world: World, worn: str) -> None:
    for path in ("/photo", "/players", worn):
        said = world.phone("Bo").get(path)
        assert s3_.SECRET.encode() not in said.data
        assert s3_.KEY.encode() not in said.data
        assert world.site.settings.s3_endpoint.encode() not in said.data
