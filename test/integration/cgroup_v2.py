"""Containers on a host with cgroup v2 only: this machine's v2 hierarchy alone at /sys/fs/cgroup, in a
mount and cgroup namespace of the test's own (where the host has v2 alone, the host itself, since a
namespace would begin at a cgroup that has processes). Where the controllers belong to v1, no limit can be
tried, but placement, devices (BPF), freezer and kill can."""

import json
import os
import sys
import time

from harness import CGROUP, Skip, eq, has, is_v2, main, read, test, true, wait_until

ENTER = ("mount --make-rprivate / && umount -R /sys/fs/cgroup && "
         "mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\"")


def enter():
    """Starts this program again inside of the namespaces."""
    os.environ["WHERRY_IT_V2"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--cgroup", "sh", "-c", ENTER, "sh", sys.executable,
                          *sys.argv])


def leaf(box, number=1):
    return f"{CGROUP}{box.cgroup}/b{number}"


@test
def the_process_is_born_in_its_cgroup(box):
    box.create(box.bundle(["sleep", "100"]))
    pid = box.state_of()["pid"]
    has(read(f"/proc/{pid}/cgroup"), f"0::{box.cgroup}/b1\n")
    eq(read(f"{leaf(box)}/cgroup.procs").split(), [str(pid)])


@test
def exec_follows_a_first_process_that_moved_down(box):
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    os.mkdir(f"{leaf(box)}/moved")
    with open(f"{leaf(box)}/moved/cgroup.procs", "w") as file:
        file.write(str(box.state_of()["pid"]))
    has(box.ok("exec", "c1", "cat", "/proc/self/cgroup").out, f"0::{box.cgroup}/b1\n")
    controllers = read(f"{leaf(box)}/cgroup.controllers").split()
    if not controllers:
        raise Skip("no controller is v2's")
    with open(f"{leaf(box)}/cgroup.subtree_control", "w") as file:
        file.write(f"+{controllers[0]}")
    has(box.ok("exec", "c1", "cat", "/proc/self/cgroup").out, f"0::{box.cgroup}/b1/moved\n")
    result = box.call("exec", "--cgroup", "nosuch", "c1", "true")
    eq(result.status, 255, "a place that is asked for is not replaced")


@test
def devices_are_denied_by_default(box):
    script = ("mknod /tmp/null c 1 3 && echo x > /tmp/null && echo null; "
              "mknod /tmp/mem c 1 1 && echo made; cat /tmp/mem")
    result = box.run(box.bundle(["sh", "-c", script]))
    eq(result.out.split(), ["null", "made"], repr(result))
    has(result.err.lower(), "operation not permitted")


@test
def devices_can_be_allowed(box):
    def change(config):
        config["linux"]["resources"]["devices"] += [
            {"allow": True, "type": "c", "major": 10, "access": "r"}]

    with open("/proc/misc") as file:
        minors = [int(line.split()[0]) for line in file if line.split()[1] in ("fuse", "loop-control")]
    if not minors:
        raise Skip("no device at hand that anybody may open")
    script = f"mknod /tmp/it c 10 {minors[0]}; (: < /tmp/it) && echo opened; (: > /tmp/it) && echo no"
    eq(box.run(box.bundle(["sh", "-c", script], change)).out.split(), ["opened"])


@test
def pause_and_resume(box):
    bundle = box.bundle(["sh", "-c", "while :; do echo x >> /out; sleep 0.02; done"])
    box.create(bundle)
    box.ok("start", "c1")
    out = os.path.join(bundle, "rootfs/out")
    wait_until(lambda: os.path.exists(out), "it writes")
    box.ok("pause", "c1")
    eq(box.status_of(), "paused")
    before = os.path.getsize(out)
    time.sleep(0.2)
    eq(os.path.getsize(out), before)
    box.ok("resume", "c1")
    wait_until(lambda: os.path.getsize(out) > before, "it goes on")


@test
def delete_ends_paused_and_forking_containers(box):
    box.create(box.bundle(["sh", "-c", "while :; do sleep 0.01 & sleep 0.01; done"]))
    box.ok("start", "c1")
    box.ok("pause", "c1")
    box.ok("delete", "--force", "c1")
    true(not os.path.isdir(leaf(box)), "the cgroup is left")
    eq(box.containers(), [])


@test
def exec_joins_and_ps_lists(box):
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    has(box.ok("exec", "c1", "cat", "/proc/self/cgroup").out, f"{box.cgroup}/b1")
    eq(json.loads(box.ok("ps", "--format", "json", "c1").out), [box.state_of()["pid"]])


@test
def unified_files_are_written(box):
    def change(config):
        config["linux"]["resources"]["unified"] = {"cgroup.max.depth": "3"}

    box.create(box.bundle(["sleep", "100"], change))
    eq(read(f"{leaf(box)}/cgroup.max.depth"), "3\n")


@test
def a_limit_without_its_controller_is_an_error(box):
    if "memory" in read(f"{CGROUP}/cgroup.controllers").split():
        raise Skip("the controller is there")

    def change(config):
        config["linux"]["resources"]["memory"] = {"limit": 1 << 26}

    result = box.create(box.bundle(["true"], change), check=1)
    has(result.errors()[-1], "memory")
    eq(box.containers(), [])


@test
def limits_are_in_force_where_there_are_controllers(box):
    if "memory" not in read(f"{CGROUP}/cgroup.controllers").split():
        raise Skip("v2 has no memory controller here")

    def change(config):
        config["linux"]["resources"].update(memory={"limit": 64 << 20, "swap": 64 << 20},
                                            pids={"limit": 20}, cpu={"quota": 20000, "shares": 512})

    box.create(box.bundle(["sleep", "100"], change))
    for name, value in (("memory.max", str(64 << 20)), ("pids.max", "20"),
                        ("cpu.max", "20000 100000"), ("cpu.weight", "59")):
        eq(read(f"{leaf(box)}/{name}").strip(), value, name)


if __name__ == "__main__":
    if os.geteuid() == 0 and "WHERRY_IT_V2" not in os.environ and not is_v2():
        enter()
    sys.exit(main())
