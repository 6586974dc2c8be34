"""Each fault in a real server turns its line to the right colour, with what to do, in seconds."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from e2e.conftest import Deploy
from e2e.phones import Phone
from e2e.sky import Sky, once_red, status, under
from engines.google import Emulator
from engines.google.fixtures import google
from engines.processes import wait_for

__all__ = ["google"]

MEGABYTE = 1_000_000
SHEET, TAB = "feuille", "Réponses au formulaire 1"
HEADERS = ["Horodateur", "Surnom", "Adresse e-mail"]


def as_root() -> None:
    if os.geteuid():
        pytest.skip("mounting needs root: in CI it is")  # no other way to a small disk


@pytest.fixture(scope="module")
def calm(deploy_once: Deploy) -> Sky:
    """A server with a running game, which each test leaves as it was."""
    return under(deploy_once(GUNICORN_TIMEOUT="30"))


# --- what organisers forget ---


def test_a_game_without_a_backup_is_red_and_an_old_one_orange_then_red(calm: Sky) -> None:
    calm.turns("backup", "red", "aucune sauvegarde. Lancez `killer backup` tout de suite")
    folder = calm.server.folder / "data" / "backups"
    folder.mkdir()
    backup = folder / "killer-20261128-020000.tar.gz"
    backup.touch()
    calm.turns("backup", "green", "La dernière remonte à")
    os.utime(backup, (0, time.time() - 25 * 60))
    calm.turns("backup", "orange", "Lancez `killer backup` et regardez ce qu'il dit")
    os.utime(backup, (0, time.time() - 65 * 60))
    calm.turns("backup", "red", "remonte à 1 heure, en pleine partie")


# --- the database ---


def test_a_ring_that_is_broken_by_hand_is_red(calm: Sky) -> None:
    calm.turns("ring", "green")
    with calm.server.database() as connection:
        mine = "WHERE target IS NOT NULL AND id = (SELECT min(id) FROM players WHERE target > 0)"
        (before,) = connection.execute(f"SELECT target FROM players {mine}").fetchone()
        connection.execute(f"UPDATE players SET target = id {mine}")
        connection.commit()
        calm.turns("ring", "red", "L'anneau est rompu : 2 fautes. Mettez la partie en pause")
        assert status(calm.server, red=True)["colour"] == "red"
        connection.execute(f"UPDATE players SET target = ? {mine}", [before])
        connection.commit()
    calm.turns("ring", "green")


def test_a_player_whose_row_was_changed_by_hand_is_noticed_too(calm: Sky) -> None:
    with calm.server.database() as connection:
        connection.execute("UPDATE players SET nickname = 'Autre' WHERE nickname = 'Bo'")
        connection.commit()
        calm.turns("ring", "red", "1 faute.")
        connection.execute("UPDATE players SET nickname = 'Bo' WHERE nickname = 'Autre'")
        connection.commit()
    calm.turns("ring", "green")


def test_a_database_that_somebody_locks_is_red_and_what_it_refuses_too(calm: Sky) -> None:
    player = Phone(calm.server.port, "Ana")
    assert player.sign_in("mdp-Ana").status == 200
    with calm.server.database() as connection:
        connection.execute("BEGIN IMMEDIATE")
        asked = threading.Thread(target=player.ask, args=("POST", "/api/death", {}), daemon=True)
        asked.start()
        calm.turns("database", "red", "on peut la lire, pas y écrire")
        asked.join(60)
        calm.turns("refused", "orange", "demande")
        connection.rollback()
    calm.turns("database", "green")


def test_a_database_that_is_gone_is_red_and_the_page_still_says_it(
    deploy: Deploy, postgres_url: str
) -> None:
    sky = under(deploy(DATABASE_URL=postgres_url, GUNICORN_WORKERS="2"))
    for _ in range(20):  # every worker has seen its organiser
        Phone(sky.server.port, cookie=sky.host.cookie).ask("GET", "/organiser")
    sky.turns("database", "green")
    address, _, name = postgres_url.rpartition("/")
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(ends, [name])
        sky.turns("database", "red", "La base de données ne répond pas")
        assert sky.line("ring")["colour"] == "orange"
        page = sky.host.ask("GET", "/organiser/weather")
        assert (page.status, "Il faut agir" in page.body.decode()) == (200, True)
        assert sky.host.ask("GET", "/organiser").status == 503
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    sky.turns("database", "green")
    sky.turns("ring", "green")


# --- the machine ---


@contextmanager
def tmpfs(folder: Path, megabytes: int) -> Iterator[None]:
    """Give a folder a disk of its own."""
    as_root()
    folder.mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(file: Path, left: int) -> None:
    """Take what is free on a disk, but for so many bytes."""
    file.unlink(missing_ok=True)
    free = shutil.disk_usage(file.parent).free
    with file.open("wb") as block:
        os.posix_fallocate(block.fileno(), 0, free - left)


def test_a_disk_that_fills_up_is_orange_then_red_and_the_measuring_goes_on(
    deploy: Deploy, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with tmpfs(data, 1500):
        sky = under(deploy(GUNICORN_WORKERS="2"))
        try:
            sky.turns("disk", "green", "libres")
            fill(data / "film.mkv", 600 * MEGABYTE)
            sky.turns("disk", "orange", "Supprimez d'anciens fichiers avant ce soir")
            fill(data / "film.mkv", 120 * MEGABYTE)
            sky.turns("disk", "red", "Le disque est presque plein : 120 Mo libres")
            fill(data / "film.mkv", 0)
            sky.turns("database", "red", "Le disque est plein : aucune mort n'est plus")
            wait_for(lambda: sky.weather()["age"] < 15, 40, "a fresh measurement")
            wait_for(lambda: first_line(sky) == "database", 40, "the database before all others")
            (data / "film.mkv").unlink()
            sky.turns("database", "green")
            sky.turns("disk", "green")
        finally:
            sky.server.end()


def first_line(sky: Sky) -> str:
    """Ask the terminal what is worst."""
    return str(status(sky.server, red=True)["lines"][0]["name"])


def test_eaten_processors_are_red_and_somebody_else_is_blamed(calm: Sky) -> None:
    eaters = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range((os.cpu_count() or 1) * 2)
    ]
    try:
        calm.turns("cpu", "red", "Un autre programme le prend : `top` dit lequel")
    finally:
        for eater in eaters:
            eater.kill()
            eater.wait()


def test_memory_that_another_program_takes_is_seen(calm: Sky) -> None:
    def share() -> float:
        return float(calm.line("memory")["figures"]["share"])

    def kernels() -> float:
        memory = psutil.virtual_memory()
        return 1 - memory.available / memory.total

    before = share()
    part = psutil.virtual_memory().total // 20
    eat = f"import time; b = bytearray({part}); b[::4096] = b'x' * len(b[::4096]); time.sleep(200)"
    eater = subprocess.Popen([sys.executable, "-c", eat])
    seen: list[float] = []

    def told() -> bool:
        seen.append(kernels())
        return share() != before and min(seen) - 0.01 < share() < max(seen) + 0.01

    try:  # beside other tests, which eat and give back too: the kernel knows the whole
        wait_for(lambda: psutil.Process(eater.pid).memory_info().rss > part, 60, "its meal")
        wait_for(told, 80, "what the kernel tells since then")
    finally:
        eater.kill()
        eater.wait()


def test_a_machine_that_has_no_memory_left_is_red(deploy: Deploy, tmp_path: Path) -> None:
    """The kernel's own file is replaced for this server: eating 90 % would fell the neighbours."""
    as_root()
    told = tmp_path / "meminfo"

    def leave(percent: int) -> None:
        known = Path("/proc/meminfo").read_text().splitlines()
        total = int(known[0].split()[1])
        kept = [line for line in known if not line.startswith("MemAvailable")]
        told.write_text("\n".join([*kept, f"MemAvailable: {total * percent // 100} kB"]) + "\n")

    leave(60)
    server = deploy(GUNICORN_WORKERS="2")
    mount = f"mount --bind {told} /proc/meminfo && exec " + '"$@"'
    server.words = ("unshare", "--mount", "sh", "-c", mount, "sh", *server.words)
    sky = under(server)
    sky.turns("memory", "green", "40 % de la mémoire")
    leave(15)
    sky.turns("memory", "orange", "La mémoire se remplit : 85 %")
    leave(4)
    sky.turns("memory", "red", "La mémoire est presque pleine : 96 %")


# --- the server itself ---


def test_slow_answers_are_red(deploy: Deploy) -> None:
    server = deploy(GUNICORN_WORKERS="2")
    server.words = (sys.executable, Path(__file__).with_name("slowed.py"))
    sky = under(server)
    over = threading.Event()

    def visit() -> None:
        phone = Phone(server.port, cookie=sky.host.cookie)
        while not over.wait(0.1):
            phone.ask("GET", "/players")

    visitors = [threading.Thread(target=visit, daemon=True) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    try:
        wait_for(lambda: "pages" in sky.line("answers")["sentence"], 80, "enough visits")
        (server.folder / "slow").touch()
        sky.turns("answers", "red", "Les pages sont lentes : 95 sur 100 partent en moins de")
    finally:
        over.set()
        for visitor in visitors:
            visitor.join(10)


def test_a_worker_that_hangs_is_replaced_and_told(deploy: Deploy) -> None:
    sky = under(deploy(GUNICORN_TIMEOUT="12", GUNICORN_WORKERS="3"))
    sky.turns("late", "green")
    victim = next(w for w in sky.server.workers() if w.pid != sky.sampler())
    victim.send_signal(signal.SIGSTOP)
    assert psutil.wait_procs([victim], 90)[0], "its end"
    sky.turns("late", "red", "1 processus du serveur s'est figé et vient d'être remplacé")


def test_another_worker_measures_when_the_one_that_did_is_killed(deploy: Deploy) -> None:
    sky = under(deploy(GUNICORN_WORKERS="3"))
    first = wait_for(sky.sampler, 60, "a sampler")
    os.kill(first, signal.SIGKILL)
    second = wait_for(lambda: sky.sampler() not in {0, first} and sky.sampler(), 60, "another")
    assert second in {worker.pid for worker in sky.server.workers()}
    wait_for(lambda: sky.weather()["age"] < 5, 60, "a fresh measurement")
    assert sky.line("measure")["colour"] == ""


def test_a_station_that_stands_still_is_said_to_be_old(deploy: Deploy) -> None:
    server = deploy(GUNICORN_WORKERS="2")
    sky = under(server)
    first = wait_for(sky.sampler, 60, "a sampler")
    os.kill(first, signal.SIGSTOP)
    try:
        wait_for(lambda: '"name":"measure"' in once_red(server), 90, "an old measure")
        said = status(server, red=True)["lines"][0]
        assert "La météo ne se met plus à jour depuis" in said["text"]
    finally:
        os.kill(first, signal.SIGCONT)


def test_without_a_server_the_terminal_says_what_to_type(deploy: Deploy) -> None:
    server = deploy(GUNICORN_WORKERS="1")
    under(server)
    server.stop()
    wait_for(lambda: "null" in once_red(server), 60, "its end")


# --- Google ---


def test_google_gone_is_orange_and_the_game_goes_on(
    deploy: Deploy, google: Emulator, tmp_path: Path
) -> None:
    google.sheet(SHEET, {TAB: [HEADERS, ["17/10/2026", "Zoé", "zoe@example.org"]]})
    settings = {
        "SHEET_ID": SHEET,
        "SERVICE_ACCOUNT_FILE": str(google.key_file(tmp_path)),
        "GOOGLE_API_URL": google.url,
        "PLAYERS_CACHE_TTL": "5",
    }
    sky = under(deploy(GUNICORN_WORKERS="2", **settings), running=False)
    sky.turns("sheet", "green", "À jour")
    google.stop()
    sky.turns("sheet", "orange", "Google ne répond pas comme il faut")
    google.start()
    sky.turns("sheet", "green", "À jour")
