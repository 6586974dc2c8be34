#!/bin/sh
# Install the Debian programs that only the tests need, when whoever runs this may; else say what is
# left out. Nothing is asked of apt when all are there. No service is started: the tests start their own.
set -eu
suite=${1-} # `deploy`: also what a real server to deploy to needs

# program, Debian package, what it is for
programs() {
	cat <<'LIST'
chromium chromium the pages, as a phone shows them
nginx nginx the site in front of several workers
redis-server redis-server the bell and the sessions between nodes
postgres postgresql the store on PostgreSQL
wrk wrk the cost of one request
sftp-server openssh-sftp-server the copy of a backup on another host
nft nftables the rules of the firewall
logrotate logrotate the rotation of the logs
LIST
	[ "$suite" != deploy ] || cat <<'LIST'
debootstrap debootstrap the system of a rented server
systemd-nspawn systemd-container that server itself
slirp4netns slirp4netns its way to the registries
ssh openssh-client the line to it
ip iproute2 its network
LIST
}

# Debian keeps the servers of PostgreSQL and of sftp outside the PATH, and /usr/sbin is not in everybody's.
there() {
	PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null && return
	case $1 in
	postgres) ls /usr/lib/postgresql/*/bin/postgres ;;
	sftp-server) ls /usr/lib/openssh/sftp-server ;;
	*) false ;;
	esac >/dev/null 2>&1
}

missing() {
	programs | while read -r program package purpose; do
		there "$program" || echo "$package ($purpose)"
	done
}

say_left_out() {
	echo "Not installed, so the tests that need them are left out:"
	missing | sed 's/^/  /'
	echo "$1"
}

absent=$(missing | cut -d' ' -f1 | tr '\n' ' ')
[ -n "$absent" ] || exit 0

if ! command -v apt-get >/dev/null; then
	say_left_out "This system has no apt-get: install them with its own packages to run everything."
	exit 0
elif [ "$(id -u)" = 0 ]; then
	as_root=""
elif sudo -n true 2>/dev/null; then
	as_root="sudo -n"
else
	say_left_out "As root, apt-get install --no-install-recommends $absent brings them."
	exit 0
fi

# A policy that forbids every start, for as long as apt works; the machine's own comes back after.
policy=/usr/sbin/policy-rc.d
kept=$(mktemp -d)
[ ! -e $policy ] || $as_root cp -a $policy "$kept/policy"
restore() {
	$as_root rm -f $policy
	[ ! -e "$kept/policy" ] || $as_root mv "$kept/policy" $policy
	rm -rf "$kept"
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
$as_root chmod 755 $policy

install_all() {
	# shellcheck disable=SC2086 # a list of names
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o DPkg::Lock::Timeout=300 $absent
}

echo "Installing for the tests: $absent"
log="$kept/apt.log"
if ! { install_all || { $as_root apt-get update -qq && install_all; }; } >"$log" 2>&1 </dev/null; then
	tail -n 15 "$log"
	say_left_out "apt-get failed, see above: check that this machine reaches its Debian mirror."
fi

# They would start at the next boot; whoever wants them as services enables them.
if [ -d /run/systemd/system ]; then
	for unit in $absent; do
		$as_root systemctl disable -q "$unit" >/dev/null 2>&1 || true
	done
fi
