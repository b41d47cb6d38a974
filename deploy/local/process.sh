# shellcheck shell=bash disable=SC2154 # the variables of settings.sh
# Named background processes: they are started detached, found again through a pid file, and ended within a limited
# time. Sourced by stack.sh and ./dev, after settings.sh.
#
# A pid file holds "<pid> <birth>". The kernel reuses pids; the birth, the start time in clock ticks since boot, shows
# whether the pid still belongs to the process that was started here. A process is signalled only if both match.

run_dir=$COURIERFLOW_LOCAL_DIR/run
log_dir=$COURIERFLOW_LOCAL_DIR/log

# The birth of a live process; fails if it is gone or a zombie. The first thread of a process that was killed may be a zombie
# while others still wait for a disk, with all files and ports open.
process_birth() { # PID
  local stat fields threads
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  # The program's name, in parentheses, may contain spaces and parentheses, so split after the last one.
  read -ra fields <<<"${stat##*) }"
  if [[ ${fields[0]} == [ZX] ]]; then
    threads=("/proc/$1/task/"*)
    ((${#threads[@]} > 1)) || return 1
  fi
  printf '%s' "${fields[19]}"
}

# The pid of a named process, if it is running.
process_pid() { # NAME
  local pid birth
  read -r pid birth 2>/dev/null <"$run_dir/$1.pid" || return 1
  [[ $pid =~ ^[0-9]+$ && -n $birth && $(process_birth "$pid") == "$birth" ]] || return 1
  printf '%s' "$pid"
}

# Starts COMMAND in a session of its own, so that Ctrl-C reaches only this script, which then stops everything in order.
process_spawn() { # NAME COMMAND...
  local name=$1 log=$log_dir/$1.log traps pid interrupted=""
  shift
  make_private_directory "$run_dir" COURIERFLOW_LOCAL_DIR
  make_private_directory "$log_dir" COURIERFLOW_LOCAL_DIR
  if [[ -f $log ]] && (($(stat -c %s "$log") > 20 * 1024 * 1024)); then mv "$log" "$log.old"; fi
  # A signal between the start and the writing of the pid file would leave an untracked process, so it is deferred
  # until then. Like all background children of a script, the child ignores Ctrl-C until it has a session of its own.
  traps=$(trap -p INT TERM)
  trap 'interrupted=INT' INT
  trap 'interrupted=TERM' TERM
  setsid env --default-signal=INT,QUIT,TERM "$@" </dev/null >>"$log" 2>&1 {name_lock}>&- &
  pid=$!
  printf '%s %s\n' "$pid" "$(process_birth "$pid")" >"$run_dir/$name.pid.new"
  mv "$run_dir/$name.pid.new" "$run_dir/$name.pid"
  trap - INT TERM
  eval "$traps"
  [[ -z $interrupted ]] || kill -s "$interrupted" $$
}

process_signal() { # NAME SIGNAL
  local pid
  pid=$(process_pid "$1") || return 0
  kill -s "$2" "$pid" 2>/dev/null || return 0
}

# Waits for a process that was asked to end, and kills it after SECONDS.
process_await_end() { # NAME SECONDS
  local name=$1 deadline=$((SECONDS + $2))
  while process_pid "$name" >/dev/null; do
    if ((SECONDS >= deadline)); then
      say "$name did not end within $2 s, killing it"
      process_kill "$name"
      return
    fi
    sleep 0.1
  done
  rm -f "$run_dir/$name.pid"
}

process_kill() { # NAME
  local tries
  process_signal "$1" KILL
  for ((tries = 0; tries < 100; tries++)); do
    if ! process_pid "$1" >/dev/null; then
      rm -f "$run_dir/$1.pid"
      return
    fi
    sleep 0.1
  done
  fail "$1 (pid $(process_pid "$1")) does not end although it was killed: the kernel holds it, look at its disk"
}

# Polls COMMAND until it succeeds; fails at once, with the last lines of the log, if the process ends meanwhile.
process_await_ready() { # NAME COMMAND...
  local name=$1 deadline=$((SECONDS + COURIERFLOW_START_SECONDS))
  shift
  until "$@"; do
    process_pid "$name" >/dev/null || process_log_fail "$name" "$name is not running"
    ((SECONDS < deadline)) ||
      process_log_fail "$name" "$name is not ready after $COURIERFLOW_START_SECONDS s (COURIERFLOW_START_SECONDS)"
    sleep 0.1
  done
}

process_log_fail() { # NAME MESSAGE
  if [[ -s $log_dir/$1.log ]]; then
    printf 'courierflow: %s; the last lines of %s:\n' "$2" "$log_dir/$1.log" >&2
    tail -n 15 "$log_dir/$1.log" | cut -c -300 | sed 's/^/    /' >&2
    exit 1
  fi
  fail "$2"
}

port_answers() { # PORT
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() {
  local port
  while
    port=$((20000 + RANDOM % 10000))
    port_answers "$port"
  do :; done
  printf %s "$port"
}

# Fails with the name of the process that uses the port, if this user may see it.
need_free_port() { # NAME VARIABLE
  local port=${!2} holder=""
  port_answers "$port" || return 0
  if command -v ss >/dev/null; then
    holder=$(ss -Hltnp "sport = :$port" 2>/dev/null |
      sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ by \1 (pid \2)/p' | head -n 1)
  fi
  fail "port $port, which $1 needs, is already in use$holder; end that, or set $2"
}

# Locks a name for the rest of a subshell, so that two concurrent `up` start a process only once.
process_lock() { # NAME
  make_private_directory "$run_dir" COURIERFLOW_LOCAL_DIR
  exec {name_lock}>"$run_dir/$1.lock"
  flock "$name_lock"
}

process_unlock() { exec {name_lock}>&-; }

# All names with a pid file, including those of processes that have ended.
process_names() {
  local file
  for file in "$run_dir"/*.pid; do
    [[ -e $file ]] || continue
    file=${file##*/}
    printf '%s\n' "${file%.pid}"
  done
}
