"""Every row of a database goes to lines of JSON and comes back, on either database."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Integer, Table, insert, text

from game.players import enrolments
from killer.game import commands as c
from killer.game.model import PlayerId
from killer.store import check, dump, games, keeping, migrations, rehearsals, schema
from killer.store.database import Connection, Database
from killer.store.dump import Facts, RowError
from killer.store.tables import metadata
from store.worlds import World, a_game_of_long_ago, a_migrated_game, look_at

BIG, SMALL = 2**63 - 1, 2**31 - 1


SCREEN = 2**62  # the link of the big screen is as good after a move as before


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "lines"
    found.mkdir()
    return found


@pytest.fixture
def migrated(database_url: str) -> Iterator[Database]:
    """A database with the newest schema and nothing in it."""
    database = Database(database_url)
    migrations.migrate(database)
    yield database
    database.close()


@contextmanager
def another(folder: Path) -> Iterator[Database]:
    """An empty SQLite file that doesn't exist yet."""
    database = Database(f"sqlite:///{folder}/another.sqlite3")
    yield database
    database.close()


def a_migrated_world(url: str, players: int) -> World:
    world = a_migrated_game(url)
    world.perform(*enrolments(players), c.Start(1))
    return world


@pytest.fixture
def played(database_url: str) -> Iterator[World]:
    """A running game of eight in which three fell, on each of the two databases."""
    world = a_migrated_world(database_url, 8)
    world.perform(c.Die(PlayerId(1)), c.GiveUp(PlayerId(2)), c.Die(PlayerId(3)))
    with world.database.write() as connection:
        games.set_screen(connection, world.number, None, SCREEN)
    yield world
    world.database.close()


def written(database: Database, folder: Path) -> dict[str, Facts]:
    with database.read() as connection:
        return dump.write(connection, folder)


def loaded(
    database: Database, folder: Path, facts: dict[str, Facts], revision: str = schema.NEWEST
) -> None:
    with database.write() as connection:
        dump.load(connection, folder, revision, facts)


def same(one: dict[str, Facts], other: dict[str, Facts]) -> bool:
    return {n: f.sha256 for n, f in one.items()} == {n: f.sha256 for n, f in other.items()}


def lines(folder: Path, table: str) -> list[list[object]]:
    return [json.loads(line) for line in (folder / f"{table}.jsonl").read_text().splitlines()]


# --- a game goes and comes ---


def test_a_game_comes_back_as_it_was_and_goes_on(played: World, folder: Path) -> None:
    facts = written(played.database, folder)
    with another(folder) as copy:
        loaded(copy, folder, facts)
        assert same(facts, written(copy, folder))
        there = look_at(copy.url)
        assert there.rows() == played.rows()
        assert there.log() == played.log()
        assert there.faults() == []
        with copy.read() as connection:
            assert [row.screen for row in games.every(connection)] == [SCREEN]
        there.perform(c.Die(PlayerId(4)))
        assert there.game.version == played.game.version + 1
        assert there.faults() == []
        there.database.close()


def test_it_comes_back_on_the_other_database_and_home_again(
    sqlite_url: str, postgres_url: str, folder: Path
) -> None:
    world = a_migrated_world(sqlite_url, 8)
    world.perform(c.Die(PlayerId(1)), c.GiveUp(PlayerId(2)))
    facts, server = written(world.database, folder), Database(postgres_url)
    loaded(server, folder, facts)
    assert same(facts, written(server, folder))
    look_at(postgres_url).perform(c.Die(PlayerId(3)))
    with another(folder) as home:
        loaded(home, folder, written(server, folder))
        assert look_at(home.url).rows() == look_at(postgres_url).rows()
        assert look_at(home.url).faults() == []
    server.close()
    world.database.close()


def test_the_score_of_every_game_is_told(played: World) -> None:
    with played.database.write() as connection:
        games.create(connection, "Vide")
    with played.database.read() as connection:
        told = [(s.name, s.state, s.players, s.alive) for s in dump.scores(connection)]
    assert told == [("Une partie", "running", 8, 5), ("Vide", "preparing", 0, 0)]


def test_what_passes_is_left_out(played: World, folder: Path) -> None:
    keeping.take_lease(played.database, "keeper", "somebody", 20)
    assert dump.PASSING.isdisjoint(written(played.database, folder))


@pytest.fixture
def french_url(postgres_cluster: str) -> Iterator[str]:
    """An empty database whose server sorts é behind e, unlike SQLite."""
    with psycopg.connect(f"{postgres_cluster}/postgres", autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE french TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'fr-FR'"
        )
        yield f"{postgres_cluster}/french"
        connection.execute("DROP DATABASE french WITH (FORCE)")


@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url", "french_url"])
def test_lines_are_in_the_order_of_their_bytes_everywhere(
    kind: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    database = Database(request.getfixturevalue(kind))
    migrations.migrate(database)
    keys = ["é", "Z", "a", "A", "z", "Éa", "ß", "_", "😀"]
    rows = [{"game": 1, "actor": 1, "key": k, "request": "", "version": 1, "at": 1} for k in keys]
    with database.write() as connection:
        connection.execute(insert(metadata.tables["answers"]), rows)
    facts = written(database, folder)
    where = facts["answers"].columns.index("key")
    wanted = sorted(keys, key=lambda k: k.encode())
    assert [row[where] for row in lines(folder, "answers")] == wanted
    database.close()


# --- numbers go on ---


def remove_the_newest(database: Database) -> int:
    """Make and remove a rehearsal; give its number, which nobody may get again."""
    with database.write() as connection:
        number = games.create(connection, "Répétition", rehearses=1)
        assert rehearsals.remove(connection, 1, number)
    return number


def new_errand(connection: Connection) -> int:
    columns = {c.name: 0 for c in metadata.tables["errands"].columns if c.name != "id"}
    words = {"game": 1, "kind": "mails", "address": "", "state": "done", "detail": "[]"}
    query = insert(metadata.tables["errands"]).values(columns | words)
    return int(connection.execute(query.returning(text("id"))).scalar_one())


@pytest.mark.parametrize("other", ["sqlite", "postgresql"])
def test_no_number_is_given_twice_after_it(
    played: World, other: str, folder: Path, postgres_cluster: str, tmp_path: Path, request
) -> None:
    gone = remove_the_newest(played.database)
    with played.database.write() as connection:
        last = new_errand(connection)
    facts = written(played.database, folder)
    assert facts["games"].last == gone
    if other == "postgresql":
        with played.database.write() as connection:
            dump.load(connection, folder, schema.NEWEST, facts)
        target = played.database
    else:
        target = Database(f"sqlite:///{tmp_path}/other.sqlite3")
        loaded(target, folder, facts)
    with target.write() as connection:
        assert games.create(connection, "Une autre") == gone + 1
        assert new_errand(connection) == last + 1
    target.close()


# --- every kind of value ---

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
NASTY = st.sampled_from(
    ["", "\n", "\u2028", "\\", '"', "👩‍👩‍👧", "\x01", "true", "null", "0123", "é" * 60]
)


def value(column) -> st.SearchStrategy:
    if isinstance(column.type, Boolean):
        kind: st.SearchStrategy = st.booleans()
    elif isinstance(column.type, BigInteger):
        kind = st.sampled_from([0, -1, BIG, -BIG - 1]) | st.integers(-BIG, BIG)
    elif isinstance(column.type, Integer):
        kind = st.sampled_from([0, -1, SMALL]) | st.integers(-SMALL, SMALL)
    else:
        kind = (TEXTS | NASTY).map(lambda found: found[: column.type.length or 200])
    return kind | st.none() if column.nullable else kind


def row_of(table: Table) -> st.SearchStrategy:
    """Give a row for the only game and player that there are."""
    owners = {"game": st.just(1), "player": st.just(1)}
    each = {
        column.name: owners.get(column.name, value(column))
        for column in table.columns
        if table.name not in {"games", "players"} or column.name not in {"id", "game"}
    }
    if table.name in {"games", "players"}:
        each["id"] = st.just(1)
    if table.name == "players":
        each["game"] = st.just(1)
    return st.fixed_dictionaries(each)


KEPT = [t for t in metadata.sorted_tables if t.name not in dump.PASSING]


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.fixed_dictionaries({table.name: row_of(table) for table in KEPT}))
def test_every_kind_of_value_comes_back_as_it_was(migrated: Database, rows) -> None:
    with migrated.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        for table in KEPT:
            connection.execute(insert(table), rows[table.name])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        facts = written(migrated, folder)
        with another(folder) as copy, copy.write() as connection:
            dump.load(connection, folder, schema.NEWEST, facts)
            for table in KEPT:
                found = connection.execute(table.select()).mappings().one()
                assert dict(found) == rows[table.name]
        loaded(migrated, folder, facts)
        assert same(written(migrated, folder), facts)


# --- all or nothing ---


def spoil(folder: Path, table: str, change) -> Facts:
    """Change the lines of a table as an editor would, and give what they say they are."""
    path = folder / f"{table}.jsonl"
    path.write_bytes(change(path.read_bytes()))
    found = path.read_bytes()
    columns = tuple(sorted(metadata.tables[table].columns.keys()))
    return Facts(columns, found.count(b"\n"), hashlib.sha256(found).hexdigest())


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("players", lambda lines: lines + lines),  # twice the same
        ("players", lambda lines: lines.replace(b"null", b'{"a":1}', 1)),
        ("players", lambda lines: lines.replace(b"null", str(2**70).encode(), 1)),
        ("players", lambda lines: lines.replace(b"false", b"7", 1)),
        ("players", lambda lines: lines.replace(b"[", b"[1,", 1)),
        ("players", lambda lines: lines.replace(b'"alive"', b"null", 1)),
        ("events", lambda _lines: b'[1,1,"\xff"]\n'),
        ("contacts", lambda _lines: b'["","",9,"","",1,"",""]\n'),  # of no game
    ],
    ids=range(8),
)
def test_a_row_that_can_t_be_is_named_and_all_stays_as_it_was(
    played: World, folder: Path, table: str, change
) -> None:
    facts = written(played.database, folder)
    facts[table] = spoil(folder, table, change)
    before = played.rows()
    with pytest.raises(RowError) as found:
        loaded(played.database, folder, facts)
    assert found.value.params["table"] == table
    assert played.rows() == before
    assert played.faults() == []


def test_what_postgresql_can_t_hold_is_named(
    sqlite_url: str, postgres_url: str, folder: Path
) -> None:
    world = a_migrated_world(sqlite_url, 3)
    with world.database.write() as connection:
        connection.execute(text("UPDATE players SET challenge = 'a' || char(0) WHERE id = 2"))
    facts, server = written(world.database, folder), Database(postgres_url)
    with pytest.raises(RowError, match=r"players, 1: .*NUL"):
        loaded(server, folder, facts)
    with server.read() as connection:
        assert dump.content(connection) == "nothing"
    server.close()
    world.database.close()


def test_columns_of_another_version_are_refused(played: World, folder: Path) -> None:
    facts = written(played.database, folder)
    facts["games"] = Facts(("id", "name"), 1, "", 1)
    with pytest.raises(RowError, match="games, 0"):
        loaded(played.database, folder, facts)


def test_a_change_on_the_way_is_found(played: World, folder: Path) -> None:
    facts = written(played.database, folder)
    spoil(folder, "players", lambda lines: lines.replace(b"Bob", b"Rob"))
    with pytest.raises(RowError, match="other values"):
        loaded(played.database, folder, facts)


# --- older schemas, other databases ---


@pytest.mark.parametrize("revision", sorted(schema.REVISIONS - {schema.NEWEST}))
def test_a_database_of_an_older_version_is_written_as_it_is_and_loaded_into_the_newest(
    database_url: str, folder: Path, revision: str
) -> None:
    old = a_game_of_long_ago(database_url, revision)
    facts = written(old, folder)
    with another(folder) as copy:
        loaded(copy, folder, facts, revision)
        assert schema.serves(copy)
        with copy.read() as connection:
            assert [row.name for row in games.every(connection)] == ["Ancienne"]
            assert check.broken(connection) == {}
    loaded(old, folder, facts, revision)  # in the place of itself, and migrated
    assert schema.serves(old)
    old.close()


def content(database: Database) -> str:
    with database.read() as connection:
        return dump.content(connection)


def test_what_a_database_holds_is_told(database_url: str) -> None:
    database = Database(database_url)
    assert content(database) == "nothing"
    migrations.migrate(database)
    assert content(database) == "nothing"
    keeping.take_lease(database, "keeper", "somebody", 20)
    assert content(database) == "nothing"
    with database.write() as connection:
        games.create(connection, "Une partie")
    assert content(database) == "games"
    with database.write() as connection:
        dump.wipe(connection)
    assert content(database) == "nothing"
    database.close()


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE players (shirt INTEGER)"],
        [
            "CREATE TABLE alembic_version (version_num TEXT)",
            "INSERT INTO alembic_version VALUES ('9999')",
        ],
    ],
)
def test_somebody_else_s_database_is_foreign(database_url: str, statements: list[str]) -> None:
    database = Database(database_url)
    with database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))
    assert content(database) == "foreign"
    database.close()


def test_a_stranger_s_table_beside_ours_is_left_alone(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE shirts (size INTEGER)"))
    assert content(database) == "nothing"
    migrations.migrate(database)
    with database.write() as connection:
        dump.wipe(connection)
        connection.execute(text("INSERT INTO shirts VALUES (1)"))
    database.close()


def test_a_copy_may_take_longer_than_any_request(played: World, folder: Path) -> None:
    if played.database.embedded:
        return  # no statement has a limit there
    with played.database.read() as connection:
        dump.write(connection, folder)
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert connection.execute(text(f"SHOW {limit}")).scalar() == "0"
    with played.database.read() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar() != "0"
