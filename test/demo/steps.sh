# shellcheck shell=bash
# The steps of demo.sh, in order, and what they are made of. Sourced by demo.sh, whose variables it uses.

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
pass() {
  passed=$((passed + 1))
  printf '  \033[32m✓\033[0m %s\n' "$1"
  [ -z "${2:-}" ] || printf '%s\n' "$2" | cut -c1-110 | head -12 | sed 's/^/      /'
}
fail() {
  failed=$((failed + 1))
  printf '  \033[31m✗\033[0m %s\n' "$1"
  [ -z "${2:-}" ] || printf '%s\n' "$2" | cut -c1-200 | head -20 | sed 's/^/      /'
}
skip() { printf '  - %s\n' "$1"; }
# check TEXT COMMAND...: passes if the command does, and shows what it printed.
check() {
  local text=$1 out
  shift
  if out=$("$@" 2>&1); then pass "$text" "$out"; else fail "$text" "$out"; fi
}
# same TEXT WANTED SEEN
same() {
  if [ "$2" = "$3" ]; then pass "$1" "$3"; else fail "$1" "wanted: $2"$'\n'"seen:   $3"; fi
}
# contains TEXT PATTERN SEEN: shows the line.
contains() {
  local line
  if line=$(grep -Em1 -- "$2" <<<"$3"); then pass "$1" "$line"; else fail "$1" "no '$2' in: $3"; fi
}

oci() { "$wherry" --root "$state" "$@" </dev/null; }
mounts_of_the_demo() { awk -v at="$work/" 'index($2, at) == 1 { print $2 }' /proc/self/mounts | tac; }
container_status() { oci state "$1" 2>/dev/null | jq -r .status; }

# wait_for SECONDS COMMAND...
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.05
  done
}

# bundle NAME PROGRAM ARGUMENTS...: an OCI bundle whose rootfs is the program and the volume /data.
# A wasm guest is its own entry point; for busybox, its applets are linked.
bundle() {
  local name=$1 program=$2
  shift 2
  local at=$work/bundle/$name
  mkdir -p "$at/rootfs"/{data,proc,dev,sys,tmp}
  if [[ $program == *.wasm ]]; then
    cp "$program" "$at/rootfs/app.wasm"
    set -- /app.wasm "$@"
  else
    mkdir -p "$at/rootfs/bin"
    cp "$program" "$at/rootfs/bin/busybox"
    for applet in sh cat echo sleep id; do ln -s busybox "$at/rootfs/bin/$applet"; done
  fi
  (cd "$at" && "$wherry" spec) || return
  # Not as jq's own arguments: it would take "-c" for itself.
  jq --arg volume "$volume" --argjson args "$(printf '%s\n' "$@" | jq -R . | jq -s .)" '
    .process.args = $args | .process.terminal = false
    | .process.env += ["TOP=3", "LABEL=demo", "SQLITE_TMPDIR=/data"]
    | .mounts += [{destination: "/data", type: "bind", source: $volume, options: ["rbind", "rw"]}]
    | .linux.resources.memory = {limit: 134217728}
    | .linux.resources.cpu = {quota: 150000, period: 100000}
  ' <"$at/config.json" >"$at/config.new" && mv "$at/config.new" "$at/config.json"
}

# run NAME PROGRAM ARGUMENTS...: bundle and container of that name, from start to end; its standard
# output, and in $work/NAME.err its standard error.
run() {
  bundle "$@" || return
  run_again "$1"
}
run_again() {
  oci run --bundle "$work/bundle/$1" "$prefix-$1" 2>"$work/$1.err"
}
# start NAME PROGRAM ARGUMENTS...: the same in the background; sets job.
start() {
  bundle "$@" || return
  oci run --bundle "$work/bundle/$1" "$prefix-$1" >"$work/$1.out" 2>"$work/$1.err" &
  job=$!
}
# Every container this demo may leave behind, for cleanup.
for name in wordcount missing inventory journal journal-get journal-none service native unreachable memory \
  divide stack exit-code cached sqlite-write sqlite-read; do
  containers+=("$prefix-$name")
done

build_guests() {
  title "Guests, from source"
  local log=$work/guests.log name
  if ! make -C "$root/test/guests" >"$log" 2>&1; then
    fail "the guests are built" "$(tail -n 5 "$log")"
    return
  fi
  for name in wordcount service trap inventory journal sqlite; do
    if [ -f "$guests/$name.wasm" ]; then
      pass "$name.wasm, $(stat -c %s "$guests/$name.wasm") bytes"
    fi
  done
  grep '^guests:' "$log" | while read -r line; do skip "${line#guests: }"; done
}

# Ahead of the first start, which would otherwise compile; progress goes to the terminal.
compile_ahead() {
  title "Ahead of time (kept in build/demo-cache)"
  local module begin
  for module in "$guests"/*.wasm; do
    begin=${EPOCHREALTIME/./}
    if "$wherry" compile "$module" >/dev/null; then
      pass "$(basename "$module") after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
    else
      fail "$(basename "$module") is compiled"
    fi
  done
}

first_containers() {
  title "A guest in each language, with 128 MiB, 1.5 CPUs and a volume"
  local text=$volume/text out
  cat "$root/README.md" "$root"/docs/*.md "$root"/docs/*/*.md >"$text" 2>/dev/null
  local words
  words=$(tr -cs 'A-Za-z' '\n' <"$text" | grep -c .)
  out=$(run wordcount "$guests/wordcount.wasm" /data/text /data/top)
  same "C: a container runs to its end" 0 $?
  contains "C: counts as many words as tr and grep do" "^$words words" "$out"
  same "C: its file is in the volume" "$(tr -cs 'A-Za-z' '\n' <"$text" | tr A-Z a-z | grep . | sort | uniq -c |
    sort -k1,1nr -k2,2 | head -3 | sed 's/^ *//')" "$(cat "$volume/top" 2>&1)"
  run missing "$guests/wordcount.wasm" /data/nothing /data/top >/dev/null
  same "C: a missing file is the guest's own exit code" 1 $?
  same "C: and the guest's own message" "wordcount: /data/nothing: No such file or directory" \
    "$(cat "$work/missing.err")"

  if [ -f "$guests/inventory.wasm" ]; then
    out=$(run inventory "$guests/inventory.wasm" /data /data/inventory.json)
    same "Go: a container runs to its end, with the environment it was given" "demo: 2 files" "$out"
    same "Go: its digest is sha256sum's" "$(sha256sum <"$text" | cut -d' ' -f1)" \
      "$(jq -r '.[] | select(.path == "/data/text").digest' "$volume/inventory.json" 2>&1)"
  fi
  if [ -f "$guests/journal.wasm" ]; then
    run journal "$guests/journal.wasm" /data/log put colour 'dark green' >/dev/null
    same "Rust: the first container writes a log" 0 $?
    out=$(run journal-get "$guests/journal.wasm" /data/log get colour)
    same "Rust: the second reads it" "dark green" "$out"
    run journal-none "$guests/journal.wasm" /data/log get size >/dev/null
    same "Rust: a key that is not there is exit code 3" 3 $?
  fi
}

# The file of a running container's cgroup, whatever the version and the controller's place.
cgroup_value() {
  local pid=$1 controller=$2 v1=$3 v2=$4 path
  path=$(awk -F: -v c="$controller" '$2 ~ "(^|,)" c "(,|$)" { print $3 }' "/proc/$pid/cgroup")
  if [ -n "$path" ]; then
    cat "/sys/fs/cgroup/$controller$path/$v1"
  else
    path=$(awk -F: '$1 == 0 { print $3 }' "/proc/$pid/cgroup")
    cat "/sys/fs/cgroup$path/$v2"
  fi
}

beside_each_other() {
  title "A wasm and a native container beside each other"
  local out pid native_job service_job busybox
  busybox=$(command -v busybox)
  start service "$guests/service.wasm"
  service_job=$job
  start native "$busybox" /bin/sh -c 'echo ready; while :; do sleep 1; done'
  native_job=$job
  check "the wasm one is ready" wait_for 20 grep -q ready "$work/service.out"
  check "the native one is ready" wait_for 20 grep -q ready "$work/native.out"
  out=$(oci list)
  contains "list shows the wasm one" "$prefix-service .*running" "$out"
  contains "and the native one" "$prefix-native .*running" "$out"
  same "state is the specification's" running "$(container_status "$prefix-service")"
  pid=$(oci state "$prefix-service" | jq .pid)
  same "its memory limit is the cgroup's" 134217728 \
    "$(cgroup_value "$pid" memory memory.limit_in_bytes memory.max 2>&1)"
  contains "so is its CPU quota" "^150000" "$(cgroup_value "$pid" cpu cpu.cfs_quota_us cpu.max 2>&1)"
  contains "its process is the small executor, with the guest's text mapped" "app|wherry-exec|aot" \
    "$(tr '\0' ' ' <"/proc/$pid/cmdline") $(awk '/r-xp/ { print $6 }' "/proc/$pid/maps" | sort -u | tr '\n' ' ')"

  out=$(oci exec "$prefix-service" /app.wasm healthz)
  same "exec into the wasm one: the module with other arguments" healthy "$out"
  out=$(oci exec "$prefix-service" /app.wasm count 3 | tr '\n' ' ')
  same "exec again" "1 2 3 " "$out"
  out=$(oci exec "$prefix-native" /bin/cat /proc/1/comm)
  same "exec into the native one" "sh" "$out"

  oci kill "$prefix-service" TERM
  wait "$service_job"
  same "SIGTERM ends the wasm one at once, with 128 + 15" 143 $?
  oci kill "$prefix-native" KILL
  wait "$native_job"
  same "SIGKILL ends the native one, with 128 + 9" 137 $?
}

traps_and_signals() {
  title "Traps"
  local out
  run unreachable "$guests/trap.wasm" unreachable >/dev/null
  same "a trap is exit code 134" 134 $?
  out=$(cat "$work/unreachable.err")
  contains "it says which" "unreachable" "$out"
  local frames
  frames=$(grep -Eo ' (fail_at_the_bottom|call_in_the_middle|main|_start)$' <<<"$out" | tr -d '\n')
  same "and the functions that it went through, inlined ones too" " fail_at_the_bottom call_in_the_middle main _start" "$frames"
  local how text
  for how in memory divide stack; do
    case $how in
      memory) text="out of bounds memory access" ;;
      divide) text="integer divide by zero" ;;
      stack) text="call stack exhausted" ;;
    esac
    run "$how" "$guests/trap.wasm" "$how" >/dev/null
    same "$how: exit code" 134 $?
    contains "$how: the specification's text" "$text" "$(cat "$work/$how.err")"
  done
  run exit-code "$guests/trap.wasm" exit 42 >/dev/null
  same "an exit code of the guest's own" 42 $?
}

# A module that no cache has seen: the guest with a custom section of this moment.
new_module() {
  cp "$1" "$2"
  # Section id 0, size 13, a name of one byte, eleven bytes of content.
  printf '\0\015\001w%-11.11s' "$(date +%s%N | tail -c 12)" >>"$2"
}

milliseconds() {
  local begin=${EPOCHREALTIME/./}
  "$@" >/dev/null
  echo $(((${EPOCHREALTIME/./} - begin) / 1000))
}

cached_keys() { "$wherry" cache list | awk 'NR > 1 { print $1 }' | sort; }

cache() {
  title "The second start does not compile"
  local first second before between after
  new_module "$guests/wordcount.wasm" "$work/new.wasm"
  bundle cached "$work/new.wasm" /data/text /data/top
  before=$(cached_keys)
  first=$(milliseconds run_again cached)
  between=$(cached_keys)
  second=$(milliseconds run_again cached)
  after=$(cached_keys)
  new_keys=$(comm -13 <(echo "$before") <(echo "$between"))
  same "the first start puts one artifact into the cache" 1 "$(grep -c . <<<"$new_keys")"
  same "the second start puts none" "" "$(comm -13 <(echo "$between") <(echo "$after"))"
  if [ $((second * 3)) -lt "$first" ]; then
    pass "first start $first ms, second start $second ms"
  else
    fail "first start $first ms, second start $second ms" "$(cat "$work/cached.err")"
  fi
}

sqlite() {
  title "A program that others wrote: SQLite, with a database file in the volume"
  if [ ! -f "$guests/sqlite.wasm" ]; then
    skip "SQLite was not built"
    return
  fi
  local native=$work/native-db
  mkdir -p "$native"
  cp "$root"/test/guests/sqlite/*.sql "$volume"
  SQLITE_TMPDIR=$native "$guests/sqlite-native" "$native/db" "$volume/write.sql" >"$native/write.out"
  run sqlite-write "$guests/sqlite.wasm" /data/shop.db /data/write.sql >"$work/write.out"
  same "a container makes a database and asks it" 0 $?
  if cmp -s "$native/write.out" "$work/write.out"; then
    pass "its output is the native build's, $(wc -l <"$work/write.out") lines" "$(sed -n '2,3p;$p' "$work/write.out")"
  else
    fail "its output is the native build's" "$(diff "$native/write.out" "$work/write.out" | head -n 8)
$(cat "$work/sqlite-write.err")"
  fi
  run sqlite-read "$guests/sqlite.wasm" /data/shop.db /data/read.sql >"$work/read.out"
  same "a second container finds it there" 0 $?
  if [ -f "$volume/shop.db" ] &&
    "$guests/sqlite-native" "$volume/shop.db" "$volume/read.sql" | cmp -s - "$work/read.out"; then
    pass "the native build reads the same file, and finds the same" "$(head -n 1 "$work/read.out")"
  else
    fail "the native build reads the same file, and finds the same" "$(cat "$work/sqlite-read.err")"
  fi
}

nothing_left() {
  title "Afterwards"
  same "no container is left" "" "$(oci list -q)"
  same "no mount is left" "" "$(mounts_of_the_demo)"
  same "no cgroup is left" "" "$(find /sys/fs/cgroup -maxdepth 4 -type d -name "$prefix-*" 2>/dev/null)"
}
