"""Bundles that wherry, runc and crun all take: a busybox root, or a root with one wasm module."""

import json
import os
import shutil
import subprocess

from measure import ROOT


def default_seccomp():
    """linux.seccomp as containerd's own profile has it: taken from a container that a containerd of
    test/beds started. None where it cannot run."""
    beds = os.path.join(ROOT, "test", "beds", "shell")
    script = ("ctr run --detach --seccomp --runtime io.containerd.runc.v2 bed.local/busybox:1 one"
              " sleep 100 >/dev/null &&"
              " cat $BED/state/io.containerd.runtime.v2.task/default/one/config.json")
    done = subprocess.run([beds, "1.6", "sh", "-c", script], capture_output=True, timeout=120,
                          stdin=subprocess.DEVNULL)
    return json.loads(done.stdout)["linux"]["seccomp"] if done.returncode == 0 else None


def write(bundle, wherry, arguments, cgroup=None, seccomp=None):
    os.makedirs(os.path.join(bundle, "rootfs"), exist_ok=True)
    path = os.path.join(bundle, "config.json")
    if os.path.exists(path):
        os.unlink(path)
    subprocess.run([wherry, "spec", "--bundle", bundle], check=True)
    with open(path) as file:
        config = json.load(file)
    config["ociVersion"] = "1.0.0"  # crun refuses versions that it does not know
    config["process"].update(terminal=False, args=arguments)
    if cgroup:
        config["linux"]["cgroupsPath"] = cgroup
    if seccomp:
        config["linux"]["seccomp"] = seccomp
    with open(path, "w") as file:
        json.dump(config, file)
    return bundle


def copy_once(source, target):
    """Keeps an equal copy as it is: its inode is what a cache knows a module by."""
    if not os.path.exists(target) or os.path.getmtime(target) != os.path.getmtime(source):
        shutil.copy2(source, target)


def busybox(bundle, wherry, arguments, seccomp=None):
    binaries = os.path.join(bundle, "rootfs", "bin")
    os.makedirs(binaries, exist_ok=True)
    shutil.copy("/bin/busybox", binaries)
    for name in ("true", "sleep", "sh"):
        link = os.path.join(binaries, name)
        if not os.path.lexists(link):
            os.symlink("busybox", link)
    return write(bundle, wherry, arguments, seccomp=seccomp)


def wasm(bundle, wherry, module, cgroup):
    os.makedirs(os.path.join(bundle, "rootfs"), exist_ok=True)
    copy_once(module, os.path.join(bundle, "rootfs", "app.wasm"))
    return write(bundle, wherry, ["/app.wasm"], cgroup)
