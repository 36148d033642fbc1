#!/usr/bin/env bash
# Runs every fuzz target at the same time, from the seeds and what earlier runs found. An input that breaks one is printed, and
# fails the run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage="usage: tests/fuzz.sh <directory for corpora and logs> <build directory> <seconds>"
directory=${1:?$usage}
build=${2:?$usage}
seconds=${3:?$usage}
targets=(bundle manifest checkpoint token)

# Without a sanitizer the stable compiler will do: what is fuzzed has no unsafe code.
cargo fuzz build --fuzz-dir tests/fuzz --sanitizer none --target-dir "$build"
host=$(rustc -vV | sed -n 's/^host: //p')
declare -A runs
for target in "${targets[@]}"; do
    mkdir -p "$directory/corpus/$target" "$directory/seeds/$target" "$directory/found/$target"
    "$build/$host/release/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$directory/found/$target/" "$directory/corpus/$target" "$directory/seeds/$target" \
        >"$directory/$target.log" 2>&1 &
    runs[$target]=$!
done

failed=0
for target in "${targets[@]}"; do
    if wait "${runs[$target]}"; then
        executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$directory/$target.log")
        covered=$(grep -o 'cov: [0-9]*' "$directory/$target.log" | tail -1)
        echo "$target: ok, $executions executions in $seconds s, ${covered:-cov: ?}"
    else
        failed=1
        echo "$target: FAILED; the end of $directory/$target.log:"
        tail -40 "$directory/$target.log"
        for found in "$directory/found/$target"/*; do
            [ -f "$found" ] || continue
            echo "$found, which breaks it:"
            base64 "$found" | head -100
        done
    fi
done
exit "$failed"
