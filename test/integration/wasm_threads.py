"""Threads of WebAssembly guests (wasi-threads): what they share, how they and the process end, how many
there may be. The guest is test/guests/c/threads.c; smaller modules are written as text."""

import os
import shutil
import signal
import subprocess
import sys

import harness
from harness import Skip, eq, has, main, read, test, true, wait_for_pid, wait_until
from wasm_modules import bundle_of, needs_programs

GUESTS = os.path.join(harness.ROOT, "test", "guests")
IMPORTS = """
  (import "any" "name" (memory 1 1 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (func $sleep (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 200000000))))
  (func $spawned (param i32)
    (if (i32.le_s (call $spawn (local.get 0)) (i32.const 0)) (then unreachable)))
"""
# What one thread does while another ends the process; none of them returns.
BUSY = {
    "computes": "(loop $l (br $l))",
    "waits": "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))",
    "reads": """(i32.store (i32.const 100) (i32.const 200)) (i32.store (i32.const 104) (i32.const 1))
                (drop (call $read (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 300)))""",
}


def guest(box):
    """The bytes of the C guest."""
    needs_programs()
    if not shutil.which("clang-19") or not shutil.which("wasm-ld-19"):
        raise Skip("needs clang-19 and lld-19")
    path = box.path("guests", "threads.wasm")
    subprocess.run(["make", "--silent", "-C", GUESTS, f"OUT={box.path('guests')}", path], check=True)
    with open(path, "rb") as file:
        return file.read()


def text_module(thread, start):
    """A module whose threads run `thread`, and whose _start runs `start`."""
    needs_programs()
    if not shutil.which("wat2wasm"):
        raise Skip("needs wabt")
    text = f"""(module {IMPORTS} (func (export "wasi_thread_start") (param i32 i32) {thread})
      (func (export "_start") {start}))"""
    return subprocess.run(["wat2wasm", "--enable-threads", "-", "--output=-"], input=text.encode(),
                          check=True, capture_output=True).stdout


def run_guest(box, *arguments, change=None, timeout=60):
    return box.run(bundle_of(box, guest(box), ("/app.wasm",) + arguments, change), timeout=timeout)


def run_direct(box, content, *arguments, options=()):
    """Without a container; a read of standard input never ends."""
    path = box.path("direct.wasm")
    with open(path, "wb") as file:
        file.write(content)
    reader, writer = os.pipe()
    with open(reader, "rb") as stdin, open(writer, "wb"):
        return box.call("wasm", "run", "--quiet", *options, path, *arguments, stdin=stdin,
                        env=dict(os.environ, WHERRY_CACHE_DIR=box.path("aot")))


# --- what threads share ----------------------------------------------------------------------------

@test
def threads_count_under_a_mutex_and_by_atomics(box):
    result = run_guest(box, "count", "8", "20000")
    eq((result.status, result.out), (0, "mutex 160000\natomic 160000\n"), repr(result))


@test
def a_page_that_memory_grows_by_belongs_to_one_thread(box):
    result = run_guest(box, "grow", "8")
    eq((result.status, result.out), (0, "pages 512\n"), repr(result))


@test
def all_threads_see_atomic_accesses_in_one_order(box):
    """With plain stores, this processor lets some of the rounds end with neither seen."""
    result = run_guest(box, "order", "20000")
    eq((result.status, result.out), (0, "neither 0\n"), repr(result))


@test
def threads_that_have_ended_leave_room_for_others(box):
    result = run_guest(box, "many", "5000")
    eq((result.status, result.out), (0, "done\n"), repr(result))


@test
def a_thread_gets_its_id_and_its_argument(box):
    module = text_module("""
      (i32.store (i32.const 4) (local.get 0)) (i32.store (i32.const 8) (local.get 1))
      (i32.atomic.store (i32.const 0) (i32.const 1))
      (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))""", """(local $id i32)
      (local.set $id (call $spawn (i32.const 12345)))
      (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
      (if (i32.ne (i32.load (i32.const 4)) (local.get $id)) (then unreachable))
      (if (i32.ne (i32.load (i32.const 8)) (i32.const 12345)) (then unreachable))
      (if (i32.ge_u (i32.sub (local.get $id) (i32.const 1)) (i32.const 0x1fffffff))
        (then unreachable))
      (call $exit (i32.const 22))""")
    result = run_direct(box, module)
    eq(result.status, 22, repr(result))


# --- how the process ends --------------------------------------------------------------------------

@test
def an_exit_of_the_first_thread_ends_all(box):
    for name, busy in BUSY.items():
        module = text_module(busy, "(call $spawned (i32.const 0)) (call $sleep) (call $exit (i32.const 99))")
        result = run_direct(box, module)
        eq(result.status, 99, f"{name}: {result}")


@test
def an_exit_of_another_thread_ends_all(box):
    for name, busy in BUSY.items():
        module = text_module("(call $sleep) (call $exit (i32.const 99))",
                             f"(call $spawned (i32.const 0)) {busy} unreachable")
        result = run_direct(box, module)
        eq(result.status, 99, f"{name}: {result}")


@test
def a_return_of_the_first_thread_ends_all(box):
    for name, busy in BUSY.items():
        module = text_module(busy, "(call $spawned (i32.const 0)) (call $sleep)")
        result = run_direct(box, module)
        eq(result.status, 0, f"{name}: {result}")


@test
def a_return_of_another_thread_ends_nothing_else(box):
    module = text_module("nop", "(call $spawned (i32.const 0)) (call $sleep) (call $exit (i32.const 7))")
    eq(run_direct(box, module).status, 7)


@test
def a_trap_of_one_of_many_threads_ends_the_process(box):
    result = run_guest(box, "trap", "8")
    eq(result.status, 134, repr(result))
    has(result.err, "Error: integer divide by zero")
    has(result.err, "wasi_thread_start")
    eq(result.err.count("Error:"), 1, result.err)


@test
def threads_that_trap_at_the_same_time_give_one_report(box):
    module = text_module("unreachable", "(call $spawned (i32.const 0)) (call $spawned (i32.const 0)) "
                                        "(call $spawned (i32.const 0)) " + BUSY["waits"])
    for _ in range(5):
        result = run_direct(box, module)
        eq(result.status, 134, repr(result))
        eq(result.err.count("Error: unreachable"), 1, result.err)


@test
def a_stack_that_is_used_up_in_a_thread_is_a_trap(box):
    module = text_module("(call $deep)) (func $deep (call $deep) (call $sleep)",
                         "(call $spawned (i32.const 0)) " + BUSY["waits"])
    result = run_direct(box, module)
    eq(result.status, 134, repr(result))
    has(result.err, "call stack exhausted")


@test
def an_exit_among_waiting_threads_gives_its_status(box):
    eq(run_guest(box, "exit", "5", "77").status, 77)


@test
def signals_end_a_container_whose_threads_all_wait_or_compute(box):
    content = guest(box)
    for what in ("wait", "spin"):
        for name, status in (("TERM", 143), ("INT", 130)):
            container = f"{what}{name}"
            box.create(bundle_of(box, content, ("/app.wasm", what, "4")), container)
            out = box.path(f"out{box.calls}")
            pid = box.state_of(container)["pid"]
            box.ok("start", container)
            wait_until(lambda: "ready" in read(out), "all threads run")
            eq(len(os.listdir(f"/proc/{pid}/task")), 5, "threads")
            box.ok("kill", container, name)
            eq(wait_for_pid(pid, 5), status, container)


@test
def outside_containers_a_signal_ends_all_threads(box):
    path = box.path("threads.wasm")
    with open(path, "wb") as file:
        file.write(guest(box))
    running = subprocess.Popen(box.command("wasm", "run", "--quiet", path, "spin", "3"),
                               env=dict(os.environ, WHERRY_CACHE_DIR=box.path("aot")),
                               stdout=subprocess.PIPE)
    eq(running.stdout.readline(), b"ready\n")
    running.terminate()
    eq(running.wait(5), -signal.SIGTERM)


# --- limits ----------------------------------------------------------------------------------------

@test
def a_spawn_beyond_the_limit_of_threads_fails(box):
    result = run_direct(box, guest(box), "fill", "5000")
    eq((result.status, result.out), (0, "threads 4096\n"), repr(result))


@test
def a_spawn_beyond_the_containers_limit_of_tasks_fails(box):
    def change(config):
        config["linux"].setdefault("resources", {})["pids"] = {"limit": 20}

    if harness.is_v2() or not os.path.isdir("/sys/fs/cgroup/pids"):
        raise Skip("needs the pids controller of cgroup v1")
    result = run_guest(box, "fill", "100", change=change)
    eq(result.status, 0, repr(result))
    spawned = int(result.out.split()[1])
    true(0 < spawned < 20, f"{spawned} threads")


@test
def threads_start_where_clone3_is_unknown(box):
    """As under containerd's default profile."""
    def change(config):
        config["linux"]["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}

    result = run_guest(box, "count", "4", "1000", change=change)
    eq((result.status, result.out), (0, "mutex 4000\natomic 4000\n"), repr(result))


# --- what is refused -------------------------------------------------------------------------------

@test
def a_module_that_spawns_needs_the_export_for_it(box):
    module = text_module("nop", "(call $spawned (i32.const 0))")
    module = module.replace(b"wasi_thread_start", b"wasi_thread_stop_")
    result = run_direct(box, module)
    eq(result.status, 1, repr(result))
    has(result.err, "wasi_thread_start")


@test
def a_path_that_a_thread_exchanges_while_it_is_opened_leads_nowhere_else(box):
    os.makedirs(box.path("top", "directory", "in"))
    for name, text in (("directory/in/file", "inside"), ("file", "secret")):
        with open(box.path("top", name), "w") as file:
            file.write(text)
    result = run_direct(box, guest(box), "swap", "30000",
                        options=("--dir", f"{box.path('top', 'directory')}::/"))
    eq((result.status, result.out), (0, "some inside\nsome refused\nelsewhere 0\n"), repr(result))


if __name__ == "__main__":
    sys.exit(main())
