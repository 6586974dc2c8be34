#!/bin/sh
# Written by `killer deploy`. The release that serves, as the server's own user and with its settings.
set -eu
[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"
python={{ current }}/.venv/bin/python
case "${1-}" in
deploy | restart | rollback | logs) exec "$python" -m killer "$@" ;; # they steer systemd: as root
esac
slot=$(readlink {{ live }} || echo 0.sock) # which of the two servers it may ask
slot=${slot##*/}
how=--pipe
[ ! -t 0 ] || [ ! -t 1 ] || how=--pty
exec systemd-run --quiet --wait --collect $how -p User={{ user }} -p Group={{ user }} \
	-p EnvironmentFile={{ environment }} -p WorkingDirectory={{ data }} -p UMask=0027 \
	-p LimitNOFILE=65535 -E PORT="808${slot%.sock}" -E KILLER_LANGUAGE="${KILLER_LANGUAGE-}" -E TERM="${TERM-dumb}" \
	-- "$python" -m killer "$@"
