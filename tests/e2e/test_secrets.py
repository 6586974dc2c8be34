"""Nobody learns anybody else's target: every byte of every page, answer, stream and log line."""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest

from e2e.conftest import Deploy
from e2e.phones import Answer, Phone, Stream, following, together
from e2e.rosters import Person, order
from e2e.server import Server
from e2e.tale import Tale
from e2e.whispers import betrayed, looks, paths, told
from engines.processes import wait_for

PLAYERS = 14
LISTS = ("/players", "/leaderboard", "/podium", "/api/players", "/api/leaderboard")


def unguessable() -> list[Person]:
    """Invent players whose names and challenges occur nowhere by chance."""
    names = [f"Zq{secrets.token_hex(5)}" for _ in range(PLAYERS)]
    prey = order(names)[1]
    words = [f"Mot{secrets.token_hex(8)}" for _ in names]
    rows = zip(names, words, prey, strict=True)
    return [Person(n, f"Lui faire dire {w} souvent", "", t) for n, w, t in rows]


class Game:
    """A game whose ring the test knows, and everything that each player has received."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.people = unguessable()
        host = Person("Hôte", "", "mdp-hôte", organiser=True)
        self.words = {p.nickname: p.challenge.split()[-2] for p in self.people}
        links = server.imports([*self.people, host])
        server.start()
        self.host = server.signed_in(host)
        self.phones = {name: server.with_link(token, name) for name, token in links.items()}
        self.tale = Tale({p.nickname: p.target for p in self.people})
        self.streams: dict[str, Stream] = {}

    def begin(self) -> None:
        """Start the game with every phone listening."""
        streams = following([phone.twin() for phone in self.phones.values()], 0)
        self.streams = dict(zip(self.phones, streams, strict=True))
        assert self.host.ask("POST", "/api/organiser/game/start", {}).status == 200

    def dies(self, nickname: str) -> int:
        """Let a player die."""
        self.tale.falls(nickname)
        return self.phones[nickname].ask("POST", "/api/death", {}).version

    def everything(self, reader: Phone) -> Iterator[tuple[str, Answer]]:
        """Ask for every page there is, whole and as a part of a page."""
        other = next(name for name in self.phones if name != reader.nickname)
        for path in paths(other):
            yield path, reader.ask("GET", path)
            yield path, reader.ask("GET", path, HX_Request="true")

    def read_all(self) -> list[tuple[str, str, Answer]]:
        """Let every player read everything."""
        found = together(lambda phone: list(self.everything(phone)), list(self.phones.values()), 8)
        pairs = zip(self.phones, found, strict=True)
        return [(name, path, answer) for name, mine in pairs for path, answer in mine]

    def expect(self, *, hunting: bool) -> None:
        """Read everything, and find the own target's challenge alone, and only where it belongs."""
        shown = set()
        for reader, path, answer in self.read_all():
            prey = self.tale.targets.get(reader) if hunting else None
            allowed = {self.words[prey]} if prey else set()
            found = told(answer.bytes, self.words.values())
            assert found <= allowed, (reader, path)
            assert not betrayed(answer.body, reader, self.tale.targets), (reader, path)
            shown |= {reader} if found else set()
        assert shown == (set(self.tale.targets) if hunting else set())

    def steer(self, verb: str) -> None:
        assert self.host.ask("POST", f"/api/organiser/game/{verb}", {}).status == 200


@pytest.fixture(scope="module")
def begun(deploy_once: Deploy) -> Game:
    game = Game(deploy_once())
    game.begin()
    return game


def test_no_page_tells_another_ones_target_before_during_and_after_deaths(deploy: Deploy) -> None:
    game = Game(deploy())
    game.expect(hunting=False)  # the roster carries targets, the game has not begun
    game.begin()
    game.expect(hunting=True)
    for nickname in list(game.phones)[:5]:
        game.dies(nickname)
    game.expect(hunting=True)
    game.steer("pause")
    game.expect(hunting=True)
    game.steer("resume")
    game.steer("end")
    game.expect(hunting=False)
    assert not any(
        told(frame.raw, game.words.values())
        for stream in game.streams.values()
        for frame in stream.frames
    )


def test_what_is_read_while_people_die_tells_only_own_targets(begun: Game) -> None:
    game = begun
    mine: dict[str, set[str]] = {n: {game.words[t]} for n, t in game.tale.targets.items()}
    received: list[tuple[str, str, Answer]] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            received.extend(game.read_all())

    reader = threading.Thread(target=read, daemon=True)
    hands = {name: phone.twin() for name, phone in game.phones.items()}
    reader.start()
    for nickname in list(game.tale.targets)[:4]:
        game.tale.falls(nickname)
        assert hands[nickname].ask("POST", "/api/death", {}).status == 200
        for hunter, prey in game.tale.targets.items():
            mine[hunter].add(game.words[prey])
    over.set()
    reader.join(240)
    assert len(received) > 100
    for name, path, answer in received:
        assert told(answer.bytes, game.words.values()) <= mine[name], (name, path)


def test_a_frame_says_the_same_to_all_and_only_hunter_and_victim_look_again(begun: Game) -> None:
    game = begun
    told_by_version, killers = {}, {}
    for nickname in list(game.tale.targets)[:3]:
        hunter = next(h for h, prey in game.tale.targets.items() if prey == nickname)
        version = game.dies(nickname)
        told_by_version[version], killers[version] = {nickname, hunter}, hunter
    last = max(told_by_version)
    wait_for(lambda: all(s.place == last for s in game.streams.values()), 60, "the last frame")
    public, personal = defaultdict(set), defaultdict(set)
    for name, stream in game.streams.items():
        for frame in stream.frames:
            if frame.id in told_by_version:
                assert killers[frame.id].encode() not in frame.raw
                public[frame.id].add(frame.raw.replace(b',"card":true', b""))
                personal[frame.id] |= {name} if frame.data.get("card") else set()
    assert {len(same) for same in public.values()} == {1}
    assert personal == told_by_version


def test_the_own_hunter_looks_like_everybody_else_in_every_list(begun: Game) -> None:
    game = begun
    for nickname in list(game.tale.targets)[:2]:
        game.dies(nickname)
    for reader in game.tale.targets:
        for path in LISTS:
            body = game.phones[reader].ask("GET", path).body
            assert_alike(game, reader, lambda name, body=body: looks(body, name), path)


def assert_alike(game: Game, reader: str, look: Callable[[str], list[str]], path: str) -> None:
    """The living with the same kills look the same, so that nobody stands out."""
    groups = defaultdict(list)
    for name in game.tale.targets:
        if name != reader:
            groups[game.tale.kills[name]].append(look(name))
    for group in groups.values():
        assert all(one == group[0] for one in group), (reader, path)


def test_no_secret_reaches_the_logs(deploy: Deploy) -> None:
    server = deploy(GUNICORN_ACCESS_LOG="-", GUNICORN_LOGLEVEL="debug")
    game = Game(server)
    password = f"mdp-{secrets.token_hex(6)}"
    hidden = [*game.words.values(), password, *tokens_used(server, game)]
    newcomer = {"nickname": "Nouveau", "password": password, "challenge": game.people[0].challenge}
    game.host.ask("POST", "/api/organiser/players", newcomer)
    for given in (password, password + "x"):
        Phone(server.port, "Nouveau").sign_in(given)
    game.begin()
    game.dies(next(iter(game.phones)))
    answers = game.read_all()
    assert {500} & {answer.status for _, _, answer in answers} == set()
    hidden += [phone.cookie for phone in (game.host, *game.phones.values())]
    hidden.append((server.folder / "data" / "secret_key").read_text())
    for name in list(game.phones)[:3]:
        game.host.ask("GET", f"/organiser/players/{name}?part=challenge")
        game.host.ask("POST", f"/api/organiser/players/{name}/revive", {"reason": f"pour {name}"})
        game.host.ask("GET", f"/organiser/players/{name}/nowhere")
    hidden += [*game.phones, "@example.org", "06.39.98"]
    server.stop()
    lines = server.log.read_bytes()
    assert b"POST /api/death" in lines, "the access log is not even written"
    assert b"POST /api/organiser/players/<nickname:nickname>/revive" in lines
    assert told(lines, hidden) == set()
    for line in lines.splitlines():
        assert not betrayed(b"log: " + line, "", game.tale.targets)


def tokens_used(server: Server, game: Game) -> list[str]:
    """Open sign-in links as people do, and give their tokens."""
    link = server.command("organiser", "add", "Autre").strip().rpartition("/")[2]
    phone = Phone(server.port)
    page = phone.ask("GET", f"/s/{link}").body.decode()
    assert "csrf_token" in page
    phone.ask("GET", f"/s/{link}?utm=1", Referer=f"http://127.0.0.1:{server.port}/s/{link}")
    phone.ask("GET", "/sign-in", Referer=f"http://127.0.0.1:{server.port}/s/{link}")
    phone.ask("POST", "/api/login", {"token": link})
    return [link]
