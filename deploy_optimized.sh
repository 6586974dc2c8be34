#!/bin/sh
# The game on a rented machine, with one command: ./deploy_optimized.sh root@HOST --domain killer.example.org
cd "$(dirname "$0")" && make --no-print-directory install && exec .venv/bin/killer deploy "$@"
