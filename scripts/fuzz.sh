#!/bin/sh
# Runs every fuzz target of the module, one after the other: fuzz.sh [TIME]
set -eu
time=${1:-20s}
seen=
for dir in $(go list -buildvcs=false -f '{{.Dir}}' ./...); do
    for name in $(cat "$dir"/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(f \*testing\.F).*/\1/p'); do
        seen=yes
        echo "fuzz: $dir $name"
        go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "$dir"
    done
done
[ -n "$seen" ] || { echo "fuzz: no fuzz targets found" >&2; exit 1; }
