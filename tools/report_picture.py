#!/usr/bin/env python3
"""Make the picture of docs/charge.md from the report of a real load test.

.venv/bin/killer loadtest && .venv/bin/python tools/report_picture.py loadtest-*/report.html
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from browser.conftest import FLAGS  # noqa: E402  # the tests' own stage

PICTURE = ROOT / "docs" / "images" / "charge.png"
SIZE = {"width": 1100, "height": 1000}


def main() -> None:
    """Photograph the answer and the first lines of the verdict."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(Path(sys.argv[1]).resolve().as_uri())
        page.screenshot(path=str(PICTURE))
        browser.close()


if __name__ == "__main__":
    main()
