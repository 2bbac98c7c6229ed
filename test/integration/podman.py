"""podman with --runtime: what it and conmon send to a runtime, and what their users see of it.

Storage and images (made here) are the box's, and what podman does outside of it, such as directories
for controllers that a hybrid host lacks, is seen only here: private_host.py."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

import private_host
from harness import (RUNTIME, Skip, eq, has, is_v2, main, make_rootfs, read, reap, test, true,
                     wait_until)
from ordinary_user import User
from private_host import USER
from wasm_modules import HELLO, module


class Podman:
    """One storage with the image local/box: busybox and a wasm module."""

    def __init__(self, box, user=None, runtime=RUNTIME):
        self.box = box
        with open(box.path("storage.conf"), "w") as file:
            file.write("[storage]\ndriver = \"%s\"\ngraphroot = \"%s\"\nrunroot = \"%s\"\n" % (
                "vfs" if user else "overlay", box.path("graph"), box.path("runroot")))
        with open(box.path("containers.conf"), "w") as file:
            # The defaults of podman are beyond what this machine's root may raise.
            file.write("[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n"
                       "[engine]\nevents_logger = \"file\"\nlock_type = \"file\"\n"
                       "cgroup_manager = \"cgroupfs\"\nruntime_supports_json = [\"wherry\"]\n"
                       "[engine.runtimes]\nwherry = [\"%s\"]\n" % runtime)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": box.directory, "XDG_RUNTIME_DIR": box.path("xdg"),
            "CONTAINERS_STORAGE_CONF": box.path("storage.conf"),
            "CONTAINERS_CONF": box.path("containers.conf"),
            "WHERRY_CACHE_DIR": box.path("cache"),
        }
        self.user = user or {}
        os.makedirs(box.path("xdg"), mode=0o700, exist_ok=True)
        for name in ("graph", "runroot", "tmp"):
            os.makedirs(box.path(name))
        if user:
            for name in ("", "xdg", "graph", "runroot", "tmp"):
                os.chown(box.path(name), user["user"], user["group"])
        root = box.path("image")
        make_rootfs(root)
        with open(os.path.join(root, "app.wasm"), "wb") as file:
            file.write(module(HELLO))
        with open(os.path.join(root, "plain"), "w") as file:
            file.write("no program\n")
        archive = shutil.make_archive(box.path("image"), "tar", root)
        self.ok("import", archive, "local/box")

    def call(self, *args, timeout=60, **kwargs):
        command = ["podman", "--root", self.box.path("graph"), "--runroot", self.box.path("runroot"),
                   "--tmpdir", self.box.path("tmp"), "--runtime", "wherry", *args]
        return subprocess.run(command, stdin=kwargs.pop("stdin", subprocess.DEVNULL), timeout=timeout,
                              env=self.environment, capture_output=True, text=True, cwd="/",
                              **self.user, **kwargs)

    def ok(self, *args, **kwargs):
        done = self.call(*args, **kwargs)
        if done.returncode != 0:
            raise AssertionError(f"podman {' '.join(args)}: {done}")
        return done.stdout

    def options(self):
        return ["--network", "none", *([] if self.user else ["--cgroup-parent", self.box.cgroup])]

    def run(self, *args, **kwargs):
        return self.call("run", *self.options(), *args, **kwargs)

    def start(self, name, *command, options=()):
        return self.ok("run", "-d", "--name", name, *self.options(), *options, "local/box",
                       *command).strip()

    def inspect(self, name, what):
        return self.ok("inspect", "--format", "{{" + what + "}}", name).strip()

    def close(self):
        self.call("pod", "rm", "-fa", "-t", "0")
        self.call("rm", "-fa", "-t", "0")


def with_podman(function):
    """A test that gets a Podman, which is gone afterwards."""
    def wrapped(box):
        podman = Podman(box)
        try:
            function(podman)
        finally:
            podman.close()
            forget(podman)
    wrapped.__name__ = function.__name__
    return test(wrapped)


def remove_own_cgroups(top):
    for path, _, _ in os.walk(top, topdown=False):
        if re.fullmatch("conmon|[0-9a-f]{64}", os.path.basename(path)):
            try:
                os.rmdir(path)
            except OSError:
                return False
    return True


def forget(podman):
    """What is podman's own: conmon needs a moment to end, its cgroup and those of pods stay behind where
    podman keeps their parent, and its overlay directory is a mount. The containers' cgroups are ours."""
    def gone():
        reap()
        return not podman.box.processes() and all(remove_own_cgroups(top)
                                                  for top in podman.box.cgroup_dirs())

    wait_until(gone, "conmon ends")
    subprocess.run(["umount", podman.box.path("graph", "overlay")], stderr=subprocess.DEVNULL)


@test
def an_ordinary_user_has_it_too(box):
    if shutil.which("newuidmap") is None:
        raise Skip("needs newuidmap (package uidmap)")
    user = User(box)
    podman = Podman(box, USER, os.path.join(user.programs, "wherry"))
    try:
        done = podman.run("--rm", "local/box", "sh", "-c", "id -u; cat /proc/self/uid_map; exit 3")
        eq(done.returncode, 3, repr(done))
        eq(done.stdout.split()[:4], ["0", "0", str(USER["user"]), "1"])
        done = podman.run("--rm", "--user", "5:6", "local/box", "sh", "-c", "id -u; id -g")
        eq(done.stdout.split(), ["5", "6"], repr(done))
        podman.start("c", "sh", "-c", "echo out; sleep 100")
        eq(podman.ok("exec", "c", "echo", "in"), "in\n")
        wait_until(lambda: podman.ok("logs", "c") == "out\n", "it wrote")
        has(podman.ok("exec", "-t", "c", "tty"), "/dev/pts/")
        eq(podman.ok("exec", "c", "/app.wasm"), "hello\n")
        done = podman.run("--rm", "--userns", "keep-id", "local/box", "id", "-u")
        eq(done.stdout.split(), [str(USER["user"])], repr(done))
        podman.ok("stop", "-t", "0", "c")
        eq(podman.inspect("c", ".State.ExitCode"), "137")
    finally:
        podman.close()
        podman.call("unshare", "rm", "-rf", box.path("graph"))
        podman.call("system", "migrate")  # ends the process that keeps the user namespace
        forget(podman)


@with_podman
def run_gives_output_and_status(podman):
    done = podman.run("--rm", "local/box", "sh", "-c", "echo out; echo err >&2; exit 9")
    eq((done.returncode, done.stdout, done.stderr), (9, "out\n", "err\n"))
    eq(podman.ok("ps", "-aq"), "")


@with_podman
def the_runtime_is_ours(podman):
    podman.start("c", "sleep", "100")
    eq(podman.inspect("c", ".OCIRuntime"), "wherry")
    eq(json.loads(podman.ok("info", "--format", "json"))["host"]["ociRuntime"]["path"], RUNTIME)
    eq(podman.inspect("c", ".State.Status"), "running")
    pid = podman.inspect("c", ".State.Pid")
    eq(os.readlink(f"/proc/{pid}/exe"), "/bin/busybox")


@with_podman
def programs_that_cannot_run_have_their_statuses(podman):
    for command, status, words in (("nosuch", 127, "not found"), ("/plain", 126, "permission denied")):
        done = podman.run("--rm", "local/box", command)
        eq(done.returncode, status, repr(done))
        has(done.stderr.lower(), words)
    podman.start("c", "sleep", "100")
    eq(podman.call("exec", "c", "nosuch").returncode, 127)
    eq(podman.call("exec", "c", "/plain").returncode, 126)


@with_podman
def exec_gives_output_status_and_input(podman):
    podman.start("c", "sleep", "100")
    eq(podman.ok("exec", "c", "echo", "in"), "in\n")
    eq(podman.call("exec", "c", "sh", "-c", "exit 7").returncode, 7)
    eq(podman.ok("exec", "-u", "5:6", "-w", "/tmp", "-e", "A=b", "c", "sh", "-c",
                 "echo $(id -u):$(id -g) $PWD $A"), "5:6 /tmp b\n")
    with open(podman.box.path("words"), "w") as file:
        file.write("by way of conmon\n")
    with open(podman.box.path("words")) as file:
        eq(podman.ok("exec", "-i", "c", "cat", stdin=file), "by way of conmon\n")
    eq(podman.ok("exec", "-d", "c", "sh", "-c", "echo x > /tmp/mark") != "", True)
    wait_until(lambda: podman.call("exec", "c", "cat", "/tmp/mark").stdout == "x\n", "it ran")


@with_podman
def a_terminal_is_made(podman):
    done = podman.run("--rm", "-t", "local/box", "sh", "-c", "tty; stty size")
    eq(done.returncode, 0, repr(done))
    has(done.stdout, "/dev/pts/0")
    podman.start("c", "sleep", "100")
    has(podman.ok("exec", "-t", "c", "tty"), "/dev/pts/")


@with_podman
def logs_are_kept(podman):
    podman.start("c", "sh", "-c", "echo out; echo err >&2; sleep 100")
    wait_until(lambda: "err" in podman.call("logs", "c").stderr, "it wrote")
    done = podman.call("logs", "c")
    eq((done.stdout, done.stderr), ("out\n", "err\n"))


@with_podman
def limits_are_set_and_stats_read_them(podman):
    podman.start("c", "sleep", "100",
                 options=["--memory", "64m", "--cpu-shares", "512", "--pids-limit", "33"])
    stats = json.loads(podman.ok("stats", "--no-stream", "--format", "json", "c"))[0]
    eq(stats["name"], "c")
    eq(stats["pids"], "1")
    if not is_v2():
        has(stats["mem_usage"], "67.11MB")
    has(podman.ok("top", "c"), "sleep 100")


@with_podman
def pause_stops_it_and_unpause_lets_it_go_on(podman):
    podman.start("c", "sh", "-c", "while :; do echo x; sleep 0.02; done")
    podman.ok("pause", "c")
    eq(podman.inspect("c", ".State.Status"), "paused")
    before = podman.ok("logs", "c")
    time.sleep(0.2)
    eq(podman.ok("logs", "c"), before)
    true(podman.call("exec", "c", "true").returncode != 0, "exec in a paused container is refused")
    podman.ok("unpause", "c")
    wait_until(lambda: len(podman.ok("logs", "c")) > len(before), "it goes on")


@with_podman
def stop_sends_the_signal_and_then_kills(podman):
    podman.start("polite", "sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.05; done")
    podman.ok("stop", "-t", "20", "polite")
    eq(podman.inspect("polite", ".State.ExitCode"), "3")
    podman.start("deaf", "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done")
    podman.ok("stop", "-t", "1", "deaf")
    eq(podman.inspect("deaf", ".State.ExitCode"), "137")


@with_podman
def a_stopped_container_starts_again(podman):
    podman.start("c", "sh", "-c", "echo run; sleep 100")
    podman.ok("restart", "-t", "0", "c")
    wait_until(lambda: podman.ok("logs", "c") == "run\nrun\n", "it ran twice")
    podman.ok("kill", "c")
    eq(podman.ok("wait", "c"), "137\n")
    podman.ok("rm", "c")
    eq(podman.ok("ps", "-aq"), "")


@with_podman
def update_changes_limits(podman):
    if is_v2():
        raise Skip("the file that is read is v1's")
    container = podman.start("c", "sleep", "100", options=["--cpu-shares", "512"])
    if "--memory" not in podman.call("update", "--help").stdout:
        # Podman before 4.4 knows --cpu-* and --pids-limit by cgroup name only.
        true("update" in podman.call("--help").stdout, "this podman has no update")
    podman.ok("update", "--cpu-shares", "256", "c")
    eq(read(f"/sys/fs/cgroup/cpu{podman.box.cgroup}/libpod-{container}/cpu.shares"), "256\n")


@with_podman
def the_containers_of_a_pod_share_its_namespaces(podman):
    podman.ok("pod", "create", "--name", "p", "--infra-image", "local/box", "--infra-command",
              "sleep 100", "--network", "none", "--cgroup-parent", podman.box.cgroup)
    for name in ("a", "b"):
        podman.ok("run", "-d", "--pod", "p", "--name", name, "local/box", "sleep", "100")
    pids = [podman.inspect(name, ".State.Pid") for name in ("a", "b")]
    for kind, shared in (("net", True), ("ipc", True), ("uts", True), ("mnt", False), ("pid", False)):
        one, two = (os.readlink(f"/proc/{pid}/ns/{kind}") for pid in pids)
        eq(one == two, shared, kind)
    pod = json.loads(podman.ok("pod", "ps", "--format", "json"))[0]
    eq((pod["Status"], len(pod["Containers"])), ("Running", 3))
    podman.ok("pod", "pause", "p")
    podman.ok("pod", "unpause", "p")
    podman.ok("pod", "stop", "-t", "0", "p")
    # On a hybrid host podman itself cannot remove its directories for controllers that are not there.
    podman.call("pod", "rm", "-f", "p")
    eq(podman.ok("ps", "-aq"), "")


@with_podman
def mounts_and_rights_arrive(podman):
    os.makedirs(podman.box.path("data"))
    done = podman.run("--rm", "--read-only", "--tmpfs", "/x", "-v", podman.box.path("data") + ":/d",
                      "--cap-drop", "all", "--security-opt", "no-new-privileges", "local/box", "sh", "-c",
                      "echo a > /x/a; echo b > /d/b; echo c > /c; grep -E 'CapEff|NoNewPrivs' /proc/self/status")
    eq(read(podman.box.path("data/b")), "b\n")
    has(done.stderr, "Read-only file system")
    eq(re.findall(r"\w+:\s+(\w+)", done.stdout), ["0000000000000000", "1"])


@with_podman
def ids_are_mapped(podman):
    done = podman.run("--rm", "--uidmap", "0:100000:1000", "--gidmap", "0:100000:1000", "local/box",
                      "cat", "/proc/self/uid_map")
    eq(done.stdout.split(), ["0", "100000", "1000"], repr(done))


@with_podman
def a_module_runs_as_an_image_does(podman):
    done = podman.run("--rm", "--entrypoint", "/app.wasm", "local/box")
    eq((done.returncode, done.stdout), (0, "hello\n"), repr(done))
    podman.start("c", "sleep", "100")
    eq(podman.ok("exec", "c", "/app.wasm"), "hello\n")


if __name__ == "__main__":
    if shutil.which("podman") is None or shutil.which("conmon") is None:
        print("skipped: podman is not installed (apt-get install --no-install-recommends podman)")
        print("0 passed, 0 failed")
        sys.exit(0)
    sys.exit(private_host.run_main(main))
