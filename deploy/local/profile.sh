# shellcheck shell=bash disable=SC2154 # the variables of settings.sh and ./dev
# ./dev profile: where a service spends its processor time while a benchmark keeps it busy. Sourced by ./dev, after stack.sh.

# What is profiled: the benchmark, its stack, and the service on it.
profiled=(
  "derive:derive:bench-derive:derive"
  "sink:sink:bench-sink:sink"
  "restore:restore:bench-restore:derive"
  "ingest:chain:bench-chain:ingest"
  "processor:chain:bench-chain:processor"
  "subscribe:subscribe:bench-subscribe-live:subscribe"
)

# Samples the service from its start to its end, and prints where it was.
profile() { # NAME [ARGUMENTS OF THE BENCHMARK]
  local row name bench stack service names=() out=$COURIERFLOW_LOCAL_DIR/profile
  for row in "${profiled[@]}"; do
    IFS=: read -r name bench stack service <<<"$row"
    names+=("$name")
    [[ $name != "${1:-}" ]] || break
    name=""
  done
  [[ -n $name ]] || fail "profile takes one of ${names[*]}, not '${1:-}'"
  shift
  need_build
  need_system_packages "a profile" perf:linux-perf
  need_stack
  build_release
  sweep_at_the_end
  make_private_directory "$out" COURIERFLOW_LOCAL_DIR
  rm -f "$out/$name".*.data
  COURIERFLOW_BIN_DIR=$(realpath "$bin") "$bin/bench" "$bench" "$@" &
  sample_service "$!" "$repo/.local/test-$stack/run/$service.pid" "$out/$name"
  wait "$!" || fail "the benchmark failed"
  printf '\n'
  say "processor time of $service in ./dev bench $bench, all starts of it together:"
  local data
  for data in "$out/$name".*.data; do
    perf report --input "$data" --no-children --stdio --call-graph none --sort dso,symbol --field-separator '|' \
      --fields sample,dso,symbol 2>/dev/null
  done | profile_table
  say "the samples are in $out; perf report --input FILE shows more"
}

# While the benchmark runs, samples every process that is in the pid file, into FILE.1.data, FILE.2.data, …
sample_service() { # PID_OF_BENCHMARK PID_FILE FILE
  local pid last="" number=0
  while kill -0 "$1" 2>/dev/null; do
    read -r pid _ 2>/dev/null <"$2" || pid=""
    # Left by an earlier run, or just ended.
    if [[ -z $pid || $pid == "$last" ]] || ! kill -0 "$pid" 2>/dev/null; then
      sleep 0.05
      continue
    fi
    last=$pid number=$((number + 1))
    # Of the processor, because counters of cycles are missing on virtual machines. It ends with the process.
    perf record --quiet --event cpu-clock --freq 499 --pid "$pid" --output "$3.$number.data" 2>/dev/null || true
  done
}

# By group, then by function. Functions that the compiler has put into others count for those.
profile_table() {
  awk -F'|' '
    function group(dso, symbol) {
      if (dso ~ /kernel/ || symbol ~ /^\[k\]/) return "kernel: network, files, switches"
      if (symbol ~ /LZ4|lz4/) return "compression"
      if (symbol ~ /\] (rd_|rdk|mtx_|cnd_|thrd_|snappy|crc32)|rdkafka/) return "Kafka client"
      if (symbol ~ /serde_avro_fast|apache_avro/) return "Avro"
      if (symbol ~ /serde_json|simd_json/) return "JSON"
      if (symbol ~ /postcard/) return "state of derive and subscribe, packed"
      if (symbol ~ /jiff/) return "times"
      if (symbol ~ /memchr|aho_corasick|regex/) return "searching in texts"
      if (symbol ~ /__vdso|pthread_|parking_lot|futex/) return "clocks and locks"
      if (symbol ~ /md5|sha1|sha2|xxh3|xxhash|siphash|SipHasher/) return "digests and hashes"
      if (symbol ~ /courierflow_domain/) return "rules: courierflow_domain"
      if (symbol ~ /courierflow_vendors/) return "formats of vendors: courierflow_vendors"
      if (symbol ~ /courierflow_/) return "the service itself"
      if (symbol ~ /clickhouse/) return "ClickHouse client"
      if (symbol ~ /hyper|axum|http|tower|tokio|mio::/) return "HTTP and its runtime"
      if (symbol ~ /malloc|calloc|realloc|cfree|_int_free|unlink_chunk|memcpy|memmove|memset|memcmp|alloc::/) return "allocating, copying, comparing"
      return "other"
    }
    /^#/ || NF < 3 { next }
    {
      count = $1 + 0; dso = $2; symbol = $3
      gsub(/^ +| +$/, "", dso); gsub(/^ +| +$/, "", symbol)
      all += count; groups[group(dso, symbol)] += count; functions[symbol] += count
    }
    END {
      if (!all) { print "no samples: may perf read counters here? (sysctl kernel.perf_event_paranoid)"; exit 1 }
      sorted = "sort -rn | head -40"
      for (name in groups) printf "%6.1f %%  %s\n", 100 * groups[name] / all, name | "sort -rn"
      close("sort -rn")
      print ""
      for (name in functions) printf "%6.1f %%  %s\n", 100 * functions[name] / all, substr(name, 5, 120) | sorted
      close(sorted)
      printf "\n%d samples, 499 a second of processor time\n", all
    }'
}
