#!/bin/sh
# Makes the base image of Docker mode, sockerless-local/debian:latest, from Debian's packages: no registry is asked.
#
#   local/docker/base_image.sh            makes it unless the engine has it
#   local/docker/base_image.sh --again    makes it anew
#
# Needs root (debootstrap makes device nodes and runs chroot), debootstrap, and a running engine: a minute, 155 MB.
# MIRROR names another mirror than Debian's, SUITE another release than stable.
set -eu

image=sockerless-local/debian:latest

if [ "${1:-}" != --again ] && docker image inspect "$image" >/dev/null 2>&1; then
    echo "$image is there already."
    exit 0
fi
command -v debootstrap >/dev/null || {
    echo "debootstrap is not installed. On Debian and Ubuntu: apt-get install debootstrap" >&2
    exit 1
}
[ "$(id -u)" = 0 ] || {
    echo "debootstrap needs root: sudo $0" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

echo "Making $image from Debian's packages ..."
# python3: the reference agent is a Python program.
debootstrap --variant=minbase --include=python3 "${SUITE:-stable}" "$work/rootfs" ${MIRROR:+"$MIRROR"} \
    >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    exit 1
}
rm -rf "$work"/rootfs/var/cache/apt/archives/*.deb "$work"/rootfs/var/lib/apt/lists/* "$work/rootfs/usr/share/doc"
before=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
tar -C "$work/rootfs" -c . | docker import --change 'CMD ["bash"]' - "$image" >/dev/null
# The one before has lost its name. Containers that still run keep it.
[ -z "$before" ] || docker image rm "$before" >/dev/null 2>&1 || echo "The image before, $before, is in use and stays."
echo "$image is made."
