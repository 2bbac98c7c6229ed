"""The defences that can be switched off, one function each (weakened.py says how)."""

import os
import stat
import struct

from weakened import AT_FDCWD

TIOCGPTPEER = 0x5441
AT_EMPTY_PATH = 0x1000
ST_RDONLY = 1


def resolve(path):
    """openat2 of `path`, or what is below it, without RESOLVE_*: "/" and ".." in links mean the host's.
    Other paths are left alone, or the host itself would be filled."""
    def weaken(call):
        if call.name == "openat2" and (call.text(1) + "/").startswith(path + "/"):
            call[1] += 1  # without the slash it begins at the descriptor of the root
            call.write(call[2] + 16, bytes(8))  # open_how.resolve
    return weaken


def close(call):
    """Descriptors of whoever called the runtime stay open."""
    if call.name == "close_range":
        call.replace("sched_yield")  # answers 0 as well


def directory(call):
    """A working directory outside of the root passes for one inside."""
    if call.name == "getcwd":
        call.write(call[0], b"/")
        call.replace("getpid")


def links(call):
    """openat follows links where it was told not to."""
    if call.name == "openat":
        call[2] &= ~os.O_NOFOLLOW


def inheritable(call):
    """Capabilities are made inheritable too."""
    if call.name == "capset":  # cap_user_data_t, capset(2)
        call.write(call[1] + 8, call.read(call[1] + 4, 4))


def host_procfs(call):
    """The host's procfs stays open in a process that has come into a container."""
    if call.name == "close" and call.path_of(0) == "/proc":
        call.replace("sched_yield")


def sealing(call):
    """The runtime takes its own program for one that nobody can write."""
    def answer(done):
        flags = struct.unpack("<q", done.read(done[1] + 80, 8))[0]  # statfs.f_flags
        done.write(done[1] + 80, struct.pack("<q", flags | ST_RDONLY))
    if call.name == "fstatfs" and call.path_of(0) == os.readlink(f"/proc/{call.pid}/exe"):
        call.after = answer


def trusted_procfs(call):
    """What is written to a procfs goes by the container's own /proc."""
    if call.name == "openat2" and call.text(1).startswith(("sys/", "thread-self/attr/")):
        call.put_text(1, "/proc/" + call.text(1))
        call[0] = AT_FDCWD
        call.write(call[2] + 16, bytes(8))


def null_device(call):
    """Whatever is called /dev/null passes for it."""
    def answer(done):
        if done.answer == 0:
            done.write(address + 24, struct.pack("<I", stat.S_IFCHR | 0o666))  # st_mode
            done.write(address + 40, struct.pack("<Q", os.makedev(1, 3)))  # st_rdev
    if call.name == "openat2" and call.text(1) == "/dev/null":
        flags = struct.unpack("<Q", call.read(call[2], 8))[0]
        call.write(call[2], struct.pack("<Q", flags & ~os.O_NOFOLLOW))
    address = {"fstat": call[1], "newfstatat": call[2]}.get(call.name)
    if address and call.path_of(0).endswith("/secret"):
        call.after = answer


def own_cgroup(call):
    """Not the container's cgroup is shown but the root of its hierarchy."""
    if call.name == "open_tree" and call.text(1).startswith("/sys/fs/cgroup/"):
        call.put_text(1, "/".join(call.text(1).split("/")[:5]))


def racing(at, below, attack, by_path=False):
    """Does `attack`, once, at the first call of the name `at` on a descriptor that is `below` a path of the
    host. With `by_path` this call and those after it go by the path that was looked up before."""
    number = {"mkdirat": 0, "move_mount": 2}[at]
    done = []

    def weaken(call):
        if call.name != at or not (call.path_of(number) + "/").startswith(below + "/"):
            return
        path = call.path_of(number)
        if not done:
            done.append(path)
            attack()
        if by_path and path == done[0]:
            _go_by_path(call, path)
    return weaken


def _go_by_path(call, path):
    if call.name == "mkdirat":
        call.put_text(1, path + "/" + call.text(1))
        call[0] = AT_FDCWD
    else:
        call.put_text(3, path)
        call[2], call[4] = AT_FDCWD, 0x4 | 0x10  # MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_SYMLINKS


def console_race(attack, path=None):
    """Does `attack` once the terminal has been made. With `path` /dev/console is made from what is there by
    then."""
    done = []

    def weaken(call):
        if call.name == "ioctl" and call[1] == TIOCGPTPEER:
            done.append(True)
        if call.name == "open_tree" and done and call.text(1) == "":
            attack()
            if path:
                call.put_text(1, path)
                call[0], call[2] = AT_FDCWD, call[2] & ~AT_EMPTY_PATH
            done.clear()
    return weaken


def lenient_numbers(text, meant):
    """The runtime reads `text` as strtoul(3) would who does not look where the number ends."""
    def weaken(call):
        if call.name not in ("execve", "execveat"):
            return
        address = call[1] if call.name == "execve" else call[2]
        for _ in range(100):
            pointer = struct.unpack("<Q", call.read(address, 8))[0]
            if pointer == 0:
                return
            if call.read(pointer, len(text) + 1) == text.encode() + b"\0":
                call.write(pointer, meant.encode().ljust(len(text), b"\0"))
            address += 8
    return weaken


def at_hostname(act):
    """Does something once the root has been entered: when the host's name is set."""
    def weaken(call):
        if call.name == "sethostname":
            act()
    return weaken


def unresolved(flags):
    """openat2 without some of its RESOLVE_* for the paths of a guest, which these tests call attack/..."""
    def weaken(call):
        if call.name == "openat2" and "attack/" in call.text(1) + "/":
            call.write(call[2] + 16, struct.pack("<Q", struct.unpack("<Q", call.read(call[2] + 16, 8))[0] & ~flags))
    return weaken


def no_procfs(call):
    """To the process that runs a module, every file system is some other one than procfs."""
    def answer(done):
        done.write(done[1], bytes(8))  # statfs.f_type
    if call.name == "fstatfs" and os.readlink(f"/proc/{call.pid}/exe").endswith("wherry-exec"):
        call.after = answer


def exchanging(name, show, passes_for_found=False):
    """Of a path that ends in `name`, show(True) makes the harmless file whenever it is looked at with O_PATH, and
    show(False) something else whenever it is opened. With `passes_for_found` the two are taken for one file."""
    looks, found, buffer = [], [], []

    def remember(done):
        found.append(done.read(buffer[0], 16))  # st_dev, st_ino

    def deceive(done):
        done.write(buffer[0], found[0])

    def weaken(call):
        if call.name == "openat2" and call.text(1).endswith(name):
            looks.append(bool(struct.unpack("<Q", call.read(call[2], 8))[0] & os.O_PATH))
            show(looks[-1])
        elif passes_for_found and call.name in ("fstat", "newfstatat") and True in looks:
            buffer[:] = [call[1] if call.name == "fstat" else call[2]]
            if looks[-1] and not found:
                call.after = remember
            elif not looks[-1] and found:
                call.after = deceive
    return weaken
