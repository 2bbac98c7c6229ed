#!/usr/bin/env bash
# The demo: guests in C, Go and Rust as OCI containers, beside a native one. Every line with a tick is
# something that was checked, with what was seen. `make demo` builds what this needs and runs it.
#   demo.sh [FOLDER-OF-THE-PROGRAMS]     (default build/release/bin)
# Ends with "demo: N passed, M failed".
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
wherry=$(realpath -m "${1:-$root/build/release/bin}")/wherry
guests=$root/build/guests
work=$(mktemp -d "${TMPDIR:-/tmp}/wherry-demo.XXXXXX")
state=$work/state
# A cache of its own: other programs of the node may use theirs meanwhile.
export WHERRY_CACHE_DIR=$work/aot
prefix=demo-$$
# Kept from run to run, like the node's own, which others may be using meanwhile.
export WHERRY_CACHE_DIR=$root/build/demo-cache
volume=$work/volume
passed=0
failed=0
containers=()
new_keys=''

# shellcheck source=test/demo/steps.sh
. "$here/steps.sh"

cleanup() {
  local id
  for id in "${containers[@]}"; do oci delete --force "$id" >/dev/null 2>&1; done
  # The module of this run alone; nobody will start it again.
  # shellcheck disable=SC2086
  [ -z "$new_keys" ] || "$wherry" cache remove $new_keys
  local mount
  while read -r mount; do umount -l "$mount"; done < <(mounts_of_the_demo)
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

main() {
  mkdir -p "$volume" "$state"
  if [ "$(id -u)" -ne 0 ]; then
    fail "namespaces, mounts and cgroups need root"
    return
  fi
  title "Wherry"
  check "the program runs" "$wherry" --version
  [ "$failed" = 0 ] || return
  build_guests
  compile_ahead
  first_containers
  beside_each_other
  traps_and_signals
  cache
  sqlite
  nothing_left
}

main
echo
echo "demo: $passed passed, $failed failed"
[ "$failed" = 0 ]
