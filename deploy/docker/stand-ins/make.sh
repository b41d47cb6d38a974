#!/usr/bin/env bash
# Images under the names of the official ones, for a machine that has a container engine and reaches no registry of images: Debian, Rust
# and Node.js, on which ours are built, and Kafka, the schema registry and ClickHouse, as the local stack fetches them. What is missing
# is made; what is there stays. `./dev containers` uses them and says so.
#
# They are as near as it goes. Kafka: the jars of the release, configured by the class that the official image is configured by. Apicurio
# Registry: its own archive. ClickHouse: the engine as a library (deploy/local/clickhouse), with users.d, without clickhouse-client.
set -euo pipefail

# shellcheck source=deploy/local/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../local/stack.sh"

image_is_there() { docker image inspect "$1" >/dev/null 2>&1; }

# Debian from its packages. The certificates are those of this machine, which may have to trust a proxy.
make_debian() { # IMAGE
  local root
  command -v debootstrap >/dev/null || ((EUID)) || apt-get install --yes debootstrap >/dev/null
  need_command debootstrap debootstrap "an image of Debian"
  root=$(mktemp -d)
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root/root" "$(debian_mirror)" >"$root/log" ||
    { tail -n 5 "$root/log" >&2 && return 1; }
  rm -rf "$root"/root/var/cache/apt/archives/*.deb
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/root/etc/ssl/certs/ca-certificates.crt"
  tar -C "$root/root" -c . | docker import --change 'CMD ["bash"]' - "$1" >/dev/null
  rm -rf "$root"
}

# Where this machine has its own packages from.
debian_mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sed -nE 's/^(URIs:|deb) +([^ ]+\/debian)( .*)?$/\2/p' | head -n 1
}

# The steps are in NAME.Dockerfile; its files are those of this directory and what is named of another one.
build() { # NAME IMAGE [DIRECTORY PATH...]
  tar -c -C "$repo/deploy/docker/stand-ins" . ${3:+-C "$3"} "${@:4}" |
    DOCKER_BUILDKIT=1 docker build --quiet --network=host --tag "$2" --file "$1.Dockerfile" - >/dev/null || {
    # If tar has missed a file, the engine has an image without it, which the next run would take for a whole one.
    docker image rm --force "$2" >/dev/null 2>&1
    return 1
  }
}

make_rust() { build rust "$1" "$(rustc --print sysroot)" bin lib; }
make_node() { build node "$1"; }
make_kafka() { build kafka "$1" "$(part_home kafka)" lib; }
make_registry() { build registry "$1" "$(part_home registry)" .; }
make_clickhouse() { build clickhouse "$1" "$(part_home clickhouse)" clickhouse libchdb.so; }

make_images() { # NAME=IMAGE...
  local pair
  stack_install
  for pair in "$@"; do
    image_is_there "${pair#*=}" && continue
    say "making a stand-in for ${pair#*=}"
    "make_${pair%%=*}" "${pair#*=}"
  done
}

make_images debian=debian:bookworm-slim "$@"
