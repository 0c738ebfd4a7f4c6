#!/bin/sh
# Gives this machine a container engine for a while, from Debian's packages: no registry is asked.
#
#   local/docker/engine.sh start    leaves an engine alone that answers; else installs docker.io where it is missing,
#                                   and starts dockerd
#   local/docker/engine.sh stop     ends the dockerd that `start` has started, and no other
#
# Installing and starting need root. Exit code 69 (EX_UNAVAILABLE of sysexits.h): this machine can have no engine,
# for the reason on stderr. The engine's log and process id are in .local/docker/, or in the directory ENGINE_STATE.
set -eu

local=$(cd "$(dirname "$0")/../.." && pwd)/.local
here=${ENGINE_STATE:-$local/docker}
log=$here/dockerd.log
note=$here/dockerd.pid
patience=60

unavailable() {
    echo "No container engine: $1" >&2
    exit 69
}

answers() {
    docker version >/dev/null 2>&1
}

# The dockerd that was started here still runs; process ids are used again, so its name is looked at too.
ours() {
    [ -f "$note" ] && [ "$(cat "/proc/$(cat "$note")/comm" 2>/dev/null)" = dockerd ]
}

install_packages() {
    command -v apt-get >/dev/null || unavailable "there is no dockerd, and no apt-get to install it with."
    [ "$(id -u)" = 0 ] || unavailable "there is no dockerd, and installing it needs root: sudo $0 start"
    echo "Installing docker.io ..."
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes docker.io; } \
        </dev/null >"$here/apt.log" 2>&1 || {
        tail -n 20 "$here/apt.log" >&2
        unavailable "apt-get could not install it."
    }
}

start() {
    if answers; then
        echo "A container engine answers already; it is left alone."
        return
    fi
    ! docker version 2>&1 | grep -qi "permission denied" ||
        unavailable "there is one, but this user may not use it: sudo $0 start, or join the group docker."
    mkdir -p "$here"
    # With sudo, the directory stays the caller's: the local cloud works in it too.
    [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:${SUDO_GID:-}" "$local" "$here"
    command -v dockerd >/dev/null && command -v docker >/dev/null || install_packages
    if answers; then
        echo "The package has started a container engine."
        return
    fi
    [ "$(id -u)" = 0 ] || unavailable "dockerd is not running, and starting it needs root: sudo $0 start"
    setsid dockerd >"$log" 2>&1 </dev/null &
    echo $! >"$note"
    waited=0
    until answers; do
        kill -0 "$(cat "$note")" 2>/dev/null && [ "$waited" -lt $((patience * 5)) ] || {
            stop
            tail -n 20 "$log" >&2
            unavailable "dockerd did not start; the end of its log is above."
        }
        sleep 0.2
        waited=$((waited + 1))
    done
    echo "dockerd runs; its log is $log"
}

stop() {
    if ours; then
        pid=$(cat "$note")
        kill "$pid"
        while ours; do sleep 0.2; done
        echo "dockerd is stopped."
    fi
    rm -f "$note"
}

case "${1:-}" in
start) start ;;
stop) stop ;;
*)
    sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0" >&2
    exit 64
    ;;
esac
