"""Modules for the tests of wasm containers: written as text and made by Debian's wabt, or in C and
made by its clang and wasi-libc. No two are equal, so that none is in a cache."""

import os
import random
import shutil
import subprocess

import harness
from harness import Skip, only_wherry

WASI = """
(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
(import "wasi_snapshot_preview1" "fd_write"
  (func $write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
(memory (export "memory") 1)
"""
EXIT = "(func (export \"_start\") (call $exit (i32.const {})))"
HELLO = """(data (i32.const 8) "\\10\\00\\00\\00\\06\\00\\00\\00hello\\0a")
(func (export "_start") (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))))"""
LOOP = """(data (i32.const 8) "\\10\\00\\00\\00\\06\\00\\00\\00ready\\0a")
(func (export "_start")
  (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
  (loop $l (br $l)))"""
TRAP = "(func $inner unreachable) (func (export \"_start\") (call $inner))"
ARGS = """(func (export "_start") (drop (call $args_sizes (i32.const 0) (i32.const 4)))
  (call $exit (i32.load (i32.const 0))))"""

# What a filter has to allow that refuses all else: containerd's and Docker's default profiles do.
ANY_GUEST = ("execve arch_prctl brk mmap munmap mprotect madvise mremap read write readv writev pread64 pwrite64 "
             "lseek close fcntl ioctl fstat newfstatat fstatfs statfs openat openat2 readlink getdents64 getcwd "
             "fchdir dup dup3 prctl seccomp prlimit64 set_tid_address set_robust_list rseq futex sigaltstack "
             "rt_sigaction rt_sigprocmask rt_sigreturn getpid gettid tgkill kill wait4 getrandom clock_gettime "
             "clock_nanosleep ppoll poll exit exit_group capget capset setuid setgid setgroups umask "
             "signalfd4 restart_syscall").split()
SOCKETS = ("socket bind listen connect accept4 sendmsg recvmsg sendto recvfrom shutdown getsockopt setsockopt "
           "getsockname getpeername").split()
NAMES = ["uname", "gettimeofday"]


def allow_only(names):
    def change(config):
        config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
            "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": names, "action": "SCMP_ACT_ALLOW"}]}
    return change


def needs_programs():
    only_wherry("runs no modules")
    for name in ("wherry-exec", "wherry-compile"):
        if not os.path.exists(os.path.join(os.path.dirname(harness.RUNTIME), name)):
            raise Skip(f"{name} is not built")


def module(body, names=False):
    """A module that is in no cache: it carries a number of its own."""
    needs_programs()
    if not shutil.which("wat2wasm"):
        raise Skip("needs wabt")
    unique = f"(global i64 (i64.const {random.getrandbits(62)}))"
    text = "(module " + WASI + unique + body + ")"
    options = ["--debug-names"] if names else []
    return subprocess.run(["wat2wasm", "-", "--output=-", *options], input=text.encode(), check=True,
                          capture_output=True).stdout


def bundle_of(box, content, args=("/app.wasm",), change=None):
    needs_programs()
    bundle = box.bundle(list(args), change)
    with open(os.path.join(bundle, "rootfs/app.wasm"), "wb") as file:
        file.write(content)
    return bundle


def slow_module(status):
    """Many functions take the compiler a while."""
    functions = "".join(f"(func (export \"f{n}\") (param i32) (result i32) (local.get 0) "
                        + "(i32.const 3) (i32.mul) " * 40 + ")" for n in range(4000))
    return module(functions + EXIT.format(status))


def c_module(box, source):
    """A WASI command, from C."""
    needs_programs()
    if not shutil.which("clang-19") or not os.path.exists("/usr/lib/wasm32-wasi/libc.a"):
        raise Skip("needs clang-19 and wasi-libc")
    out = box.path(f"c{random.getrandbits(62)}.wasm")
    text = f"const long long unique = {random.getrandbits(62)};\n" + source
    subprocess.run(["clang-19", "--target=wasm32-wasi", "-O1", "-x", "c", "-", "-o", out,
                    "-Wl,--export=unique"], input=text.encode(), check=True)
    with open(out, "rb") as file:
        return file.read()


def guest(box, name, *options):
    """A C program of test/guests, compiled."""
    if not shutil.which("clang-19") or not os.path.exists("/usr/lib/wasm32-wasi/libc.a"):
        raise Skip("needs clang-19 and wasi-libc")
    out = box.path(name + ".wasm")
    if not os.path.exists(out):
        subprocess.run(["clang-19", "--target=wasm32-wasi", "-O2", "-D_GNU_SOURCE", *options,
                        os.path.join(harness.ROOT, f"test/guests/c/{name}.c"), "-o", out], check=True)
    return out


def count_compiles(box, also="true"):
    """From here on the box's commands start a compiler that notes it and runs `also`. Returns who
    reads the count."""
    needs_programs()
    beside = os.path.dirname(os.path.abspath(harness.RUNTIME))
    programs, notes = box.path("programs"), box.path("compiles")
    os.mkdir(programs)
    for name in ("wherry", "wherry-exec"):
        shutil.copy2(os.path.join(beside, name), programs)
    compiler = os.path.join(programs, "wherry-compile")
    with open(compiler, "w") as file:
        file.write(f"#!/bin/sh\necho >> {notes}\n{also}\nexec {beside}/wherry-compile \"$@\"\n")
    os.chmod(compiler, 0o755)
    plain = box.command
    box.command = lambda *args, **kwargs: [programs + "/wherry"] + plain(*args, **kwargs)[1:]

    def count():
        if not os.path.exists(notes):
            return 0
        with open(notes) as file:
            return len(file.readlines())
    return count


def artifacts(box):
    """Paths of the compiled modules."""
    directory = box.path("cache", "artifacts")
    if not os.path.isdir(directory):
        return []
    return sorted(os.path.join(directory, name) for name in os.listdir(directory))
