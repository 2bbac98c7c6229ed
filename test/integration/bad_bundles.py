"""Broken bundles: each fails with 1 and a message that names the place, and leaves nothing."""

import os
import random
import resource
import subprocess
import sys

from harness import Skip, eq, has, main, only_wherry, read, test, true


def refused(box, bundle, *parts, command="create"):
    options = {"files": True} if command == "create" else {}
    result = box.call(command, "--bundle", bundle, "c1", **options)
    eq(result.status, 1, repr(result))
    # What goes wrong behind the start of the process is told on its own standard error.
    message = result.errors()[-1] if result.errors() else result.err
    true(message, f"no error: {result!r}")
    for part in parts:
        has(message, part)
    eq(box.containers(), [], "state")
    eq(box.leftovers(), [], "leftovers")


def set_at(config, path, value):
    keys = path.split(".")
    for key in keys[:-1]:
        config = config[int(key)] if key.isdigit() else config.setdefault(key, {})
    if value is None:
        del config[keys[-1]]
    else:
        config[int(keys[-1]) if keys[-1].isdigit() else keys[-1]] = value


# What is set where, and the path that the error has to name.
CORPUS = [
    ("process.args", [], "process.args"),
    ("process.args", "sleep", "process.args"),
    ("process.args", [5], "process.args[0]"),
    ("process.cwd", "relative", "process.cwd"),
    ("process.cwd", "", "process.cwd"),
    ("process.env", "A=1", "process.env"),
    ("process.env", ["A\0B=1"], "process.env[0]"),
    ("process.user.uid", -1, "process.user.uid"),
    ("process.user.uid", 1 << 32, "process.user.uid"),
    ("process.user.uid", "root", "process.user.uid"),
    ("process.user.uid", 1.5, "process.user.uid"),
    ("process.user.additionalGids", [-1], "process.user.additionalGids[0]"),
    ("process.rlimits", [{"type": "RLIMIT_NONSENSE", "hard": 1, "soft": 1}],
     "process.rlimits[0].type"),
    ("process.rlimits", [{"type": "RLIMIT_NOFILE", "hard": 9, "soft": 9},
                         {"type": "RLIMIT_NOFILE", "hard": 9, "soft": 9}], "process.rlimits[1]"),
    ("process.rlimits", [{"type": "RLIMIT_NOFILE", "hard": -1, "soft": 9}],
     "process.rlimits[0].hard"),
    ("process.capabilities", [], "process.capabilities"),
    ("process.oomScoreAdj", "low", "process.oomScoreAdj"),
    ("process.oomScoreAdj", 5000, "process.oomScoreAdj"),
    ("process.terminal", "yes", "process.terminal"),
    ("root", None, "root"),
    ("root.path", 5, "root.path"),
    ("mounts", {}, "mounts"),
    ("mounts.0.destination", None, "mounts[0].destination"),
    ("mounts.0.options", "ro", "mounts[0].options"),
    ("mounts.0.options", [[]], "mounts[0].options[0]"),
    ("hooks", {"createRuntime": [{"path": "relative"}]}, "hooks.createRuntime[0].path"),
    ("hooks", {"poststop": [{"args": ["x"]}]}, "hooks.poststop[0].path"),
    ("hooks", {"prestart": [{"path": "/bin/true", "timeout": 0}]}, "hooks.prestart[0].timeout"),
    ("hooks", {"prestart": {}}, "hooks.prestart"),
    ("linux.namespaces", [{"type": "nonsense"}], "linux.namespaces[0].type"),
    ("linux.namespaces", [{"type": "uts"}, {"type": "mount"}, {"type": "pid"}, {"type": "pid"}],
     "linux.namespaces[3]"),
    ("linux.namespaces", [{"type": "uts"}, {"type": "mount"},
                          {"type": "network", "path": "relative"}], "linux.namespaces[2].path"),
    ("linux.uidMappings", [{"containerID": 0, "hostID": 0, "size": 1}], "linux.uidMappings"),
    ("linux.sysctl", {"kernel.panic": "1"}, "linux.sysctl"),
    ("linux.sysctl", {"net.ipv4.ip_forward": 1}, "linux.sysctl"),
    ("linux.devices", [{"path": "/dev/x", "type": "q"}], "linux.devices[0].type"),
    ("linux.devices", [{"path": "/dev/x", "type": "c", "major": "one"}], "linux.devices[0].major"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_NONSENSE"}, "linux.seccomp.defaultAction"),
    ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW",
                       "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]},
     "linux.seccomp.syscalls[0].names"),
    ("linux.rootfsPropagation", "sideways", "linux.rootfsPropagation"),
    ("linux.maskedPaths", [1], "linux.maskedPaths[0]"),
    ("linux.resources.memory", {"limit": "many"}, "linux.resources.memory.limit"),
    ("linux.resources.memory", {"limit": 9e99}, "linux.resources.memory.limit"),
    ("linux.resources.memory", {"limit": 1 << 20, "swap": 1 << 19}, "linux.resources.memory.swap"),
    ("linux.resources.memory", {"swappiness": 101}, "linux.resources.memory.swappiness"),
    ("linux.resources.cpu", {"shares": -1}, "linux.resources.cpu.shares"),
    ("linux.resources.cpu", {"cpus": "zero"}, "linux.resources.cpu.cpus"),
    ("linux.resources.pids", {"limit": []}, "linux.resources.pids.limit"),
    ("linux.resources.devices", [{"allow": True, "type": "z"}], "linux.resources.devices[0].type"),
    ("linux.resources.unified", {"../x": "1"}, "linux.resources.unified"),
    ("linux.cgroupsPath", "/a/../../../b", "linux.cgroupsPath"),
    ("linux.cgroupsPath", 7, "linux.cgroupsPath"),
    ("annotations", {"a": 1}, "annotations"),
    ("ociVersion", 1, "ociVersion"),
    ("ociVersion", "invalid", "ociVersion"),
    ("hostname", [], "hostname"),
]


@test
def fields_that_make_no_sense_are_named(box):
    only_wherry("other words")
    wrong = []
    for place, value, path in CORPUS:
        bundle = box.bundle(["true"], lambda config: set_at(config, place, value))
        try:
            refused(box, bundle, path)
        except AssertionError as error:
            wrong.append(f"{place} = {value!r}: {error}")
    true(not wrong, "\n".join(wrong))


@test
def texts_that_are_no_json_are_refused(box):
    bundle = box.bundle()
    whole = read(os.path.join(bundle, "config.json"))
    only_wherry("panics for null")
    texts = ["", "{", "null", "[]", "5", "\"x\"", "{}", whole[:-1], whole + "x", "\0", "{\"a\":}",
             "[" * 100000, whole.replace("true", "tru", 1), "\ufeff" + whole]
    for cut in range(1, len(whole), max(1, len(whole) // 40)):
        texts.append(whole[:cut])
    for text in texts:
        with open(os.path.join(bundle, "config.json"), "w") as file:
            file.write(text)
        refused(box, bundle)


def damaged(box, damage, rounds):
    """Creates from damaged copies of a configuration. The path of the cgroup stays whole, and the id
    is that path as well, for when its key is not found: nothing is made outside of the box."""
    bundle = box.bundle(["sleep", "100"])
    path = os.path.join(bundle, "config.json")
    with open(path, "rb") as file:
        whole = file.read()
    begin = whole.index(b'"cgroupsPath"')
    fixed = range(begin, whole.index(b"}", begin))
    container = box.cgroup.strip("/")
    for number in range(rounds):
        text = damage(bytearray(whole), [at for at in range(len(whole)) if at not in fixed], number)
        with open(path, "wb") as file:
            file.write(text)
        result = box.call("create", "--bundle", bundle, container, files=True)
        true(result.status in (0, 1), f"{bytes(text)!r}: {result!r}")
        box.ok("delete", "--force", container)
        eq(box.leftovers(), [], f"{bytes(text)!r}")
    eq(box.containers(), [])


@test
def bytes_that_are_no_utf8_break_nothing(box):
    def damage(text, places, number):
        at = places[number * len(places) // 50]
        text[at:at + 1] = b"\xff\xfe"
        return text

    damaged(box, damage, 50)


@test
def flipped_bits_break_nothing(box):
    """A small fuzz run over a real configuration: no crash, no hang, nothing left."""
    source = random.Random(7)

    def damage(text, places, number):
        for _ in range(source.randint(1, 4)):
            text[source.choice(places)] ^= 1 << source.randrange(7)
        return text

    damaged(box, damage, 100)


@test
def a_huge_configuration_is_refused(box):
    only_wherry("takes any size")
    bundle = box.bundle(["true"], lambda config: config.update(annotations={"a": "x" * (17 << 20)}))
    refused(box, bundle, "config.json")


@test
def a_missing_bundle_and_configuration_are_named(box):
    refused(box, box.path("nowhere"), "nowhere")
    bundle = box.bundle()
    os.unlink(os.path.join(bundle, "config.json"))
    refused(box, bundle, "config.json")


@test
def a_configuration_that_is_no_file_is_refused(box):
    only_wherry("waits for ever")
    bundle = box.bundle()
    path = os.path.join(bundle, "config.json")
    os.unlink(path)
    os.mkfifo(path)
    refused(box, bundle, "config.json")
    os.unlink(path)
    os.mkdir(path)
    refused(box, bundle, "config.json")


@test
def a_missing_root_is_named(box):
    refused(box, box.bundle(rootfs=False), "rootfs")


@test
def a_root_that_is_a_file_is_refused(box):
    only_wherry("other words")
    bundle = box.bundle(rootfs=False)
    open(os.path.join(bundle, "rootfs"), "w").close()
    refused(box, bundle, "rootfs")


@test
def an_empty_root_has_no_program(box):
    bundle = box.bundle(rootfs=False)
    os.mkdir(os.path.join(bundle, "rootfs"))
    refused(box, bundle, "true", command="run")


@test
def a_missing_entry_point_is_told_like_runc_does(box):
    refused(box, box.bundle(["nonsense"]),
            'exec: "nonsense": executable file not found in $PATH', command="run")
    refused(box, box.bundle(["/no/such"]),
            'exec: "/no/such": stat /no/such: no such file or directory', command="run")


@test
def a_missing_entry_point_fails_create_already(box):
    refused(box, box.bundle(["/no/such"]), "no such file or directory")


@test
def an_entry_point_without_the_right_to_run_is_told(box):
    bundle = box.bundle(["/etc/notes"])
    with open(os.path.join(bundle, "rootfs/etc/notes"), "w") as file:
        file.write("text")
    refused(box, bundle, "permission denied", command="run")


@test
def an_entry_point_that_is_a_directory_is_refused(box):
    refused(box, box.bundle(["/etc"]), "/etc", command="run")


@test
def an_entry_point_that_is_a_fifo_does_not_hang(box):
    bundle = box.bundle(["/etc/fifo"])
    os.mkfifo(os.path.join(bundle, "rootfs/etc/fifo"), 0o755)
    os.chmod(os.path.join(bundle, "rootfs/etc/fifo"), 0o755)
    refused(box, bundle, "/etc/fifo", command="run")


@test
def an_entry_point_of_no_known_format_is_told(box):
    bundle = box.bundle(["/etc/garbage"])
    path = os.path.join(bundle, "rootfs/etc/garbage")
    with open(path, "wb") as file:
        file.write(b"\x7fELF but no more")
    os.chmod(path, 0o755)
    result = box.run(bundle)
    true(result.status != 0, repr(result))
    has(result.err.lower(), "exec format error")


@test
def a_script_whose_interpreter_is_missing_is_told(box):
    bundle = box.bundle(["/etc/script"])
    path = os.path.join(bundle, "rootfs/etc/script")
    with open(path, "w") as file:
        file.write("#!/no/interpreter\n")
    os.chmod(path, 0o755)
    result = box.run(bundle)
    eq(result.status, 1, repr(result))
    has(result.err.lower(), "no such file or directory")


@test
def a_root_that_the_user_cannot_read_is_told(box):
    only_wherry("looks like a missing program")

    def change(config):
        config["process"]["user"] = {"uid": 1234, "gid": 1234}
        config["process"]["capabilities"] = {}

    bundle = box.bundle(["true"], change)
    os.chmod(os.path.join(bundle, "rootfs"), 0o700)
    refused(box, bundle, "permission denied", command="run")


@test
def a_mount_source_that_is_missing_is_named(box):
    def change(config):
        config["mounts"].append({"destination": "/data", "type": "bind", "options": ["bind"],
                                 "source": box.path("nowhere")})

    refused(box, box.bundle(["true"], change), "nowhere")


@test
def a_mount_of_an_unknown_type_is_named(box):
    only_wherry("names the destination only")

    def change(config):
        config["mounts"].append({"destination": "/data", "type": "nonsensefs", "source": "x"})

    refused(box, box.bundle(["true"], change), "nonsensefs")


@test
def a_mount_on_a_file_inside_a_file_fails(box):
    def change(config):
        config["mounts"].append({"destination": "/bin/busybox/x", "type": "tmpfs", "source": "x"})

    refused(box, box.bundle(["true"], change), "/bin/busybox")


@test
def a_namespace_that_is_not_there_is_named(box):
    def change(config):
        for each in config["linux"]["namespaces"]:
            if each["type"] == "network":
                each["path"] = "/proc/1/ns/nowhere"

    refused(box, box.bundle(["true"], change), "/proc/1/ns/nowhere")


@test
def a_file_that_is_no_namespace_is_refused(box):
    def change(config):
        for each in config["linux"]["namespaces"]:
            if each["type"] == "network":
                each["path"] = "/etc/passwd"

    refused(box, box.bundle(["true"], change))


@test
def a_namespace_of_another_kind_is_refused(box):
    def change(config):
        for each in config["linux"]["namespaces"]:
            if each["type"] == "network":
                each["path"] = "/proc/1/ns/uts"

    refused(box, box.bundle(["true"], change))


@test
def a_pid_file_that_cannot_be_written_is_named(box):
    result = box.call("create", "--bundle", box.bundle(["sleep", "100"]), "--pid-file",
                      "/no/such/place/pid", "c1", files=True)
    eq(result.status, 1)
    has(result.errors()[-1], "/no/such/place")
    eq(box.containers(), [])
    eq(box.leftovers(), [])


@test
def a_root_for_state_that_is_a_file_is_named(box):
    open(box.state, "w").close()
    result = box.call("create", "--bundle", box.bundle(), "c1", files=True)
    eq(result.status, 1)
    has(result.errors()[-1], box.state)
    os.unlink(box.state)


@test
def a_full_disk_for_state_is_told(box):
    only_wherry("loses the cause")
    os.mkdir(box.state)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", box.state], check=True)
    try:
        with open(os.path.join(box.state, "fill"), "wb") as file:
            try:
                file.write(b"x" * (1 << 20))
                file.flush()
            except OSError:
                pass
            result = box.call("create", "--bundle", box.bundle(), "c1", files=True)
        eq(result.status, 1, repr(result))
        has(result.errors()[-1], "no space left on device")
        eq([each for each in os.listdir(box.state) if each != "fill"], [])
        true(not [each for each in box.leftovers() if not each.startswith("mount")], "leftovers")
    finally:
        subprocess.run(["umount", box.state], check=True)
        os.rmdir(box.state)


@test
def a_rlimit_above_the_callers_is_told(box):
    only_wherry("depends on the version")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with open("/proc/self/status") as file:
        effective = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff"))
    if effective >> 24 & 1:
        raise Skip("may raise limits")

    def change(config):
        config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": hard + 1, "soft": 1}]

    refused(box, box.bundle(["true"], change), "RLIMIT_NOFILE")


@test
def unknown_fields_and_versions_are_taken(box):
    def change(config):
        config["ociVersion"] = "1.99.0"
        config["future"] = {"x": [1, 2, {"y": None}]}
        config["process"]["future"] = 5
        config["linux"]["resources"]["future"] = {}

    eq(box.run(box.bundle(["true"], change)).status, 0)


if __name__ == "__main__":
    sys.exit(main())
