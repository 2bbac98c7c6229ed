"""pause, resume, update, events."""

import json
import os
import sys
import time

from harness import CGROUP, Skip, eq, has, main, only_wherry, test, true, wait_until

MIB = 1 << 20


def running(box, memory=None):
    def change(config):
        if memory:
            config["linux"]["resources"]["memory"] = memory

    bundle = box.bundle(["sh", "-c", "while :; do echo x >> /out; sleep 0.02; done"], change)
    box.create(bundle)
    box.ok("start", "c1")
    out = os.path.join(bundle, "rootfs/out")
    wait_until(lambda: os.path.exists(out), "it writes")
    return out


@test
def a_paused_container_does_nothing_until_resume(box):
    out = running(box)
    box.ok("pause", "c1")
    eq(box.status_of(), "paused")
    before = os.path.getsize(out)
    time.sleep(0.2)
    eq(os.path.getsize(out), before, "size while paused")
    box.ok("resume", "c1")
    eq(box.status_of(), "running")
    wait_until(lambda: os.path.getsize(out) > before, "it goes on")


@test
def pause_and_resume_want_the_right_status(box):
    running(box)
    result = box.call("resume", "c1")
    eq(result.status, 1)
    has(result.errors()[-1], "container not paused")
    box.ok("pause", "c1")
    eq(box.call("pause", "c1").status, 1)
    eq(box.call("pause", "nobody").status, 1)


@test
def a_paused_container_can_be_killed_and_deleted(box):
    running(box)
    box.ok("pause", "c1")
    box.ok("delete", "--force", "c1")
    eq(box.containers(), [])


@test
def exec_in_a_paused_container_is_refused(box):
    running(box)
    box.ok("pause", "c1")
    result = box.call("exec", "c1", "true")
    eq(result.status, 255)
    has(result.errors()[-1], "cannot exec in a paused container")


@test
def options_change_the_limits(box):
    if not os.path.isdir(f"{CGROUP}/memory"):
        raise Skip("no v1 controllers")
    running(box)
    box.ok("update", "--memory", str(64 * MIB), "--pids-limit", "33", "--cpu-share", "700",
           "--cpu-quota", "30000", "--cpu-period", "60000", "--cpuset-cpus", "0", "c1")
    eq(int(box.cgroup_file("memory", 1, "memory.limit_in_bytes")), 64 * MIB)
    eq(int(box.cgroup_file("pids", 1, "pids.max")), 33)
    eq(int(box.cgroup_file("cpu", 1, "cpu.shares")), 700)
    eq(int(box.cgroup_file("cpu", 1, "cpu.cfs_quota_us")), 30000)
    eq(int(box.cgroup_file("cpu", 1, "cpu.cfs_period_us")), 60000)
    eq(box.cgroup_file("cpuset", 1, "cpuset.cpus"), "0\n")


@test
def sizes_have_units(box):
    if not os.path.isdir(f"{CGROUP}/memory"):
        raise Skip("no v1 controllers")
    running(box)
    box.ok("update", "--memory", "50M", "--memory-reservation", "20m", "c1")
    eq(int(box.cgroup_file("memory", 1, "memory.limit_in_bytes")), 50 * MIB)
    eq(int(box.cgroup_file("memory", 1, "memory.soft_limit_in_bytes")), 20 * MIB)
    has(box.call("update", "--memory", "50X", "c1", check=1).errors()[-1], "50X")


@test
def a_shorter_period_fits_below_a_limited_parent(box):
    if not os.path.isdir(f"{CGROUP}/cpu"):
        raise Skip("no v1 controllers")
    running(box)
    with open(f"{CGROUP}/cpu{box.cgroup}/cpu.cfs_quota_us", "w") as file:
        file.write("50000")
    box.ok("update", "--cpu-quota", "40000", "--cpu-period", "100000", "c1")
    box.ok("update", "--cpu-period", "10000", "--cpu-quota", "3000", "c1")
    eq(int(box.cgroup_file("cpu", 1, "cpu.cfs_quota_us")), 3000)
    eq(int(box.cgroup_file("cpu", 1, "cpu.cfs_period_us")), 10000)


@test
def a_document_changes_the_limits(box):
    if not os.path.isdir(f"{CGROUP}/memory"):
        raise Skip("no v1 controllers")
    running(box)
    box.ok("update", "--resources=-", "c1", stdin=json.dumps({"pids": {"limit": 44}}))
    eq(int(box.cgroup_file("pids", 1, "pids.max")), 44)
    path = box.path("resources.json")
    with open(path, "w") as file:
        json.dump({"pids": {"limit": 55}}, file)
    box.ok("update", "--resources", path, "c1")
    eq(int(box.cgroup_file("pids", 1, "pids.max")), 55)


@test
def memory_and_swap_go_up_and_down(box):
    if not os.path.exists(f"{CGROUP}/memory/memory.memsw.limit_in_bytes"):
        raise Skip("no swap accounting")
    running(box, {"limit": 32 * MIB, "swap": 32 * MIB})
    for size in (96, 48, 128):
        box.ok("update", "--memory", str(size * MIB), "--memory-swap", str(size * MIB), "c1")
        eq(int(box.cgroup_file("memory", 1, "memory.memsw.limit_in_bytes")), size * MIB)


@test
def what_is_not_mentioned_stays(box):
    if not os.path.isdir(f"{CGROUP}/devices"):
        raise Skip("no v1 controllers")
    running(box, {"limit": 32 * MIB})
    devices = box.cgroup_file("devices", 1, "devices.list")
    box.ok("update", "--pids-limit", "9", "c1")
    eq(int(box.cgroup_file("memory", 1, "memory.limit_in_bytes")), 32 * MIB)
    eq(box.cgroup_file("devices", 1, "devices.list"), devices)


@test
def nonsense_is_refused(box):
    only_wherry("other words")
    running(box)
    for words in (["--memory", "much"], ["--pids-limit", ""], ["--resources", "/no/such"]):
        eq(box.call("update", *words, "c1").status, 1, repr(words))
    result = box.call("update", "--resources", "-", "c1", stdin='{"pids": {"limit": "x"}}')
    has(result.errors()[-1], "pids.limit")
    eq(box.call("update", "--pids-limit", "5", "nobody").status, 1)


@test
def a_limit_below_the_usage_is_refused_when_asked(box):
    running(box)
    limits = {"memory": {"limit": 4096, "checkBeforeUpdate": True}}
    result = box.call("update", "--resources=-", "c1", stdin=json.dumps(limits))
    eq(result.status, 1)
    only_wherry("1.1 does not know the field")
    has(result.errors()[-1], "below current usage")


@test
def events_tell_what_is_used(box):
    if not os.path.isdir(f"{CGROUP}/memory"):
        raise Skip("no v1 controllers")
    running(box, {"limit": 32 * MIB})
    event = json.loads(box.ok("events", "--stats", "c1").out)
    eq((event["type"], event["id"]), ("stats", "c1"))
    data = event["data"]
    true(data["cpu"]["usage"]["total"] > 0, "cpu")
    eq(data["memory"]["usage"]["limit"], 32 * MIB)
    true(data["memory"]["usage"]["usage"] > 0, "memory")
    true(data["pids"]["current"] >= 1, "pids")


@test
def events_end_with_the_container_and_tell_of_memory(box):
    only_wherry("ends when the cgroup goes")
    if not os.path.isdir(f"{CGROUP}/memory"):
        raise Skip("no v1 controllers")

    def change(config):
        config["linux"]["resources"]["memory"] = {"limit": 16 * MIB, "swap": 16 * MIB}

    script = "sleep 0.5; head -c 100000000 /dev/zero | tail > /dev/null; sleep 1.5"
    box.create(box.bundle(["sh", "-c", script], change))
    box.ok("start", "c1")
    lines = box.ok("events", "--interval", "300ms", "c1", timeout=30).out.splitlines()
    kinds = [json.loads(line)["type"] for line in lines]
    true("oom" in kinds and "stats" in kinds, repr(kinds))


if __name__ == "__main__":
    sys.exit(main())
