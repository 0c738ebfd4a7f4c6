# What the one-off task of `reach stage-agent --to efs` runs: `sh -c <this> sh ACTION DIRECTORY ...`. POSIX sh.
#
#   stage DIRECTORY ID COPIED MACHINE VERSION SWITCH   COPIED: the directory with the agent that another container copied
#   switch DIRECTORY ID VERSION
#   list DIRECTORY ID
#
# DIRECTORY is what tasks mount. It holds versions/<version>/sockerless-agent for each version, and sockerless-agent, a
# link to the one in use. A version is never written again, so a process that runs it keeps it. rename(2) replaces
# the link, so a start meets the old version or the new one. ID is of this run: two of them do not meet in a file.
# MACHINE is ELF's number of the processor; with - any file will do. VERSION - is the beginning of the file's SHA-256,
# SWITCH - leaves the link as it is.
#
# Its report is the lines that begin with `sockerless-stage`; the last one is `sockerless-stage end`. Its exit codes
# are those of reach/staging/faults.py.

set -eu
umask 022
action=$1 directory=$2 id=$3
name=sockerless-agent
current=$directory/$name

fail() {
    echo "stage.sh: $2" >&2
    exit "$1"
}

report() {
    echo "sockerless-stage $*"
}

for tool in chmod cp ln mkdir mv od readlink rm sha256sum stat; do
    command -v "$tool" >/dev/null || fail 49 "this image has no $tool"
done
trap 'rm -f "$directory/.$id" "$directory/versions/"*"/.$id"' EXIT
trap 'exit 143' TERM INT

sha_of() {
    set -- $(sha256sum <"$1")
    echo "$1"
}

short() {
    echo "${1%"${1#????????????}"}"
}

# number OFFSET BYTES: the unsigned number there. One that no file is as long as becomes a million gigabytes.
number() {
    set -- $(od -An -v -t "u$2" -j "$1" -N "$2" "$file" 2>/dev/null)
    value=${1:--1}
    [ "${#value}" -lt 16 ] || value=999999999999999
    echo "$value"
}

check() {
    file=$1 machine=$2
    size=$(stat -c %s "$file")
    set -- $(od -An -v -t x1 -N 6 "$file")
    [ "$size" -ge 64 ] && [ "$*" = "7f 45 4c 46 02 01" ] || fail 41 "this is no 64-bit ELF file"
    found=$(number 18 2)
    [ "$found" -eq "$machine" ] || fail 42 "this is for the processor $found of ELF, not $machine"
    segments=$(number 56 2)
    case $(number 16 2) in 2 | 3) ;; *) fail 43 "this is no executable" ;; esac
    [ "$(number 24 8)" != 0 ] || fail 43 "this has no entry point"
    [ "$segments" -gt 0 ] && [ "$segments" -le 64 ] || fail 43 "this has $segments segments"
    at=$(number 32 8) step=$(number 54 2)
    while [ "$segments" -gt 0 ]; do
        [ $((at + 56)) -le "$size" ] || fail 45 "this ends before the headers of its segments do"
        [ "$(number "$at" 4)" -ne 3 ] || fail 44 "this is linked dynamically"
        [ $(($(number $((at + 8)) 8) + $(number $((at + 32)) 8))) -le "$size" ] || fail 45 "this ends before its segments do"
        at=$((at + step)) segments=$((segments - 1))
    done
}

# keep FILE VERSION: the file as this version. A version that is there must be the same file.
keep() {
    kept=$directory/versions/$2/$name
    if [ -e "$kept" ]; then
        [ "$(sha_of "$kept")" = "$sha" ] || fail 46 "the version $2 is another binary"
        report staged "$2" "$sha" same
        return
    fi
    mkdir -p "$directory/versions/$2"
    cp "$1" "$directory/versions/$2/.$id"
    chmod 0755 "$directory/versions/$2/.$id"
    [ "$(sha_of "$directory/versions/$2/.$id")" = "$sha" ] || fail 48 "the copy differs from the file"
    mv "$directory/versions/$2/.$id" "$kept"
    report staged "$2" "$sha" new
}

# A file where the link belongs was put there by hand. As a version it stays, for processes that run it.
adopt() {
    [ -f "$current" ] && [ ! -L "$current" ] || return 0
    found=$(short "$(sha_of "$current")")
    [ ! -e "$directory/versions/$found" ] || found=$found-by-hand
    mkdir -p "$directory/versions/$found"
    ln "$current" "$directory/versions/$found/$name"
}

switch() {
    [ "$(readlink "$current" || :)" != "versions/$1/$name" ] || return 0
    ln -s "versions/$1/$name" "$directory/.$id"
    mv -f "$directory/.$id" "$current"
}

# version_in versions/<version>/sockerless-agent
version_in() {
    set -- "${1#versions/}"
    echo "${1%/*}"
}

# The version in use. One that was put there by hand has no name, but its SHA-256.
used() {
    if [ -L "$current" ]; then
        version_in "$(readlink "$current")"
    elif [ -e "$current" ]; then
        short "$(sha_of "$current")"
    fi
}

list() {
    for kept in "$directory"/versions/*/"$name"; do
        [ ! -e "$kept" ] || report version "$(version_in "${kept#"$directory"/}")" $(stat -c "%s %Y" "$kept")
    done
    report current $(used)
}

report before $(used)
case $action in
    stage)
        copied=$4/$name machine=$5 version=$6 switched=$7
        [ -f "$copied" ] || fail 40 "there is no file $copied"
        [ "$machine" = - ] || check "$copied" "$machine"
        sha=$(sha_of "$copied")
        [ "$version" != - ] || version=$(short "$sha")
        [ "$switched" = - ] || adopt
        keep "$copied" "$version"
        [ "$switched" = - ] || switch "$version"
        ;;
    switch)
        [ -e "$directory/versions/$4/$name" ] || fail 47 "there is no version $4"
        adopt
        switch "$4"
        ;;
    list) ;;
esac
list
report end
