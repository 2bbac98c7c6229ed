"""Bind mounts: sources that only the host's root reaches, mapped ids, flags of the source, targets
behind links."""

import os
import subprocess
import sys

from harness import eq, has, main, read, test, true

IDS = [{"containerID": 0, "hostID": 100000, "size": 65536}]


def in_user_namespace(config):
    config["linux"]["namespaces"].append({"type": "user"})
    config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = IDS


def bundle_of_ids(box, args, change):
    """A bundle whose root belongs to the root of the user namespace."""
    bundle = box.bundle(args, change)
    subprocess.run(["chown", "-hR", "100000:100000", f"{bundle}/rootfs"], check=True)
    return bundle


def bind(source, destination, options=("bind",), **more):
    return {"source": source, "destination": destination, "type": "bind", "options": list(options), **more}


def source_of(box, name, owner=0):
    path = box.path(name)
    os.makedirs(path)
    with open(f"{path}/file", "w") as file:
        file.write(name)
    os.chown(f"{path}/file", owner, owner)
    return path


def owners(*paths):
    return ["stat", "-c", "%u:%g", *[f"{path}/file" for path in paths]]


class Tmpfs:
    """A file system whose mount flags a test may choose."""

    def __init__(self, box, flags):
        self.path = box.path("flagged")
        os.makedirs(self.path)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.path], check=True)
        subprocess.run(["mount", "-o", f"remount,bind,{flags}", self.path], check=True)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=True)


def flags_inside(box, flags, options, user_namespace=False):
    """The flags of a bind mount of a mount with `flags`, or the runtime's last error."""
    with Tmpfs(box, flags) as source:
        def change(config):
            config["mounts"].append(bind(source, "/m", options))
            if user_namespace:
                in_user_namespace(config)
        done = box.run(bundle_of_ids(box, ["grep", " /m ", "/proc/self/mounts"], change))
    os.rmdir(source)
    return done.errors()[-1] if done.status else set(done.out.split()[3].split(","))


@test
def a_source_that_the_user_namespace_cannot_reach_is_bound(box):
    hidden = box.path("hidden")
    os.makedirs(hidden, 0o700)
    source_of(box, "hidden/data")

    def change(config):
        in_user_namespace(config)
        config["mounts"].append(bind(f"{hidden}/data", "/m"))
    done = box.run(bundle_of_ids(box, ["cat", "/m/file"], change))
    eq(done.out, "hidden/data", repr(done))


@test
def a_mount_is_mapped_beside_a_user_namespace(box):
    plain, mapped = source_of(box, "plain"), source_of(box, "mapped", 7)

    def change(config):
        in_user_namespace(config)
        own = [{"containerID": 7, "hostID": 101000, "size": 1}]
        config["mounts"] += [bind(plain, "/plain"), bind(plain, "/implied", ["bind", "idmap"]),
                             bind(mapped, "/own", uidMappings=own, gidMappings=own)]
    done = box.run(bundle_of_ids(box, owners("/plain", "/implied", "/own"), change))
    eq(done.out.split(), ["65534:65534", "0:0", "1000:1000"], repr(done))


@test
def mounts_below_are_mapped_only_by_ridmap(box):
    top, below = source_of(box, "top"), source_of(box, "below")
    os.makedirs(f"{top}/below")
    subprocess.run(["mount", "--bind", below, f"{top}/below"], check=True)
    try:
        for option, expected in (("idmap", "65534:65534"), ("ridmap", "0:0")):
            def change(config, option=option):
                in_user_namespace(config)
                config["mounts"].append(bind(top, "/m", ["rbind", option]))
            done = box.run(bundle_of_ids(box, owners("/m", "/m/below"), change))
            eq(done.out.split(), ["0:0", expected], repr(done))
    finally:
        subprocess.run(["umount", f"{top}/below"], check=True)


@test
def a_mount_takes_the_mapping_of_a_joined_user_namespace(box):
    source = source_of(box, "source")
    box.create(bundle_of_ids(box, ["sleep", "100"], in_user_namespace))
    pid = box.state_of()["pid"]

    def change(config):
        config["linux"]["namespaces"].append({"type": "user", "path": f"/proc/{pid}/ns/user"})
        config["mounts"].append(bind(source, "/m", ["bind", "idmap"]))
    done = box.run(bundle_of_ids(box, owners("/m"), change), "c2")
    eq(done.out.split(), ["0:0"], repr(done))


@test
def a_source_inside_the_root_shows_what_was_mounted_before(box):
    first = source_of(box, "first")
    for setup in (None, in_user_namespace):
        def change(config, setup=setup):
            root = box.path(f"bundle{box.bundles}", "rootfs")
            config["mounts"] += [bind(first, "/first"), bind(f"{root}/first", f"{root}/second")]
            if setup:
                setup(config)
        done = box.run(bundle_of_ids(box, ["cat", "/second/file"], change))
        eq(done.out, "first", repr(done))


@test
def without_options_a_bind_mount_keeps_the_flags_of_its_source(box):
    for user_namespace in (False, True):
        flags = flags_inside(box, "ro,noexec,nodiratime", ["bind"], user_namespace)
        true({"ro", "noexec", "nodiratime"} <= flags, flags)


@test
def an_option_settles_all_flags_but_the_times(box):
    flags = flags_inside(box, "ro,noexec,noatime", ["bind", "nosuid", "atime"])
    true({"rw", "nosuid", "noatime"} <= flags and "noexec" not in flags, flags)
    flags = flags_inside(box, "noatime", ["bind", "nodiratime"])
    true({"relatime", "nodiratime"} <= flags and "noatime" not in flags, flags)


@test
def flags_that_are_locked_stay_or_are_refused(box):
    flags = flags_inside(box, "ro,nodev,noatime", ["bind", "nosuid"], True)
    true({"ro", "nodev", "nosuid", "noatime"} <= flags, flags)
    for options in (["bind", "rw"], ["bind", "dev"], ["bind", "relatime"]):
        has(flags_inside(box, "ro,nodev,noatime", options, True), "operation not permitted")


@test
def a_target_behind_dangling_links_is_made_inside(box):
    data = source_of(box, "data")
    bundle = box.bundle(["cat", "/etc/hosts"], lambda config: config["mounts"].append(
        bind(f"{data}/file", "/etc/hosts")))
    root = f"{bundle}/rootfs"
    os.symlink("/jump/made/hosts", f"{root}/etc/hosts")
    os.symlink("../../../../../deep/er", f"{root}/jump")
    done = box.run(bundle)
    eq(done.out, "data", repr(done))
    eq(read(f"{root}/deep/er/made/hosts"), "")
    true(not os.path.exists("/deep"), "made on the host")


if __name__ == "__main__":
    sys.exit(main())
