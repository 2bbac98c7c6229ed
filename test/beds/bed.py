"""Real daemons in a box: containerd, a registry, CNI, in namespaces of their own.

`enter()` starts the calling script again as the only program of fresh mount, network, ipc, uts and pid
namespaces, with an empty /run and a tmpfs for everything that is written. So bridges, firewall rules,
ports, sockets, mounts and processes of a bed are never the machine's, every process that can be seen
belongs to the bed, and all of it dies with the script. Only cgroups are shared with the machine: a bed
uses parents with its own name, and removes them.

    test/beds/shell 2.4 ctr version        one command in a bed
"""

import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import programs

HERE = pathlib.Path(__file__).resolve().parent
DEPLOY = programs.ROOT / "deploy"
CGROUP = pathlib.Path("/sys/fs/cgroup")
INSIDE = "WHERRY_BED"
REGISTRY = "127.0.0.1:5000"
PATIENCE = 60  # seconds for a daemon to answer
CLEAN = {"HOME": "/root", "LANG": "C.UTF-8"}


class BedError(Exception):
    pass


# --- namespaces -----------------------------------------------------------------------------------

def enter():
    """Returns the bed's directory when called inside of a bed; outside, runs the script in one and
    exits with its status."""
    if INSIDE in os.environ:
        return pathlib.Path(os.environ[INSIDE])
    if os.geteuid() != 0:
        print("skipped: needs root")
        print("0 passed, 0 failed")
        sys.exit(0)
    directory = tempfile.mkdtemp(prefix="wherry-bed.")
    # containerd takes no namespace that ends in _ or has __.
    name = os.path.basename(directory).replace(".", "-").replace("_", "0")
    before = foreign_parents()
    command = ["unshare", "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child",
               "--propagation", "private", sys.executable, __file__, directory, name,
               sys.executable, *sys.argv]
    try:
        status = subprocess.run(command).returncode
    except KeyboardInterrupt:
        status = 130
    left = remove_cgroups(name)
    if left:
        print(f"cgroups left behind: {left}")
        status = status or 1
    for parent in foreign_parents() - before:
        remove_tree(parent)
    shutil.rmtree(directory, ignore_errors=True)
    sys.exit(status)


def foreign_parents():
    """Parents that containerd names itself where nobody tells it another."""
    return {path for name in ("k8s.io", "default") for path in CGROUP.glob(f"*/{name}")}


def first_process(directory, name, command):
    """Pid 1 of the bed: prepares the namespaces, runs the script, reaps whoever is orphaned."""
    mount("-t", "proc", "proc", "/proc")
    unmount_below("/run")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    os.makedirs("/run/lock")
    mount("-t", "tmpfs", "-o", "mode=755,size=8g", "tmpfs", directory)
    socket.sethostname(name)
    interface_up("lo")
    pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    child = os.fork()
    if child == 0:
        os.environ[INSIDE] = directory
        os.environ["WHERRY_BED_NAME"] = name
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            sys.exit(code if code >= 0 else 128 - code)


def unmount_below(directory):
    """What is mounted there is the machine's (`ip netns`), and would be taken for the bed's."""
    points = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in reversed(points):
        if point.startswith(directory + "/"):
            subprocess.run(["umount", "-l", point], check=True)


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def interface_up(name):
    siocsifflags, siocgifflags, iff_up = 0x8914, 0x8913, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", name.encode(), 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, siocgifflags, request))[1]
        fcntl.ioctl(any_socket, siocsifflags,
                    struct.pack("16sh14x", name.encode(), flags | iff_up))


# --- cgroups --------------------------------------------------------------------------------------

def cgroup_tops(name):
    tops = [CGROUP / name] if (CGROUP / name).is_dir() else []
    for top in sorted(CGROUP.iterdir()):
        if top.is_dir() and not top.is_symlink() and (top / name).is_dir():
            tops.append(top / name)
    return tops


def remove_tree(top):
    for path, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(path)
        except OSError:
            pass


def remove_cgroups(name):
    """Removes the trees of that name; returns the paths below them that somebody had left."""
    left = []
    for top in cgroup_tops(name):
        left += [str(path) for path in top.rglob("*") if path.is_dir()]
        remove_tree(top)
    return left


# --- the bed --------------------------------------------------------------------------------------

class Bed:
    """containerd and what it needs. `daemon`: "1.6" (Debian's) or "2.4" (built by test/beds/build)."""

    goes_within = 5  # seconds that what a test has removed may still be there

    def __init__(self, daemon, level="info"):
        self.directory = enter()
        self.name = os.environ["WHERRY_BED_NAME"]
        self.daemon = daemon
        self.level = level
        self.programs = programs.Daemon(daemon)
        self.wherry = programs.wherry_directory()
        self.address = str(self.directory / "containerd.sock")
        self.processes = {}  # name: Popen of a daemon
        for folder in ("log", "cni", "certs/_default", "registry", "tmp"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"] = str(self.directory / "tmp")
        self.write_configuration()

    def path(self, *parts):
        return str(self.directory.joinpath(*parts))

    def write_configuration(self):
        (self.directory / "containerd.toml").write_text(containerd_toml(self))
        (self.directory / "cni/10-bed.conflist").write_text(json.dumps(network(self)))
        (self.directory / "certs/_default/hosts.toml").write_text(
            f'server = "http://{REGISTRY}"\n[host."http://{REGISTRY}"]\n'
            '  capabilities = ["pull", "resolve"]\n')
        (self.directory / "registry.yml").write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.path('registry')}}}}}\n"
            f"http: {{addr: '{REGISTRY}'}}\n")

    def environment(self, **more):
        search = [str(self.wherry)] if self.wherry else []
        search += [str(self.programs.directory), "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return {**CLEAN, "PATH": ":".join(search), "TMPDIR": self.path("tmp"),
                "WHERRY_CACHE_DIR": self.path("cache"), **more}

    # --- daemons ---

    def launch(self, name, command, **more):
        """Starts a daemon; its output goes to log/NAME.log."""
        with open(self.path("log", f"{name}.log"), "ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment(**more), start_new_session=True)

    def start_containerd(self):
        self.launch("containerd", [self.programs.containerd, "--config",
                                   self.path("containerd.toml")])
        self.wait_for("containerd", lambda: self.ctr("version", check=False).returncode == 0)

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name, None)
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart_containerd(self, how=signal.SIGTERM):
        self.stop("containerd", how)
        self.start_containerd()

    def start_over(self):
        """A daemon without memory: for what a failed test left and nobody can remove."""
        self.stop("containerd", signal.SIGKILL)
        points = [line.split()[4] for line in
                  pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
        for point in reversed(points):
            if point.startswith((self.path("state"), "/run/netns", "/run/containerd")):
                subprocess.run(["umount", "-l", point], check=False)
        for folder in (self.path("state"), "/run/containerd", "/run/wherry", "/run/netns"):
            shutil.rmtree(folder, ignore_errors=True)
        for top in cgroup_tops(self.name):
            remove_tree(top)
        self.start_containerd()

    def start_registry(self):
        self.launch("registry", ["/usr/bin/docker-registry", "serve", self.path("registry.yml")])
        host, port = REGISTRY.split(":")
        self.wait_for("registry", lambda: can_connect(host, int(port)))

    def wait_for(self, name, answers):
        end = time.monotonic() + PATIENCE
        while not answers():
            if self.processes[name].poll() is not None or time.monotonic() > end:
                raise BedError(f"{name} does not answer:\n" + self.log_of(name))
            time.sleep(0.05)

    def log_of(self, name, lines=30):
        text = pathlib.Path(self.path("log", f"{name}.log")).read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    # --- clients ---

    def run(self, command, check=True, timeout=60, stdin=subprocess.DEVNULL, **more):
        if isinstance(stdin, bytes):
            more["input"] = stdin
        else:
            more["stdin"] = stdin
        done = subprocess.run([str(word) for word in command], env=self.environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, **more)
        done.out = done.stdout.decode(errors="replace")
        done.err = done.stderr.decode(errors="replace")
        if check and done.returncode:
            raise BedError(f"{' '.join(map(str, command))}: status {done.returncode}: "
                           f"{done.err.strip()} {done.out.strip()}")
        return done

    def ctr_command(self, *arguments, namespace=None):
        return [str(self.programs.ctr), "--address", self.address,
                "--namespace", namespace or self.name, *map(str, arguments)]

    def ctr(self, *arguments, namespace=None, **more):
        return self.run(self.ctr_command(*arguments, namespace=namespace), **more)

    # --- what is left ---

    def leftovers(self):
        """Everything in the bed that no daemon of it accounts for: processes, mounts, cgroups, network
        namespaces, files and sockets of shims."""
        found = [f"process {pid}: {command}" for pid, command in self.strangers()]
        own = {str(self.directory), "/run", "/proc"}
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            point = line.split()[4]
            if point.startswith((str(self.directory), "/run/")) and point not in own:
                found.append(f"mount {point}")
        for top in cgroup_tops(self.name):
            found += [f"cgroup {path}" for path in sorted(top.rglob("*")) if path.is_dir()]
        for folder in ("/run/netns", "/run/containerd/s", "/run/wherry", "/run/wherry-pods",
                       "/run/containerd/runc", self.path("state/io.containerd.runtime.v2.task")):
            found += [f"file {path}" for path in sorted(pathlib.Path(folder).rglob("*"))
                      if not path.is_dir() and path.name != ".lock"]
        return found

    def containers(self):
        """Those that the daemon has not been asked to forget."""
        return self.ctr("containers", "ls", "-q", check=False).out.split()

    def forget(self):
        """Removes what a failed test left, so that the next begins with nothing."""
        try:
            for container in self.containers():
                self.ctr("tasks", "rm", "-f", container, check=False, timeout=20)
                self.ctr("containers", "rm", container, check=False, timeout=20)
        except (BedError, subprocess.TimeoutExpired) as error:  # it hangs: the next step ends it
            print(f"   (removing: {error})")
        for pid, _ in self.strangers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        end = time.monotonic() + 3
        while self.leftovers() or self.containers():
            if time.monotonic() > end:
                self.start_over()
                return
            time.sleep(0.1)

    def strangers(self):
        """(pid, command) of every process that neither is a daemon of the bed nor this script's."""
        known = {1, os.getpid()} | {process.pid for process in self.processes.values()}
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            pid = int(entry.name)
            try:
                state, parent = (entry / "stat").read_text().rsplit(") ", 1)[1].split()[:2]
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                command = command.strip() or (entry / "comm").read_text().strip()
            except OSError:
                continue
            if pid not in known and state not in "ZX" and int(parent) != 0:
                found.append((pid, command))
        return found

    def shims(self):
        return [pid for pid, command in self.strangers()
                if os.path.basename(command.split(" ")[0]).startswith("containerd-shim-")]

    def close(self):
        """Ends tasks and daemons; whatever resists dies with the namespaces, but is a cgroup behind."""
        for pid, _ in self.strangers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for name in list(self.processes):
            self.stop(name)
        time.sleep(0.2)
        for top in cgroup_tops(self.name):
            remove_tree(top)


def can_connect(host, port):
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


# --- configuration --------------------------------------------------------------------------------

def network(bed):
    return {"cniVersion": "1.0.0", "name": "bed", "plugins": [
        {"type": "bridge", "bridge": "bed0", "isGateway": True, "ipMasq": True, "hairpinMode": True,
         "ipam": {"type": "host-local", "dataDir": bed.path("ipam"),
                  "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": True}}]}


def drop_in(bed):
    """The path of deploy's file; with SANDBOXER=shim its line of that name is in force."""
    path = DEPLOY / "containerd" / "wherry-v3.toml"
    if os.environ.get("SANDBOXER") != "shim":
        return str(path)
    (bed.directory / "wherry-v3.toml").write_text(path.read_text().replace("# sandboxer", "sandboxer"))
    return bed.path("wherry-v3.toml")


def containerd_toml(bed):
    """The daemon's configuration: private folders, runc's shim, and ours as a user adds it."""
    old = bed.daemon.startswith("1.")
    cri = "io.containerd.grpc.v1.cri" if old else "io.containerd.cri.v1.runtime"
    images = cri if old else "io.containerd.cri.v1.images"
    # containerd 1.x takes an imported file's table of a plugin in place of the main one.
    imports = json.dumps([] if old else [drop_in(bed)])
    text = [f'version = {2 if old else 3}',
            f'root = "{bed.path("root")}"', f'state = "{bed.path("state")}"', f"imports = {imports}",
            "[grpc]", f'  address = "{bed.address}"',
            "[debug]", f'  level = "{bed.level}"',
            '[plugins."io.containerd.internal.v1.opt"]', f'  path = "{bed.path("opt")}"']
    if not old:
        text += ['[plugins."io.containerd.nri.v1.nri"]', "  disable = false",
                 f'  socket_path = "{bed.path("nri.sock")}"',
                 f'  plugin_path = "{bed.path("nri")}"', f'  plugin_config_path = "{bed.path("nri.d")}"']
    text += [f'[plugins."{images}"]']
    if old:
        text += [f'  sandbox_image = "{programs.PAUSE}"']
        text += cri_settings()
    else:
        text += ['  snapshotter = "overlayfs"', f'  [plugins."{images}".pinned_images]',
                 f'    sandbox = "{programs.PAUSE}"']
    text += [f'  [plugins."{images}".registry]', f'    config_path = "{bed.path("certs")}"']
    if not old:
        text += [f'[plugins."{cri}"]', *cri_settings()]
    plugins = f'bin_dir = "{programs.CNI}"' if old else f'bin_dirs = ["{programs.CNI}"]'
    text += [f'  [plugins."{cri}".cni]', f"    {plugins}", f'    conf_dir = "{bed.path("cni")}"',
             f'  [plugins."{cri}".containerd]', '    default_runtime_name = "runc"']
    text += [f'    [plugins."{cri}".containerd.runtimes.runc]',
             '      runtime_type = "io.containerd.runc.v2"',
             f'      [plugins."{cri}".containerd.runtimes.runc.options]',
             f'        BinaryName = "{bed.programs.runc}"']
    if old:
        ours = (DEPLOY / "containerd" / "wherry-v2.toml").read_text()
        text.append(ours.replace("version = 2\n", ""))
    return "\n".join(text) + "\n"


def cri_settings():
    # Without CAP_SYS_RESOURCE nobody may lower oom_score_adj.
    return ["  restrict_oom_score_adj = true", "  netns_mounts_under_state_dir = true"]


if __name__ == "__main__":
    first_process(sys.argv[1], sys.argv[2], sys.argv[3:])
