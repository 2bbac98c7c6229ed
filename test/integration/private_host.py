"""A view of this machine for tests that start foreign tools or other users: a mount namespace in which
directories of podman, users and ids below /etc, and places in /sys/fs/cgroup that are no cgroup are the
test's own."""

import os
import subprocess
import sys
import tempfile

USER = {"user": 4711, "group": 4711, "extra_groups": []}
SUBORDINATE = 300000  # the first of 65536 ids that newuidmap grants USER

SCRIPT = """
set -e
mount --make-rprivate /
for each in /dev/shm /var/lib/containers; do mkdir -p $each; mount -t tmpfs -o mode=1777 none $each; done
mount -t tmpfs none "$1"
for each in passwd group; do
  cp /etc/$each "$1/$each"
  echo 'wherry-it:x:4711:4711::/nonexistent:/bin/sh' >> "$1/$each"
done
sed -i 's/^wherry-it:.*/wherry-it:x:4711:/' "$1/group"
echo 'wherry-it:300000:65536' > "$1/subuid"
cp "$1/subuid" "$1/subgid"
for each in passwd group subuid subgid; do mount --bind "$1/$each" /etc/$each; done
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir "$1/cgroup"
  mount -t tmpfs -o mode=755 none "$1/cgroup"
  for each in /sys/fs/cgroup/*; do
    mountpoint -q "$each" || continue
    mkdir "$1/cgroup/${each##*/}"
    mount --bind "$each" "$1/cgroup/${each##*/}"
  done
  umount -l -R /sys/fs/cgroup
  mount --move "$1/cgroup" /sys/fs/cgroup
fi
umount -l "$1"
shift
exec "$@"
"""


def run_main(main):
    """The exit status of `main` in such a view."""
    if os.geteuid() != 0 or "WHERRY_IT_PRIVATE" in os.environ:
        return main()
    place = tempfile.mkdtemp(prefix="wherry-it.")
    try:
        return subprocess.run(["unshare", "--mount", "sh", "-c", SCRIPT, "sh", place, sys.executable,
                               *sys.argv], env={**os.environ, "WHERRY_IT_PRIVATE": "1"}).returncode
    finally:
        os.rmdir(place)
