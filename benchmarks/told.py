"""What was measured about each line of the design, in a few words."""

from __future__ import annotations

from benchmarks.book import ABSENT, Book, amount, number


def step(book: Book, part: str, n: int) -> str:
    """Say how a step of a load test went."""
    row = str(n)
    told = [f"p95 {book.say(part, row, 'p95')}", f"CPU {book.say(part, row, 'CPU')}"]
    told += [f"mémoire {book.say(part, row, 'mémoire')}"]
    return f"à {number(n)} : {', '.join(told)}, erreurs : {book.say(part, row, 'erreurs')}"


def last_step(book: Book, part: str) -> str:
    """Say how the largest step went."""
    sizes = book.sizes(part)
    return step(book, part, sizes[-1]) if sizes else ABSENT


def missed(book: Book, part: str) -> str:
    """Say which criteria the largest step has missed, and what the machine did meanwhile."""
    if not (sizes := book.sizes(part)):
        return ABSENT
    row = str(sizes[-1])
    codes = [c.partition(" : ")[2] for c in book.parts[part].rows[row] if c.startswith("manqué")]
    shares = f"serveur {book.say(part, row, 'CPU')} de la machine"
    own = book.say(part, "générateur", "CPU")
    return f"critères manqués : {', '.join(codes)} ; {shares}, téléphones simulés {own}"


def delays(book: Book) -> str:
    """Say when the last phone knows."""
    return " ; ".join(
        f"{number(n)} téléphones : p95 {book.say('streams', str(n), 'p95')}, le dernier "
        f"{book.say('streams', str(n), 'le dernier')}"
        for n in book.sizes("streams")
    ) or ABSENT  # fmt: skip


def opened(book: Book) -> str:
    """Say how many streams were opened, and how quickly."""
    return " ; ".join(
        f"{book.say('streams', str(n), 'ouverts')} ouverts en "
        f"{book.say('streams', str(n), 'ouverture')}, {book.say('streams', str(n), 'perdus')} perdu"
        for n in book.sizes("streams")
    ) or ABSENT  # fmt: skip


def deaths(book: Book) -> str:
    """Say what became of the deaths."""

    def one(row: str, when: str) -> str:
        names = ("déclarées", "gardées", "coups comptés", "hors de l'anneau", "p95")
        told = [book.say("deaths", row, name) for name in names]
        return "{}{} déclarées, {} gardées, {} coups, {} hors de l'anneau, p95 {}".format(
            when, *told
        )

    return f"{one('ensemble', '')} ; {one('un processus tué', 'un processus tué : ')}"


def storm(book: Book) -> str:
    """Say how long people waited to sign in, and the others meanwhile."""
    one = "connexions p95 {}, les autres p95 {} ; au plus vite : {} pour toutes"
    return one.format(
        book.say("signins", "connexions", "p95"),
        book.say("signins", "les autres", "p95"),
        book.say("signins", "au plus vite", "durée"),
    )


def hashing(book: Book) -> str:
    """Say what keeps the sign-ins from being quicker."""
    each = book.say("signins", "argon2id", "CPU")
    least = book.say("signins", "argon2id", "durée au moins")
    return f"argon2id : {each} de CPU par mot de passe, donc {least} au moins sur ces cœurs"


def me(book: Book) -> str:
    """Say what /api/me costs, and how that compares."""
    row = "GET /api/me"
    costs = (book.parts["routes"].rows.get(row, {}) if "routes" in book.parts else {}).items()
    told = [f"{number(int(n))} joueurs : {amount(each.value, each.unit)}" for n, each in costs]
    ratio = book.say("beside", row, "killer / WSGI nu")
    return " ; ".join([*told, f"{ratio} le WSGI nu"])


def memory(book: Book) -> str:
    """Say how much memory is taken with the most phones."""
    sizes = book.sizes("memory")
    told = (f"{number(n)} téléphones : {book.say('memory', str(n), 'mémoire')}" for n in sizes)
    return " ; ".join(told) or ABSENT


def calls(book: Book) -> str:
    """Say how often Google was asked."""
    return " ; ".join(
        f"TTL {ttl} s, lectures : {book.say(part, 'Google', 'lectures par minute')}, "
        f"écritures : {book.say(part, 'Google', 'écritures par minute')}"
        for ttl, part in (("5", "crowd-ttl-5"), ("30", "crowd-ttl-30"))
    )


def above_bare(book: Book) -> str:
    """Say where the time goes that a bare program doesn't need."""
    health, whole = (
        book.value("beside", f"GET {path}", "killer CPU") for path in ("/health", "/api/me")
    )
    if health is None or whole is None:
        return ABSENT
    bare = book.say("beside", "GET /api/me", "WSGI nu CPU")
    return (
        f"le WSGI nu coûte {bare} ; ici, `/health` (sans cookie ni partie) en coûte déjà "
        f"{amount(health, 'ms')}, et lire la session, voir si la partie a bougé et compter la "
        f"réponse {amount(whole - health, 'ms')} de plus"
    )


def deliveries(book: Book) -> str:
    """Say how soon all deliveries can be over at best, when the cores do nothing else."""
    most = max(book.sizes("streams"), default=0)
    each = book.value("streams", str(most), "CPU par livraison")
    if each is None:
        return ABSENT
    cores = book.parts["streams"].machine.cores
    least = each * most / 1000 / cores
    return (
        f"{amount(each, 'µs')} de CPU par livraison, donc {amount(least, 'ms')} au moins pour "
        f"{number(most)} sur {number(cores)} cœurs, que les téléphones simulés prennent aussi"
    )


def footprint(book: Book) -> str:
    """Say what the memory is made of."""
    sizes = book.sizes("memory")
    each = book.say("memory", str(sizes[-1]), "par téléphone") if sizes else ABSENT
    return f"{book.say('memory', '0', 'mémoire')} sans téléphone, puis {each} par téléphone"


def turns(book: Book) -> str:
    """Say what a connection waits for at saturation."""
    fair, greedy = (f"50 connexions, {way}" for way in ("avec", "sans"))
    return (
        f"{book.say('fairness', fair, 'débit')} en tout, p50 {book.say('fairness', fair, 'p50')} ; "
        f"sans tour laissé aux autres, p99 {book.say('fairness', greedy, 'p99')}"
    )
