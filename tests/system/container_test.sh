#!/usr/bin/env bash
# The image builds from Debian packages alone; its containers run with a read-only root, no rights and
# no network, as uid 10001; a page published in one is an alert in the history of another; and both
# daemons stop cleanly.
#
# No engine and no registry are needed: mmdebstrap makes a stand-in for debian:bookworm-slim, buildah
# builds, podman with runc runs, all in a folder of its own that is gone afterwards.
# Skipped (77) where a tool is missing. Takes one to three minutes.
set -euo pipefail

readonly SOURCE=${TOCSIN_SOURCE:?}
readonly LIMIT_S=280 # below ctest's limit, so that the clean-up still happens

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
step() { printf '%4d s  %s\n' "$SECONDS" "$*"; }

[ "$(id -u)" = 0 ] || skip "needs root"
for tool in mmdebstrap buildah podman runc conmon; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
done
[ -d /usr/share/mmdebstrap/hooks/merged-usr ] || skip "mmdebstrap is too old"

# Starts itself again under a time limit; `timeout` passes the signal on, and the trap below cleans up.
if [ -z "${CONTAINER_TEST_LIMITED:-}" ]; then
    CONTAINER_TEST_LIMITED=1 exec timeout --preserve-status --kill-after=15 "$LIMIT_S" "$0"
fi

work=$(mktemp -d /var/tmp/tocsin-container.XXXXXX)

clean_up() {
    podman rm --all --force --time 1 >/dev/null 2>&1 || true
    buildah rm --all >/dev/null 2>&1 || true
    podman volume rm --all --force >/dev/null 2>&1 || true
    podman rmi --all --force >/dev/null 2>&1 || true
    umount "$work/storage/overlay" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

# A machine that is too slow for the build proves nothing; one that hangs later does.
built=
too_late() {
    [ -n "$built" ] || skip "the image was not built within $LIMIT_S s"
    fail "did not end within $LIMIT_S s"
}
trap too_late INT TERM

# Storage, settings and temporary files of our own: nothing that is already here is touched.
export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf
export TMPDIR=$work BUILDAH_FORMAT=docker DISABLE_HC_SYSTEMD=true
cat >"$CONTAINERS_STORAGE_CONF" <<END
[storage]
driver = "overlay"
graphroot = "$work/storage"
runroot = "$work/run"
END
# The default limits ask for more files than root may have in some sandboxes.
cat >"$CONTAINERS_CONF" <<END
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$work/libpod"
volume_path = "$work/volumes"
END

# What debian:bookworm-slim holds, from this machine's own package source.
make_base() {
    apt-get indextargets --format "deb \$(REPO_URI) \$(RELEASE) \$(COMPONENT) \$(ORIGIN)" \
        'Created-By: Packages' |
        awk '$5 == "Debian" && $3 ~ /^bookworm/ { print $1, $2, $3, $4 }' | sort -u >"$work/sources"
    [ -s "$work/sources" ] || skip "no package source for bookworm"
    mmdebstrap --quiet --variant=minbase --include=usr-is-merged \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        bookworm "$work/base.tar" - <"$work/sources" >"$work/base.log" 2>&1 ||
        skip "the base image cannot be made here: $(tail -n 1 "$work/base.log")"
    podman import --quiet "$work/base.tar" docker.io/library/debian:bookworm-slim >/dev/null
    rm "$work/base.tar"
}

build_image() {
    buildah bud --quiet --pull-never --isolation chroot --network host \
        -f "$SOURCE/docker/Dockerfile" --ignorefile "$SOURCE/docker/Dockerfile.dockerignore" \
        -t tocsin "$SOURCE" >"$work/build.log" 2>&1 || {
        tail -n 40 "$work/build.log" >&2
        fail "the image does not build"
    }
}

# Runs a container as docker/compose.yaml does, but without a network.
run() {
    podman run --network none --read-only --read-only-tmpfs=false --cap-drop=all \
        --security-opt no-new-privileges --memory 256m --pids-limit 64 \
        -v tocsin-state:/var/lib/tocsin "$@"
}

# Waits for the image's own health check, at most 20 seconds.
healthy() {
    for _ in $(seq 100); do
        podman healthcheck run "$1" >/dev/null 2>&1 && return
        sleep 0.2
    done
    podman logs "$1" >&2
    fail "$1 does not become healthy"
}

stops_cleanly() {
    podman stop --time 10 "$1" >/dev/null
    [ "$(podman inspect --format '{{.State.ExitCode}}' "$1")" = 0 ] || {
        podman logs "$1" >&2
        fail "$1 did not end with status 0"
    }
}

make_base
step "a stand-in for debian:bookworm-slim"
build_image
built=yes
step "the image, $(podman image inspect --format '{{.Size}}' tocsin | awk '{ printf "%d MB", $1 / 1e6 }')"

run --detach --name broker tocsin broker >/dev/null
run --detach --name watcher tocsin watcher >/dev/null
healthy broker
healthy watcher
step "broker and watcher are healthy"

[ "$(podman exec watcher id -u)" = 10001 ] || fail "does not run as uid 10001"
if podman exec --user 0 watcher touch /etc/written 2>/dev/null; then
    fail "the root file system can be written"
fi

podman exec watcher sh -c 'tocsin publish /usr/share/tocsin/samples/*.txt' || fail "publish"
found=0
for _ in $(seq 50); do
    run --rm tocsin history --json --topic china-ai >"$work/history" || true # 1: none yet
    found=$(grep -c '"subject":"china-ai/ai-travel-advice/high/"' "$work/history" || true)
    [ "$found" -ge 5 ] && break
    sleep 0.2
done
[ "$found" -ge 5 ] || fail "$found of 5 alerts in the history"
step "$found alerts in the history, read from a third container"

stops_cleanly watcher
stops_cleanly broker
podman start broker >/dev/null
again=0
for _ in $(seq 50); do
    again=$(run --rm tocsin history --json --topic china-ai 2>/dev/null |
        grep -c '"subject":"china-ai/ai-travel-advice/high/"' || true)
    [ "$again" = "$found" ] && break
    sleep 0.2
done
[ "$again" = "$found" ] || fail "after a restart the history has $again alerts, not $found"
stops_cleanly broker
step "both stop with status 0, and the history is there after a restart"
