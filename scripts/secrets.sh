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

older=
# Where there was one role, its address becomes the owner's, and processes get a role of their own.
if [ ! -s "$dir/database_owner_url" ] && grep -qs '^postgres://evens:' "$dir/database_url"; then
    mv "$dir/database_url" "$dir/database_owner_url"
    echo "moved $dir/database_url to $dir/database_owner_url"
    older=yes
fi
make_secret postgres_password "$(random)"
make_secret database_owner_url "postgres://evens:$(cat "$dir/postgres_password")@postgres:5432/evens?sslmode=disable"
make_secret database_url "postgres://evens_app:$(random)@postgres:5432/evens?sslmode=disable"
make_secret redis_password "$(random)"
make_secret redis_url "redis://default:$(cat "$dir/redis_password")@redis:6379/0"
make_secret cashier_secret "$(random)"
make_secret metrics_token "$(random)"
# Path secrets are part of the addresses that providers know: BeT was given one with each coupon, BetronTech has one on
# file. A new one in an older installation would make the results of open coupons go nowhere. So they stay empty there
# until its operator has told the provider; such an installation needs an allow-list until then.
for name in bet_result_secret betron_path_secret; do
    if [ -n "$older" ]; then
        [ -e "$dir/$name" ] || { : >"$dir/$name"; chmod 644 "$dir/$name"; echo "left $dir/$name empty: see docs/security.md"; }
    else
        [ -e "$dir/$name" ] || make_secret "$name" "$(random)"
    fi
done

# What a provider gives: empty until you put it in.
for name in bet_password betao_api_key betao_secret_key betron_agent_token betron_secret_key tg_key tg_secret_key naga_api_key; do
    [ -e "$dir/$name" ] || { : >"$dir/$name"; chmod 644 "$dir/$name"; }
done
