"""checkpoint and restore with the criu of PATH. What needs a criu that works on this kernel is skipped where
`criu check` says that it does not: Debian's 3.17.1 does on Debian's kernel (test/vm), 4.2 on newer ones too."""

import json
import os
import subprocess
import sys
import time

import wasm_modules
from harness import (ConsoleSocket, eq, has, is_v2, main, need_criu, only_wherry, read, test, true, wait_for_pid,
                     wait_until)

COUNT = "i=0; while :; do i=$((i + 1)); echo $i >> /out; sleep 0.05; done"


def counting(box, change=None, script=COUNT):
    """A container that counts into /out."""
    bundle = box.bundle(["sh", "-c", script], change)
    box.create(bundle)
    box.ok("start", "c1")
    out = os.path.join(bundle, "rootfs/out")
    wait_until(lambda: os.path.exists(out) and len(read(out)) > 4, "it counts")
    return bundle, out


def dump(box, *options, check=0):
    return box.call("checkpoint", "--image-path", box.path("images"), *options, "c1", check=check)


def restore(box, bundle, *options, container="c1", check=0, **kwargs):
    kwargs.setdefault("files", True)
    return box.call("restore", "--detach", "--bundle", bundle, "--image-path", box.path("images"), *options,
                    container, check=check, **kwargs)


def numbers(path):
    return [int(line) for line in read(path).split()]


@test
def a_counter_goes_on_where_it_was(box):
    need_criu()
    bundle, out = counting(box)
    dump(box)
    eq(box.containers(), [], "containers after the checkpoint")
    before = numbers(out)
    time.sleep(0.3)
    eq(numbers(out), before, "nobody counts meanwhile")
    restore(box, bundle, "--pid-file", box.path("pid"))
    eq(box.status_of(), "running")
    eq(box.state_of()["pid"], int(read(box.path("pid"))))
    wait_until(lambda: len(numbers(out)) > len(before) + 3, "it counts again")
    eq(numbers(out), list(range(1, len(numbers(out)) + 1)), "no number is lost or comes twice")


@test
def what_can_be_done_to_a_container_can_be_done_to_a_restored_one(box):
    need_criu()
    bundle, out = counting(box)
    dump(box)
    restore(box, bundle)
    eq(box.ok("exec", "c1", "sh", "-c", "cat /proc/1/comm; hostname").out.split(), ["sh", "box"])
    box.ok("pause", "c1")
    eq(box.status_of(), "paused")
    before = len(numbers(out))
    time.sleep(0.2)
    eq(len(numbers(out)), before, "numbers while paused")
    box.ok("resume", "c1")
    wait_until(lambda: len(numbers(out)) > before, "it goes on")
    pid = box.state_of()["pid"]
    box.ok("kill", "c1", "KILL")
    eq(wait_for_pid(pid), 137)
    box.wait_status("stopped")
    box.ok("delete", "c1")


@test
def leave_running_leaves_it_running(box):
    need_criu()
    bundle, out = counting(box)
    pid = box.state_of()["pid"]
    dump(box, "--leave-running")
    eq(box.state_of()["pid"], pid)
    eq(box.status_of(), "running")
    before = len(numbers(out))
    wait_until(lambda: len(numbers(out)) > before, "it goes on")
    # The images are those of a past that another container can have.
    restore(box, bundle, container="c2", check=1)
    eq(box.containers(), ["c1"], "the cgroup is taken, so nothing of c2 is left")
    box.force_delete()
    restore(box, bundle, container="c2")
    eq(box.status_of("c2"), "running")


@test
def a_paused_container_is_saved_as_well(box):
    need_criu()
    bundle, out = counting(box)
    box.ok("pause", "c1")
    dump(box)
    eq(box.containers(), [])
    before = len(numbers(out))
    restore(box, bundle)
    if box.status_of() == "paused":
        box.ok("resume", "c1")
    wait_until(lambda: len(numbers(out)) > before, "it counts again")


@test
def pipes_of_standard_output_are_bound_again(box):
    need_criu()
    bundle = box.bundle(["sh", "-c", "while read line; do echo got $line; done"])
    source, sink = os.pipe()
    inward, outward = os.pipe()
    with open(os.devnull, "wb") as null:
        subprocess.run(box.command("run", "--detach", "--bundle", bundle, "c1"), stdin=inward, stdout=sink,
                       stderr=null, check=True)
        os.write(outward, b"one\n")
        eq(os.read(source, 100), b"got one\n")
        dump(box)
        descriptors = json.loads(read(box.path("images/descriptors.json")))
        true(descriptors[0].startswith("pipe:") and descriptors[2].startswith("file["), descriptors)
        for end in (source, sink, inward, outward):
            os.close(end)
        source, sink = os.pipe()
        inward, outward = os.pipe()
        subprocess.run(box.command("restore", "--detach", "--bundle", bundle, "--image-path", box.path("images"),
                                   "c1"), stdin=inward, stdout=sink, stderr=null, check=True)
    os.write(outward, b"two\n")
    eq(os.read(source, 100), b"got two\n")
    for end in (source, sink, inward, outward):
        os.close(end)


@test
def files_of_the_host_as_standard_output_are_bound_again(box):
    only_wherry("runc leaves files of the host to criu, which refuses them")
    need_criu()
    bundle = box.bundle(["sh", "-c", "i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done"])
    command = box.command("run", "--detach", "--bundle", bundle, "c1")
    # For appending: else criu wants the file to have the size that it had.
    with open(box.path("first"), "ab") as out:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True)
    wait_until(lambda: len(read(box.path("first"))) > 4, "it counts")
    dump(box)
    last = numbers(box.path("first"))[-1]
    command = box.command("restore", "--detach", "--bundle", bundle, "--image-path", box.path("images"), "c1")
    with open(box.path("second"), "ab") as out:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True)
    wait_until(lambda: len(read(box.path("second"))) > 4, "it counts again")
    eq(numbers(box.path("second"))[0], last + 1)


@test
def in_the_foreground_restore_ends_as_the_program_does(box):
    need_criu()
    bundle, _ = counting(box, script="echo upwards >> /out; while test ! -e /go; do sleep 0.05; done; exit 7")
    dump(box)
    command = box.command("restore", "--bundle", bundle, "--image-path", box.path("images"), "c1")
    # Files, as create had them: criu wants what it binds to be of the same kind and mode.
    with open(box.path("standard"), "wb") as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    wait_until(lambda: '"running"' in box.call("state", "c1").out, "it runs")
    with open(os.path.join(bundle, "rootfs/go"), "w"):
        pass
    eq(child.wait(30), 7)
    eq(box.containers(), [])


@test
def volumes_are_what_restore_finds_in_the_bundle(box):
    need_criu()
    os.makedirs(box.path("old/deep"))
    os.makedirs(box.path("new/deep"))
    for name in ("old", "new"):
        with open(box.path(name, "name"), "w") as file:
            file.write(name + "\n")

    def change(config):
        config["mounts"] += [
            {"destination": "/link/data", "type": "bind", "source": box.path("old"), "options": ["rbind"]},
            {"destination": "/link/data/deep", "type": "bind", "source": box.path("old"), "options": ["bind", "ro"]}]

    bundle = box.bundle(["sh", "-c", "while :; do cat /link/data/name /link/data/deep/name >> /out; sleep 0.05; done"],
                        change)
    root = os.path.join(bundle, "rootfs")
    os.makedirs(os.path.join(root, "real"))
    os.symlink("real", os.path.join(root, "link"))
    box.create(bundle)
    box.ok("start", "c1")
    out = os.path.join(root, "out")
    wait_until(lambda: os.path.exists(out) and "old" in read(out), "it reads")
    dump(box)
    text = read(os.path.join(bundle, "config.json")).replace(box.path("old"), box.path("new"))
    with open(os.path.join(bundle, "config.json"), "w") as file:
        file.write(text)
    os.rmdir(os.path.join(root, "real/data"))
    restore(box, bundle)
    wait_until(lambda: read(out).endswith("new\nnew\n"), "it reads the new volume")
    result = box.call("exec", "c1", "touch", "/link/data/deep/x")
    true(result.status != 0, "the read-only one is read-only still")


@test
def limits_hold_after_restore(box):
    need_criu()

    def change(config):
        config["linux"]["resources"]["pids"] = {"limit": 77}
        config["linux"]["resources"]["memory"] = {"limit": 64 << 20}

    bundle, _ = counting(box, change)
    dump(box)
    restore(box, bundle)
    eq(box.cgroup_file("pids", 1, "pids.max").strip(), "77")
    name = "memory.max" if is_v2() else "memory.limit_in_bytes"
    eq(int(box.cgroup_file("memory", 1, name)), 64 << 20)
    pid = str(box.state_of()["pid"])
    true(pid in box.cgroup_file("pids", 1, "cgroup.procs").split(), "init is in its cgroup")


@test
def files_in_a_tmpfs_come_back(box):
    need_criu()

    def change(config):
        config["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"})

    bundle, _ = counting(box, change, "echo kept > /tmp/x; " + COUNT)
    dump(box)
    restore(box, bundle)
    eq(box.ok("exec", "c1", "cat", "/tmp/x").out, "kept\n")


@test
def runtime_hooks_run_and_no_others(box):
    need_criu()
    order = box.path("order")

    def change(config):
        config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", f"echo {kind} >> {order}"]}]
                           for kind in ("prestart", "createRuntime", "poststart", "poststop")}

    bundle, _ = counting(box, change)
    open(order, "w").close()
    dump(box)
    eq(read(order).split(), ["poststop"], "hooks of checkpoint")
    open(order, "w").close()
    restore(box, bundle)
    eq(read(order).split(), ["prestart", "createRuntime"], "hooks of restore")


@test
def a_hook_that_fails_undoes_the_restore(box):
    need_criu()
    bundle, _ = counting(box)
    dump(box)
    config = json.loads(read(os.path.join(bundle, "config.json")))
    config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}
    with open(os.path.join(bundle, "config.json"), "w") as file:
        json.dump(config, file)
    result = restore(box, bundle, check=1)
    has(result.errors()[-1], "createRuntime")
    eq(box.containers(), [])


@test
def a_terminal_goes_to_the_console_socket(box):
    need_criu()

    def change(config):
        config["process"]["terminal"] = True

    bundle = box.bundle(["sh", "-c", "while read line; do echo got-$line; done"], change)
    console = ConsoleSocket(box.path("console"))
    box.create(bundle, "c1", "--console-socket", console.path)
    master, _ = console.receive()
    box.ok("start", "c1")
    os.write(master, b"one\n")
    seen = b""
    while b"got-one" not in seen:
        seen += os.read(master, 1000)
    dump(box)
    os.close(master)
    restore(box, bundle, "--console-socket", console.path)
    master, _ = console.receive()
    os.write(master, b"two\n")
    seen = b""
    while b"got-two" not in seen:
        seen += os.read(master, 1000)
    os.close(master)
    console.close()


@test
def an_external_network_namespace_is_joined_again(box):
    need_criu()
    name = f"wherry-it-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        def change(config):
            config["linux"]["namespaces"] = [
                {"type": each["type"], **({"path": f"/run/netns/{name}"} if each["type"] == "network" else {})}
                for each in config["linux"]["namespaces"]]

        bundle, _ = counting(box, change)
        dump(box)
        restore(box, bundle)
        eq(os.stat(f"/proc/{box.state_of()['pid']}/ns/net").st_ino, os.stat(f"/run/netns/{name}").st_ino)
        box.force_delete()
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


@test
def only_a_running_container_can_be_saved(box):
    bundle = box.bundle(["true"])
    box.create(bundle)
    result = dump(box, check=1)
    has(result.errors()[-1], "Container cannot be checkpointed in created state")
    box.ok("start", "c1")
    box.wait_status("stopped")
    result = dump(box, check=1)
    has(result.errors()[-1], "Container cannot be checkpointed in stopped state")
    has(box.call("checkpoint", "nobody", check=1).errors()[-1], "container does not exist")


@test
def a_module_is_refused_with_the_reason(box):
    only_wherry("wasm")
    wasm_modules.needs_programs()
    bundle = wasm_modules.bundle_of(box, wasm_modules.module(wasm_modules.LOOP))
    box.create(bundle)
    box.ok("start", "c1")
    result = dump(box, check=1)
    has(result.errors()[-1], "a WebAssembly container cannot be checkpointed")
    eq(box.status_of(), "running")
    true(not os.path.exists(box.path("images")), "no images")


@test
def without_criu_the_error_says_so(box):
    bundle = box.bundle(["sleep", "100"])
    box.create(bundle)
    box.ok("start", "c1")
    environment = dict(os.environ, PATH=box.path("nothing"))
    result = box.call("checkpoint", "--image-path", box.path("images"), "c1", check=1, env=environment)
    has(result.errors()[-1], "criu")
    has(result.errors()[-1], "executable file not found in $PATH")
    eq(box.status_of(), "running")


@test
def a_checkpoint_that_fails_leaves_the_container_running(box):
    need_criu()
    # More of an unlinked file than criu takes along: it gives up in the middle of the dump.
    bundle, out = counting(box, script="dd if=/dev/zero of=/big bs=1M count=3; exec 5</big; rm /big; " + COUNT)
    # Not a directory: criu cannot write there.
    with open(box.path("file"), "w"):
        pass
    box.call("checkpoint", "--image-path", box.path("file"), "c1", check=1)
    result = dump(box, check=1)
    has(result.errors()[-1], "criu failed: type DUMP")
    true(any("Error" in line["msg"] for line in result.log), "criu's log is quoted")
    before = len(numbers(out))
    wait_until(lambda: len(numbers(out)) > before, "it goes on")
    eq(box.status_of(), "running")
    environment = dict(os.environ, PATH=box.path("bin"))
    os.makedirs(box.path("bin"))
    with open(box.path("bin/criu"), "w") as file:
        file.write("#!/bin/sh\nexit 1\n")
    os.chmod(box.path("bin/criu"), 0o755)
    result = box.call("checkpoint", "--image-path", box.path("images"), "c1", check=1, env=environment)
    has(result.errors()[-1], "criu")
    eq(box.status_of(), "running")


@test
def restore_without_images_leaves_nothing(box):
    need_criu()
    bundle = box.bundle(["sleep", "100"])
    result = restore(box, bundle, check=1)
    has(result.errors()[-1], "image path")
    os.makedirs(box.path("images"))
    result = restore(box, bundle, check=1)
    has(result.errors()[-1], "no checkpoint")
    with open(box.path("images/descriptors.json"), "w") as file:
        file.write('["", "", ""]')
    result = restore(box, bundle, check=1)
    has(result.errors()[-1], "criu failed")
    eq(box.containers(), [])


@test
def wrong_options_are_named(box):
    bundle = box.bundle(["sleep", "100"])
    box.create(bundle)
    box.ok("start", "c1")
    for options, words in (
            (("--manage-cgroups-mode", "none"), "manage-cgroups-mode"),
            (("--empty-ns", "pid"), 'namespace "pid" is not supported'),
            (("--page-server", "nowhere"), "--page-server ADDRESS:PORT"),
            (("--status-fd", "x"), "status-fd"),
            (("--parent-path", "/absolute"), "--parent-path must be relative"),
            (("--parent-path", "missing"), "invalid --parent-path")):
        has(dump(box, *options, check=1).errors()[-1], words, "error")
    eq(box.status_of(), "running")


if __name__ == "__main__":
    sys.exit(main())
