"""Containers whose entry point is a WebAssembly module."""

import json
import os
import signal
import sys
import time

from harness import eq, has, main, test, true, wait_for_pid, wait_until
from wasm_modules import ARGS, EXIT, HELLO, LOOP, TRAP, bundle_of, module, slow_module


@test
def the_status_of_a_module_is_the_containers(box):
    for status in (0, 7, 42):
        eq(box.run(bundle_of(box, module(EXIT.format(status)))).status, status)


@test
def a_module_writes_to_standard_output(box):
    result = box.run(bundle_of(box, module(HELLO)))
    eq((result.status, result.out), (0, "hello\n"), repr(result))


@test
def arguments_arrive(box):
    bundle = bundle_of(box, module(ARGS), ("/app.wasm", "a", "b", "c"))
    eq(box.run(bundle).status, 4)


@test
def an_annotation_is_not_needed_and_the_suffix_does_not_matter(box):
    bundle = box.bundle(["/entry"])
    with open(os.path.join(bundle, "rootfs/entry"), "wb") as file:
        file.write(module(EXIT.format(3)))
    eq(box.run(bundle).status, 3)


@test
def a_trap_is_134_with_a_backtrace(box):
    result = box.run(bundle_of(box, module(TRAP)))
    eq(result.status, 134, repr(result))
    has(result.err, "unreachable")


@test
def a_backtrace_names_functions_that_the_compiler_inlined(box):
    body = ("(func $inner (param i32) (i32.div_u (i32.const 7) (local.get 0)) drop)"
            " (func $middle (param i32) (call $inner (local.get 0)))"
            " (func $main (export \"_start\") (call $middle (i32.const 0)))")
    result = box.run(bundle_of(box, module(body, names=True)))
    eq(result.status, 134, repr(result))
    frames = [line.split() for line in result.err.split("wasm backtrace:\n")[1].splitlines()]
    eq([(frame[0], frame[2]) for frame in frames],
       [("0:", "inner"), ("1:", "middle"), ("2:", "main")])
    offsets = [int(frame[1], 16) for frame in frames]
    true(0 < offsets[0] < offsets[1] < offsets[2], repr(offsets))


@test
def sigterm_ends_a_busy_module_with_143(box):
    bundle = bundle_of(box, module(LOOP))
    box.create(bundle)
    out = box.path(f"out{box.calls}")
    pid = box.state_of()["pid"]
    box.ok("start", "c1")
    wait_until(lambda: "ready" in open(out).read(), "it runs")
    begin = time.monotonic()
    box.ok("kill", "c1", "TERM")
    eq(wait_for_pid(pid), 143)
    true(time.monotonic() - begin < 2, "at once")


@test
def create_does_not_wait_for_the_compile(box):
    content = slow_module(5)
    bundle = bundle_of(box, content)
    begin = time.monotonic()
    box.create(bundle)
    pid = box.state_of()["pid"]
    box.ok("start", "c1")
    prompt = time.monotonic() - begin
    eq(wait_for_pid(pid, 600), 5)
    whole = time.monotonic() - begin
    true(prompt < 1 or prompt < whole / 2, f"create and start took {prompt:.1f} of {whole:.1f} s")
    begin = time.monotonic()
    eq(box.run(bundle, "c2").status, 5)
    true(time.monotonic() - begin < max(0.5, whole / 3), "the second start compiles again")


@test
def exec_runs_the_module_again(box):
    bundle = bundle_of(box, module(LOOP))
    box.create(bundle)
    box.ok("start", "c1")
    with open(os.path.join(bundle, "rootfs/probe.wasm"), "wb") as file:
        file.write(module(ARGS))
    eq(box.call("exec", "c1", "/probe.wasm", "x").status, 2)
    eq(box.call("exec", "c1", "sh", "-c", "exit 9").status, 9, "a native program")
    eq(box.status_of(), "running")


@test
def a_module_lives_in_cgroups_and_namespaces_like_any_program(box):
    box.create(bundle_of(box, module(LOOP)))
    box.ok("start", "c1")
    pid = box.state_of()["pid"]
    eq(json.loads(box.ok("ps", "-f", "json", "c1").out), [pid])
    true(os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"), "network")
    box.ok("pause", "c1")
    eq(box.status_of(), "paused")
    box.ok("resume", "c1")
    box.ok("delete", "--force", "c1")
    eq(box.leftovers(), [])


@test
def a_module_that_is_killed_is_137(box):
    box.create(bundle_of(box, module(LOOP)))
    pid = box.state_of()["pid"]
    box.ok("start", "c1")
    box.ok("kill", "c1", str(signal.SIGKILL.value))
    eq(wait_for_pid(pid), 137)


@test
def broken_modules_fail_and_leave_nothing(box):
    whole = module(HELLO)
    for content in (whole[:len(whole) // 2], whole[:9], b"\0asm\1\0\0\0\xff", b"\0asm\1\0\0\0" + b"\1" * 50):
        bundle = bundle_of(box, content)
        result = box.run(bundle)
        true(result.status not in (0, 134), repr(result))
        true((result.err + "".join(result.errors())).strip(), "an error")
        eq(box.containers(), [])
        eq(box.leftovers(), [])


@test
def a_module_that_the_user_cannot_read_is_refused(box):
    def change(config):
        config["process"]["user"] = {"uid": 1234, "gid": 1234}

    bundle = bundle_of(box, module(HELLO), change=change)
    os.chmod(os.path.join(bundle, "rootfs/app.wasm"), 0o600)
    result = box.run(bundle)
    eq(result.status, 1, repr(result))
    has(result.err.lower(), "permission denied")
    os.chmod(os.path.join(bundle, "rootfs/app.wasm"), 0o644)
    eq(box.run(bundle).out, "hello\n", "without the right to execute")


if __name__ == "__main__":
    sys.exit(main())
