"""linux.resources and linux.cgroupsPath: what is written is read back, and is really in force."""

import json
import os
import sys
import time

from harness import CGROUP, Skip, eq, has, is_v2, main, only_wherry, read, test, true, wait_until

MIB = 1 << 20


def needs(controller):
    """Of either version; devices and freezer are no controllers in v2, but always there."""
    if is_v2():
        there = read(f"{CGROUP}/cgroup.controllers").split() + ["devices", "freezer"]
    else:
        there = os.listdir(CGROUP)
    if controller not in there:
        raise Skip(f"no controller {controller}")


def with_resources(box, args, **resources):
    def change(config):
        config["linux"]["resources"].update(resources)

    return box.bundle(args, change)


@test
def limits_reach_the_files(box):
    needs("memory")
    bundle = with_resources(
        box, ["sleep", "100"], memory={"limit": 64 * MIB, "reservation": 32 * MIB, "swap": 96 * MIB},
        cpu={"shares": 512, "quota": 20000, "period": 50000, "cpus": "0", "mems": "0"},
        pids={"limit": 77})
    box.create(bundle)
    files = V2_LIMITS if is_v2() else V1_LIMITS
    for controller, name, value in files:
        eq(box.cgroup_file(controller, 1, name).strip(), str(value), name)


V1_LIMITS = (("memory", "memory.limit_in_bytes", 64 * MIB),
             ("memory", "memory.memsw.limit_in_bytes", 96 * MIB),
             ("memory", "memory.soft_limit_in_bytes", 32 * MIB),
             ("cpu", "cpu.shares", 512), ("cpu", "cpu.cfs_quota_us", 20000),
             ("cpu", "cpu.cfs_period_us", 50000), ("cpuset", "cpuset.cpus", 0),
             ("cpuset", "cpuset.mems", 0), ("pids", "pids.max", 77))
V2_LIMITS = (("memory", "memory.max", 64 * MIB), ("memory", "memory.swap.max", 32 * MIB),
             ("memory", "memory.low", 32 * MIB), ("cpu", "cpu.weight", 59),
             ("cpu", "cpu.max", "20000 50000"), ("cpuset", "cpuset.cpus", 0),
             ("cpuset", "cpuset.mems", 0), ("pids", "pids.max", 77))


@test
def the_process_is_in_every_hierarchy(box):
    box.create(box.bundle(["sleep", "100"]))
    pid = box.state_of()["pid"]
    for line in read(f"/proc/{pid}/cgroup").splitlines():
        eq(line.split(":", 2)[2], f"{box.cgroup}/b1", line)


@test
def too_much_memory_kills(box):
    needs("memory")
    bundle = with_resources(box, ["sh", "-c", "head -c 100000000 /dev/zero | tail; exit $?"],
                            memory={"limit": 16 * MIB, "swap": 16 * MIB})
    result = box.run(bundle)
    true(result.status != 0, repr(result))


@test
def too_much_memory_kills_the_first_process_with_137(box):
    needs("memory")
    script = "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done"
    bundle = with_resources(box, ["sh", "-c", script], memory={"limit": 16 * MIB, "swap": 16 * MIB})
    eq(box.run(bundle).status, 137)


@test
def too_many_processes_fail_to_fork(box):
    needs("pids")
    script = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done; wait"
    bundle = with_resources(box, ["sh", "-c", script], pids={"limit": 5})
    result = box.run(bundle)
    has(result.err, "fork")


@test
def a_quota_slows_down(box):
    needs("cpu")
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
    needs("cpuset")
    bundle = with_resources(box, ["grep", "Cpus_allowed_list", "/proc/self/status"],
                            cpu={"cpus": "1"})
    eq(box.run(bundle).out.split(), ["Cpus_allowed_list:", "1"])


@test
def a_cpuset_is_inherited_when_none_is_asked_for(box):
    needs("cpuset")
    box.create(box.bundle(["sleep", "100"]))
    if is_v2():
        eq(box.cgroup_file("cpuset", 1, "cpuset.cpus.effective"),
           read(f"{CGROUP}/cpuset.cpus.effective"))
    else:
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
    # A v2 cgroup with processes of its own hands no controllers down: its parent is taken.
    base = {name: os.path.dirname(path).rstrip("/") if is_v2() else path
            for name, path in own.items()}

    def change(config):
        config["linux"]["cgroupsPath"] = box.cgroup.strip("/") + "/relative"

    box.create(box.bundle(["sleep", "100"], change))
    pid = box.state_of()["pid"]
    for line in read(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        eq(path, base[controllers] + box.cgroup + "/relative", line)
    box.ok("delete", "--force", "c1")
    for controllers, path in base.items():
        name = controllers.split(",")[0].removeprefix("name=") or ("" if is_v2() else "unified")
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
    needs("memory")
    box.create(box.bundle(["sleep", "100"]))
    own = box.cgroup_of("memory", 1)
    os.makedirs(f"{own}/inner/most")
    box.ok("delete", "--force", "c1")
    true(not os.path.isdir(own), "left")


@test
def a_value_that_the_kernel_refuses_fails_create(box):
    needs("cpuset")
    bundle = with_resources(box, ["true"], cpu={"cpus": "4095"})
    result = box.create(bundle, check=1)
    has(result.errors()[-1], "cpuset.cpus")
    eq(box.containers(), [])


@test
def the_error_names_the_json_path(box):
    only_wherry("its own words")
    needs("cpuset")
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
    needs("freezer")
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    name, value = ("cgroup.freeze", "1") if is_v2() else ("freezer.state", "FROZEN")
    with open(f"{box.cgroup_of('freezer', 1)}/{name}", "w") as file:
        file.write(value)
    wait_until(lambda: box.status_of() == "paused", "paused")
    box.ok("delete", "--force", "c1")
    eq(box.containers(), [])


@test
def the_processes_of_sub_cgroups_are_listed(box):
    needs("devices")
    box.create(box.bundle(["sh", "-c", "sleep 100 & wait"]))
    box.ok("start", "c1")
    wait_until(lambda: len(json.loads(box.ok("ps", "-f", "json", "c1").out)) == 2, "a child")
    pids = json.loads(box.ok("ps", "-f", "json", "c1").out)
    inner = f"{box.cgroup_of('devices', 1)}/inner"
    os.mkdir(inner)
    with open(f"{inner}/cgroup.procs", "w") as file:
        file.write(str(max(pids)))
    eq(sorted(json.loads(box.ok("ps", "-f", "json", "c1").out)), sorted(pids))


@test
def intel_rdt_without_resctrl_is_refused_and_leaves_nothing(box):
    with open("/proc/self/mountinfo") as file:
        if " - resctrl " in file.read():
            raise Skip("resctrl is mounted")
    before = set(box.leftovers())

    def change(config):
        config["linux"]["intelRdt"] = {"schemata": ["L3:0=f"], "enableMonitoring": True}

    result = box.call("create", "--bundle", box.bundle(["true"], change), "c1")
    true(result.status != 0, "refused")
    has(result.errors()[-1], "intelRdt is specified in config, but Intel RDT is not enabled")
    eq(box.call("state", "c1").status, 1)
    eq(set(box.leftovers()), before)


@test
def schemata_of_a_container_without_intel_rdt_cannot_be_updated(box):
    box.ok("create", "--bundle", box.bundle(["true"]), "c1", files=True)
    for option, line, words in (("--l3-cache-schema", "L3:0=f", "Intel RDT/CAT: l3 cache schema is not enabled"),
                                ("--mem-bw-schema", "MB:0=50",
                                 "Intel RDT/MBA: memory bandwidth schema is not enabled")):
        result = box.call("update", option, line, "c1")
        true(result.status != 0, "refused")
        true(words in result.errors()[-1] or "non-existent Intel RDT" in result.errors()[-1],
             result.errors()[-1])


if __name__ == "__main__":
    sys.exit(main())
