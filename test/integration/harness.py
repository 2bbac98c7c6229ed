"""Drives a runtime's command line from outside: bundles, containers, and the search for leftovers.

Every test gets a Box: a directory, a state root, a cgroup parent and a prefix of ids of its own. At
its end, passed or failed, the box kills and removes what the test left, and fails the test if there
was anything that nobody owned any more. Standard library only.

    RUNTIME=/usr/sbin/runc python3 lifecycle.py     the same tests against another runtime
    python3 lifecycle.py NAME...                    only these tests
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUSYBOX = "/bin/busybox"
CGROUP = "/sys/fs/cgroup"
PATIENCE = 30  # seconds for anything that should happen at once

_libc = ctypes.CDLL(None, use_errno=True)
PR_SET_CHILD_SUBREAPER = 36


class Skip(Exception):
    pass


def need_criu():
    """One that works on this kernel."""
    if shutil.which("criu") is None:
        raise Skip("no criu")
    done = subprocess.run(["criu", "check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Skip("criu check fails on this kernel")


def find_runtime():
    named = os.environ.get("RUNTIME")
    if named:
        return named
    for preset in ("dev", "release", "clang", "asan"):
        path = os.path.join(ROOT, "build", preset, "bin", "wherry")
        if os.path.exists(path):
            return path
    raise SystemExit("no wherry in build/*/bin: build it or set RUNTIME")


RUNTIME = find_runtime()
IS_WHERRY = os.path.basename(RUNTIME) == "wherry"
NAME = os.path.basename(RUNTIME)


class Result:
    def __init__(self, status, out, err, log):
        self.status, self.out, self.err, self.log = status, out, err, log

    def errors(self):
        return [line["msg"] for line in self.log if line["level"] == "error"]

    def __repr__(self):
        return f"status {self.status}, stdout {self.out!r}, stderr {self.err!r}, log {self.log!r}"


class Box:
    """What one test may use."""

    def __init__(self, name):
        self.name = name
        self.directory = tempfile.mkdtemp(prefix="wherry-it.")
        os.chmod(self.directory, 0o755)
        self.state = os.path.join(self.directory, "state")
        os.environ["WHERRY_CACHE_DIR"] = self.path("cache")  # compiled modules
        self.cgroup = f"/wherry-it-{os.getpid()}-{name}"
        self.bundles = 0
        self.calls = 0

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    # --- bundles ---------------------------------------------------------------------------------

    def bundle(self, args=("true",), change=None, rootfs=True):
        """A directory with config.json and a busybox root. `change` may edit the configuration."""
        self.bundles += 1
        bundle = self.path(f"bundle{self.bundles}")
        os.makedirs(bundle)
        if rootfs:
            make_rootfs(os.path.join(bundle, "rootfs"))
        config = default_config(list(args))
        config["linux"]["cgroupsPath"] = f"{self.cgroup}/b{self.bundles}"
        if change:
            change(config)
        write_config(bundle, config)
        return bundle

    def cgroup_dirs(self):
        out = []
        for top in sorted(os.listdir(CGROUP)):
            path = os.path.join(CGROUP, top) + self.cgroup
            if not os.path.islink(os.path.join(CGROUP, top)) and os.path.isdir(path):
                out.append(path)
        if os.path.isdir(CGROUP + self.cgroup):
            out.append(CGROUP + self.cgroup)
        return out

    def cgroup_of(self, controller, bundle_number):
        top = CGROUP if is_v2() else f"{CGROUP}/{controller}"
        return f"{top}{self.cgroup}/b{bundle_number}"

    def cgroup_file(self, controller, bundle_number, name):
        with open(f"{self.cgroup_of(controller, bundle_number)}/{name}") as file:
            return file.read()

    # --- the runtime -----------------------------------------------------------------------------

    def command(self, *args, log=None):
        words = [RUNTIME, "--root", self.state]
        if log:
            words += ["--log", log, "--log-format", "json"]
        return words + list(args)

    def call(self, *args, stdin=subprocess.DEVNULL, timeout=60, check=None, files=False, **kwargs):
        """Runs one command. `files`: its output goes to files, for commands whose container keeps
        standard output open."""
        self.calls += 1
        log = self.path(f"log{self.calls}.json")
        if files:
            out_path, err_path = self.path(f"out{self.calls}"), self.path(f"err{self.calls}")
            with open(out_path, "wb") as out, open(err_path, "wb") as err:
                done = subprocess.run(self.command(*args, log=log), stdin=stdin, stdout=out,
                                      stderr=err, timeout=timeout, **kwargs)
            with open(out_path, errors="replace") as out, open(err_path, errors="replace") as err:
                result = Result(done.returncode, out.read(), err.read(), read_log(log))
        else:
            if isinstance(stdin, (str, bytes)):
                kwargs["input"] = stdin if isinstance(stdin, bytes) else stdin.encode()
            else:
                kwargs["stdin"] = stdin
            done = subprocess.run(self.command(*args, log=log), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=timeout, **kwargs)
            result = Result(done.returncode, done.stdout.decode(errors="replace"),
                            done.stderr.decode(errors="replace"), read_log(log))
        if check is not None and result.status != check:
            raise AssertionError(f"{' '.join(args)}: expected status {check}, got {result}")
        return result

    def ok(self, *args, **kwargs):
        return self.call(*args, check=0, **kwargs)

    def create(self, bundle, container="c1", *options, check=0, **kwargs):
        kwargs.setdefault("files", True)
        return self.call("create", "--bundle", bundle, *options, container, check=check, **kwargs)

    def run(self, bundle, container="c1", *options, **kwargs):
        return self.call("run", "--bundle", bundle, *options, container, **kwargs)

    def state_of(self, container="c1"):
        return json.loads(self.ok("state", container).out)

    def status_of(self, container="c1"):
        return self.state_of(container)["status"]

    def wait_status(self, wanted, container="c1"):
        wait_until(lambda: self.status_of(container) == wanted, f"{container} is {wanted}")

    def force_delete(self, container="c1"):
        """delete --force, for containers whose processes are partly our children by now: the end of
        a pid namespace waits until all of its dead are reaped."""
        delete = subprocess.Popen(self.command("delete", "--force", container),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        settle(lambda: reap() or not is_alive(delete.pid), 60)

    # --- the end ---------------------------------------------------------------------------------

    def leftovers(self):
        """Mounts below the directory, cgroups with the prefix, processes in them or of the box."""
        found = []
        with open("/proc/self/mountinfo") as file:
            for line in file:
                if line.split()[4].startswith(self.directory):
                    found.append("mount " + line.split()[4])
        for top in self.cgroup_dirs():
            for path, below, _ in os.walk(top):
                if path != top:
                    found.append("cgroup " + path)
        found += [f"process {pid}: {command}" for pid, command in self.processes()]
        return found

    def processes(self):
        """Those whose command line or root names the box's directory, zombies left out."""
        out = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if int(pid) == os.getpid():
                continue
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    command = file.read().replace(b"\0", b" ").decode(errors="replace")
                with open(f"/proc/{pid}/stat") as file:
                    dead = file.read().rsplit(") ", 1)[1][0] in "ZX"
                root = os.readlink(f"/proc/{pid}/root")
            except OSError:
                continue
            if not dead and (self.directory in command or root.startswith(self.directory)):
                out.append((int(pid), command or root))
        return out

    def containers(self):
        if not os.path.isdir(self.state):
            return []
        return sorted(os.listdir(self.state))

    def clean(self):
        """Removes containers through the runtime, then whatever is still there by force. Returns
        what had to be removed by force."""
        for container in self.containers():
            self.force_delete(container)
        reap()
        settle(lambda: not self.leftovers())
        left = self.leftovers() + [f"state of {each}" for each in self.containers()]
        for pid, _ in self.processes():
            os.kill(pid, signal.SIGKILL)
        for top in self.cgroup_dirs():
            force_remove_cgroup(top)
        with open("/proc/self/mountinfo") as file:
            mounts = [line.split()[4] for line in file]
        for mount in reversed(mounts):
            if mount.startswith(self.directory):
                _libc.umount2(mount.encode(), 2)
        shutil.rmtree(self.directory, ignore_errors=True)
        return left


def make_rootfs(path):
    for name in ("bin", "dev", "proc", "sys", "tmp", "etc"):
        os.makedirs(os.path.join(path, name))
    target = os.path.join(path, "bin", "busybox")
    shutil.copy2(BUSYBOX, target)
    for applet in ("sh", "true", "false", "sleep", "cat", "ls", "echo", "id", "env", "kill", "ps",
                   "stat", "test", "mknod", "dd", "head", "touch", "pwd", "readlink", "mount", "seq",
                   "grep", "tail", "wc", "sort", "tr", "expr", "rm", "umount", "hostname", "tty",
                   "stty"):
        os.symlink("busybox", os.path.join(path, "bin", applet))


def default_config(args):
    capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_MKNOD"]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": args,
            "env": ["PATH=/bin", "HOME=/"],
            "cwd": "/",
            "capabilities": {kind: list(capabilities)
                             for kind in ("bounding", "effective", "permitted")},
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": False},
        "hostname": "box",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs",
             "options": ["nosuid", "noexec", "nodev", "ro"]},
        ],
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
            "readonlyPaths": ["/proc/sys", "/proc/bus"],
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        },
    }


def write_config(bundle, config):
    with open(os.path.join(bundle, "config.json"), "w") as file:
        json.dump(config, file)


def is_v2():
    """Cgroup v2 alone, as opposed to v1 and hybrid."""
    return os.path.exists(f"{CGROUP}/cgroup.controllers")


def read_log(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def read(path):
    with open(path) as file:
        return file.read()


def settle(condition, seconds=3):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)


def wait_until(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.01)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(") ", 1)[1][0] not in "ZX"
    except OSError:
        return False


def reap():
    """Collects children, adopted ones included, that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def force_remove_cgroup(top):
    for _ in range(100):
        for path, _, _ in os.walk(top, topdown=False):
            try:
                with open(os.path.join(path, "cgroup.procs")) as file:
                    for pid in file.read().split():
                        os.kill(int(pid), signal.SIGKILL)
                freezer = os.path.join(path, "freezer.state")
                if os.path.exists(freezer):
                    with open(freezer, "w") as file:
                        file.write("THAWED")
                os.rmdir(path)
            except OSError:
                pass
        reap()
        if not os.path.isdir(top):
            return
        time.sleep(0.02)


def become_subreaper(on=True):
    """Containers' first processes are inherited by the nearest subreaper: here, the test."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0)


def wait_for_pid(pid, seconds=PATIENCE):
    """The exit status of an adopted process, as a shell counts it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found == pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        time.sleep(0.01)
    raise AssertionError(f"process {pid} does not end")


class ConsoleSocket:
    """The listening end of --console-socket."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(path)
        self.socket.listen(1)
        self.socket.settimeout(PATIENCE)

    def receive(self):
        """The descriptor of the pty's master end, and its name."""
        connection, _ = self.socket.accept()
        with connection:
            name, fds, _, _ = socket.recv_fds(connection, 4096, 4)
        return fds[0], name

    def close(self):
        self.socket.close()


def eq(actual, expected, what="value"):
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {actual!r}")


def has(text, part, what="text"):
    if part not in text:
        raise AssertionError(f"{what}: expected {part!r} in {text!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def only_wherry(reason):
    if not IS_WHERRY:
        raise Skip(f"{NAME}: {reason}")


TESTS = []


def test(function):
    TESTS.append(function)
    return function


def main():
    if os.geteuid() != 0:
        print("skipped: needs root")
        print("0 passed, 0 failed")
        return 0
    if not os.path.exists(BUSYBOX):
        raise SystemExit("needs busybox-static")
    become_subreaper()
    wanted = set(sys.argv[1:])
    passed = failed = skipped = 0
    for function in TESTS:
        name = function.__name__
        if wanted and name not in wanted:
            continue
        box = Box(name[:40])
        begin = time.monotonic()
        trouble, reason = None, None
        try:
            function(box)
        except Skip as skip:
            reason = str(skip)
        except (Exception, KeyboardInterrupt):
            trouble = traceback.format_exc()
        left = box.clean()
        if left and not trouble:
            trouble = "left behind: " + ", ".join(left)
        if trouble:
            failed += 1
            print(f"FAILED {name} ({time.monotonic() - begin:.1f} s)\n{trouble}", flush=True)
        elif reason is not None:
            skipped += 1
            print(f"skipped {name}: {reason}", flush=True)
        else:
            passed += 1
            print(f"ok {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0
