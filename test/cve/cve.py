#!/usr/bin/env python3
"""Attacks that other runtimes had a CVE for, each made twice: the runtime as it is withstands it, and with
its defence switched off (weakened.py) it does not, which shows that the test can fail.

The attacks whose defence is more than a system call are in test/integration (isolation.py, exec.py), without
a weakened run.
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import weakened  # noqa: E402
from harness import eq, main, only_wherry, test, true  # noqa: E402

if os.uname().machine != "x86_64":
    raise SystemExit("weakened.py knows the registers of x86-64 only")


def attempt(box, weaken, bundle, container, pass_fds=()):
    return printed(box, weaken, ("run", "--bundle", bundle, container), pass_fds)


def printed(box, weaken, words, pass_fds=()):
    """What the command printed."""
    output = box.path("output")
    weakened.run(box.command(*words), weaken, output, pass_fds)
    return pathlib.Path(output).read_text(errors="replace")


def intact(_pid, _registers):
    pass


@test
def cve_2019_18837_and_2021_30465_a_mount_target_behind_a_link(box):
    only_wherry("knows its calls")
    victim = box.path("victim")
    os.makedirs(f"{victim}/inner")

    def shown(weaken, container):
        """Does the container see the mount? One that lands on the host's directory is left behind there."""
        bundle = box.bundle(["grep", "/inner", "/proc/self/mounts"], lambda config: config["mounts"].append(
            {"destination": "/link/inner", "type": "tmpfs", "source": "tmpfs"}))
        os.symlink(victim, f"{bundle}/rootfs/link")
        return f"{victim}/inner" in attempt(box, weaken, bundle, container)
    eq(shown(intact, "intact"), True, "the runtime as it is")
    eq(shown(weakened.resolve("/link"), "weakened"), False, "without RESOLVE_IN_ROOT")


@test
def cve_2026_41579_and_2026_47766_devices_behind_a_dev_that_is_a_link(box):
    only_wherry("knows its calls")

    def change(config):
        config["mounts"] = [each for each in config["mounts"] if not each["destination"].startswith("/dev")]

    def made(weaken, container):
        victim = box.path("victim-" + container)
        os.makedirs(victim)
        bundle = box.bundle(["true"], change)
        os.rmdir(f"{bundle}/rootfs/dev")
        os.symlink(victim, f"{bundle}/rootfs/dev")
        attempt(box, weaken, bundle, container)
        return "null" in os.listdir(victim)
    eq(made(intact, "intact"), False, "the runtime as it is")
    eq(made(weakened.resolve("/dev"), "weakened"), True, "without RESOLVE_IN_ROOT")


@test
def cve_2019_19921_a_proc_that_is_a_link(box):
    only_wherry("knows its calls")

    def refused(weaken, container):
        bundle = box.bundle(["true"])
        os.rmdir(f"{bundle}/rootfs/proc")
        os.mkdir(f"{bundle}/rootfs/elsewhere")
        os.symlink("elsewhere", f"{bundle}/rootfs/proc")
        return "must be mounted on ordinary directory" in attempt(box, weaken, bundle, container)
    eq(refused(intact, "intact"), True, "the runtime as it is")
    eq(refused(weakened.links, "weakened"), False, "without O_NOFOLLOW")


@test
def cve_2022_29162_capabilities_of_exec_are_not_inheritable(box):
    only_wherry("knows its calls")
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    words = ("exec", "--cap", "CAP_KILL", "c1", "grep", "CapInh", "/proc/self/status")
    eq(printed(box, intact, words).split()[-1].strip("0"), "", "the runtime as it is")
    true(printed(box, weakened.inheritable, words).split()[-1].strip("0") != "", "with all inheritable")


def leaked(box, weaken, args, cwd="/"):
    directory = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        def change(config):
            config["process"]["cwd"] = cwd.format(directory)
        return attempt(box, weaken, box.bundle(args, change), weaken.__name__, (directory,))
    finally:
        os.close(directory)


@test
def cve_2024_21626_a_descriptor_of_the_caller(box):
    only_wherry("knows its calls")
    show = ["sh", "-c", "cat /proc/self/fd/*/hostname 2>&1; ls -l /proc/self/fd"]
    true("/etc" not in leaked(box, intact, show), "the runtime as it is")
    true("/etc" in leaked(box, weakened.close, show), "without close_range")


@test
def cve_2024_21626_a_working_directory_outside(box):
    only_wherry("knows its calls")
    show = ["sh", "-c", "cat passwd"]
    outside = "/proc/self/fd/{}"
    true("root:" not in leaked(box, intact, show, outside), "the runtime as it is")
    true("root:" not in leaked(box, weakened.close, show, outside), "with one of the two defences")
    true("root:" in leaked(box, weakened.close_and_directory, show, outside), "without both")


if __name__ == "__main__":
    sys.exit(main())
