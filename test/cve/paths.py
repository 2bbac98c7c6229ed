#!/usr/bin/env python3
"""CVEs of paths: links in an image, links that appear at the worst moment, files that are not what they seem.
Each attack is made twice: the runtime as it is withstands it, and with its defence switched off
(weakenings.py) it does not, which shows that the test can fail."""

import os
import sys

import attack
import weakenings
from attack import attempt, write
from harness import ConsoleSocket, eq, has, main, only_wherry, read, test, true
from weakened import intact, together


@test
def cve_2019_18837_a_mount_target_behind_a_link(box):
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
    eq(shown(weakenings.resolve("/link"), "weakened"), False, "without RESOLVE_IN_ROOT")


def exchanged(box, at, by_path, destination, made="dir"):
    """A directory `dir` of the root becomes a link to the host's `victim` in the middle of the mount. What the
    container's mounts are then."""
    victim = box.path("victim-" + at + str(by_path))
    os.mkdir(victim)
    bundle = box.bundle(["cat", "/proc/self/mounts"], lambda config: config["mounts"].append(
        {"destination": destination, "type": "tmpfs", "source": "raced"}))
    root = f"{bundle}/rootfs"
    os.makedirs(f"{root}/{made}")

    def swap():
        os.rename(f"{root}/dir", f"{root}/moved")
        os.symlink(victim, f"{root}/dir")
    out = attempt(box, weakenings.racing(at, f"{root}/dir", swap, by_path), bundle, f"c{at}{by_path}".replace("_", "-"))
    true(os.path.islink(f"{root}/dir"), f"the race was not run: {out}")
    return victim, out


@test
def cve_2021_30465_a_target_that_becomes_a_link_before_the_mount(box):
    only_wherry("knows its calls")
    _, out = exchanged(box, "move_mount", False, "/dir")
    has(out, "raced /moved tmpfs", "the runtime as it is")
    _, out = exchanged(box, "move_mount", True, "/dir")
    true("raced /" not in out, f"by path the mount is not in the root: {out}")


@test
def cve_2024_45310_a_directory_that_becomes_a_link_while_its_children_are_made(box):
    """crun's CVE-2025-24965 wrote a file in the same way."""
    only_wherry("knows its calls")
    victim, _ = exchanged(box, "mkdirat", False, "/dir/new/place")
    eq(os.listdir(victim), [], "the runtime as it is")
    victim, _ = exchanged(box, "mkdirat", True, "/dir/new/place")
    eq(os.listdir(victim), ["new"], "by path")


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
    eq(made(weakenings.resolve("/dev"), "weakened"), True, "without RESOLVE_IN_ROOT")


@test
def cve_2019_19921_and_2023_27561_and_2025_54867_a_proc_that_is_a_link(box):
    only_wherry("knows its calls")

    def refused(weaken, container):
        bundle = box.bundle(["true"])
        os.rmdir(f"{bundle}/rootfs/proc")
        os.mkdir(f"{bundle}/rootfs/elsewhere")
        os.symlink("elsewhere", f"{bundle}/rootfs/proc")
        return "must be mounted on ordinary directory" in attempt(box, weaken, bundle, container)
    eq(refused(intact, "intact"), True, "the runtime as it is")
    eq(refused(weakenings.links, "weakened"), False, "without O_NOFOLLOW")


def with_own_proc(box, change):
    """A bundle whose /proc is a directory that the attacker has filled; the real one is at /real."""
    fake = box.path(f"fake{box.bundles}")

    def with_volume(config):
        config["mounts"] = [each for each in config["mounts"] if each["destination"] != "/proc"]
        config["mounts"] += [{"destination": "/proc", "type": "bind", "source": fake, "options": ["bind"]},
                             {"destination": "/real", "type": "proc", "source": "proc"}]
        config["linux"]["maskedPaths"] = config["linux"]["readonlyPaths"] = []
        change(config)
    return box.bundle(["cat", "/real/sys/net/ipv4/ip_forward"], with_volume), fake


def confined(config):
    config["process"]["apparmorProfile"] = "confined"


@test
def cve_2019_16884_and_2025_62596_a_label_that_is_written_to_a_file_of_the_image(box):
    only_wherry("knows its calls")

    def written(weaken, container):
        bundle, fake = with_own_proc(box, confined)
        label = f"{fake}/thread-self/attr/apparmor/exec"
        write(label)
        out = attempt(box, weaken, bundle, container)
        return "apparmor" in out, read(label)
    eq(written(intact, "intact"), (True, ""), "the runtime as it is asks the kernel, which has no such module")
    eq(written(weakenings.trusted_procfs, "weakened"), (False, "exec confined"), "by the container's /proc")


@test
def cve_2023_28642_a_proc_that_is_a_link_and_a_label(box):
    only_wherry("knows its calls")

    def escaped(weaken, container):
        bundle = box.bundle(["echo", "unconfined"], confined)
        root = f"{bundle}/rootfs"
        os.rmdir(f"{root}/proc")
        os.symlink("elsewhere", f"{root}/proc")
        os.mkdir(f"{root}/elsewhere")
        label = f"{root}/hidden/thread-self/attr/apparmor/exec"
        write(label)
        # procfs goes to where the link leads; afterwards it leads to a directory of the image.
        relink = weakenings.at_hostname(lambda: (os.unlink(f"{root}/proc"), os.symlink("hidden", f"{root}/proc")))
        return "unconfined" in attempt(box, together(weaken, relink), bundle, container), read(label)
    eq(escaped(intact, "intact"), (False, ""), "the runtime as it is")
    eq(escaped(weakenings.links, "links"), (False, ""), "with one of the two defences")
    eq(escaped(together(weakenings.links, weakenings.trusted_procfs), "both"), (True, "exec confined"),
       "without both")


@test
def cve_2025_52881_a_sysctl_that_is_redirected(box):
    only_wherry("knows its calls")

    def redirected(weaken, container):
        bundle, fake = with_own_proc(
            box, lambda config: config["linux"].update(sysctl={"net.ipv4.ip_forward": "1"}))
        write(f"{bundle}/rootfs/victim", "intact")
        write(f"{fake}/sys/net/ipv4/other")
        os.symlink("/victim", f"{fake}/sys/net/ipv4/ip_forward")
        out = attempt(box, weaken, bundle, container)
        return out.strip(), read(f"{bundle}/rootfs/victim")
    eq(redirected(intact, "intact"), ("1", "intact"), "the runtime as it is")
    eq(redirected(weakenings.trusted_procfs, "weakened"), ("0", "1ntact"), "by the container's /proc")


@test
def cve_2025_31133_and_2025_62161_a_dev_null_that_is_a_link(box):
    only_wherry("knows its calls")

    def change(config):
        config["mounts"] = [each for each in config["mounts"] if not each["destination"].startswith("/dev")]
        config["linux"]["maskedPaths"] = ["/proc/keys"]

    def shown(weaken, container):
        bundle = box.bundle(["cat", "/proc/keys"], change)
        write(f"{bundle}/rootfs/secret", "a writable file instead of a mask")
        os.symlink("/secret", f"{bundle}/rootfs/dev/null")
        return "instead of a mask" in attempt(box, weaken, bundle, container)
    eq(shown(intact, "intact"), False, "the runtime as it is")
    eq(shown(weakenings.null_device, "weakened"), True, "without a look at the device")


@test
def cve_2025_52565_a_terminal_that_is_exchanged_before_it_becomes_the_console(box):
    only_wherry("knows its calls")

    def console(container, by_path):
        """How the mount of /dev/console looks from inside."""
        volume = box.path("volume-" + container)
        os.makedirs(f"{volume}/real")
        os.symlink("real", f"{volume}/pts")
        write(f"{volume}/fake/0", "not a terminal")
        write(f"{volume}/console")

        def change(config):
            config["process"]["terminal"] = True
            config["linux"]["maskedPaths"] = []
            config["mounts"] = [each for each in config["mounts"] if not each["destination"].startswith("/dev")]
            config["mounts"] += [
                {"destination": "/dev", "type": "bind", "source": volume, "options": ["bind"]},
                {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                 "options": ["newinstance", "ptmxmode=0666"]}]
        bundle = box.bundle(["sh", "-c", "grep /dev/console /proc/self/mountinfo > /seen"], change)

        def swap():
            os.unlink(f"{volume}/pts")
            os.symlink("fake", f"{volume}/pts")
        console_socket = ConsoleSocket(box.path(container))
        race = weakenings.console_race(swap, f"{bundle}/rootfs/dev/pts/0" if by_path else None)
        out = attack.printed(box, race, ("run", "--detach", "--bundle", bundle, "--console-socket",
                                         console_socket.path, container))
        os.close(console_socket.receive()[0])
        console_socket.close()
        eq(os.readlink(f"{volume}/pts"), "fake", f"the race was run: {out}")
        return read(f"{bundle}/rootfs/seen")
    has(console("intact", False), " - devpts ", "the runtime as it is")
    has(console("weakened", True), "/fake/0 /dev/console", "by path")


@test
def cve_2023_25809_cgroups_of_the_host(box):
    """Without a cgroup namespace, a mount of cgroups could be the whole host's, writable."""
    only_wherry("knows its calls")

    def change(config):
        config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"})

    def made(weaken, container):
        """Where a cgroup lands that the container makes in its topmost one."""
        name = f"wherry-escape-{os.getpid()}-{container}"
        script = f"cd /sys/fs/cgroup; [ -d pids ] && cd pids; busybox mkdir {name} && ls -d {name} && busybox rmdir {name}"
        bundle = box.bundle(["sh", "-c", script + "; cat cgroup.procs | wc -l; grep cgroup /proc/self/mountinfo"], change)
        out = attempt(box, weaken, bundle, container)
        has(out, name, "a cgroup was made")
        return {line.split()[3] for line in out.splitlines() if " - cgroup" in line}
    true("/" not in made(intact, "intact"), "the runtime as it is")
    true("/" in made(weakenings.own_cgroup, "weakened"), "with the root of the hierarchy")


if __name__ == "__main__":
    sys.exit(main())
