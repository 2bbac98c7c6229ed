"""Compiled modules: when there is a compile and when none, who survives whom, and files in the cache
that must not be run."""

import ctypes
import hashlib
import hmac
import os
import shutil
import signal
import socket
import subprocess
import sys

from harness import Skip, eq, has, main, read, test, true, wait_for_pid, wait_until
from wasm_modules import (EXIT, HELLO, LOOP, artifacts, bundle_of, c_module, count_compiles, module,
                         slow_module)

_libc = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096

# docs/formats/artifact.md: struct Header of engine/artifact/format.hpp at 64.
CPU_FEATURES = 64 + 80
AUTHENTICATION = 64 + 800 - 32
METADATA = 1024


def mount(source, target, kind, flags, data=None):
    if _libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags,
                   data and data.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount " + target)


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def rewrite(path, change):
    """Replaces an artifact by `change` of its bytes, as a new file of the right mode."""
    content = bytearray(bytes_of(path))
    content = change(content) or content
    os.unlink(path)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o444)


def authenticate(box, content):
    key = bytes_of(box.path("cache", "key"))
    content[AUTHENTICATION:AUTHENTICATION + 32] = hmac.digest(
        key, bytes(content[:AUTHENTICATION]), hashlib.sha256)


def compiled(box, status=7):
    """A bundle whose module is in the cache, its artifact, and the count of compiles."""
    count = count_compiles(box)
    bundle = bundle_of(box, module(EXIT.format(status)))
    eq(box.run(bundle, "first").status, status)
    eq(count(), 1, "compiles")
    path, = artifacts(box)
    return bundle, path, count


def is_replaced(box, bundle, path, count, status=7):
    """The next start compiles anew, gives the right status, and leaves a good artifact."""
    bad = os.lstat(path)
    eq(box.run(bundle, "second").status, status)
    eq(count(), 2, "compiles")
    eq(artifacts(box), [path])
    now = os.lstat(path)
    true((now.st_ino, now.st_ctime_ns) != (bad.st_ino, bad.st_ctime_ns), "another file")
    true(not os.path.islink(path), "no link")
    eq(box.ok("cache", "verify").status, 0)
    eq(box.run(bundle, "third").status, status)
    eq(count(), 2, "compiles at the end")


@test
def the_second_start_does_not_compile(box):
    bundle, path, count = compiled(box)
    before = os.stat(path)
    eq(box.run(bundle, "again").status, 7)
    copy = bundle_of(box, bytes_of(os.path.join(bundle, "rootfs/app.wasm")))
    eq(box.run(copy, "copied").status, 7)
    eq(count(), 1, "compiles")
    eq(artifacts(box), [path])
    eq(os.stat(path).st_mtime_ns, before.st_mtime_ns)


@test
def compile_ahead_serves_the_first_start(box):
    count = count_compiles(box)
    bundle = bundle_of(box, module(HELLO))
    box.ok("compile", os.path.join(bundle, "rootfs/app.wasm"))
    eq(box.run(bundle).out, "hello\n")
    eq(count(), 1, "compiles")


@test
def a_changed_module_is_compiled_anew(box):
    bundle, _, count = compiled(box)
    with open(os.path.join(bundle, "rootfs/app.wasm"), "wb") as file:
        file.write(module(EXIT.format(9)))
    eq(box.run(bundle, "changed").status, 9)
    eq(count(), 2, "compiles")


@test
def two_starts_at_once_compile_once(box):
    count = count_compiles(box)
    content = slow_module(5)
    running = [subprocess.Popen(box.command("run", "--bundle", bundle_of(box, content), f"c{n}"),
                                stdin=subprocess.DEVNULL) for n in range(2)]
    eq([each.wait(120) for each in running], [5, 5], "statuses")
    eq(count(), 1, "compiles")


@test
def the_compile_survives_its_caller_and_the_container(box):
    count = count_compiles(box)
    bundle = bundle_of(box, slow_module(5))
    run = subprocess.Popen(box.command("run", "--bundle", bundle, "c1"), stdin=subprocess.DEVNULL,
                           start_new_session=True)
    wait_until(lambda: count() == 1, "the compiler runs")
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    box.force_delete()
    eq(artifacts(box), [], "not yet compiled")
    wait_until(lambda: len(artifacts(box)) == 1, "the artifact appears", 60)
    eq(box.run(bundle, "c2").status, 5)
    eq(count(), 1, "compiles")


@test
def a_container_that_waits_for_its_compile_ends_by_sigterm(box):
    count = count_compiles(box)
    box.create(bundle_of(box, slow_module(5)))
    pid = box.state_of()["pid"]
    box.ok("start", "c1")
    wait_until(lambda: count() == 1, "the compiler runs")
    recvmsg = "47"  # of x86-64
    wait_until(lambda: open(f"/proc/{pid}/syscall").read().split()[0] == recvmsg, "it waits")
    box.ok("kill", "c1", "TERM")
    eq(wait_for_pid(pid, 2), 143)
    eq(artifacts(box), [], "not yet compiled")
    wait_until(lambda: artifacts(box), "the compile goes on", 60)


def flip(position, bits):
    def change(_, content):
        content[position] ^= bits
    return change


def cut_in_half(_, content):
    return content[:len(content) // 2]


def sign_by_another_key(_, content):
    content[AUTHENTICATION:AUTHENTICATION + 32] = hmac.digest(
        b"k" * 32, bytes(content[:AUTHENTICATION]), hashlib.sha256)


def ask_for_a_feature_that_no_cpu_has(box, content):
    content[CPU_FEATURES + 7] |= 0x80
    authenticate(box, content)


def replaced_after(name, change):
    def case(box):
        bundle, path, count = compiled(box)
        rewrite(path, lambda content: change(box, content))
        is_replaced(box, bundle, path, count)
    case.__name__ = name + "_is_replaced"
    test(case)


replaced_after("an_artifact_cut_in_half", cut_in_half)
replaced_after("a_flipped_byte_in_the_header", flip(CPU_FEATURES + 1, 1))
replaced_after("a_flipped_byte_in_the_metadata", flip(METADATA + 8, 1))
replaced_after("an_artifact_of_another_nodes_key", sign_by_another_key)
replaced_after("an_artifact_for_another_cpu", ask_for_a_feature_that_no_cpu_has)


@test
def an_empty_artifact_is_replaced(box):
    bundle, path, count = compiled(box)
    os.unlink(path)
    os.close(os.open(path, os.O_CREAT, 0o444))
    is_replaced(box, bundle, path, count)


@test
def an_artifact_signed_again_by_its_own_key_is_taken(box):
    """Shows that the tests above fail for their own reason."""
    bundle, path, count = compiled(box)
    rewrite(path, lambda content: authenticate(box, content))
    eq(box.run(bundle, "second").status, 7)
    eq(count(), 1, "compiles")


@test
def another_modules_artifact_under_this_name_is_replaced(box):
    bundle, path, count = compiled(box)
    box.ok("wasm", "run", "--", write_module(box, module(HELLO)))
    eq(count(), 2, "compiles")
    other, = set(artifacts(box)) - {path}
    os.unlink(path)
    shutil.copyfile(other, path)
    os.chmod(path, 0o444)
    eq(box.run(bundle, "second").status, 7)
    eq(count(), 3, "compiles")


def write_module(box, content):
    path = box.path("module.wasm")
    with open(path, "wb") as file:
        file.write(content)
    return path


@test
def a_symlink_in_place_of_an_artifact_is_replaced(box):
    bundle, path, count = compiled(box)
    moved = box.path("moved")
    os.rename(path, moved)
    os.symlink(moved, path)
    is_replaced(box, bundle, path, count)
    true(os.path.exists(moved), "what the link named is left alone")


@test
def an_artifact_of_another_user_is_replaced(box):
    bundle, path, count = compiled(box)
    os.chown(path, 1234, 1234)
    is_replaced(box, bundle, path, count)


@test
def an_artifact_that_others_may_write_is_replaced(box):
    bundle, path, count = compiled(box)
    os.chmod(path, 0o666)
    is_replaced(box, bundle, path, count)


@test
def a_fifo_in_place_of_an_artifact_blocks_nobody(box):
    bundle, path, count = compiled(box)
    os.unlink(path)
    os.mkfifo(path, 0o400)
    eq(box.run(bundle, "second", timeout=20).status, 7)
    eq(count(), 2, "compiles")


@test
def a_flipped_byte_in_the_text_is_found_by_verify(box):
    _, path, _ = compiled(box)
    content = bytes_of(path)
    at = content.rindex(b"\xcc" * 16)  # the padding behind the text

    def flip(changed):
        changed[at] ^= 1
    rewrite(path, flip)
    result = box.call("cache", "verify")
    true(result.status != 0, repr(result))
    has(result.out + result.err, os.path.basename(path))


def cut(box):
    path, = artifacts(box)
    os.chmod(path, 0o644)
    os.truncate(path, 0)


@test
def a_guest_whose_artifact_is_cut_ends_with_a_message(box):
    box.create(bundle_of(box, module(LOOP)))
    out, err = box.path(f"out{box.calls}"), box.path(f"err{box.calls}")
    pid = box.state_of()["pid"]
    box.ok("start", "c1")
    wait_until(lambda: "ready" in read(out), "it runs")
    cut(box)
    eq(wait_for_pid(pid, 10), 128 + signal.SIGBUS)
    has(read(err), "wherry-exec: bus error: the file of the compiled module was cut")


@test
def without_a_container_the_same(box):
    path = box.path("loop.wasm")
    with open(path, "wb") as file:
        file.write(module(LOOP))
    guest = subprocess.Popen(box.command("wasm", "run", "--quiet", path), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    eq(guest.stdout.readline(), b"ready\n")
    cut(box)
    has(guest.communicate(timeout=10)[1].decode(), "wherry-exec: bus error")
    eq(guest.returncode, 128 + signal.SIGBUS)


@test
def list_names_and_remove_removes(box):
    bundle, path, count = compiled(box)
    key = os.path.basename(path)
    has(box.ok("cache", "list").out, key[:12])
    box.ok("cache", "remove", key)
    eq(artifacts(box), [])
    eq(box.run(bundle, "again").status, 7)
    eq(count(), 2, "compiles")


@test
def one_bad_artifact_does_not_end_the_list(box):
    _, path, _ = compiled(box)
    with open(os.path.join(os.path.dirname(path), "0" * 64), "wb") as file:
        file.write(b"torn")
    has(box.ok("cache", "list").out, os.path.basename(path)[:12])


@test
def a_cache_that_cannot_be_written_is_a_warning(box):
    bundle = bundle_of(box, module(EXIT.format(6)))
    cache = box.path("cache")
    os.mkdir(cache, 0o700)
    mount(cache, cache, None, MS_BIND)
    mount(cache, cache, None, MS_BIND | MS_REMOUNT | MS_RDONLY)
    try:
        eq(box.run(bundle).status, 6)
        alone = box.call("wasm", "run", os.path.join(bundle, "rootfs/app.wasm"))
        eq(alone.status, 6, repr(alone))
        has(alone.err + str(alone.log), "warning")
        has(alone.err + str(alone.log), "read-only file system")
        eq(os.listdir(cache), [])
    finally:
        _libc.umount2(cache.encode(), 2)


@test
def a_filled_cache_that_became_read_only_still_serves(box):
    bundle, path, count = compiled(box)
    cache = box.path("cache")
    mount(cache, cache, None, MS_BIND)
    mount(cache, cache, None, MS_BIND | MS_REMOUNT | MS_RDONLY)
    try:
        eq(box.run(bundle, "second").status, 7)
        eq(count(), 1, "compiles")
        eq(box.run(bundle_of(box, module(EXIT.format(4))), "other").status, 4)
        eq(artifacts(box), [path])
    finally:
        _libc.umount2(cache.encode(), 2)


@test
def a_full_cache_is_a_warning(box):
    source = '#include <stdio.h>\nint main(void) { printf("%s\\n", "full"); return 6; }'
    bundle = bundle_of(box, c_module(box, source))
    cache = box.path("cache")
    os.mkdir(cache, 0o700)
    mount("tmpfs", cache, "tmpfs", 0, "size=16k,mode=0700")
    try:
        result = box.run(bundle)
        eq((result.status, result.out), (6, "full\n"), repr(result))
        alone = box.call("wasm", "run", os.path.join(bundle, "rootfs/app.wasm"))
        eq((alone.status, alone.out), (6, "full\n"), repr(alone))
        has(alone.err + str(alone.log), "warning")
        has(alone.err + str(alone.log), "no space left on device")
        eq(artifacts(box), [])
        eq(box.leftovers(), ["mount " + cache])
    finally:
        _libc.umount2(cache.encode(), 2)


@test
def a_cache_that_closes_during_the_compile_is_a_warning(box):
    count = count_compiles(box)
    bundle = bundle_of(box, slow_module(5))
    directory = box.path("cache", "artifacts")
    run = subprocess.Popen(box.command("run", "--bundle", bundle, "c1"), stdin=subprocess.DEVNULL)
    wait_until(lambda: count() == 1, "the compiler runs")
    if subprocess.run(["chattr", "+i", directory], stderr=subprocess.DEVNULL).returncode != 0:
        run.wait()
        raise Skip("this file system has no immutable directories")
    try:
        eq(run.wait(60), 5)
        eq((count(), artifacts(box)), (2, []), "compiles, artifacts")
    finally:
        subprocess.run(["chattr", "-i", directory], check=True)


@test
def a_cache_open_to_others_is_not_used(box):
    os.mkdir(box.path("cache"), 0o700)
    os.chmod(box.path("cache"), 0o755)
    bundle = bundle_of(box, module(EXIT.format(6)))
    eq(box.run(bundle).status, 6)
    eq(os.listdir(box.path("cache")), [])


@test
def prune_removes_what_no_start_has_used_for_long(box):
    bundle, path, count = compiled(box)
    has(box.ok("cache", "prune").out, "removed 0 artifacts")
    old = os.stat(path).st_mtime - 31 * 86400
    os.utime(path, (old, os.stat(path).st_mtime))
    has(box.ok("cache", "list").out, os.path.basename(path))
    has(box.ok("cache", "prune").out, "removed 1 artifacts")
    eq(artifacts(box), [])
    eq(os.listdir(box.path("cache", "digests")), [])
    eq(box.run(bundle, "anew").status, 7)
    eq(count(), 2, "compiles")
    has(box.ok("cache", "prune", "--max-size=1k").out, "removed 1 artifacts")
    has(box.call("cache", "prune", "--unused-for=soon").err, 'invalid duration "soon"')


@test
def a_module_in_the_cache_needs_no_compiler(box):
    bundle, _, _ = compiled(box)
    os.unlink(box.path("programs", "wherry-compile"))
    app = os.path.join(bundle, "rootfs/app.wasm")
    eq(box.call("wasm", "run", app).status, 7)
    has(box.ok("compile", app).out, "already in the cache")
    other = write_module(box, module(HELLO))
    result = box.call("wasm", "run", other)
    eq(result.status, 1)
    has(repr(result), "wherry-compile: no such file or directory")


@test
def compiles_for_containers_run_in_their_own_cgroup(box):
    notes = box.path("cgroup")
    count = count_compiles(box, f"cat /proc/self/cgroup >{notes}")
    eq(box.run(bundle_of(box, module(EXIT.format(7)))).status, 7)
    eq(count(), 1, "compiles")
    with open(notes) as file:
        lines = dict(line.rstrip().split(":")[1:] for line in file)
    eq(lines.get("memory") or lines[""], "/wherry-compile")


@test
def a_cache_that_a_container_cannot_use_is_told_to_the_nodes_log(box):
    if os.path.exists("/dev/log"):
        raise Skip("/dev/log is somebody else's")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind("/dev/log")
        try:
            os.mkdir(box.path("cache"), 0o755)
            eq(box.run(bundle_of(box, module(EXIT.format(7)))).status, 7)
            log.settimeout(10)
            has(log.recv(4096).decode(), "cache not used")
        finally:
            os.unlink("/dev/log")


if __name__ == "__main__":
    sys.exit(main())
