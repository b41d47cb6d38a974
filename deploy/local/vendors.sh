# shellcheck shell=bash disable=SC2154 # the variables of settings.sh, stack.sh and ./dev
# The vendors of the demo, played by `simulator serve`, and how subscribe and ingest reach each other through them. Sourced by
# ./dev, after stack.sh.

# Simulated seconds in a second of the vendors. The durations below follow from it: they are those of the contracts, so much shorter.
vendor_speed=7200

# What was agreed with the vendors: the defaults of `simulator serve`, and of [[ingest.accounts]] in courierflow.toml.
make_vendor_keys() {
  make_private_directory "$data_dir" COURIERFLOW_LOCAL_DIR
  printf courierflow-demo-key >"$data_dir/kuaidi100.key"
  printf courierflow-demo-salt >"$data_dir/kuaidi100.salt"
  printf courierflow-demo-app-key >"$data_dir/kdniao.app-key"
}

# As courierflow.toml keeps to the defaults, the accounts that are called, and their durations, override it.
export_vendor_configuration() {
  local vendor=http://127.0.0.1:$COURIERFLOW_VENDOR_PORT
  local every="callback_base=\"http://127.0.0.1:$COURIERFLOW_INGEST_PORT\",max_calls_per_second=200.0,max_concurrency=16"
  every+=",daily_queries=100000,audit_per_10000=500"
  local kuaidi100="name=\"demo\",vendor=\"kuaidi100\",api=\"kuaidi100_enterprise\",$every"
  kuaidi100+=",subscribe_url=\"$vendor/poll\",query_url=\"$vendor/poll/query.do\",customer=\"courierflow-demo-customer\""
  kuaidi100+=",key_file=\"$data_dir/kuaidi100.key\",salt_file=\"$data_dir/kuaidi100.salt\",price=0.08"
  local kdniao="name=\"demo\",vendor=\"kdniao\",api=\"kdniao_cross_border\",$every,business_id=\"1000001\""
  kdniao+=",subscribe_url=\"$vendor/api/track/packet\",query_url=\"$vendor/api/track/packet\",app_key_file=\"$data_dir/kdniao.app-key\""
  export COURIERFLOW__SUBSCRIBE__ACCOUNTS="[{$kuaidi100},{$kdniao}]"
  # Real time, because calls and lost answers take real time.
  export COURIERFLOW__SUBSCRIBE__CALL_TIMEOUT_MS=3000
  export COURIERFLOW__SUBSCRIBE__IN_DOUBT_MS=200
  export COURIERFLOW__SUBSCRIBE__UNSENT_MS=500
  export COURIERFLOW__SUBSCRIBE__UNSENT_LONGEST_MS=2000
  export COURIERFLOW__SUBSCRIBE__THROTTLED_MS=500
  export COURIERFLOW__SUBSCRIBE__PROBE_MS=1000
  # Simulated time. The first repetitions would come at once.
  export COURIERFLOW__SUBSCRIBE__RETRY_MS="[100,200,300,500,2000,2000]"
  export COURIERFLOW__SUBSCRIBE__RESUBSCRIBE_AFTER_MS=$((1800000 / vendor_speed + 50))
  export COURIERFLOW__SUBSCRIBE__RESUBSCRIBE_JITTER_MS=$((300000 / vendor_speed))
  export COURIERFLOW__SUBSCRIBE__UNEXPLAINED_MS=$((14400000 / vendor_speed))
  export COURIERFLOW__SUBSCRIBE__NOT_RECOGNISED_MS=$((600000 / vendor_speed))
  export COURIERFLOW__SUBSCRIBE__FIRST_PUSH_LATE_MS=$((86400000 / vendor_speed))
  export COURIERFLOW__SUBSCRIBE__END_AFTER_MS=$((604800000 / vendor_speed))
  export COURIERFLOW__SUBSCRIBE__KDNIAO_END_AFTER_MS=$((86400000 / vendor_speed))
  export COURIERFLOW__SUBSCRIBE__FALLBACK_END_MS=$((86400000 / vendor_speed))
}

# Queries about silent parcels, in simulated time; days are those of the real calendar, in which a demo is one.
export_reconcile_configuration() {
  export COURIERFLOW__RECONCILE__EVERY_MS=1000
  export COURIERFLOW__RECONCILE__CALL_TIMEOUT_MS=3000
  export COURIERFLOW__RECONCILE__PROBE_MS=1000
  export COURIERFLOW__RECONCILE__APART_MS=$((2 * 3600000 / vendor_speed))
  export COURIERFLOW__RECONCILE__PER_DAY=1000
  export COURIERFLOW__RECONCILE__PER_LIFE=100
  export COURIERFLOW__RECONCILE__NO_RESULT_PAUSE_MS=$((86400000 / vendor_speed))
  export COURIERFLOW__RECONCILE__ENDED_OPEN_MS="[$((21600000 / vendor_speed)),$((108000000 / vendor_speed))]"
  export COURIERFLOW__RECONCILE__FIRST_PUSH_LATE_MS="[$((86400000 / vendor_speed)),$((172800000 / vendor_speed)),$((259200000 / vendor_speed))]"
  export COURIERFLOW__RECONCILE__FALLBACK_EVERY_MS=$((86400000 / vendor_speed))
  export COURIERFLOW__RECONCILE__STALLED_MS="[0,$((86400000 / vendor_speed)),$((259200000 / vendor_speed))]"
  export COURIERFLOW__RECONCILE__STALLED_QUIET_MS=$((43200000 / vendor_speed))
  # From the pickup on, which is days ago in real time: no audit is too late.
  export COURIERFLOW__RECONCILE__AUDIT_WITHIN_MS=$((30 * 86400000))
  # The hours of the last seven days say what is usual: real ones, of which a demo has none.
  export COURIERFLOW__RECONCILE__GAP_USUAL_PER_HOUR=1000000000
}

# --- The vendors -----------------------------------------------------------------------------------------------------

# Starts vendors with a world of their own: those that an earlier demo has left belong to another one, which is over.
vendor_start() { # ARGUMENTS of simulator serve
  process_lock vendor
  if process_pid vendor >/dev/null; then
    process_signal vendor TERM
    process_await_end vendor 20
  fi
  need_free_port vendor COURIERFLOW_VENDOR_PORT
  process_spawn vendor "$bin/simulator" serve --listen "127.0.0.1:$COURIERFLOW_VENDOR_PORT" --speed "$vendor_speed" \
    --kdniao-callback "http://127.0.0.1:$COURIERFLOW_INGEST_PORT/v1/push/kdniao/demo" "$@"
  process_unlock
  process_await_ready vendor vendor_ready
}

vendor_ready() { curl -sf -m 2 -o /dev/null "http://127.0.0.1:$COURIERFLOW_VENDOR_PORT/clock"; }

# Some numbers are refused, as wrong ones are: one in a hundred with 700, one in three hundred with 701. Kdniao has words instead.
refuse_some() { # FILE.csv
  local forced
  forced=$(awk -F '"' 'NR % 100 == 2 { code = "700"; words = "快递公司编码错误" } NR % 300 == 52 { code = "701"; words = "快递单号错误" }
    $6 == "kdniao" { code = code ? words : code }
    code { printf "%s{\"tracking_number\": \"%s\", \"code\": \"%s\"}", comma, $2, code; comma = ","; code = "" }' "$1")
  curl -sf -o /dev/null -d "{\"forced\": [$forced]}" "http://127.0.0.1:$COURIERFLOW_VENDOR_PORT/faults"
}

# Calls of an earlier loop count against today's budgets, and its parcels have the same numbers.
need_no_calls() {
  local calls
  calls=$(curl -sf "http://127.0.0.1:$COURIERFLOW_CLICKHOUSE_HTTP_PORT/" --data-binary "SELECT count() FROM courier.vendor_call") ||
    fail "ClickHouse does not say which calls there were"
  ((calls == 0)) || fail "vendors were called before with this data: ./dev down --wipe deletes it"
}

# The whole loop: vendors are asked to follow parcels as they are ordered, push what they see until their clock has caught up with the
# real one, and both sides are compared. The last five days are for parcels to arrive.
play_loop() { # DAYS PARCELS SEED [ARGUMENTS of simulator serve]
  local days=$1 parcels=$2 seed=$3 url=http://127.0.0.1:$COURIERFLOW_VENDOR_PORT requests=$data_dir/requests.csv since begun=$SECONDS
  vendor_start --from="-${days}d" --parcels "$parcels" --seed "$seed" "${@:4}"
  say "$parcels parcels more that vendors have to be asked for: $days days of them in $((days * 86400 / vendor_speed)) s"
  curl -sf -o "$requests" "$url/parcels.csv?columns=tracking_number,carrier,vendor,phone"
  refuse_some "$requests"
  since=$(date -u +%FT%TZ)
  # As fast as they are ordered: of a parcel that is not on its way for three days the vendor gives up.
  "$bin/processor" subscriptions load "$requests" --requester demo \
    --rate "$(awk "BEGIN { print $parcels * $vendor_speed / 86400 / ($days - 5) }")" --config "$config" </dev/null
  rm "$requests"
  # shellcheck disable=SC2086 # an option or nothing
  "$bin/simulator" follow --find-lost ${strict:-} --vendor-url "$url" --since "$since" \
    --clickhouse-url "http://127.0.0.1:$COURIERFLOW_CLICKHOUSE_HTTP_PORT"
  say "the loop took $((SECONDS - begun)) s"
}
