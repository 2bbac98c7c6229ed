"""Sections of config.json that are seen from inside of the container: mounts, user namespace, joined
namespaces, sysctl, rlimits, seccomp, devices, scheduling."""

import os
import subprocess
import sys

from harness import eq, has, is_v2, main, only_wherry, read, test, true


def mount(config, destination, kind, source, *options):
    config["mounts"].append({"destination": destination, "type": kind, "source": source,
                             "options": list(options)})


def options_of(mountinfo, destination):
    """Per-mount options of the last mount there."""
    found = [line.split()[5].split(",") for line in mountinfo.splitlines()
             if line.split()[4] == destination]
    return found[-1] if found else None


@test
def mount_options_reach_the_mounts(box):
    source = box.path("source")
    os.mkdir(source)

    def change(config):
        mount(config, "/ro", "bind", source, "bind", "ro")
        mount(config, "/strict", "bind", source, "rbind", "nosuid", "nodev", "noexec", "noatime")
        mount(config, "/scratch", "tmpfs", "tmpfs", "nosuid", "size=64k", "mode=1777")

    bundle = box.bundle(["sh", "-c", "cat /proc/self/mountinfo; touch /ro/x; echo $?; "
                                     "stat -c %a /scratch"], change)
    result = box.run(bundle)
    true("ro" in options_of(result.out.rsplit("\n", 3)[0], "/ro"), result.out)
    for name in ("nosuid", "nodev", "noexec", "noatime"):
        true(name in options_of(result.out.rsplit("\n", 3)[0], "/strict"), name)
    eq(result.out.split("\n")[-3:], ["1", "1777", ""], repr(result))


@test
def recursive_options_reach_what_is_below(box):
    outer = box.path("outer")
    os.makedirs(os.path.join(outer, "inner"))
    inner = os.path.join(outer, "inner")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", inner], check=True)
    try:
        def change(config):
            mount(config, "/data", "bind", outer, "rbind", "rro")

        result = box.run(box.bundle(["sh", "-c", "touch /data/inner/x; echo $?"], change))
        eq(result.out, "1\n", repr(result))
        has(result.err.lower(), "read-only")
    finally:
        subprocess.run(["umount", inner], check=True)


@test
def a_bound_file_gets_a_file_as_its_place(box):
    source = box.path("file")
    with open(source, "w") as file:
        file.write("bound")

    def change(config):
        mount(config, "/etc/new/file", "bind", source, "bind", "ro")

    eq(box.run(box.bundle(["cat", "/etc/new/file"], change)).out, "bound")


@test
def tmpcopyup_keeps_what_was_there(box):
    def change(config):
        mount(config, "/etc", "tmpfs", "tmpfs", "tmpcopyup")

    bundle = box.bundle(["sh", "-c", "cat /etc/motd; touch /etc/new"], change)
    with open(os.path.join(bundle, "rootfs/etc/motd"), "w") as file:
        file.write("hello")
    result = box.run(bundle)
    eq((result.status, result.out), (0, "hello"), repr(result))
    true(not os.path.exists(os.path.join(bundle, "rootfs/etc/new")), "written to the image")


@test
def a_user_namespace_maps_ids(box):
    def change(config):
        config["linux"]["namespaces"].append({"type": "user"})
        config["linux"]["uidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 1000}]
        config["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 200000, "size": 1000}]

    bundle = box.bundle(["sleep", "100"], change)
    subprocess.run(["chown", "-R", "100000:200000", os.path.join(bundle, "rootfs")], check=True)
    os.chmod(bundle, 0o755)
    box.create(bundle)
    box.ok("start", "c1")
    pid = box.state_of()["pid"]
    status = read(f"/proc/{pid}/status")
    has(status, "Uid:\t100000\t")
    has(status, "Gid:\t200000\t")
    eq(box.ok("exec", "c1", "sh", "-c", "id -u; id -g").out.split(), ["0", "0"])


@test
def namespaces_are_joined_by_path(box):
    box.create(box.bundle(["sleep", "100"]), "c1")
    first = box.state_of("c1")["pid"]

    def change(config):
        for each in config["linux"]["namespaces"]:
            name = {"network": "net", "pid": "pid", "ipc": "ipc"}.get(each["type"])
            if name:
                each["path"] = f"/proc/{first}/ns/{name}"

    box.create(box.bundle(["sleep", "100"], change), "c2")
    second = box.state_of("c2")["pid"]
    for name in ("net", "pid", "ipc"):
        eq(os.readlink(f"/proc/{second}/ns/{name}"), os.readlink(f"/proc/{first}/ns/{name}"), name)
    true(os.readlink(f"/proc/{second}/ns/mnt") != os.readlink(f"/proc/{first}/ns/mnt"), "mnt")
    box.force_delete("c2")
    box.force_delete("c1")


@test
def without_a_namespace_it_is_the_callers(box):
    def change(config):
        spaces = config["linux"]["namespaces"]
        config["linux"]["namespaces"] = [each for each in spaces if each["type"] != "network"]
        del config["mounts"][-1]  # sysfs belongs to the network namespace

    box.create(box.bundle(["sleep", "100"], change))
    pid = box.state_of()["pid"]
    eq(os.readlink(f"/proc/{pid}/ns/net"), os.readlink("/proc/self/ns/net"))


@test
def loopback_is_up(box):
    result = box.run(box.bundle(["cat", "/proc/net/route", "/proc/net/fib_trie"]))
    has(result.out, "127.0.0.1")


@test
def sysctls_are_set_inside_only(box):
    before = read("/proc/sys/kernel/msgmax")

    def change(config):
        config["linux"]["sysctl"] = {"kernel.msgmax": "4242", "net.ipv4.ip_forward": "1"}

    out = box.run(box.bundle(["cat", "/proc/sys/kernel/msgmax", "/proc/sys/net/ipv4/ip_forward"],
                             change)).out
    eq(out.split(), ["4242", "1"])
    eq(read("/proc/sys/kernel/msgmax"), before)


@test
def rlimits_are_set_and_inherited_by_exec(box):
    def change(config):
        config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": 99, "soft": 55}]

    box.create(box.bundle(["sleep", "100"], change))
    box.ok("start", "c1")
    eq(box.ok("exec", "c1", "sh", "-c", "ulimit -Sn; ulimit -Hn").out.split(), ["55", "99"])


@test
def seccomp_denies_a_call(box):
    def change(config):
        config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO",
                          "errnoRet": 95}]}

    for privileges in (True, False):
        def both(config):
            change(config)
            config["process"]["noNewPrivileges"] = privileges
            for names in config["process"]["capabilities"].values():
                names.append("CAP_SYS_ADMIN")

        result = box.run(box.bundle(["busybox", "mkdir", "/x"], both))
        eq(result.status, 1, repr(result))
        has(result.err.lower(), "not supported")
    # A second container takes the compiled filter from where the first one left it.
    box.create(box.bundle(["sleep", "100"], change))
    box.ok("start", "c1")
    has(read(f"/proc/{box.state_of()['pid']}/status"), "Seccomp:\t2")
    has(box.ok("exec", "c1", "cat", "/proc/self/status").out, "Seccomp:\t2")


@test
def devices_are_made(box):
    def change(config):
        config["linux"]["devices"] = [
            {"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640,
             "uid": 5, "gid": 6},
            {"path": "/dev/sub/fifo", "type": "p"}]

    out = box.run(box.bundle(["sh", "-c", "stat -c '%F %a %u %g %t:%T' /dev/mine; "
                                          "stat -c %F /dev/sub/fifo; ls -l /dev/null"], change)).out
    lines = out.splitlines()
    eq(lines[0], "character special file 640 5 6 1:5")
    eq(lines[1].lower(), "fifo")
    true(lines[2].startswith("crw-rw-rw-"), lines[2])


@test
def the_default_devices_and_links_are_there(box):
    script = ("for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done; "
              "for l in fd stdin stdout stderr ptmx; do readlink /dev/$l || echo no $l; done")
    eq(box.run(box.bundle(["sh", "-c", script])).out.split(),
       ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx"])


@test
def the_oom_score_is_set_or_left_alone(box):
    own = read("/proc/self/oom_score_adj").strip()
    eq(box.run(box.bundle(["cat", "/proc/self/oom_score_adj"])).out.strip(), own)

    def change(config):
        config["process"]["oomScoreAdj"] = 500

    eq(box.run(box.bundle(["cat", "/proc/self/oom_score_adj"], change)).out, "500\n")


@test
def domain_name_and_time_and_scheduling(box):
    only_wherry("1.1 does not know them")

    def change(config):
        config["domainname"] = "example"
        config["linux"]["namespaces"].append({"type": "time"})
        config["linux"]["timeOffsets"] = {"boottime": {"secs": 1000000, "nanosecs": 0}}
        config["process"]["scheduler"] = {"policy": "SCHED_BATCH", "nice": 5}
        config["process"]["ioPriority"] = {"class": "IOPRIO_CLASS_IDLE", "priority": 0}

    out = box.run(box.bundle(["sh", "-c", "cat /proc/sys/kernel/domainname /proc/uptime; "
                                          "tail -c +1 /proc/self/stat"], change)).out
    lines = out.splitlines()
    eq(lines[0], "example")
    true(float(lines[1].split()[0]) > 1000000, lines[1])
    fields = lines[2].rsplit(") ", 1)[1].split()
    eq((fields[16], fields[38]), ("5", "3"), "nice and policy")


@test
def root_propagation_is_what_was_asked_for(box):
    for wanted, mark in (("rslave", "master:"), ("rprivate", None)):
        def change(config):
            config["linux"]["rootfsPropagation"] = wanted

        out = box.run(box.bundle(["cat", "/proc/self/mountinfo"], change), f"c-{wanted}").out
        line = next(line for line in out.splitlines() if line.split()[4] == "/")
        true("shared:" not in line, line)
        if mark is None:
            true("master:" not in line, line)


@test
def a_cgroup_mount_shows_the_containers_own(box):
    def change(config):
        mount(config, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "ro")

    where = "/sys/fs/cgroup" if is_v2() else "/sys/fs/cgroup/pids"
    out = box.run(box.bundle(["sh", "-c", f"ls /sys/fs/cgroup; cat {where}/cgroup.procs"],
                             change)).out
    has(out, "memory")
    true("1" in out.split(), out)


@test
def each_variable_has_its_last_value(box):
    def change(config):
        config["process"]["env"] = ["PATH=/bin", "ONE=two", "HOME=", "ONE=", "ONE=three"]
    out = box.run(box.bundle(["env"], change)).out.splitlines()
    eq([line for line in out if line.startswith("ONE=")], ["ONE=three"])
    eq([line for line in out if line.startswith("HOME=")], ["HOME=/"])


@test
def a_tmpfs_takes_the_mode_of_what_it_covers(box):
    def change(config):
        config["mounts"] += [{"destination": path, "type": "tmpfs", "source": "tmpfs"} for path in ("/there", "/new")]
    bundle = box.bundle(["stat", "-c", "%a", "/there", "/new"], change)
    os.mkdir(bundle + "/rootfs/there")
    os.chmod(bundle + "/rootfs/there", 0o710)
    eq(box.run(bundle).out, "710\n1777\n")


@test
def dev_can_be_read_only_and_is_filled(box):
    def change(config):
        dev = next(each for each in config["mounts"] if each["destination"] == "/dev")
        dev["options"] += ["ro"]
    result = box.run(box.bundle(["sh", "-c", "test -c /dev/null && test -e /dev/pts/ptmx && ! touch /dev/x"], change))
    eq(result.status, 0, repr(result))
    has(result.err, "Read-only file system")


@test
def a_path_that_is_masked_twice_is_covered_once(box):
    def change(config):
        config["linux"]["maskedPaths"] = ["/tmp", "/tmp"]
    out = box.run(box.bundle(["grep", "-c", " /tmp ", "/proc/self/mountinfo"], change)).out
    eq(out, "1\n")


@test
def a_filter_older_than_openat2_does_not_stop_the_start(box):
    """Installed before the credentials change, since there is no no_new_privs."""
    def change(config):
        config["process"]["noNewPrivileges"] = False
        config["process"]["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5]}
        config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["openat2", "faccessat2", "clone3", "close_range", "getcwd"],
                          "action": "SCMP_ACT_ERRNO"}]}
    result = box.run(box.bundle(["id", "-u"], change))
    eq((result.status, result.out), (0, "1000\n"), repr(result))


if __name__ == "__main__":
    sys.exit(main())
