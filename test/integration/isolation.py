"""What a container must not get: the host's descriptors, files outside of its root, our own binary."""

import os
import subprocess
import sys

from harness import RUNTIME, eq, has, main, make_rootfs, only_wherry, read, test, true, wait_until


def descriptors(pid):
    out = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            out[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            pass
    return out


@test
def the_program_inherits_three_descriptors(box):
    # ls holds the fourth itself.
    result = box.run(box.bundle(["ls", "/proc/self/fd"]))
    eq(result.out.split(), ["0", "1", "2", "3"], repr(result))


@test
def exec_inherits_three_descriptors(box):
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    eq(box.ok("exec", "c1", "ls", "/proc/self/fd").out.split(), ["0", "1", "2", "3"])


@test
def descriptors_of_the_caller_stay_with_it(box):
    leak = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(leak, True)
    try:
        result = box.run(box.bundle(["ls", "/proc/self/fd"]), close_fds=False)
        eq(result.out.split(), ["0", "1", "2", "3"], repr(result))
    finally:
        os.close(leak)


@test
def preserved_descriptors_arrive(box):
    read_end, write_end = os.pipe()
    bundle = box.bundle(["sh", "-c", "echo through >&3"])
    # The shell in between puts the pipe at number 3, the first that is passed on.
    words = " ".join(box.command("run", "--preserve-fds", "1", "--bundle", bundle, "c1"))
    done = subprocess.run(["bash", "-c", f"exec 3>&{write_end}; exec {words}"],
                          pass_fds=(write_end,), stdin=subprocess.DEVNULL)
    eq(done.returncode, 0)
    eq(os.read(read_end, 100), b"through\n")
    os.close(read_end)
    os.close(write_end)


@test
def a_waiting_container_holds_no_descriptor_of_the_host(box):
    """What waits for start holds nothing of the host's but what cannot be used to get out: its three
    streams, pipes and sockets, the fifo it waits for, and files of its own namespaces."""
    box.create(box.bundle(["sleep", "100"]))
    pid = box.state_of()["pid"]
    allowed = ("pipe:", "socket:", "anon_inode:", "/dev/null", "/memfd:", "mnt:")
    for fd, target in descriptors(pid).items():
        if fd <= 2 or target.startswith(allowed) or "exec.fifo" in target:
            continue
        opened = f"/proc/{pid}/fd/{fd}"
        if os.path.lexists(f"{opened}/thread-self"):
            eq([each for each in os.listdir(opened) if each.isdigit()], ["1"], "a procfs of its own")
            continue
        # The descriptor has to lead into the container's own mounts, not the host's.
        true(not target.startswith((box.directory, CGROUP_ROOT)) and target != "/",
             f"descriptor {fd} is {target}")


CGROUP_ROOT = "/sys/fs/cgroup"


@test
def a_cwd_outside_of_the_root_is_refused(box):
    # CVE-2024-21626: /proc/self/fd/N of a leaked directory as the working directory.
    for fd in range(3, 16):
        def change(config):
            config["process"]["cwd"] = f"/proc/self/fd/{fd}"

        result = box.run(box.bundle(["sh", "-c", "pwd; ls ../../../../etc/hostname"], change),
                         f"c{fd}")
        true(result.status != 0, f"fd {fd}: {result!r}")


@test
def symlinks_in_mount_targets_stay_inside(box):
    victim = box.path("victim")
    os.mkdir(victim)

    def change(config):
        config["mounts"].append({"destination": "/link/inner", "type": "tmpfs", "source": "tmpfs"})

    bundle = box.bundle(["sh", "-c", "touch /link/inner/file; grep -c inner /proc/self/mounts"], change)
    os.symlink(victim, os.path.join(bundle, "rootfs/link"))
    box.run(bundle)
    eq(os.listdir(victim), [], "made outside")


@test
def parent_links_in_mount_targets_stay_inside(box):
    def change(config):
        config["mounts"].append({"destination": "/up/wherry-escape", "type": "tmpfs",
                                 "source": "tmpfs"})

    bundle = box.bundle(["true"], change)
    os.symlink("../../../../../../../../tmp", os.path.join(bundle, "rootfs/up"))
    box.run(bundle)
    true(not os.path.exists("/tmp/wherry-escape"), "made outside")


@test
def a_proc_that_is_a_link_is_refused(box):
    # CVE-2019-19921: /proc as a symlink makes later writes go elsewhere.
    bundle = box.bundle(["true"])
    rootfs = os.path.join(bundle, "rootfs")
    os.rmdir(os.path.join(rootfs, "proc"))
    os.mkdir(os.path.join(rootfs, "elsewhere"))
    os.symlink("elsewhere", os.path.join(rootfs, "proc"))
    result = box.run(bundle)
    eq(result.status, 1, repr(result))
    eq(box.leftovers(), [])


@test
def a_dev_that_is_a_link_stays_inside(box):
    # CVE-2026-41579: devices made through an image's /dev link.
    only_wherry("1.1 has this hole")
    victim = box.path("victim")
    os.mkdir(victim)

    def change(config):
        config["mounts"] = [each for each in config["mounts"]
                            if not each["destination"].startswith("/dev")]

    bundle = box.bundle(["true"], change)
    rootfs = os.path.join(bundle, "rootfs")
    os.rmdir(os.path.join(rootfs, "dev"))
    os.symlink(victim, os.path.join(rootfs, "dev"))
    box.run(bundle)
    eq(os.listdir(victim), [], "made outside")


@test
def a_masked_path_that_is_a_link_hides_nothing_of_the_host(box):
    victim = box.path("victim")
    os.mkdir(victim)
    open(os.path.join(victim, "file"), "w").close()

    def change(config):
        config["linux"]["maskedPaths"] = ["/secret"]
        config["linux"]["readonlyPaths"] = ["/secret2"]

    bundle = box.bundle(["true"], change)
    for name in ("secret", "secret2"):
        os.symlink(victim, os.path.join(bundle, "rootfs", name))
    box.run(bundle)
    eq(os.listdir(victim), ["file"])


@test
def a_fake_dev_null_masks_nothing(box):
    # CVE-2025-31133: a /dev/null that the image replaced must not be the source of a mask.
    def change(config):
        config["mounts"] = [each for each in config["mounts"]
                            if not each["destination"].startswith("/dev")]
        config["linux"]["maskedPaths"] = ["/proc/keys"]

    bundle = box.bundle(["sh", "-c", "cat /proc/keys"], change)
    rootfs = os.path.join(bundle, "rootfs")
    with open(os.path.join(rootfs, "secret"), "w") as file:
        file.write("unmasked")
    os.symlink("/secret", os.path.join(rootfs, "dev/null"))
    result = box.run(bundle)
    true("unmasked" not in result.out, repr(result))


@test
def masked_and_readonly_paths_are(box):
    bundle = box.bundle(["sh", "-c", "cat /proc/keys | wc -c; ls /sys/firmware | wc -l; "
                                     "echo 1 > /proc/sys/kernel/panic; echo $?"])
    result = box.run(bundle)
    eq(result.out.split(), ["0", "0", "1"], repr(result))


@test
def our_binary_cannot_be_written(box):
    # CVE-2019-5736.
    before = os.stat(RUNTIME)
    script = ("for pid in /proc/[0-9]*; do "
              "echo overwritten 2>/dev/null > $pid/exe; done; "
              "while read -r line; do :; done < /proc/1/maps; echo done")
    bundle = box.bundle(["sh", "-c", script])
    result = box.run(bundle)
    eq(result.status, 0, repr(result))
    box.create(box.bundle(["sleep", "100"]), "c2")
    box.ok("start", "c2")
    box.ok("exec", "c2", "sh", "-c", script)
    after = os.stat(RUNTIME)
    eq((before.st_ino, before.st_size, before.st_mtime_ns),
       (after.st_ino, after.st_size, after.st_mtime_ns))


@test
def an_entry_point_that_is_our_binary_does_not_run_it_writable(box):
    bundle = box.bundle(["/proc/self/exe"])
    before = os.stat(RUNTIME)
    box.run(bundle)
    after = os.stat(RUNTIME)
    eq((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))


@test
def the_hosts_mounts_are_not_visible(box):
    result = box.run(box.bundle(["cat", "/proc/self/mountinfo"]))
    true(box.directory not in "\n".join(
        line.split()[4] for line in result.out.splitlines()), repr(result))
    roots = [line.split()[4] for line in result.out.splitlines()]
    true("/" in roots and "/proc" in roots, repr(roots))
    true(not [root for root in roots if root.startswith("/work")], repr(roots))


@test
def mounts_do_not_reach_the_host(box):
    with open("/proc/self/mountinfo") as file:
        before = len(file.readlines())
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    with open("/proc/self/mountinfo") as file:
        during = [line for line in file if box.directory in line]
    eq(during, [])
    box.ok("delete", "--force", "c1")
    with open("/proc/self/mountinfo") as file:
        true(abs(len(file.readlines()) - before) <= 2, "mounts left")


@test
def a_readonly_root_is_readonly(box):
    def change(config):
        config["root"]["readonly"] = True

    result = box.run(box.bundle(["touch", "/file"], change))
    eq(result.status, 1)
    has(result.err.lower(), "read-only file system")


@test
def capabilities_are_those_of_the_configuration(box):
    out = box.run(box.bundle(["cat", "/proc/self/status"])).out
    fields = dict(line.split(":\t", 1) for line in out.splitlines() if ":\t" in line)
    # AUDIT_WRITE 29, KILL 5, NET_BIND_SERVICE 10, MKNOD 27.
    wanted = 1 << 29 | 1 << 5 | 1 << 10 | 1 << 27
    for name in ("CapEff", "CapPrm", "CapBnd"):
        eq(int(fields[name], 16), wanted, name)
    for name in ("CapInh", "CapAmb"):
        eq(int(fields[name], 16), 0, name)
    eq(fields["NoNewPrivs"], "1")


@test
def capabilities_that_cannot_be_granted_are_a_warning(box):
    only_wherry("fails")
    own = read("/proc/self/status")
    bounding = int(next(line for line in own.splitlines() if line.startswith("CapBnd")).split()[1], 16)
    if bounding >> 24 & 1:
        return

    def change(config):
        for names in config["process"]["capabilities"].values():
            names.append("CAP_SYS_RESOURCE")

    result = box.run(box.bundle(["true"], change))
    eq(result.status, 0, repr(result))
    true([line for line in result.log if line["level"] == "warning"], "a warning")


@test
def a_user_is_who_the_configuration_says(box):
    def change(config):
        config["process"]["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [7, 8],
                                     "umask": 0o27}

    result = box.run(box.bundle(["sh", "-c", "id -u; id -g; id -G; umask"], change))
    eq(result.out.split(), ["1000", "1001", "1001", "7", "8", "0027"], repr(result))


@test
def the_working_directory_is_made(box):
    def change(config):
        config["process"]["cwd"] = "/new/place"

    eq(box.run(box.bundle(["pwd"], change)).out, "/new/place\n")


@test
def a_shared_root_is_the_image_and_not_the_bundle(box):
    """root.path may be absolute and lie outside of the bundle."""
    rootfs = box.path("elsewhere")
    os.mkdir(rootfs)
    make_rootfs(rootfs)

    def change(config):
        config["root"]["path"] = rootfs

    bundle = box.bundle(["sh", "-c", "exit 4"], change, rootfs=False)
    eq(box.run(bundle).status, 4)


@test
def without_pivot_no_second_procfs_can_be_mounted(box):
    """The masked paths of the first one would be bare in it."""
    def change(config):
        for kind in ("bounding", "permitted", "effective"):
            config["process"]["capabilities"][kind].append("CAP_SETFCAP")
    inside = "mount -t proc none /proc && echo bare"
    bundle = box.bundle(["busybox", "unshare", "-mrpf", "sh", "-c", inside], change)
    for options in ([], ["--no-pivot"]):
        result = box.run(bundle, "c1", *options)
        eq((result.status, result.out), (1, ""), repr(result))
        has(result.err, "mount: permission denied")


if __name__ == "__main__":
    sys.exit(main())
