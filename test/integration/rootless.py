"""The runtime as an ordinary user starts it: user namespaces with one id or with those that newuidmap
grants, and no right to make cgroups unless somebody delegates them."""

import json
import os
import shutil
import sys

import private_host
from harness import CGROUP, Skip, eq, has, is_v2, main, read, test, true, wait_until, write_config
from ordinary_user import GRANTED, ONE_ID, User
from private_host import SUBORDINATE, USER
from wasm_modules import HELLO, module

def as_user(function):
    def wrapped(box):
        user = User(box)
        try:
            function(user)
            eq(user.containers(), [], "containers that are left")
        finally:
            for container in user.containers():
                user.call("delete", "--force", container)
    wrapped.__name__ = function.__name__
    return test(wrapped)


@as_user
def one_id_is_root_inside_and_the_user_outside(user):
    bundle = user.bundle(["sh", "-c", "id -u; id -g; cat /proc/self/uid_map; : > /made"])
    eq(user.ok("run", "--bundle", bundle, "c1").split(), ["0", "0", "0", str(USER["user"]), "1"])
    eq(os.stat(os.path.join(bundle, "rootfs/made")).st_uid, USER["user"])


@as_user
def the_written_configuration_runs(user):
    bundle = user.bundle(["true"])
    os.unlink(os.path.join(bundle, "config.json"))
    user.ok("spec", "--rootless", "--bundle", bundle)
    with open(os.path.join(bundle, "config.json")) as file:
        config = json.load(file)
    config["process"].update(terminal=False, args=["sh", "-c", "id -u; ls /sys/fs/cgroup | wc -l"])
    write_config(bundle, config)
    uid, cgroups = user.ok("run", "--bundle", bundle, "c1").split()
    eq(uid, "0")
    true(int(cgroups) > 0, "it sees the cgroups that it is in")


@as_user
def granted_ids_are_mapped_by_the_helpers(user):
    if shutil.which("newuidmap") is None:
        raise Skip("needs newuidmap (package uidmap)")
    bundle = user.bundle(["sh", "-c", "id -u; id -g; : > /tmp/made"], ids=GRANTED,
                         change=lambda config: config["process"]["user"].update(uid=5, gid=6))
    os.chmod(os.path.join(bundle, "rootfs/tmp"), 0o1777)
    eq(user.ok("run", "--bundle", bundle, "c1").split(), ["5", "6"])
    made = os.stat(os.path.join(bundle, "rootfs/tmp/made"))
    eq((made.st_uid, made.st_gid), (SUBORDINATE + 4, SUBORDINATE + 5))


@as_user
def ids_that_nobody_granted_are_refused(user):
    for ids in ([{"containerID": 0, "hostID": 0, "size": 1}],
                [*ONE_ID, {"containerID": 1, "hostID": SUBORDINATE + 65536, "size": 1}]):
        done = user.call("run", "--bundle", user.bundle(["true"], ids=ids), "c1")
        eq(done.returncode, 1)
        has(done.stderr, "newuidmap")


@as_user
def without_a_user_namespace_it_is_refused(user):
    def change(config):
        config["linux"]["namespaces"].pop()
        del config["linux"]["uidMappings"], config["linux"]["gidMappings"]

    done = user.call("run", "--bundle", user.bundle(["true"], change), "c1")
    eq(done.returncode, 1)
    has(done.stderr, "user namespace")


@as_user
def every_command_works(user):
    user.start(user.bundle(["sh", "-c", "trap 'exit 4' TERM; while :; do sleep 0.05; done"]))
    state = json.loads(user.ok("state", "c1"))
    eq((state["status"], state["owner"]), ("running", "wherry-it"))
    has(user.ok("list"), "c1")
    eq(user.ok("exec", "c1", "cat", "/proc/self/uid_map").split(), ["0", str(USER["user"]), "1"])
    user.ok("kill", "c1", "TERM")
    wait_until(lambda: json.loads(user.ok("state", "c1"))["status"] == "stopped", "it stops")
    user.ok("delete", "c1")
    user.start(user.bundle(["sleep", "100"]), "c2")
    user.ok("delete", "--force", "c2")


@as_user
def kill_reaches_a_container_without_cgroups_and_pid_namespace(user):
    def change(config):
        spaces = config["linux"]["namespaces"]
        spaces[:] = [each for each in spaces if each["type"] != "pid"]
        config["mounts"][0] = {"destination": "/proc", "type": "none", "source": "/proc",
                               "options": ["rbind"]}

    user.start(user.bundle(["sleep", "100"], change))
    user.ok("kill", "c1", "KILL")
    wait_until(lambda: json.loads(user.ok("state", "c1"))["status"] == "stopped", "it stops")
    user.ok("delete", "c1")


@as_user
def cgroups_are_left_out_unless_they_are_asked_for(user):
    def limit(config):
        config["linux"]["resources"]["pids"] = {"limit": 5}

    def place(config):
        config["linux"]["cgroupsPath"] = user.box.cgroup + "/user"

    eq(user.call("run", "--bundle", user.bundle(["true"]), "c1").returncode, 0)
    for change, words in ((limit, "pids"), (place, "permission denied")):
        done = user.call("run", "--bundle", user.bundle(["true"], change), "c1")
        eq(done.returncode, 1)
        has(done.stderr, words)
    done = user.call("--rootless=false", "run", "--bundle", user.bundle(["true"]), "c1")
    eq(done.returncode, 1)
    has(done.stderr, "permission denied")
    eq(user.call("--rootless=true", "run", "--bundle", user.bundle(["true"]), "c1").returncode, 0)


@as_user
def delegated_cgroups_are_used(user):
    if is_v2():
        raise Skip("looks at v1's files")
    tops = [f"{CGROUP}/{name}" for name in os.listdir(CGROUP)]
    for top in tops:
        delegated = top + user.box.cgroup
        os.makedirs(delegated)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if os.path.exists(f"{delegated}/{name}"):
                with open(f"{delegated}/{name}", "w") as file:
                    file.write(read(f"{top}/{name}"))
        os.chown(delegated, USER["user"], USER["group"])
        for name in ("cgroup.procs", "tasks"):
            if os.path.exists(f"{delegated}/{name}"):
                os.chown(f"{delegated}/{name}", USER["user"], USER["group"])

    def enter():
        for top in tops:
            with open(f"{top}{user.box.cgroup}/cgroup.procs", "w") as file:
                file.write("0")
        os.setgroups([])
        os.setgid(USER["group"])
        os.setuid(USER["user"])

    def change(config):
        config["linux"]["cgroupsPath"] = "mine"
        config["linux"]["resources"] = {"pids": {"limit": 5}}

    script = "grep pids: /proc/self/cgroup; for i in 1 2 3 4 5 6; do sleep 1 & done; wait"
    done = user.call("run", "--bundle", user.bundle(["sh", "-c", script], change), "c1", before=enter,
                     user=None, group=None, extra_groups=None)
    has(done.stdout, f"{user.box.cgroup}/mine", repr(done))
    has(done.stderr, "can't fork")


@as_user
def a_module_runs(user):
    if not os.path.exists(os.path.join(user.programs, "wherry-exec")):
        raise Skip("wherry-exec is not built")
    bundle = user.bundle(["/app.wasm"])
    with open(os.path.join(bundle, "rootfs/app.wasm"), "wb") as file:
        file.write(module(HELLO))
    for _ in range(2):  # compiled, then from the user's own cache
        eq(user.ok("run", "--bundle", bundle, "c1"), "hello\n")


if __name__ == "__main__":
    sys.exit(private_host.run_main(main))
