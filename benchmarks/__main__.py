"""`make bench`, `make capacity`: measuring the served program, and the paper about it.

Without words: a quick look at the most important figures. `capacity`: everything, kept as JSON.
`paper`: the paper about such a file. `sheet`: what the Google Sheet costs. `scale`: what a thousand
nodes would hold, from those figures. `cluster`: several nodes on one machine, and what they stand.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from benchmarks import figures, paper, run, scale, sheet
from benchmarks.bench import FULL, QUICK
from benchmarks.cluster import run as cluster

ROOT = Path(__file__).parent.parent
DOCS, LOOK = ROOT / "docs", ROOT / "build" / "capacity"  # where the paper goes; after --quick
FIGURES, PAPER = "capacite.json", "capacite.md"
BENCH = ("routes", "beside", "signins", "streams", "deaths")


def main() -> None:
    """Do what the words say."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    words = sys.argv[1:]
    if words[:1] == ["sheet"]:
        sheet.main(words[1:])
    elif words[:1] == ["scale"]:
        scale.main(words[1:])
    elif words[:1] == ["cluster"]:
        cluster.main(words[1:])
    elif words[:1] == ["paper"]:
        write_paper(words[1:])
    elif words[:1] == ["capacity"]:
        capacity(words[1:])
    else:
        bench(words)


def capacity(words: list[str]) -> None:
    """Measure, keep the figures, write the paper about them.

    Without names: what an interrupted run has left to do, or everything when nothing is.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks capacity")
    parser.add_argument("--part", action="append", default=[], help="only this one, even again")
    parser.add_argument("--quick", action="store_true", help="small numbers, for a look at build/")
    parser.add_argument("--out", type=Path, help="the JSON file; the paper goes beside it")
    asked = parser.parse_args(words)
    out = asked.out or (LOOK if asked.quick else DOCS) / FIGURES
    out.parent.mkdir(parents=True, exist_ok=True)
    kept = figures.read(out) if asked.quick else figures.of_here(figures.read(out))
    wanted = run.chosen(asked.part, quick=asked.quick)
    if not asked.part:
        missing = [name for name in wanted if name not in kept]
        kept, wanted = (kept, missing) if missing else ({}, wanted)
    found = run.run(
        wanted, QUICK if asked.quick else FULL, kept, lambda parts: figures.write(parts, out)
    )
    run.print_all({name: found[name] for name in wanted if name in found})
    paper.write(found, out.with_name(PAPER))
    if absent := [name for name in wanted if name not in found]:
        sys.exit(f"not measured: {', '.join(absent)}")


def write_paper(words: list[str]) -> None:
    """Write the paper about a file of figures, beside it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks paper")
    parser.add_argument("file", type=Path, nargs="?", default=DOCS / FIGURES)
    asked = parser.parse_args(words)
    paper.write(figures.read(asked.file), asked.file.with_name(PAPER))


def bench(words: list[str]) -> None:
    """Measure the most important parts with small numbers, in less than three minutes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", default=BENCH, help="others than usual")
    parser.add_argument("--out", type=Path, help="keep the figures as JSON")
    asked = parser.parse_args(words)
    wanted = run.chosen(asked.parts, quick=True)
    found = run.run(wanted, QUICK, {}, lambda _: None)
    run.print_all(found)
    if asked.out:
        figures.write(found, asked.out)
    if len(found) < len(wanted):
        sys.exit(1)


if __name__ == "__main__":
    main()
