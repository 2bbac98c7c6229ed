"""The shim with a daemon of our own (shim_daemon.py) that speaks each dialect of containerd: 1.6 and 1.7 (a bare
address or JSON of version 2), 2.0 to 2.2 (JSON of version 3), 2.3 and later (protobuf)."""

import json
import os
import shutil
import signal
import subprocess
import time

from harness import Skip, eq, has, main, need_criu, only_wherry, reap, settle, test, true, wait_until
from shim_daemon import (CHECKPOINT, EXISTS, INVALID, NOT_FOUND, PRECONDITION, PROCESS, RESOURCES, SANDBOX, TASK_V3, UNIMPLEMENTED, UNKNOWN,
                         Client, Daemon, Message, any_of, create_request, dialects, message, one, put_away,
                         refused, shim_pids, socket_of, wait_gone)

GROUP = "io.kubernetes.cri.sandbox-id"


class Started:
    """A shim of the daemon, and a connection to it."""

    def __init__(self, box, dialect, read, container="c1", args=("sleep", "1000"), change=None):
        self.box, self.daemon, self.read = box, Daemon(box, dialect), read
        self.bundle, self.mount = self.daemon.bundle(container, list(args), change)
        self.answer = self.daemon.start(self.bundle, container)
        self.version, self.socket = read(self.answer)
        self.client = self.daemon.connect(self.socket)

    def create(self, container="c1", bundle=None, mount=None, **more):
        options = any_of(*self.daemon.dialect.config) if self.daemon.dialect.config else b""
        return self.client.call("Create", create_request(
            container, bundle or self.bundle, [mount or self.mount], options=options, **more)).number(1)

    def end(self):
        """After the last Delete."""
        self.client.call("Shutdown", message((1, "c1")))
        true(wait_gone(lambda: not os.path.exists(self.socket), 5), "the socket is gone")
        reap()
        true(wait_gone(lambda: reap() or not shim_pids(self.box), 5), "the shim is gone")
        self.daemon.close()


@test
def a_life_in_every_dialect(box):
    only_wherry("a shim of its own")
    for number, (dialect, read, version, exact) in enumerate(dialects(box)):
        name = f"c{number}"
        shim = Started(box, dialect, read, name, ["sh", "-c", "echo hello; exit 7"])
        eq(shim.version, version, f"{dialect.name}: version")
        eq(shim.socket, socket_of(shim.daemon, name), f"{dialect.name}: the socket's name")
        if exact:
            eq(shim.answer.decode(), exact.format("unix://" + shim.socket), dialect.name)
        address = os.path.join(shim.bundle, "address")
        eq(os.path.exists(address), not dialect.bootstraps, f"{dialect.name}: the file address")
        if not dialect.bootstraps:
            eq(open(address).read(), "unix://" + shim.socket)
        eq(os.stat(shim.socket).st_mode & 0o777, 0o600)

        out = box.path(name + "-out")
        os.mkfifo(out)
        reader = os.open(out, os.O_RDONLY | os.O_NONBLOCK)
        connected = shim.client.call("Connect", message((1, name)))
        eq(connected.number(2), 0, "no task yet")
        pid = shim.create(name, stdout=out)
        true(pid > 0, "a pid")
        state = shim.client.call("State", message((1, name)))
        eq((state.number(3), state.number(4)), (pid, 1), "created")
        waiting = shim.client.send("Wait", message((1, name)))
        eq(shim.client.call("Start", message((1, name))).number(1), pid)
        ended = shim.client.receive(waiting)
        eq(ended.number(1), 7, "status")
        true(ended.inner(2).number(1), "exited_at")
        eq(os.read(reader, 100), b"hello\n")
        eq(os.read(reader, 100), b"", "the end of the output before Delete")
        os.close(reader)
        deleted = shim.client.call("Delete", message((1, name)))
        eq((deleted.number(1), deleted.number(2)), (pid, 7))
        true(deleted.inner(3).number(1), "exited_at")
        shim.daemon.events.wait("delete")
        eq(shim.daemon.events.topics(), ["create", "start", "exit", "delete"], dialect.name)
        eq({each[1] for each in shim.daemon.events.seen}, {"ns"}, "the events' namespace")
        shim.end()


@test
def a_pod_has_one_shim(box):
    only_wherry("a shim of its own")
    def grouped(config):
        config["annotations"] = {GROUP: "pod"}
    for name in ("2.2", "2.4"):
        dialect, read = one(box, name)
        shim = Started(box, dialect, read, "c1", change=grouped)
        eq(shim.socket, socket_of(shim.daemon, "pod"))
        shim.create()
        shim.client.call("Start", message((1, "c1")))
        bundle, mount = shim.daemon.bundle("c2", ["sleep", "1000"], grouped)
        if not dialect.bootstraps:  # version 2 asks for each container, version 3 only connects
            eq(shim.daemon.start(bundle, "c2"), shim.answer)
            eq(open(os.path.join(bundle, "address")).read(), "unix://" + shim.socket)
        eq(len(shim_pids(box)), 1, "shims")
        second = shim.daemon.connect(shim.socket)
        options = any_of(*dialect.config)
        second.call("Create", create_request("c2", bundle, [mount], options=options))
        refused(EXISTS, second.call, "Create", create_request("c2", bundle, [mount], options=options))
        second.call("Start", message((1, "c2")))
        for container in ("c1", "c2"):
            shim.client.call("Shutdown", message((1, container)))  # while others are there: nothing
            shim.client.call("Kill", message((1, container), (3, 9), (4, 1)))
            eq(second.call("Wait", message((1, container))).number(1), 137)
            second.call("Delete", message((1, container)))
            refused(NOT_FOUND, second.call, "Delete", message((1, container)))
        shim.end()
        put_away(box, "c1", "c2")


@test
def an_exec_is_told_in_its_order(box):
    only_wherry("a shim of its own")
    dialect, read = one(box, "1.7")
    shim = Started(box, dialect, read)
    call = shim.client.call
    shim.create()
    call("Start", message((1, "c1")))
    process = json.dumps({"args": ["sh", "-c", "exit 4"], "cwd": "/", "env": ["PATH=/bin"],
                          "user": {"uid": 0, "gid": 0}})
    refused(INVALID, call, "Exec", message((1, "c1"), (2, "e1")))
    call("Exec", message((1, "c1"), (2, "e1"), (7, any_of(PROCESS, process))))
    refused(EXISTS, call, "Exec", message((1, "c1"), (2, "e1"), (7, any_of(PROCESS, process))))
    pid = call("Start", message((1, "c1"), (2, "e1"))).number(1)
    ended = call("Wait", message((1, "c1"), (2, "e1")))
    eq(ended.number(1), 4)
    refused(PRECONDITION, call, "Delete", message((1, "c1")))
    eq(call("Delete", message((1, "c1"), (2, "e1"))).number(1), pid)
    call("Update", message((1, "c1"), (2, any_of(RESOURCES, json.dumps({"pids": {"limit": 99}})))))
    eq(int(box.cgroup_file("pids", 1, "pids.max")), 99)
    call("Pause", message((1, "c1")))
    eq(call("State", message((1, "c1"))).number(4), 4, "paused")
    call("Resume", message((1, "c1")))
    refused(INVALID, call, "Checkpoint", message((1, "c1")))  # no path
    refused(UNIMPLEMENTED, call, "NoSuchMethod")
    refused(UNIMPLEMENTED, call, "State", message((1, "c1")), "containerd.task.v9.Task")
    call("Kill", message((1, "c1"), (3, 15)))  # which the first of a namespace need not hear
    call("Kill", message((1, "c1"), (3, 9)))
    eq(call("Wait", message((1, "c1"))).number(1), 137)
    refused(NOT_FOUND, call, "Kill", message((1, "c1"), (3, 9)))
    call("Delete", message((1, "c1")))
    shim.daemon.events.wait("delete")
    eq(shim.daemon.events.topics(), ["create", "start", "exec-added", "exec-started", "exit", "paused", "resumed",
                                     "exit", "delete"])
    shim.end()


@test
def a_checkpoint_is_written_told_and_restored(box):
    only_wherry("a shim of its own")
    need_criu()
    dialect, read = one(box, "2.4")
    shim = Started(box, dialect, read)
    call = shim.client.call
    shim.create()
    call("Start", message((1, "c1")))
    stays, ends = box.path("stays"), box.path("ends")
    call("Checkpoint", message((1, "c1"), (2, stays)))
    true(os.path.exists(os.path.join(stays, "inventory.img")), "the images")
    eq(call("State", message((1, "c1"))).number(4), 2, "running")
    call("Checkpoint", message((1, "c1"), (2, ends), (3, any_of(CHECKPOINT, message((1, 1))))))
    eq(call("Wait", message((1, "c1"))).number(1), 137)
    call("Delete", message((1, "c1")))
    shim.daemon.events.wait("delete")
    eq(sorted(shim.daemon.events.topics()[2:]), ["checkpointed", "checkpointed", "delete", "exit"])
    eq(shim.create(checkpoint=ends), 0, "no process before Start")
    pid = call("Start", message((1, "c1"))).number(1)
    eq(call("State", message((1, "c1"))).number(4), 2, "running")
    has(open(f"/proc/{pid}/cmdline").read(), "1000")
    call("Kill", message((1, "c1"), (3, 9)))
    eq(call("Wait", message((1, "c1"))).number(1), 137)
    call("Delete", message((1, "c1")))
    shim.end()


@test
def a_daemon_that_is_updated_speaks_its_dialect_to_the_old_shim(box):
    only_wherry("a shim of its own")
    dialect, read = one(box, "1.7")
    shim = Started(box, dialect, read, args=["sh", "-c", "while [ ! -e /tmp/end ]; do sleep 0.02; done; exit 3"])
    pid = shim.create()
    shim.client.call("Start", message((1, "c1")))
    # Away, with a call that waits; what happens meanwhile is known and told later.
    shim.client.send("Wait", message((1, "c1")))
    shim.client.close()
    shim.daemon.close()
    open(box.path("c1-layer", "tmp", "end"), "w").close()
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the process ends")
    dialect, read = one(box, "2.4")
    new = Daemon(box, dialect)
    client = Client(shim.socket, TASK_V3)
    eq(client.call("Connect", message((1, "c1"))).number(2), pid)
    eq(client.call("State", message((1, "c1"))).number(4), 3, "stopped")
    eq(client.call("Wait", message((1, "c1"))).number(1), 3)
    new.events.wait("exit")
    client.call("Delete", message((1, "c1")))
    new.events.wait("delete")
    eq(new.events.topics()[-2:], ["exit", "delete"])
    shim.daemon, shim.client = new, client
    shim.end()


@test
def delete_clears_up_after_a_dead_shim(box):
    only_wherry("a shim of its own")
    for name in ("1.6", "2.4"):
        dialect, read = one(box, name)
        shim = Started(box, dialect, read)
        pid = shim.create()
        shim.client.call("Start", message((1, "c1")))
        for each in shim_pids(box):
            os.kill(each, signal.SIGKILL)
        wait_until(lambda: reap() or not shim_pids(box), "the shim is dead")
        answer = shim.daemon.delete(shim.bundle, "c1")
        eq((answer.number(1), answer.number(2)), (pid, 137))
        true(answer.inner(3).number(1), "exited_at")
        settle(lambda: reap() or not box.leftovers())
        eq(box.leftovers(), [], f"{name}: left")
        eq(os.listdir(os.path.join(box.state, "ns")), [], f"{name}: state")
        true(not os.path.exists(shim.socket), f"{name}: the socket is gone")
        eq(shim.daemon.delete(shim.bundle, "c1").number(2), 137, "once more")
        shim.daemon.close()
        put_away(box, "c1")


@test
def another_runtime_that_the_options_name_is_asked(box):
    only_wherry("a shim of its own")
    runc = shutil.which("runc") or "/usr/sbin/runc"
    if not os.path.exists(runc):
        raise Skip("runc is not installed")
    dialect, read = one(box, "1.7")
    toml = f'Root = "{box.state}"\nBinaryName = "{runc}"\n'
    dialect.config = "runtimeoptions.v1.Options", message((3, toml))
    shim = Started(box, dialect, read, args=["sh", "-c", "echo hello; while [ ! -e /tmp/end ]; do sleep 0.02; done; exit 5"])
    call, out = shim.client.call, box.path("out")
    os.mkfifo(out)
    reader = os.open(out, os.O_RDONLY | os.O_NONBLOCK)
    pid = shim.create(stdout=out)
    call("Start", message((1, "c1")))
    wait_until(lambda: os.path.exists(os.path.join(box.state, "ns", "c1", "state.json")), "runc's own state")
    eq(json.load(open(os.path.join(box.state, "ns", "c1", "state.json")))["init_process_pid"], pid)
    process = json.dumps({"args": ["sh", "-c", "exit 4"], "cwd": "/", "env": ["PATH=/bin"],
                          "user": {"uid": 0, "gid": 0}})
    call("Exec", message((1, "c1"), (2, "e1"), (7, any_of(PROCESS, process))))
    call("Start", message((1, "c1"), (2, "e1")))
    eq(call("Wait", message((1, "c1"), (2, "e1"))).number(1), 4)
    call("Update", message((1, "c1"), (2, any_of(RESOURCES, json.dumps({"pids": {"limit": 99}})))))
    eq(int(box.cgroup_file("pids", 1, "pids.max")), 99)
    call("Pause", message((1, "c1")))
    call("Resume", message((1, "c1")))
    true(len(call("Pids", message((1, "c1"))).get(1, [])) >= 1, "pids of its cgroup")
    process = process.replace("exit 4", "x").replace('"sh"', '"/missing"')
    call("Exec", message((1, "c1"), (2, "e2"), (7, any_of(PROCESS, process))))
    has(refused(UNKNOWN, call, "Start", message((1, "c1"), (2, "e2"))), "/missing")
    open(box.path("c1-layer", "tmp", "end"), "w").close()
    eq(call("Wait", message((1, "c1"))).number(1), 5)
    eq(os.read(reader, 100), b"hello\n")
    os.close(reader)
    call("Delete", message((1, "c1"), (2, "e1")))
    call("Delete", message((1, "c1"), (2, "e2")))
    call("Delete", message((1, "c1")))

    def on_a_terminal(config):
        config["process"]["terminal"] = True
        config["process"]["args"] = ["tty"]
    bundle, mount = shim.daemon.bundle("c2", [], on_a_terminal)
    reader = os.open(out, os.O_RDONLY | os.O_NONBLOCK)
    shim.create("c2", bundle, mount, stdout=out, terminal=1)
    call("Start", message((1, "c2")))
    eq(call("Wait", message((1, "c2"))).number(1), 0)
    wait_until(lambda: b"/dev/pts/0" in os.read(reader, 100), "the terminal's name")
    os.close(reader)
    call("Delete", message((1, "c2")))
    shim.end()


@test
def a_short_process_waits_for_whoever_reads_it(box):
    """A client opens FIFOs in the background: on a busy machine after Start has been called."""
    only_wherry("a shim of its own")
    dialect, read = one(box)
    shim = Started(box, dialect, read, args=["sh", "-c", "echo out; echo err >&2"])
    paths = [box.path("out"), box.path("err")]
    for path in paths:
        os.mkfifo(path)
    options = any_of(*dialect.config)
    created = shim.client.send("Create", create_request("c1", shim.bundle, [shim.mount], stdout=paths[0],
                                                        stderr=paths[1], options=options))
    true(not shim.client.has_answer(created, 0.3), "an answer before anybody reads")
    readers = [subprocess.Popen(["cat", path], stdout=subprocess.PIPE) for path in paths]
    shim.client.receive(created)
    shim.client.call("Start", message((1, "c1")))
    eq([reader.communicate(timeout=10)[0] for reader in readers], [b"out\n", b"err\n"])
    shim.client.call("Wait", message((1, "c1")))
    shim.client.call("Delete", message((1, "c1")))
    shim.end()


@test
def a_sandbox_is_held_without_a_pause_container(box):
    only_wherry("a shim of its own")
    dialect, read = one(box)
    daemon = Daemon(box, dialect)
    name = f"pod{os.getpid()}"
    bundle = box.path(name)
    os.makedirs(os.path.join(bundle, "rootfs"))  # containerd gives a sandbox no config.json
    os.mkfifo(os.path.join(bundle, "log"))
    _, path = read(daemon.start(bundle, name))
    client = daemon.connect(path)

    def ask(method, *fields):
        return client.call(method, message((1, name), *fields), SANDBOX)

    refused(NOT_FOUND, ask, "SandboxStatus")
    # PodSandboxConfig {hostname, dns_config {servers}, linux {cgroup_parent, security_context {namespace_options
    # {network NODE}}}}
    config = message((2, "web-0"), (4, message((1, "10.0.0.10"))), (8, message(
        (1, box.cgroup), (2, message((1, message((1, 2))))))))
    ask("CreateSandbox", (2, bundle), (4, any_of("runtime.v1.PodSandboxConfig", config)))
    refused(EXISTS, ask, "CreateSandbox", (2, bundle))
    pid = ask("StartSandbox").number(1)
    status = ask("SandboxStatus")
    eq((status.number(2), status.text(3)), (pid, "SANDBOX_READY"))
    eq(ask("Platform").inner(1).text(1), "linux")
    ask("PingSandbox")
    # Field 4 is the sandbox as containerd knows it now, field 5 what of it is new.
    ask("UpdateSandbox", (4, message((1, name))), (5, ["extensions"]))
    refused(NOT_FOUND, client.call, "UpdateSandbox", message((1, "another")), SANDBOX)

    def of_the_pod(config):
        config["linux"]["namespaces"] = [{"type": "mount"}, {"type": "ipc", "path": f"/proc/{pid}/ns/ipc"},
                                         {"type": "pid", "path": f"/proc/{pid}/ns/pid"}]
        del config["hostname"]
        # A /sys of one's own is for who has a network.
        config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] != "/sys"]
    made, mount = daemon.bundle("c1", ["sh", "-c", "cat /etc/resolv.conf; readlink /proc/self/ns/ipc; ls /dev/shm"],
                                of_the_pod)
    out = box.path("out")
    os.mkfifo(out)
    reader = os.open(out, os.O_RDONLY | os.O_NONBLOCK)
    options = any_of(*dialect.config)
    client.call("Create", create_request("c1", made, [mount], stdout=out, options=options))
    client.call("Start", message((1, "c1")))
    eq(client.call("Wait", message((1, "c1"))).number(1), 0)
    eq(os.read(reader, 200).decode(), f"nameserver 10.0.0.10\n{os.readlink(f'/proc/{pid}/ns/ipc')}\n")
    os.close(reader)
    client.call("Delete", message((1, "c1")))
    client.call("Shutdown", message((1, "c1")))  # the pod is still there
    waiting = client.send("WaitSandbox", message((1, name)), SANDBOX)
    ask("StopSandbox")
    eq(client.receive(waiting).number(1), 137)
    eq(ask("SandboxStatus").text(3), "SANDBOX_NOTREADY")
    # A daemon that loses patience asks again: the shim ends when all have their answer.
    asked = [client.send("ShutdownSandbox", message((1, name)), SANDBOX) for _ in range(3)]
    for stream in asked:
        client.receive(stream)
    true(wait_gone(lambda: not os.path.exists(path), 5), "the socket is gone")
    true(wait_gone(lambda: reap() or not shim_pids(box), 5), "the shim is gone")
    true(not os.path.exists(f"/run/wherry-pods/{name}"), "the pod's files are gone")
    daemon.close()


@test
def a_shim_that_nobody_calls_ends(box):
    only_wherry("a shim of its own")
    dialect, read = one(box)
    daemon = Daemon(box, dialect)
    bundle, _ = daemon.bundle("c1", ["true"])
    _, path = read(daemon.start(bundle, "c1"))
    begin = time.monotonic()
    time.sleep(4)
    Client(path).close()  # whoever looks at it keeps it for another while
    true(wait_gone(lambda: not os.path.exists(path), 20), "the socket is gone")
    took = time.monotonic() - begin
    true(13 < took, f"ten seconds after the last connection, not {took:.1f} after the start")
    true(wait_gone(lambda: reap() or not shim_pids(box), 2), "the shim is gone")
    daemon.close()


@test
def a_shim_whose_containers_another_process_deleted_ends(box):
    """A daemon that was killed in the middle of a Create has them deleted without a word to the shim."""
    only_wherry("a shim of its own")
    dialect, read = one(box)
    shim = Started(box, dialect, read)
    shim.create()
    shim.client.call("Start", message((1, "c1")))
    shim.client.close()
    eq(shim.daemon.delete(shim.bundle, "c1").number(2), 137)
    true(not wait_gone(lambda: not shim_pids(box), 12), "while the bundle is there, somebody may ask for the status")
    shutil.rmtree(shim.bundle)
    true(wait_gone(lambda: reap() or not shim_pids(box), 15), "the shim is gone")
    true(not os.path.exists(shim.socket), "the socket is gone")
    shim.daemon.close()


@test
def what_it_is_told_wrongly_is_named(box):
    only_wherry("a shim of its own")
    dialect, _ = one(box)
    daemon = Daemon(box, dialect)
    bundle, _ = daemon.bundle("c1", ["true"])
    for stdin, part in ((b"\xff\xff\xff", "standard input"),
                        (any_of("example.Options", b"x"), "example.Options"),
                        (any_of("runtimeoptions.v1.Options", message((3, "Root = 5\n"))), "Root")):
        status, answer = daemon.action(bundle, "c1", "start", stdin=stdin)
        eq(status, 1, answer)
        has(answer.decode(), part)
    eq(shim_pids(box), [])
    daemon.close()


@test
def its_features_are_what_the_runtime_says(box):
    only_wherry("a shim of its own")
    daemon = Daemon(box, one(box)[0])
    status, answer = daemon.action(box.directory, "c1", "-info")
    eq(status, 0)
    info = Message(answer)
    eq(info.text(1), "io.containerd.wherry.v2")
    features = info.inner(4)
    eq(features.text(1), "types.containerd.io/opencontainers/runtime-spec/1/features/Features")
    eq(json.loads(features.text(2)), json.loads(box.ok("features").out))
    daemon.close()


if __name__ == "__main__":
    main()
