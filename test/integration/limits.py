"""linux.resources and linux.cgroupsPath: what is written is read back, and is really in force."""

import json
import os
import sys
import time

from harness import CGROUP, Skip, eq, has, main, only_wherry, read, test, true, wait_until

MIB = 1 << 20


def needs_v1(controller):
    if not os.path.isdir(f"{CGROUP}/{controller}"):
        raise Skip(f"no v1 controller {controller}")


def with_resources(box, args, **resources):
    def change(config):
        config["linux"]["resources"].update(resources)

    return box.bundle(args, change)


@test
def limits_reach_the_files(box):
    needs_v1("memory")
    bundle = with_resources(
        box, ["sleep", "100"], memory={"limit": 64 * MIB, "reservation": 32 * MIB, "swap": 96 * MIB},
        cpu={"shares": 512, "quota": 20000, "period": 50000, "cpus": "0", "mems": "0"},
        pids={"limit": 77})
    box.create(bundle)
    for controller, name, value in (("memory", "memory.limit_in_bytes", 64 * MIB),
                                    ("memory", "memory.memsw.limit_in_bytes", 96 * MIB),
                                    ("memory", "memory.soft_limit_in_bytes", 32 * MIB),
                                    ("cpu", "cpu.shares", 512), ("cpu", "cpu.cfs_quota_us", 20000),
                                    ("cpu", "cpu.cfs_period_us", 50000),
                                    ("cpuset", "cpuset.cpus", 0), ("cpuset", "cpuset.mems", 0),
                                    ("pids", "pids.max", 77)):
        eq(int(box.cgroup_file(controller, 1, name)), value, name)


@test
def the_process_is_in_every_hierarchy(box):
    box.create(box.bundle(["sleep", "100"]))
    pid = box.state_of()["pid"]
    for line in read(f"/proc/{pid}/cgroup").splitlines():
        eq(line.split(":", 2)[2], f"{box.cgroup}/b1", line)


@test
def too_much_memory_kills(box):
    needs_v1("memory")
    bundle = with_resources(box, ["sh", "-c", "head -c 100000000 /dev/zero | tail; exit $?"],
                            memory={"limit": 16 * MIB, "swap": 16 * MIB})
    result = box.run(bundle)
    true(result.status != 0, repr(result))


@test
def too_much_memory_kills_the_first_process_with_137(box):
    needs_v1("memory")
    script = "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done"
    bundle = with_resources(box, ["sh", "-c", script], memory={"limit": 16 * MIB, "swap": 16 * MIB})
    eq(box.run(bundle).status, 137)


@test
def too_many_processes_fail_to_fork(box):
    needs_v1("pids")
    script = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done; wait"
    bundle = with_resources(box, ["sh", "-c", script], pids={"limit": 5})
    result = box.run(bundle)
    has(result.err, "fork")


@test
def a_quota_slows_down(box):
    needs_v1("cpu")
    bundle = with_resources(box, ["sh", "-c", "while :; do :; done"],
                            cpu={"quota": 10000, "period": 100000})
    box.create(bundle)
    box.ok("start", "c1")
    pid = box.state_of()["pid"]

    def used():
        fields = read(f"/proc/{pid}/stat").rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    time.sleep(0.3)
    before, begin = used(), time.monotonic()
    time.sleep(2)
    share = (used() - before) / (time.monotonic() - begin)
    true(share < 0.25, f"used {share:.2f} of a processor instead of 0.1")
    throttled = dict(line.split() for line in box.cgroup_file("cpu", 1, "cpu.stat").splitlines())
    true(int(throttled["nr_throttled"]) > 0, "throttled")


@test
def a_cpuset_is_in_force(box):
    needs_v1("cpuset")
    bundle = with_resources(box, ["grep", "Cpus_allowed_list", "/proc/self/status"],
                            cpu={"cpus": "1"})
    eq(box.run(bundle).out.split(), ["Cpus_allowed_list:", "1"])


@test
def a_cpuset_is_inherited_when_none_is_asked_for(box):
    needs_v1("cpuset")
    box.create(box.bundle(["sleep", "100"]))
    eq(box.cgroup_file("cpuset", 1, "cpuset.cpus"), read(f"{CGROUP}/cpuset/cpuset.cpus"))


@test
def devices_are_denied_by_default(box):
    script = ("mknod /tmp/null c 1 3 && echo x > /tmp/null && echo null; "
              "mknod /tmp/mem c 1 1 && echo made; cat /tmp/mem; "
              "mknod /tmp/loop b 7 0; cat /tmp/loop")
    result = box.run(box.bundle(["sh", "-c", script]))
    eq(result.out.split(), ["null", "made"], repr(result))
    eq(result.err.lower().count("operation not permitted"), 2, repr(result))


@test
def devices_can_be_allowed_one_by_one(box):
    minors = {name: int(minor) for minor, name in
              (line.split() for line in read("/proc/misc").splitlines())}
    minor = minors.get("fuse", minors.get("loop-control"))
    if minor is None:
        raise Skip("no device at hand that anybody may open")
    rules = [{"allow": False, "access": "rwm"},
             {"allow": True, "type": "c", "major": 10, "minor": minor, "access": "r"}]
    script = (f"mknod /tmp/it c 10 {minor}; (: < /tmp/it) && echo opened; (: > /tmp/it) && echo written")
    result = box.run(with_resources(box, ["sh", "-c", script], devices=rules))
    eq(result.out.split(), ["opened"], repr(result))


@test
def a_relative_path_lies_below_the_callers_cgroup(box):
    own = {}
    for line in read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        own[controllers] = path.rstrip("/")

    def change(config):
        config["linux"]["cgroupsPath"] = box.cgroup.strip("/") + "/relative"

    box.create(box.bundle(["sleep", "100"], change))
    pid = box.state_of()["pid"]
    for line in read(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        eq(path, own[controllers] + box.cgroup + "/relative", line)
    box.ok("delete", "--force", "c1")
    for controllers, path in own.items():
        name = controllers.split(",")[0].removeprefix("name=") or "unified"
        for end in ("/relative", ""):
            left = f"{CGROUP}/{name}{path}{box.cgroup}{end}"
            true(end == "" or not os.path.isdir(left), f"{left} is left")
            if end == "" and os.path.isdir(left):
                os.rmdir(left)


@test
def without_a_path_the_id_is_the_cgroup(box):
    container = box.cgroup.strip("/")

    def change(config):
        del config["linux"]["cgroupsPath"]

    box.create(box.bundle(["sleep", "100"], change), container)
    pid = box.state_of(container)["pid"]
    has(read(f"/proc/{pid}/cgroup"), f":/{container}\n")
    box.ok("delete", "--force", container)
    eq(box.cgroup_dirs(), [])


@test
def delete_removes_cgroups_that_the_container_made(box):
    needs_v1("memory")
    box.create(box.bundle(["sleep", "100"]))
    os.makedirs(f"{CGROUP}/memory{box.cgroup}/b1/inner/most")
    box.ok("delete", "--force", "c1")
    true(not os.path.isdir(f"{CGROUP}/memory{box.cgroup}/b1"), "left")


@test
def a_value_that_the_kernel_refuses_fails_create(box):
    needs_v1("cpuset")
    bundle = with_resources(box, ["true"], cpu={"cpus": "4095"})
    result = box.create(bundle, check=1)
    has(result.errors()[-1], "cpuset.cpus")
    eq(box.containers(), [])


@test
def the_error_names_the_json_path(box):
    only_wherry("its own words")
    needs_v1("cpuset")
    result = box.create(with_resources(box, ["true"], cpu={"cpus": "4095"}), check=1)
    has(result.errors()[-1], "linux.resources.cpu.cpus")


@test
def a_limit_that_this_kernel_lacks_is_an_error(box):
    only_wherry("ignores some")
    bundle = with_resources(box, ["true"], blockIO={"leafWeight": 100})
    result = box.create(bundle, check=1)
    has(result.errors()[-1], "linux.resources.blockIO.leafWeight")
    eq(box.containers(), [])


@test
def unlimited_is_no_error_anywhere(box):
    bundle = with_resources(box, ["true"], memory={"limit": -1, "swap": -1}, pids={"limit": -1},
                            cpu={"quota": -1})
    eq(box.run(bundle).status, 0)


@test
def a_cgroup_in_which_something_lives_is_refused(box):
    only_wherry("1.1 warns")
    box.create(box.bundle(["sleep", "100"]))

    def change(config):
        config["linux"]["cgroupsPath"] = box.cgroup + "/b1"

    result = box.create(box.bundle(["sleep", "100"], change), "c2", check=1)
    has(result.errors()[-1], "container's cgroup is not empty")
    eq(box.containers(), ["c1"])
    eq(box.status_of(), "created")


@test
def a_frozen_container_is_paused_and_can_be_deleted(box):
    needs_v1("freezer")
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    with open(f"{CGROUP}/freezer{box.cgroup}/b1/freezer.state", "w") as file:
        file.write("FROZEN")
    wait_until(lambda: box.status_of() == "paused", "paused")
    box.ok("delete", "--force", "c1")
    eq(box.containers(), [])


@test
def the_processes_of_sub_cgroups_are_listed(box):
    needs_v1("devices")
    box.create(box.bundle(["sh", "-c", "sleep 100 & wait"]))
    box.ok("start", "c1")
    wait_until(lambda: len(json.loads(box.ok("ps", "-f", "json", "c1").out)) == 2, "a child")
    pids = json.loads(box.ok("ps", "-f", "json", "c1").out)
    inner = f"{CGROUP}/devices{box.cgroup}/b1/inner"
    os.mkdir(inner)
    with open(f"{inner}/cgroup.procs", "w") as file:
        file.write(str(max(pids)))
    eq(sorted(json.loads(box.ok("ps", "-f", "json", "c1").out)), sorted(pids))


if __name__ == "__main__":
    sys.exit(main())
