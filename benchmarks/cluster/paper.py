"""`docs/grappe.md`, written from what was measured on the cluster."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import Parts


def write(parts: Parts, path: Path) -> None:
    """Write the paper."""
    path.write_text("\n".join(parts), encoding="utf-8")
