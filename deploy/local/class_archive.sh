# shellcheck shell=bash disable=SC2154 # the variables of settings.sh, process.sh and stack.sh
# The classes that the two servers in Java load when they start, parsed once and for all (class data sharing): a start then takes half the
# CPU time, and the end-to-end tests start many. An archive belongs to one part and one Java. Without it, or if it does not fit, a server
# starts as ever. Sourced by stack.sh, after fetch.sh.

# The archive of a part, whether it is there or not.
class_archive() { # PART
  local digest
  digest=$(java -version 2>&1 | sha256sum)
  printf '%s-%s.jsa' "$(part_home "$1")" "${digest:0:8}"
}

# The option with which a server uses its archive, or writes one when it ends.
class_archive_option() { # PART
  local archive
  if [[ -n ${new_class_archive:-} ]]; then
    printf -- '-XX:ArchiveClassesAtExit=%s' "$new_class_archive"
    return
  fi
  archive=$(class_archive "$1")
  # Where there is no archive it is the default, so that there always is an option.
  if [[ -f $archive ]]; then printf -- '-XX:SharedArchiveFile=%s' "$archive"; else printf -- '-Xshare:auto'; fi
}

make_class_archive() { # PART
  local archive temporary
  archive=$(class_archive "$1")
  [[ ! -f $archive ]] || return 0
  say "preparing quick starts of $1 (once)"
  temporary=$(mktemp -d "$COURIERFLOW_CACHE_DIR/.classes-$1.XXXXXX")
  if (run_once "$1" "$temporary") >"$COURIERFLOW_CACHE_DIR/$1-classes.log" 2>&1 && [[ -f $temporary/classes.jsa ]]; then
    # As readable as the part that it belongs to.
    chmod 644 "$temporary/classes.jsa" && mv "$temporary/classes.jsa" "$archive"
  else
    say "it did not work (see $COURIERFLOW_CACHE_DIR/$1-classes.log): $1 will start more slowly"
  fi
  rm -rf "$temporary"
}

# Starts a server on ports and in a directory of its own, and ends it: on its way out Java writes the archive.
run_once() { # PART DIRECTORY, in a subshell
  local variable
  # shellcheck disable=SC2034 # for what is called here
  COURIERFLOW_LOCAL_DIR=$2 data_dir=$2/data run_dir=$2/run log_dir=$2/log new_class_archive=$2/classes.jsa
  trap stack_sweep EXIT
  for variable in $(server_ports "$1"); do printf -v "$variable" %s "$(free_port)"; done
  stack_start "$1" && stack_wait "$1" && process_signal "$1" TERM && process_await_end "$1" 120
}
