#!/usr/bin/env bash
# Makes courierflow_VERSION_ARCHITECTURE.deb of programs that are built: a directory with all files of the package, then dpkg-deb. cargo-deb
# would take longer to build than the services, to do what these few lines do; it too asks dpkg-shlibdeps for the libraries.
#
#   deploy/debian/build.sh PROGRAMS OUT     PROGRAMS has ingest and processor; in OUT is then the package, beside both of them, stripped
#
# COURIERFLOW_DEB_COMPRESSION=none is for tests, which have no time for xz.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
services=(ingest processor)
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
root=$temporary/root

# With the same date, equal programs make equal packages.
if [[ -z ${SOURCE_DATE_EPOCH:-} ]]; then
  SOURCE_DATE_EPOCH=$(git -C "$repo" log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=$(stat -c %Y "$repo/Cargo.toml")
fi
export SOURCE_DATE_EPOCH

add() { install -D -m "$1" "$2" "$root/$3"; } # MODE FILE PATH

add_programs() {
  local program shells=$root/usr/share
  mkdir -p "$shells"/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
  for program in "${services[@]}"; do
    strip -o "$out/$program" "$programs/$program"
    add 755 "$out/$program" "usr/bin/$program"
    add 644 "$repo/deploy/systemd/courierflow-$program.service" "usr/lib/systemd/system/courierflow-$program.service"
    "$programs/$program" completions bash >"$shells/bash-completion/completions/$program"
    "$programs/$program" completions zsh >"$shells/zsh/vendor-completions/_$program"
    "$programs/$program" completions fish >"$shells/fish/vendor_completions.d/$program.fish"
  done
}

add_the_rest() {
  local documents=usr/share/doc/courierflow
  add 644 "$repo/deploy/systemd/sysusers.conf" usr/lib/sysusers.d/courierflow.conf
  add 644 "$repo/deploy/debian/courierflow.toml" etc/courierflow/courierflow.toml
  # Without the accounts of the local stack that take pushes of anybody.
  awk -v RS= '!/\nunsigned = "accept"/ {print separator $0; separator = "\n"}' "$repo/deploy/local/courierflow.toml" >"$temporary/example.toml"
  add 644 "$temporary/example.toml" $documents/examples/courierflow.toml
  add 644 "$repo/deploy/prometheus/alerts.yml" $documents/examples/alerts.yml
  add 644 "$repo/deploy/prometheus/alertmanager.yml" $documents/examples/alertmanager.yml
  add 644 "$repo/deploy/clickhouse/calendar-cn.csv" $documents/examples/calendar-cn.csv
  add 644 "$repo/LICENSE" $documents/copyright
  add 644 "$repo/CHANGELOG.md" $documents/CHANGELOG.md
  gzip -9n "$root/$documents/CHANGELOG.md"
}

# The packages of the libraries that the programs load, as a field of a control file.
depends() {
  mkdir "$temporary/debian"
  printf 'Source: courierflow\n\nPackage: courierflow\nArchitecture: any\n' >"$temporary/debian/control"
  (cd "$temporary" && dpkg-shlibdeps -O "${services[@]/#/root/usr/bin/}" 2>shlibdeps.log) ||
    { cat "$temporary/shlibdeps.log" >&2 && return 1; }
}

add_control() {
  local libraries script
  libraries=$(depends)
  mkdir "$root/DEBIAN"
  cat >"$root/DEBIAN/control" <<TEXT
Package: courierflow
Version: $version
Architecture: $architecture
Maintainer: ${DEBFULLNAME:-The courierflow authors} <${DEBEMAIL:-nobody@courierflow.invalid}>
Depends: ${libraries#*=}, systemd | systemd-standalone-sysusers
Recommends: ca-certificates
Section: net
Priority: optional
Installed-Size: $(du -sk --apparent-size "$root" | cut -f 1)
Description: courier-tracking pushes to parcels' states, transit times and service levels
 ingest receives the pushes of courier-tracking vendors and stores them in Kafka; processor derives from them every state transition of
 each parcel and writes it to Kafka topics and ClickHouse tables. Needs Kafka, a schema registry and ClickHouse.
TEXT
  echo /etc/courierflow/courierflow.toml >"$root/DEBIAN/conffiles"
  for script in postinst prerm postrm; do add 755 "$repo/deploy/debian/$script" DEBIAN/$script; done
  (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
}

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$repo/Cargo.toml")
architecture=$(dpkg --print-architecture)
umask 022
mkdir "$root"
chmod 755 "$root"
add_programs
add_the_rest
add_control
dpkg-deb --root-owner-group -Z"${COURIERFLOW_DEB_COMPRESSION:-xz}" --build "$root" "$out/courierflow_${version}_$architecture.deb"
