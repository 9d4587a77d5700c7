#!/bin/bash
# Builds the container image as reconciler:VERSION, by the first of docker, podman and buildah that works here.
#
#   docs/image.sh [--local-base] [-- ARGUMENT...]     ARGUMENTs go to the builder's build command as they are
#
# BASE=IMAGE   another base image than the Dockerfile's (Debian-based, with python3 and its venv module)
# --local-base make a base with debootstrap (as root) where no registry can be reached; it gets no security
#              updates, so it proves the build and is not for production. SUITE=bookworm, MIRROR=debootstrap's own
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

fail() {
    echo "$1" >&2
    exit 1
}

# Prints the tag of the base that it made.
local_base() {
    local suite=${SUITE:-bookworm} tag folder
    tag=localhost/reconciler-base:$suite
    command -v debootstrap >/dev/null || fail "--local-base needs debootstrap; install it, or name an image by BASE."
    ((EUID == 0)) || fail "--local-base needs root, as debootstrap does; name an image by BASE instead."
    folder=$(mktemp -d)
    # The folder is named now: the trap runs when the local name is gone.
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$folder" \
        ${MIRROR:+"$MIRROR"} >&2
    chmod 755 "$folder" # mktemp's mode would be that of / in the image
    rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
    if [[ $builder == buildah ]]; then
        local container
        container=$(buildah from scratch)
        buildah add --quiet "$container" "$folder" / >&2
        buildah commit --quiet --rm "$container" "$tag" >&2
    else
        tar --numeric-owner -C "$folder" -c . | "$builder" import - "$tag" >&2
    fi
    echo "$tag"
}

with_local_base=
while (($#)); do
    case $1 in
        --local-base) with_local_base=yes ;;
        --) shift && break ;;
        *) fail "unknown argument $1; write docs/image.sh [--local-base] [-- ARGUMENT...]" ;;
    esac
    shift
done

builder=
for tool in docker podman buildah; do
    if "$tool" info >/dev/null 2>&1; then
        builder=$tool
        break
    fi
done
[[ -n $builder ]] || fail "No container builder works here: 'docker info', 'podman info' and 'buildah info' all fail."

[[ -z $with_local_base ]] || BASE=$(local_base)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
arguments=(--tag "reconciler:$version" --label "org.opencontainers.image.version=$version")
revision=$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null) \
    && arguments+=(--label "org.opencontainers.image.revision=$revision")
[[ -z ${BASE:-} ]] || arguments+=(--build-arg "BASE=$BASE")
# The OCI format has no health check, and these two write it unless told not to.
[[ $builder == docker ]] || arguments+=(--format docker)

"$builder" build "${arguments[@]}" "$@" .
echo "built reconciler:$version with $builder"
