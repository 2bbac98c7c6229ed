"""Which namespaces a container is in: new ones, those of another container, those of the host."""

import os
import sys

from harness import eq, has, main, test, true

IDS = [{"containerID": 0, "hostID": 100000, "size": 65536}]
FILES = {"network": "net"}


def with_user_namespace(config):
    config["linux"]["namespaces"].append({"type": "user"})
    config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = IDS


def joining(pid, types):
    def change(config):
        listed = [each["type"] for each in config["linux"]["namespaces"]]
        for missing in set(types) - set(listed):
            config["linux"]["namespaces"].append({"type": missing})
        for each in config["linux"]["namespaces"]:
            if each["type"] in types:
                each["path"] = f"/proc/{pid}/ns/{FILES.get(each['type'], each['type'])}"
    return change


@test
def a_user_namespace_maps_ids(box):
    done = box.run(box.bundle(["cat", "/proc/self/uid_map"], with_user_namespace))
    eq(done.out.split(), ["0", "100000", "65536"])


@test
def exec_joins_a_user_namespace(box):
    box.create(box.bundle(["sleep", "100"], with_user_namespace))
    box.ok("start", "c1")
    done = box.call("exec", "c1", "cat", "/proc/self/uid_map")
    eq(done.out.split(), ["0", "100000", "65536"])


@test
def namespaces_of_another_container_are_joined(box):
    for setup, types in ((None, ["pid", "network", "ipc", "uts"]),
                         (with_user_namespace, ["user", "network", "ipc", "uts"])):
        box.create(box.bundle(["sleep", "100"], setup))
        pid = box.state_of()["pid"]
        files = [FILES.get(each, each) for each in types]
        script = "for each in %s; do readlink /proc/self/ns/$each; done" % " ".join(files)
        done = box.run(box.bundle(["sh", "-c", script], joining(pid, types)), "c2")
        eq(done.out.split(), [os.readlink(f"/proc/{pid}/ns/{each}") for each in files])
        box.ok("delete", "--force", "c1")


@test
def a_namespace_file_of_another_type_is_refused(box):
    def change(config):
        for each in config["linux"]["namespaces"]:
            if each["type"] == "uts":
                each["path"] = f"/proc/{os.getpid()}/ns/ipc"
    done = box.create(box.bundle(["true"], change), check=1)
    has(done.errors()[-1], f"/proc/{os.getpid()}/ns/ipc")


@test
def a_time_namespace_has_its_own_clock(box):
    def change(config):
        config["linux"]["namespaces"].append({"type": "time"})
        config["linux"]["timeOffsets"] = {"boottime": {"secs": 10_000_000}}
    done = box.run(box.bundle(["cat", "/proc/uptime"], change))
    true(float(done.out.split()[0]) > 10_000_000, done)


@test
def the_root_has_the_propagation_that_is_asked_for(box):
    for name, mark in (("shared", " shared:"), ("unbindable", " unbindable "), ("private", None)):
        def change(config, name=name):
            config["linux"]["rootfsPropagation"] = name
        done = box.run(box.bundle(["cat", "/proc/self/mountinfo"], change))
        root = [line for line in done.out.splitlines() if line.split()[4] == "/"][-1]
        fields = root.split(" - ")[0] + " "
        if mark:
            has(fields, mark)
        else:
            true("shared:" not in fields and "unbindable" not in fields, fields)


@test
def what_is_not_implemented_is_refused(box):
    def change(config):
        config["linux"]["netDevices"] = {"eth7": {}}
    done = box.create(box.bundle(["true"], change), check=1)
    has(done.errors()[-1], "linux.netDevices")


if __name__ == "__main__":
    sys.exit(main())
