#!/bin/sh
# Makes the secrets that docker-compose.yml names, in ./secrets or the folder given, and leaves
# those that exist. The folder is closed to others; the files in it are readable, because a
# container's user is not the one who made them.
set -eu
dir=${1:-secrets}
mkdir -p "$dir"
chmod 700 "$dir"
echo '*' >"$dir/.gitignore"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
make_secret() {
    [ -s "$dir/$1" ] || { printf '%s' "$2" >"$dir/$1"; chmod 644 "$dir/$1"; echo "made $dir/$1"; }
}

make_secret postgres_password "$(random)"
make_secret database_url "postgres://evens:$(cat "$dir/postgres_password")@postgres:5432/evens?sslmode=disable"
make_secret cashier_secret "$(random)"
# Parts of paths: BeT's results and BetronTech's calls carry no signature.
make_secret bet_result_secret "$(random)"
make_secret betron_path_secret "$(random)"
