"""A `killer serve` whose answers are late as soon as a file `slow` lies in its working folder.

It is a program to be run, and the configuration that gunicorn reads of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    from killer import serve
    from killer.__main__ import main

    serve.CONFIGURATION = Path(__file__)
    sys.argv = ["killer", "serve"]
    main()

from killer.ops.gunicorn import *  # noqa: F403  # everything as in production, but for these:

pythonpath = str(Path(__file__).parent.parent)
wsgi_app = "e2e.slow:create()"
