"""WebAssembly guests in containers and without: starts, ends and exec (the cache: wasm_cache.py).

Each test has an installation of its own (the programs beside each other), so that wherry-compile can
be a script that counts, waits or is missing, and a cache of its own.
"""

import glob
import hashlib
import os
import shutil
import signal
import subprocess
import sys

import harness
from harness import Skip, eq, has, main, only_wherry, read, test, true, wait_for_pid, wait_until

PROGRAMS = os.path.dirname(harness.RUNTIME)

WASI = '(import "wasi_snapshot_preview1" '
HEAD = f"""
  {WASI}"fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  {WASI}"proc_exit" (func $proc_exit (param i32)))
  {WASI}"args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $print (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
"""
HELLO = HEAD + r"""
  (data (i32.const 64) "hello\n")
  (func (export "_start") (call $print (i32.const 64) (i32.const 6)))
"""
# Prints the first two bytes of its first argument and ends with 42.
ARGUMENT = HEAD + r"""
  (func (export "_start")
    (drop (call $args_get (i32.const 128) (i32.const 1024)))
    (call $print (i32.load (i32.const 132)) (i32.const 2))
    (call $proc_exit (i32.const 42)))
"""
SPIN = HEAD + r"""
  (data (i32.const 64) "ready\n")
  (func (export "_start")
    (call $print (i32.const 64) (i32.const 6))
    (loop $again (br $again)))
"""
TRAP = r"""
  (memory (export "memory") 1)
  (func $touch (param i32) (result i32) (i32.load (local.get 0)))
  (func $middle (param i32) (result i32)
    (i32.add (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)) (i32.const 1)))
  (table 1 funcref) (elem (i32.const 0) $touch)
  (func $start (export "_start") (i32.store (i32.const 16) (call $middle (i32.const -8))))
"""
UNKNOWN_IMPORT = '(import "env" "host_log" (func)) (func (export "_start"))'
NO_START = '(memory (export "memory") 1)'


def assemble(path, text):
    if not shutil.which("wat2wasm"):
        raise Skip("needs wabt")
    done = subprocess.run(["wat2wasm", "--debug-names", "-", "-o", path], input=f"(module {text})",
                          text=True, stderr=subprocess.PIPE)
    eq(done.stderr, "", "wat2wasm")
    return path


class Installation:
    """The programs in a directory of the box's; commands of the box use them and its cache."""

    def __init__(self, box, compiler=None):
        only_wherry("runs no WebAssembly")
        self.box = box
        self.directory = box.path("install")
        self.cache = box.path("aot")
        self.env = dict(os.environ, WHERRY_CACHE_DIR=self.cache)
        os.makedirs(self.directory)
        for name in ("wherry", "wherry-exec"):
            shutil.copy2(os.path.join(PROGRAMS, name), self.directory)
        self.compiler(compiler or "")
        harness.RUNTIME = os.path.join(self.directory, "wherry")

    def compiler(self, before):
        """wherry-compile notes that it ran, does `before`, and compiles."""
        path = os.path.join(self.directory, "wherry-compile")
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\necho run >>{self.box.path('compiles')}\n{before}\n"
                       f"exec {PROGRAMS}/wherry-compile \"$@\"\n")
        os.chmod(path, 0o755)

    def compiles(self):
        path = self.box.path("compiles")
        return len(read(path).split()) if os.path.exists(path) else 0

    def artifacts(self):
        return sorted(glob.glob(self.cache + "/artifacts/*"))

    def bundle(self, text, args=("/app.wasm",), change=None):
        bundle = self.box.bundle(list(args), change)
        assemble(os.path.join(bundle, "rootfs/app.wasm"), text)
        return bundle

    def run(self, bundle, container="c1", *options, **kwargs):
        return self.box.run(bundle, container, *options, env=self.env, **kwargs)

    def background(self, bundle, container="c1", *options):
        """create and start; the id's process is our child by then."""
        self.box.create(bundle, container, *options, env=self.env)
        self.box.ok("start", container, env=self.env)
        return self.box.state_of(container)["pid"]

    def ready(self):
        """Waits for the output of SPIN, which went to the file of `create`."""
        wait_until(lambda: any("ready" in read(path)
                               for path in glob.glob(self.box.path("out*"))), "guest is ready")

    def direct(self, path):
        """Without a container."""
        return self.box.call("wasm", "run", path, env=self.env)


# --- starts and ends -------------------------------------------------------------------------------

@test
def a_guest_prints_and_ends_with_zero(box):
    here = Installation(box)
    result = here.run(here.bundle(HELLO))
    eq((result.status, result.out), (0, "hello\n"), repr(result))


@test
def a_guest_gets_its_arguments_and_gives_its_status(box):
    here = Installation(box)
    result = here.run(here.bundle(ARGUMENT, ["/app.wasm", "xy"]))
    eq((result.status, result.out), (42, "xy"), repr(result))


@test
def an_entry_point_is_found_by_path_and_needs_no_x_bit(box):
    here = Installation(box)
    bundle = here.bundle(HELLO, ["hello"])
    os.rename(f"{bundle}/rootfs/app.wasm", f"{bundle}/rootfs/bin/hello")
    os.chmod(f"{bundle}/rootfs/bin/hello", 0o644)
    eq(here.run(bundle).out, "hello\n")


@test
def a_trap_ends_with_134_and_names_the_functions(box):
    here = Installation(box)
    result = here.run(here.bundle(TRAP))
    eq(result.status, 134, repr(result))
    has(result.err, "Error: out of bounds memory access")
    for name in ("touch", "start"):
        has(result.err, name)


@test
def sigterm_ends_a_computing_guest_with_143(box):
    here = Installation(box)
    pid = here.background(here.bundle(SPIN))
    here.ready()
    box.ok("kill", "c1", "TERM")
    eq(wait_for_pid(pid, 5), 143)


@test
def every_terminating_signal_gives_128_and_its_number(box):
    here = Installation(box)
    bundle = here.bundle(SPIN)
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGSEGV, signal.SIGILL, signal.SIGBUS):
        pid = here.background(bundle)
        here.ready()
        box.ok("kill", "c1", str(int(number)))
        eq(wait_for_pid(pid, 5), 128 + number)
        box.ok("delete", "c1")
        for path in glob.glob(box.path("out*")):
            os.unlink(path)


@test
def a_guest_outside_containers_dies_of_the_signal_itself(box):
    here = Installation(box)
    path = assemble(box.path("spin.wasm"), SPIN)
    guest = subprocess.Popen(box.command("wasm", "run", "--quiet", path), env=here.env,
                             stdout=subprocess.PIPE)
    eq(guest.stdout.readline(), b"ready\n")
    guest.terminate()
    eq(guest.wait(5), -signal.SIGTERM)


@test
def an_unknown_import_is_named(box):
    here = Installation(box)
    result = here.run(here.bundle(UNKNOWN_IMPORT))
    eq(result.status, 1, repr(result))
    for word in ("/app.wasm", "env", "host_log"):
        has(result.err, word)


@test
def a_module_without_an_entry_is_told(box):
    here = Installation(box)
    result = here.run(here.bundle(NO_START))
    eq(result.status, 1, repr(result))
    has(result.err, "_start")


@test
def a_malformed_module_is_told_and_leaves_nothing_in_the_cache(box):
    here = Installation(box)
    bundle = here.bundle(HELLO)
    path = f"{bundle}/rootfs/app.wasm"
    os.truncate(path, os.path.getsize(path) // 2)
    result = here.run(bundle)
    eq(result.status, 1, repr(result))
    has(result.err, "/app.wasm")
    has(result.err, "malformed")
    eq(here.direct(path).status, 1)
    eq(here.artifacts(), [])


@test
def a_component_is_refused_before_anything_is_made(box):
    here = Installation(box)
    bundle = here.bundle(HELLO)
    with open(f"{bundle}/rootfs/app.wasm", "wb") as file:
        file.write(b"\0asm\x0d\0\1\0")
    result = here.run(bundle)
    eq(result.status, 1, repr(result))
    has(result.errors()[-1], "component")


@test
def a_module_the_user_may_not_read_is_refused(box):
    here = Installation(box)
    bundle = here.bundle(HELLO, change=lambda config: config["process"].update(
        user={"uid": 1000, "gid": 1000}))
    os.chmod(f"{bundle}/rootfs/app.wasm", 0o600)
    result = here.run(bundle)
    true(result.status not in (0, 134), repr(result))
    has(result.errors()[-1], "permission denied")


# --- the same process as a native one --------------------------------------------------------------

def identity(pid):
    wanted = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
              "NoNewPrivs", "Seccomp", "Seccomp_filters")
    return [line for line in read(f"/proc/{pid}/status").splitlines()
            if line.split(":")[0] in wanted]


@test
def user_capabilities_and_filter_are_those_of_a_native_process(box):
    here = Installation(box)

    def change(config):
        config["process"]["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [1002]}
        config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["ptrace"], "action": "SCMP_ACT_ERRNO"}]}

    guest = here.background(here.bundle(SPIN, change=change), "wasm")
    here.ready()
    native = here.background(box.bundle(["sleep", "100"], change), "native")
    wait_until(lambda: "sleep" in read(f"/proc/{native}/comm"), "native runs")
    eq(identity(guest), identity(native))
    has("\n".join(identity(guest)), "Seccomp:\t2")


@test
def ps_shows_the_guests_command_line(box):
    here = Installation(box)
    pid = here.background(here.bundle(SPIN, ["/app.wasm", "--flag"]))
    here.ready()
    eq(read(f"/proc/{pid}/cmdline").rstrip("\0"), "/app.wasm\0--flag")


@test
def a_computing_guest_keeps_no_descriptor_but_its_own(box):
    here = Installation(box)
    pid = here.background(here.bundle(SPIN))
    here.ready()
    for name in os.listdir(f"/proc/{pid}/fd"):
        target = os.readlink(f"/proc/{pid}/fd/{name}")
        true(not target.startswith(here.directory) and here.cache not in target and
             "memfd" not in target and "(deleted)" not in target, f"{name} -> {target}")


@test
def the_containers_root_user_cannot_write_to_the_cache(box):
    """While the guest is created its artifact is open in PID 1: /proc/1/fd leads there."""
    here = Installation(box)

    def change(config):
        for kind in config["process"]["capabilities"].values():
            kind += ["CAP_DAC_OVERRIDE", "CAP_SYS_PTRACE"]

    bundle = here.bundle(HELLO, change=change)
    eq(here.run(bundle).out, "hello\n")
    artifact = here.artifacts()[0]
    before = hashlib.sha256(open(artifact, "rb").read()).digest()
    box.create(bundle, "c2", env=here.env)
    pid = box.state_of("c2")["pid"]
    fds = [name for name in os.listdir(f"/proc/{pid}/fd")
           if os.path.basename(artifact) in os.readlink(f"/proc/{pid}/fd/{name}")]
    true(fds, "the artifact is open in PID 1")
    script = f"for f in {' '.join(fds)}; do echo overwritten >>/proc/1/fd/$f; done; echo tried"
    result = box.call("exec", "c2", "sh", "-c", script, env=here.env, timeout=10)
    has(result.out, "tried")
    has(result.err, "Read-only file system")
    eq(hashlib.sha256(open(artifact, "rb").read()).digest(), before)


# --- exec ------------------------------------------------------------------------------------------

@test
def exec_runs_the_containers_module_with_other_arguments(box):
    here = Installation(box)
    bundle = here.bundle(SPIN)
    assemble(f"{bundle}/rootfs/probe.wasm", ARGUMENT)
    here.background(bundle)
    here.ready()
    result = box.call("exec", "c1", "/probe.wasm", "ok", env=here.env)
    eq((result.status, result.out), (42, "ok"), repr(result))
    eq(box.call("exec", "c1", "echo", "native", env=here.env).out, "native\n")


@test
def exec_finds_the_containers_own_module_by_its_name(box):
    here = Installation(box)
    bundle = here.bundle(HELLO, ["/srv/app.wasm"])
    os.mkdir(f"{bundle}/rootfs/srv")
    os.rename(f"{bundle}/rootfs/app.wasm", f"{bundle}/rootfs/srv/app.wasm")
    box.create(bundle, env=here.env)
    eq(box.call("exec", "c1", "app.wasm", "healthz", env=here.env).out, "hello\n")


# --- the cache -------------------------------------------------------------------------------------

@test
def create_and_start_do_not_wait_for_a_compile(box):
    here = Installation(box, f"while [ ! -e {box.path('go')} ]; do sleep 0.05; done")
    pid = here.background(here.bundle(ARGUMENT, ["/app.wasm", "xy"]))
    eq(box.status_of(), "running")
    open(box.path("go"), "w").close()
    eq(wait_for_pid(pid), 42)


@test
def a_compiler_that_dies_is_told(box):
    here = Installation(box, "kill -9 $$")
    result = here.run(here.bundle(HELLO))
    eq(result.status, 1, repr(result))
    has(result.err, "wherry-compile: killed by signal 9")


if __name__ == "__main__":
    sys.exit(main())
