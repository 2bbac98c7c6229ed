"""--systemd-cgroup: with the manager of this machine, or where PID 1 is something else, with one of
our own on a socket."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

from fake_systemd import FakeSystemd
from harness import (CGROUP, Skip, eq, has, is_v2, main, read, test, true, wait_for_pid, wait_until)

MIB = 1 << 20
HAS_SYSTEMD = os.path.isdir("/run/systemd/system")


class Systemd:
    """What a test asks the manager, whichever it is."""

    def __init__(self, box):
        self.fake = None
        self.slice = f"wherryit{os.getpid()}.slice"
        box.cgroup = f"/{self.slice}"
        if not HAS_SYSTEMD:
            self.fake = FakeSystemd(box.path("bus"))
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + box.path("bus")

    def property(self, unit, name):
        """As `systemctl show` writes it."""
        if self.fake:
            value = self.fake.units[unit].properties.get(name)
            return ("yes" if value else "no") if isinstance(value, bool) else str(value)
        return subprocess.run(["systemctl", "show", "--value", "-p", name, unit],
                              stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def version(self):
        text = subprocess.run(["systemctl", "--version"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
        return int(text.split()[1])

    def exists(self, unit):
        if self.fake:
            self.fake.forget_the_dead()
            return unit in self.fake.units
        return self.property(unit, "ActiveState") != "inactive"

    def start_other(self, unit, slice_name):
        """A scope that is none of ours, with a sleeping process."""
        if not self.fake:
            return subprocess.Popen(["systemd-run", "--quiet", "--scope", "--unit", unit, "--slice",
                                     slice_name, "sleep", "1000"])
        process = subprocess.Popen(["sleep", "1000"])
        self.fake.do_StartTransientUnit(unit, "replace",
                                        [("Slice", slice_name), ("PIDs", [process.pid])], [])
        return process


@contextlib.contextmanager
def manager(box):
    systemd = Systemd(box)
    try:
        yield systemd
        if systemd.fake:
            eq(systemd.fake.troubles, [])
    finally:
        for container in box.containers():
            box.force_delete(container)
        if systemd.fake:
            systemd.fake.close()
        else:  # slices stay once they are there
            subprocess.run(["systemctl", "stop", systemd.slice], check=False)


def bundle_in(box, path, args=("sleep", "1000"), change=None):
    def configure(config):
        config["linux"]["cgroupsPath"] = path
        config["linux"]["namespaces"].append({"type": "cgroup"})
        if change:
            change(config)

    return box.bundle(list(args), configure)


def create(box, bundle, container="c1", **kwargs):
    kwargs.setdefault("files", True)
    kwargs.setdefault("check", 0)
    return box.call("--systemd-cgroup", "create", "--bundle", bundle, container, **kwargs)


def start_scope(box, systemd, args=("sleep", "1000"), change=None):
    create(box, bundle_in(box, f"{systemd.slice}:it:c1", args, change))
    box.ok("start", "c1")
    return box.state_of()["pid"]


def hierarchies(pid):
    """{controllers: path}, of those that are mounted below CGROUP."""
    out = {}
    for line in read(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        name = controllers.removeprefix("name=").split(",")[0] or "unified"
        if is_v2() or os.path.isdir(f"{CGROUP}/{name}"):
            out[controllers] = path
    return out


def limit_file(box, v1, v2):
    controller = v1.split(".")[0]
    if is_v2():
        return read(f"{CGROUP}{box.cgroup}/it-c1.scope/{v2}").strip()
    return read(f"{CGROUP}/{controller}{box.cgroup}/it-c1.scope/{v1}").strip()


@test
def a_container_is_a_delegated_scope_in_its_slice(box):
    with manager(box) as systemd:
        pid = start_scope(box, systemd)
        paths = hierarchies(pid)
        true(paths, "it is in cgroups")
        eq(set(paths.values()), {f"/{systemd.slice}/it-c1.scope"}, str(paths))
        eq(systemd.property("it-c1.scope", "Slice"), systemd.slice)
        eq(systemd.property("it-c1.scope", "Delegate"), "yes")
        has(systemd.property("it-c1.scope", "Description"), "c1")
        eq(systemd.property("it-c1.scope", "MemoryAccounting"), "yes")


@test
def a_dash_in_a_slice_is_a_level(box):
    with manager(box) as systemd:
        nested = systemd.slice.replace(".slice", "-inner.slice")
        create(box, bundle_in(box, f"{nested}:it:c1"))
        eq(set(hierarchies(box.state_of()["pid"]).values()),
           {f"/{systemd.slice}/{nested}/it-c1.scope"})
        box.ok("delete", "--force", "c1")
        true(not systemd.exists("it-c1.scope"), "the unit is gone")
        if systemd.fake:  # systemd removes slices that nobody uses
            for directory in box.cgroup_dirs():
                os.rmdir(f"{directory}/{nested}")


@test
def limits_are_properties_and_files(box):
    def change(config):
        config["linux"]["resources"].update(
            memory={"limit": 64 * MIB}, pids={"limit": 33}, cpu={"quota": 20500, "period": 100000})

    with manager(box) as systemd:
        start_scope(box, systemd, change=change)
        eq(systemd.property("it-c1.scope", "TasksMax"), "33")
        eq(systemd.property("it-c1.scope", "MemoryMax" if is_v2() else "MemoryLimit"), str(64 * MIB))
        if systemd.fake:
            # Rounded up: systemd knows hundredths of a processor.
            eq(systemd.property("it-c1.scope", "CPUQuotaPerSecUSec"), "210000")
        else:
            eq(systemd.property("it-c1.scope", "CPUQuotaPerSecUSec"), "210ms")
        eq(limit_file(box, "memory.limit_in_bytes", "memory.max"), str(64 * MIB))
        eq(limit_file(box, "pids.max", "pids.max"), "33")
        has(limit_file(box, "cpu.cfs_quota_us", "cpu.max"), "20500")


@test
def the_list_of_devices_of_v1_is_the_managers_too(box):
    if is_v2():
        raise Skip("a program of the runtime's own")
    with manager(box) as systemd:
        start_scope(box, systemd)
        eq(systemd.property("it-c1.scope", "DevicePolicy"), "strict")
        allowed = systemd.property("it-c1.scope", "DeviceAllow")
        has(allowed, "/dev/char/1:3")
        has(allowed, "char-pts")


@test
def update_tells_the_manager_too(box):
    with manager(box) as systemd:
        start_scope(box, systemd)
        box.ok("update", "--memory", str(48 * MIB), "--pids-limit", "44", "c1")
        eq(systemd.property("it-c1.scope", "TasksMax"), "44")
        eq(systemd.property("it-c1.scope", "MemoryMax" if is_v2() else "MemoryLimit"), str(48 * MIB))
        eq(limit_file(box, "pids.max", "pids.max"), "44")
        eq(limit_file(box, "memory.limit_in_bytes", "memory.max"), str(48 * MIB))
        box.ok("update", "--pids-limit", "-1", "c1")
        eq(limit_file(box, "pids.max", "pids.max"), "max")


@test
def exec_joins_the_scope_and_ps_lists_it(box):
    with manager(box) as systemd:
        pid = start_scope(box, systemd)
        box.ok("exec", "--detach", "c1", "sleep", "1000", files=True)
        pids = json.loads(box.ok("ps", "--format", "json", "c1").out)
        eq(len(pids), 2, "processes")
        for each in pids:
            eq(set(hierarchies(each).values()), {f"/{systemd.slice}/it-c1.scope"})
        true(pid in pids, "init is listed")
        statistics = json.loads(box.ok("events", "--stats", "c1").out)
        true(statistics["data"]["memory"]["usage"]["usage"] > 0, "it uses memory")


@test
def pause_resume_and_kill(box):
    with manager(box) as systemd:
        pid = start_scope(box, systemd)
        box.ok("pause", "c1")
        eq(box.status_of(), "paused")
        box.ok("resume", "c1")
        eq(box.status_of(), "running")
        box.ok("kill", "c1", "KILL")
        eq(wait_for_pid(pid), 137)
        box.ok("delete", "c1")
        true(not systemd.exists("it-c1.scope"), "the unit is gone")


@test
def run_leaves_no_unit(box):
    with manager(box) as systemd:
        bundle = bundle_in(box, f"{systemd.slice}:it:c1", ["sh", "-c", "echo hello; exit 3"])
        result = box.call("--systemd-cgroup", "run", "--bundle", bundle, "c1")
        eq((result.status, result.out), (3, "hello\n"), repr(result))
        true(not systemd.exists("it-c1.scope"), "the unit is gone")
        eq(box.containers(), [])


@test
def without_a_path_the_scope_is_in_system_slice(box):
    with manager(box) as systemd:
        bundle = bundle_in(box, "", ["true"],
                           lambda config: config["linux"].pop("cgroupsPath"))
        name = f"it-default-{os.getpid()}"
        create(box, bundle, name)
        eq(set(hierarchies(box.state_of(name)["pid"]).values()),
           {f"/system.slice/wherry-{name}.scope"})
        box.ok("delete", "--force", name)
        true(not systemd.exists(f"wherry-{name}.scope"), "the unit is gone")
        if systemd.fake:
            for top in os.listdir(CGROUP):
                with contextlib.suppress(OSError):
                    os.rmdir(f"{CGROUP}/{top}/system.slice")


@test
def annotations_become_properties(box):
    def change(config):
        config["annotations"] = {"org.systemd.property.TimeoutStopSec": "uint64 7",
                                 "org.systemd.property.CollectMode": "'inactive-or-failed'"}

    with manager(box) as systemd:
        start_scope(box, systemd, change=change)
        eq(systemd.property("it-c1.scope", "CollectMode"), "inactive-or-failed")
        eq(systemd.property("it-c1.scope", "TimeoutStopUSec"), "7000000" if systemd.fake else "7s")


@test
def paths_that_name_no_unit_are_refused(box):
    with manager(box) as systemd:
        for path in ("/a/b", "a:b", f"{systemd.slice}:it:a/b", "no-slice:it:c1", f"{systemd.slice}::"):
            result = create(box, bundle_in(box, path), check=1)
            true(result.errors(), f"an error for {path}")
            eq(box.containers(), [], path)


@test
def a_living_unit_of_that_name_is_left_alone(box):
    with manager(box) as systemd:
        other = systemd.start_other("it-c1.scope", systemd.slice.replace(".slice", "-other.slice"))
        try:
            wait_until(lambda: systemd.exists("it-c1.scope"), "the other scope is there")
            result = create(box, bundle_in(box, f"{systemd.slice}:it:c1"), check=1)
            has(result.errors()[-1], "it-c1.scope")
            eq(box.containers(), [])
            true(systemd.exists("it-c1.scope"), "the other unit lives")
            eq(other.poll(), None, "status of its process")
        finally:
            other.kill()
            other.wait()
        wait_until(lambda: not systemd.exists("it-c1.scope"), "the other unit is gone")
        if systemd.fake:
            for directory in box.cgroup_dirs():
                for name in os.listdir(directory):
                    if name.endswith(".slice"):
                        os.rmdir(f"{directory}/{name}")


@test
def processes_in_the_scope_are_not_taken_over(box):
    with manager(box) as systemd:
        other = systemd.start_other("it-c1.scope", systemd.slice)
        try:
            wait_until(lambda: systemd.exists("it-c1.scope"), "the other scope is there")
            result = create(box, bundle_in(box, f"{systemd.slice}:it:c1"), check=1)
            has(result.errors()[-1], "not empty")
            eq(other.poll(), None, "status of its process")
        finally:
            other.kill()
            other.wait()
        wait_until(lambda: not systemd.exists("it-c1.scope"), "the other unit is gone")


@test
def a_failed_unit_gives_its_name_back(box):
    with manager(box) as systemd:
        if systemd.fake:
            start_scope(box, systemd)
            systemd.fake.units["it-c1.scope"].failed = True
        elif systemd.version() < 253:
            raise Skip("a scope of this systemd does not fail")
        else:
            def change(config):
                config["linux"]["resources"]["memory"] = {"limit": 16 * MIB, "swap": 16 * MIB}

            pid = start_scope(box, systemd, ["sh", "-c", "tail /dev/zero"], change)
            wait_for_pid(pid)
            wait_until(lambda: systemd.property("it-c1.scope", "ActiveState") == "failed",
                       "the scope has failed")
        box.ok("delete", "--force", "c1")
        true(not systemd.exists("it-c1.scope"), "the unit is forgotten")
        create(box, bundle_in(box, f"{systemd.slice}:it:c1"))


@test
def a_reload_of_the_manager_changes_nothing(box):
    if not HAS_SYSTEMD:
        raise Skip("PID 1 is not systemd")

    def change(config):
        config["linux"]["resources"].update(memory={"limit": 64 * MIB, "reservation": 32 * MIB},
                                            pids={"limit": 33}, cpu={"shares": 512})

    with manager(box) as systemd:
        script = "mknod /tmp/mem c 1 1; while :; do sleep 1; done"
        start_scope(box, systemd, ["sh", "-c", script], change)
        wait_until(lambda: box.call("exec", "c1", "test", "-e", "/tmp/mem").status == 0, "the node")
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        eq(limit_file(box, "pids.max", "pids.max"), "33")
        eq(limit_file(box, "memory.limit_in_bytes", "memory.max"), str(64 * MIB))
        eq(box.call("exec", "c1", "cat", "/tmp/mem").status, 1, "status of reading /dev/mem")


@test
def a_killed_create_leaves_a_unit_that_delete_stops(box):
    with manager(box) as systemd:
        if not systemd.fake:
            raise Skip("needs a manager that can be stopped in the middle")
        systemd.fake.holds_jobs = True
        bundle = bundle_in(box, f"{systemd.slice}:it:c1")
        words = box.command("--systemd-cgroup", "create", "--bundle", bundle, "c1")
        creator = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: "it-c1.scope" in systemd.fake.units, "the unit is made")
        creator.send_signal(signal.SIGKILL)
        creator.wait()
        systemd.fake.holds_jobs = False
        box.force_delete("c1")
        true(not systemd.exists("it-c1.scope"), "the unit is gone")
        eq(box.containers(), [])


@test
def a_job_that_fails_is_an_error_that_names_the_unit(box):
    with manager(box) as systemd:
        if not systemd.fake:
            raise Skip("needs a manager that fails when it is told to")
        systemd.fake.job_result = "failed"
        result = create(box, bundle_in(box, f"{systemd.slice}:it:c1"), check=1)
        has(result.errors()[-1], "it-c1.scope")
        has(result.errors()[-1], "failed")
        systemd.fake.job_result = "done"
        true(not systemd.exists("it-c1.scope"), "the unit is gone")
        eq(box.containers(), [])


@test
def without_a_manager_create_fails_and_delete_does_not(box):
    with manager(box) as systemd:
        if not systemd.fake:
            raise Skip("the manager is here")
        start_scope(box, systemd)
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + box.path("nobody")
        result = create(box, bundle_in(box, f"{systemd.slice}:it:c2"), "c2", check=1)
        has(result.errors()[-1], box.path("nobody"))
        box.ok("delete", "--force", "c1")
        eq(box.containers(), [])


@test
def many_at_once(box):
    with manager(box) as systemd:
        names = [f"m{number}" for number in range(8)]
        bundles = [bundle_in(box, f"{systemd.slice}:it:{name}") for name in names]
        jobs = [subprocess.Popen(box.command("--systemd-cgroup", "create", "--bundle", bundle, name),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for name, bundle in zip(names, bundles)]
        begin = time.monotonic()
        eq([job.wait(60) for job in jobs], [0] * len(jobs), "statuses")
        true(time.monotonic() - begin < 60, "in time")
        for name in names:
            true(systemd.exists(f"it-{name}.scope"), name)
            box.ok("delete", "--force", name)
            true(not systemd.exists(f"it-{name}.scope"), name)


if __name__ == "__main__":
    sys.exit(main())
