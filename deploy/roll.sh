#!/bin/sh
# sh deploy/roll.sh: replace both sites by the image that was just built, one after the other, without an error.
# nginx sends nothing to a site that is about to stop: what waits in a closing socket would be lost.
set -eu
cd "$(dirname "$0")/.."

# Written in place: a new file would not be the one that the container has mounted.
tell() { new=$(sed "s/server $1:8000 max_fails=0$2;/server $1:8000 max_fails=0$3;/" deploy/nginx.conf) && printf '%s\n' "$new" > deploy/nginx.conf && docker compose exec -T proxy nginx -c /etc/nginx/credisense.conf -s reload; }

docker compose run --rm migrate
for web in web web2; do
    tell "$web" "" " down"
    sleep 5
    docker compose up --detach --no-deps --wait "$web" || { echo "$web does not start: the other one answers alone"; exit 1; }
    tell "$web" " down" ""
    sleep 2
done
docker compose up --detach --no-deps worker beat
