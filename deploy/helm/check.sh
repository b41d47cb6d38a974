#!/usr/bin/env bash
# Judges the chart: helm lint, its own schema of values, and the objects that it makes against Kubernetes' schemas. It needs Go and no
# cluster. Not part of `./dev test`, because building helm takes longer than the fast half of the tests.
set -euo pipefail

# shellcheck source=deploy/local/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/../local/settings.sh"

chart=$repo/deploy/helm/courierflow
tools=(helm.sh/helm/v3/cmd/helm@v3.19.5 github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0)
# The oldest that the chart accepts, and the newest that there are schemas of.
kubernetes=(1.27.0 1.37.0)
everything=subscribe.enabled=true,reconcile.enabled=true,ingest.subscriptions.enabled=true
everything+=,monitoring.serviceMonitor.enabled=true,monitoring.prometheusRule.enabled=true,sink.replicas=2,subscribe.replicas=2
# Values that the schema must refuse.
wrong=(ingest.replica=2 derive.replicas=0 derive.workers=two image.pullPolicy=Sometimes secrets.ingest= networkPolicy.pushes=all)

install_tools() {
  local tool digest
  digest=$(printf '%s\n' "${tools[@]}" | sha256sum)
  bin=$COURIERFLOW_CACHE_DIR/go-${digest:0:8}
  for tool in "${tools[@]}"; do
    tool=${tool%@*}
    [[ ! -x $bin/${tool##*/} ]] || continue
    command -v go >/dev/null || fail "go is missing: the chart's tools are built with it"
    say "building ${tool##*/} (minutes, once)"
    GOBIN=$bin go install "$tool@$(printf '%s\n' "${tools[@]}" | sed -n "s|^$tool@||p")" 2>/dev/null ||
      fail "cannot build $tool"
  done
}

# From a wheel of the Python package index, which ships them. References to a web server are made relative.
install_schemas() {
  local digest temporary
  digest=$(sha256sum <"$repo/deploy/helm/requirements.txt")
  schemas=$COURIERFLOW_CACHE_DIR/kubernetes-schemas-${digest:0:8}
  [[ ! -d $schemas ]] || return 0
  mkdir -p "$COURIERFLOW_CACHE_DIR"
  temporary=$(mktemp -d "$schemas.XXXXXX")
  python3 -m pip download -q --disable-pip-version-check --no-deps --require-hashes -d "$temporary" -r "$repo/deploy/helm/requirements.txt"
  (cd "$temporary" && python3 -m zipfile -e ./*.whl . && rm ./*.whl &&
    for version in "${kubernetes[@]}"; do
      mv "kubernetes_validate/kubernetes-json-schema/v$version-local-strict" "$version"
      # shellcheck disable=SC2016 # $id and $comment are JSON Schema's
      sed -i 's|"/api/_definitions.json#|"_definitions.json#|; s|"$id": "[^"]*"|"$comment": ""|' "$version"/*.json
    done && rm -r kubernetes_validate*)
  mv -T "$temporary" "$schemas"
}

# helm tells of the link to deploy/prometheus each time.
helm() { "$bin/helm" "$@" 2> >(grep -v "found symbolic link" >&2); }

check_objects() { # VERSION VALUES
  # The operator's own kinds have no schemas here. promtool tests the alarms themselves.
  helm template try "$chart" --kube-version "$1" --set "$2" |
    "$bin/kubeconform" -strict -summary -skip ServiceMonitor,PrometheusRule -kubernetes-version "$1" \
      -schema-location "$schemas/$1/{{.ResourceKind}}{{.KindSuffix}}.json"
}

main() {
  local version value
  install_tools
  install_schemas
  helm lint --strict --quiet "$chart"
  for version in "${kubernetes[@]}"; do
    say "Kubernetes $version, defaults"
    check_objects "$version" migrate.enabled=true
    say "Kubernetes $version, everything"
    check_objects "$version" "$everything"
  done
  for value in "${wrong[@]}"; do
    ! helm template try "$chart" --kube-version "${kubernetes[0]}" --set "$value" >/dev/null 2>&1 || fail "the chart accepts $value"
  done
  say "the chart is right, as far as this can tell; ${#wrong[@]} wrong values are refused"
}

main "$@"
