#!/bin/sh
# Runs govulncheck, the program given. Its database is on the network: where that cannot be reached it says so and
# fails nothing.
set -eu
output=$("$1" ./... 2>&1) && { echo "govulncheck: nothing known"; exit 0; }
case $output in
*vuln.go.dev*dial*|*"no such host"*|*"connection refused"*|*"i/o timeout"*|*"fetching vulnerabilities"*)
    echo "govulncheck: its database cannot be reached from here, so known vulnerabilities were not looked for"
    exit 0 ;;
esac
printf '%s\n' "$output"
exit 1
