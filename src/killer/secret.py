"""The secret that signs cookies and makes names that nobody guesses."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from killer.settings import Settings


def of(settings: Settings) -> bytes:
    """Give the secret that signs cookies; made with mode 0600 in DATA_DIR when none was set."""
    if settings.secret_key:
        return settings.secret_key.encode()
    path = settings.data_dir / "secret_key"
    if not path.exists():
        made = secrets.token_urlsafe(32).encode()
        with _new_secret(settings, made) as whole, suppress(FileExistsError):  # another was faster
            os.link(whole, path)
    return path.read_bytes().strip()


def kept(settings: Settings) -> bytes | None:
    """Give the secret that is kept in DATA_DIR, if there is one."""
    path = settings.data_dir / "secret_key"
    return path.read_bytes().strip() if path.exists() else None


def put(settings: Settings, value: bytes) -> None:
    """Keep that secret in DATA_DIR, in the place of any other."""
    with _new_secret(settings, value) as whole:
        whole.replace(settings.data_dir / "secret_key")


@contextmanager
def _new_secret(settings: Settings, value: bytes) -> Iterator[Path]:
    """Give a file that holds a secret whole, to be put where it belongs in one step."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=settings.data_dir, prefix=".secret_key-")  # mode 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    yield Path(name)
    Path(name).unlink(missing_ok=True)
