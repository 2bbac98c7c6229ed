"""Hooks: their order, where they run, what they get, and what their failure does."""

import json
import os
import sys

from harness import eq, has, main, only_wherry, read, test, true, wait_until

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


def hook(script, **more):
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"], **more}


def with_hooks(box, hooks, args=("true",)):
    """startContainer runs inside, so scripts write below /tmp of the container or of the host."""

    def change(config):
        config["hooks"] = hooks

    return box.bundle(list(args), change)


@test
def the_six_kinds_run_in_their_order(box):
    only_wherry("1.1 runs poststart hooks in create")
    order = box.path("order")
    open(order, "w").close()

    def change(config):
        config["mounts"].append({"destination": "/order", "type": "bind", "source": order,
                                 "options": ["bind", "rw"]})
        config["hooks"] = {kind: [hook(f"echo {kind} >> {order}")] for kind in KINDS}
        config["hooks"]["startContainer"] = [hook("echo startContainer >> /order")]

    bundle = box.bundle(["sh", "-c", "echo process >> /order"], change)
    box.create(bundle)
    eq(read(order).split(), ["prestart", "createRuntime", "createContainer"])
    box.ok("start", "c1")
    box.wait_status("stopped")
    box.ok("delete", "c1")
    lines = read(order).split()
    eq(lines[:4], ["prestart", "createRuntime", "createContainer", "startContainer"])
    eq(sorted(lines[4:6]), ["poststart", "process"])
    eq(lines[6:], ["poststop"])


@test
def every_hook_gets_the_state(box):
    only_wherry("1.1 runs poststart hooks in create")
    def change(config):
        config["hooks"] = {kind: [hook(f"cat > {box.path(kind)}")] for kind in KINDS}
        config["hooks"]["startContainer"] = [hook("cat > /state")]
        config["annotations"] = {"key": "value"}

    bundle = box.bundle(["sleep", "100"], change)
    box.create(bundle)
    pid = box.state_of()["pid"]
    box.ok("start", "c1")
    box.ok("delete", "--force", "c1")
    statuses = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
                "startContainer": "created", "poststart": "running", "poststop": "stopped"}
    for kind, status in statuses.items():
        path = os.path.join(bundle, "rootfs/state") if kind == "startContainer" else box.path(kind)
        state = json.loads(read(path))
        eq(state["id"], "c1", kind)
        eq(state["status"], status, kind)
        eq(state["bundle"], bundle, kind)
        eq(state["annotations"]["key"], "value", kind)
        true("ociVersion" in state, kind)
        if status in ("creating", "running") and kind != "createContainer":
            eq(state["pid"], pid, kind)


@test
def hooks_of_one_kind_run_in_order(box):
    order = box.path("order")
    with_order = [hook(f"echo {n} >> {order}") for n in range(4)]
    box.ok("run", "--bundle", with_hooks(box, {"createRuntime": with_order}), "c1")
    eq(read(order).split(), ["0", "1", "2", "3"])


@test
def runtime_hooks_run_outside_and_container_hooks_inside(box):
    def change(config):
        config["hooks"] = {
            "createRuntime": [hook(f"readlink /proc/self/ns/uts > {box.path('runtime')}")],
            "createContainer": [hook(f"readlink /proc/self/ns/uts > {box.path('container')}")],
            "startContainer": [hook("readlink /proc/self/ns/uts > /inside")],
        }

    bundle = box.bundle(["sleep", "100"], change)
    box.create(bundle)
    inside = os.readlink(f"/proc/{box.state_of()['pid']}/ns/uts")
    box.ok("start", "c1")
    start = os.path.join(bundle, "rootfs/inside")
    wait_until(lambda: os.path.exists(start) and read(start), "startContainer hook")
    eq(read(box.path("runtime")).strip(), os.readlink("/proc/self/ns/uts"))
    eq(read(box.path("container")).strip(), inside)
    eq(read(start).strip(), inside)


@test
def a_failing_hook_of_create_fails_create(box):
    for kind in ("prestart", "createRuntime", "createContainer"):
        bundle = with_hooks(box, {kind: [hook("echo words of the hook >&2; exit 3")]})
        result = box.create(bundle, f"c-{kind}", check=1)
        has(result.errors()[-1], "exit status 3", kind)
        has(result.errors()[-1], "words of the hook", kind)
        eq(box.containers(), [], kind)
        eq(box.leftovers(), [], kind)


@test
def the_error_names_kind_and_path(box):
    only_wherry("its own words")
    for kind in ("prestart", "createRuntime", "createContainer"):
        result = box.create(with_hooks(box, {kind: [hook("exit 3")]}), check=1)
        has(result.errors()[-1], f"{kind} hook #0: /bin/sh", kind)


@test
def after_a_failing_create_poststop_hooks_run(box):
    only_wherry("runc runs them for some failures only")
    marker = box.path("marker")
    bundle = with_hooks(box, {"createRuntime": [hook("exit 1")],
                              "poststop": [hook(f"touch {marker}")]})
    box.create(bundle, check=1)
    true(os.path.exists(marker), "poststop ran")


@test
def a_failing_start_container_hook_ends_the_container(box):
    bundle = with_hooks(box, {"startContainer": [hook("exit 3")]}, ["touch", "/ran"])
    box.create(bundle)
    box.call("start", "c1")
    box.wait_status("stopped")
    true(not os.path.exists(os.path.join(bundle, "rootfs/ran")), "the program must not run")
    box.ok("delete", "--force", "c1")


@test
def a_failing_poststart_hook_stops_the_container(box):
    only_wherry("the specification changed with 1.3.0")
    bundle = with_hooks(box, {"poststart": [hook("exit 3")]}, ["sleep", "100"])
    box.create(bundle)
    result = box.call("start", "c1")
    eq(result.status, 1)
    has(result.errors()[-1], "poststart hook #0")
    box.wait_status("stopped")


@test
def a_failing_poststop_hook_is_a_warning(box):
    only_wherry("1.1 stops at the first")
    marker = box.path("marker")
    bundle = with_hooks(box, {"poststop": [hook("exit 3"), hook(f"touch {marker}")]})
    box.create(bundle)
    result = box.ok("delete", "--force", "c1")
    eq(box.containers(), [])
    true(os.path.exists(marker), "the next hook runs")
    true([line for line in result.log if line["level"] == "warning"], repr(result))


@test
def a_hook_that_takes_too_long_is_killed(box):
    only_wherry("waits for what the hook left")
    bundle = with_hooks(box, {"createRuntime": [hook("sleep 100", timeout=1)]})
    result = box.create(bundle, check=1, timeout=20)
    true(result.errors(), "an error")
    eq(box.containers(), [])


@test
def a_missing_hook_fails(box):
    bundle = with_hooks(box, {"createRuntime": [{"path": "/no/such/hook"}]})
    result = box.create(bundle, check=1)
    has(result.errors()[-1], "/no/such/hook")
    has(result.errors()[-1], "no such file or directory")


@test
def a_start_hook_without_an_environment_has_that_of_the_process(box):
    def change(config):
        config["process"]["env"] += ["ONE=two"]
        config["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "test $ONE = two"]}]}
    eq(box.run(box.bundle(["true"], change)).status, 0)


@test
def create_hooks_in_the_container_start_in_its_root(box):
    def change(config):
        config["hooks"] = {"createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "echo here > ./mark"]}]}
    eq(box.run(box.bundle(["cat", "/mark"], change)).out, "here\n")


if __name__ == "__main__":
    sys.exit(main())
