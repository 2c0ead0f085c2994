#!/bin/sh
# Makes sure that the programs Evens starts by itself are on this machine, and does nothing
# where they are:
#
#   setup.sh        PostgreSQL (15 or newer) and Redis (7 or newer)
#   setup.sh test   also a C compiler (race detector), Chromium (browser tests), pgbouncer, nginx (deploy/nginx.conf), and
#                   curl and jq (the tours of the documents)
#
# Debian and Ubuntu by apt, macOS by Homebrew. What is installed is not started, what runs is
# not stopped: Evens runs servers of its own.
set -eu

for_tests=
[ "${1:-}" = test ] && for_tests=yes

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# major PROGRAM: the major version it states, 0 if none.
major() {
    v=$("$1" --version 2>/dev/null | sed -n -e 's/.*PostgreSQL) \([0-9]*\).*/\1/p' -e 's/.* v=\([0-9]*\).*/\1/p')
    echo "${v:-0}"
}

# The same places as in internal/servers/binaries.go.
have_postgres() {
    for program in "$(command -v postgres || true)" /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres \
        /opt/homebrew/opt/postgresql*/bin/postgres /usr/local/opt/postgresql*/bin/postgres \
        /home/linuxbrew/.linuxbrew/opt/postgresql*/bin/postgres \
        /Applications/Postgres.app/Contents/Versions/*/bin/postgres /usr/local/pgsql/bin/postgres; do
        [ -x "$program" ] && [ "$(major "$program")" -ge 15 ] && return 0
    done
    return 1
}

have_redis() {
    for program in redis-server valkey-server; do
        have "$program" && [ "$(major "$program")" -ge 7 ] && return 0
    done
    return 1
}

have_compiler() { have "$(go env CC 2>/dev/null || echo gcc)"; }

have_browser() {
    for program in chromium chromium-browser google-chrome google-chrome-stable headless-shell \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        have "$program" && return 0
    done
    return 1
}

have_pooler() { have pgbouncer || [ -x /usr/sbin/pgbouncer ]; }
have_nginx() { have nginx || [ -x /usr/sbin/nginx ]; }
have_tools() { have curl && have jq; }

missing=
# Servers that are given need no programs here; tests of outages start some all the same.
if [ -n "$for_tests" ] || [ -z "${EVENS_DATABASE_URL:-}" ]; then have_postgres || missing="$missing postgres"; fi
if [ -n "$for_tests" ] || [ -z "${EVENS_REDIS_URL:-}" ]; then have_redis || missing="$missing redis"; fi
if [ -n "$for_tests" ]; then
    have_compiler || missing="$missing compiler"
    have_browser || missing="$missing browser"
    have_pooler || missing="$missing pooler"
    have_nginx || missing="$missing nginx"
    have_tools || missing="$missing tools"
fi
[ -z "$missing" ] && exit 0

wants() { case " $missing " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

no_redis() { say "warning: no Redis 7 or newer to be had: an in-process one will serve"; }
no_browser() { say "warning: no Chromium to be had: install chromium or google-chrome for the browser tests"; }
no_pooler() { say "warning: no pgbouncer to be had: its tests are skipped"; }

no_nginx() { say "warning: no nginx to be had: the tests of deploy/nginx.conf are skipped"; }
no_tools() { say "warning: no curl and jq to be had: the tours of the documents are skipped"; }

# do_without ends well if nothing is missing that Evens cannot do without.
do_without() {
    if wants postgres || wants compiler; then return 0; fi
    if wants redis; then no_redis; fi
    if wants browser; then no_browser; fi
    if wants pooler; then no_pooler; fi
    if wants nginx; then no_nginx; fi
    if wants tools; then no_tools; fi
    exit 0
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# candidate PACKAGE: the version apt would install, without its epoch; empty if none, or if the
# package only stands for a snap.
candidate() {
    LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9]*:\)\{0,1\}//p' | grep -v -e '(none)' -e snap || true
}

# at_least VERSION MAJOR
at_least() {
    v=${1%%[!0-9]*}
    [ "${v:-0}" -ge "$2" ]
}

# Packages' scripts start their services unless policy-rc.d says no. Where the machine has one
# of its own, that one decides.
apt_install() {
    output=$(mktemp)
    if apt_install_aloud "$@" >"$output" 2>&1; then rm -f "$output"; return 0; fi
    tail -n 40 "$output" >&2
    rm -f "$output"
    return 1
}

apt_install_aloud() {
    as_root sh -c '
        guard=/usr/sbin/policy-rc.d
        if [ ! -e $guard ]; then
            trap "rm -f $guard" EXIT
            trap "exit 1" HUP INT TERM
            printf "#!/bin/sh\nexit 101\n" >$guard
            chmod 755 $guard
        fi
        DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 NEEDRESTART_MODE=l \
            apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
    ' sh "$@" </dev/null
}

# A service that came along shall not start at the next boot either: it would take the usual
# ports, and nobody asked for it.
disable_service() {
    have systemctl && as_root systemctl disable --quiet "$1" >/dev/null 2>&1 || true
}

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed$'; }

setup_apt() {
    if [ "$(id -u)" != 0 ] && ! have sudo; then
        do_without
        fail "missing:$missing. Installing needs root or sudo; neither is at hand"
    fi
    # Ubuntu has Chromium as a snap only: no reason to ask the network each time.
    if [ "$missing" = " browser" ] && apt-cache show apt >/dev/null 2>&1 && [ -z "$(candidate chromium)" ] && ! have snap; then
        do_without
    fi
    if [ "$missing" = " pooler" ] && apt-cache show apt >/dev/null 2>&1 && [ -z "$(candidate pgbouncer)" ]; then
        do_without
    fi
    say "missing:$missing; installing with apt"
    as_root apt-get update -qq -o DPkg::Lock::Timeout=300 >&2 || say "apt-get update failed; trying with the lists at hand"
    if wants postgres; then
        # The highest version that this machine's package sources have.
        package=$(apt-cache pkgnames postgresql- | grep -E '^postgresql-[0-9]+$' | sort -t- -k2 -n | tail -n 1)
        at_least "${package#postgresql-}" 15 ||
            fail "this release has no PostgreSQL 15 or newer: add https://apt.postgresql.org, or set EVENS_DATABASE_URL"
        common=$(installed postgresql-common && echo was-here || true)
        apt_install "$package" || fail "could not install $package"
        [ -n "$common" ] || disable_service postgresql
    fi
    if wants redis; then
        package=
        for name in redis-server valkey-server; do
            # One that is installed and too old may be serving somebody: it stays as it is.
            if ! installed "$name" && at_least "$(candidate "$name")" 7; then package=$name; break; fi
        done
        if [ -n "$package" ] && apt_install "$package"; then
            disable_service "$package"
        else
            no_redis
        fi
    fi
    if wants compiler; then
        apt_install gcc libc6-dev || fail "could not install a C compiler, which the race detector needs"
    fi
    if wants browser; then
        if [ -n "$(candidate chromium)" ]; then
            apt_install chromium || no_browser
        elif have snap; then
            as_root snap install chromium >&2 || no_browser
        else
            no_browser
        fi
    fi
    if wants pooler; then
        if [ -n "$(candidate pgbouncer)" ] && apt_install pgbouncer; then
            disable_service pgbouncer
        else
            no_pooler
        fi
    fi
    if wants nginx; then
        # The smallest of Debian's; elsewhere the only one.
        package=nginx
        [ -n "$(candidate nginx-light)" ] && package=nginx-light
        if apt_install "$package"; then disable_service nginx; else no_nginx; fi
    fi
    if wants tools; then apt_install curl jq || no_tools; fi
}

setup_brew() {
    say "missing:$missing; installing with Homebrew"
    if wants postgres; then brew install --quiet postgresql@17 >&2 || fail "could not install postgresql@17"; fi
    if wants redis; then
        brew install --quiet redis >&2 || no_redis
    fi
    if wants compiler; then fail "no C compiler: run xcode-select --install"; fi
    if wants browser; then
        brew install --quiet --cask google-chrome >&2 || no_browser
    fi
    if wants pooler; then
        brew install --quiet pgbouncer >&2 || no_pooler
    fi
    if wants nginx; then brew install --quiet nginx >&2 || no_nginx; fi
    if wants tools; then brew install --quiet curl jq >&2 || no_tools; fi
}

# No test needs a pooler, a proxy or tools that there is no package of.
case "$missing" in
" pooler" | " nginx" | " pooler nginx" | " tools") if ! have apt-get && ! have brew; then do_without; fi ;;
esac
if have apt-get; then
    setup_apt
elif have brew; then
    setup_brew
else
    fail "missing:$missing. Neither apt nor Homebrew is here: install PostgreSQL 15+ and Redis 7+ by hand, or set EVENS_DATABASE_URL and EVENS_REDIS_URL"
fi
if wants postgres && ! have_postgres; then fail "PostgreSQL was installed and cannot be found"; fi
