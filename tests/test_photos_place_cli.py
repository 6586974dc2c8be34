"""`killer photos check` and `push`: what is wrong with the bucket, and a folder brought there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from engines import bucket as s3_
from engines.bucket import SECRET, kept, moody, refusal
from engines.processes import free_port
from killer import cli
from killer.language import speaking
from killer.settings import Settings
from ops import deployments
from ops.deployments import add_photo, photo

Run = Callable[..., Result]
DORA = photo("Dora")


@pytest.fixture
def settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_bucket: dict[str, str]
) -> Iterator[Settings]:
    """A deployment with a photo on this machine and an empty bucket, in English."""
    found = deployments.settings_in(tmp_path / "data")
    deployments.begin(found)
    add_photo(found, 4, DORA, b"the face of Dora")
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("KILLER_") or name in {"DATABASE_URL", "SECRET_KEY"}:
            monkeypatch.delenv(name)
    words = {"DATA_DIR": "data", "COLUMNS": "200", **in_bucket}
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    with speaking("en"):
        yield replace(found, **s3_.fields(in_bucket))


@pytest.fixture
def run(settings: Settings) -> Run:
    def invoke(*words: str, **environment: str) -> Result:
        done = CliRunner().invoke(cli.build(), ["photos", *words], env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        assert SECRET not in done.output
        return done

    return invoke


def test_photos_that_are_not_in_the_bucket_are_counted_then_pushed(
    run: Run, settings: Settings
) -> None:
    before = run("check")
    assert before.exit_code == 1
    assert "week-end works" in before.stdout
    assert "3 photo files are not there. Run killer photos push" in before.stderr
    pushed = run("push")
    assert (pushed.exit_code, "3 photo files sent; the rest" in pushed.stdout) == (0, True)
    assert kept(settings) == {
        f"week-end/1/{file.name}": file.read_bytes() for file in settings.photos.glob("1/*")
    }
    after = run("check")
    assert (after.exit_code, "All the players' photos are there" in after.stdout) == (0, True)
    assert "0 photo files sent; the rest" in run("push").stdout


def test_one_file_is_told_as_one(run: Run, settings: Settings) -> None:
    for file in list(settings.photos.glob("1/*-[ml]*.webp")):
        file.unlink()
    with speaking("fr"):
        assert "1 fichier de photo envoyé ; " in run("push").stdout.replace("\xa0", " ")


def test_a_push_that_was_cut_goes_on_where_it_was(run: Run, settings: Settings) -> None:
    run("push")
    add_photo(settings, 5, photo("Emil"))
    with moody(refusal(503, "SlowDown")) as endpoint:
        cut = run("push", S3_ENDPOINT_URL=endpoint.url)
    assert cut.exit_code == 1
    assert "SlowDown" in cut.stderr
    assert "run killer photos push again" in cut.stderr
    assert "3 photo files sent; the rest" in run("push").stdout


def test_without_a_bucket_it_says_where_the_photos_are(run: Run, settings: Settings) -> None:
    done = run("check", PHOTOS_URL="")
    assert (done.exit_code, str(settings.photos) in done.stdout) == (0, True)
    refused = run("push", PHOTOS_URL="")
    assert (refused.exit_code, "PHOTOS_URL" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("NoSuchBucket", "Make it, or correct PHOTOS_URL"),
        ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
        ("AccessDenied", "Let it read, write, list and delete"),
        ("RequestTimeTooSkewed", "clock is wrong"),
        ("PermanentRedirect", "AWS_REGION"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(run: Run, code: str, says: str) -> None:
    with moody(refusal(403, code)) as endpoint:
        done = run("check", S3_ENDPOINT_URL=endpoint.url)
    assert (done.exit_code, says in done.stderr) == (1, True)
    assert "Traceback" not in done.output


def test_a_bucket_that_is_not_there_is_named(run: Run, settings: Settings) -> None:
    done = run("check", PHOTOS_URL="s3://photos-of-nobody")
    assert (done.exit_code, "no bucket photos-of-nobody" in done.stderr) == (1, True)


def test_an_endpoint_that_does_not_answer_is_named(run: Run) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    done = run("check", S3_ENDPOINT_URL=endpoint)
    assert (done.exit_code, f"{endpoint} doesn't answer" in done.stderr) == (1, True)
    assert run("push", S3_ENDPOINT_URL=endpoint).exit_code == 1


def test_a_key_without_its_secret_is_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`main` says it in a sentence."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")
    done = CliRunner().invoke(cli.build(), ["photos", "check"])
    assert getattr(done.exception, "code", "") == "s3_key"
