"""kill -9 of the runtime at each of its steps: afterwards the container's first process is dead or
the container is whole, and `delete --force` or the next create of the same id leaves nothing.

CRASH_STEPS=all tries every system call; otherwise about 40 of them, spread evenly."""

import os
import sys

from harness import eq, main, only_wherry, reap, settle, test, true, wait_until
from traced import kill_after

EVER = 1 << 30
STEPS = os.environ.get("CRASH_STEPS", "40")


def steps(total):
    stride = 1 if STEPS == "all" else max(1, total // int(STEPS))
    return range(0, total, stride)


def nothing_left(box, step):
    def clean():
        reap()
        return not box.leftovers()

    settle(clean, 5)
    eq(box.leftovers(), [], f"after step {step}")
    eq(box.containers(), [], f"state after step {step}")


def is_there(box):
    return box.call("state", "c1").status == 0


def count_steps(words, undo):
    total, status = kill_after(words, EVER)
    eq(status, 0, "the command by itself")
    undo()
    return total


@test
def create_killed_at_each_step(box):
    only_wherry("leaves cgroups and processes")
    bundle = box.bundle(["sleep", "1000"])
    words = box.command("create", "--bundle", bundle, "c1")
    force = ("delete", "--force", "c1")
    for step in steps(count_steps(words, lambda: box.ok(*force))):
        kill_after(words, step)
        if step % 2:  # the next create clears up as well
            again = box.create(bundle, check=None)
            if again.status != 0:
                # Killed behind its last write, and told nobody: the container is whole, or stopped
                # because its first process died with its maker.
                eq(again.errors()[-1], "container with given ID already exists", f"step {step}")
                true(box.status_of() in ("created", "stopped"), f"step {step}")
        box.ok(*force)
        nothing_left(box, step)


@test
def the_first_process_dies_with_a_create_that_did_not_finish(box):
    only_wherry("keeps it")
    bundle = box.bundle(["sleep", "1000"])
    words = box.command("create", "--bundle", bundle, "c1")
    for step in steps(count_steps(words, lambda: box.ok("delete", "--force", "c1"))):
        kill_after(words, step)
        if not is_there(box) or box.status_of() != "created":
            wait_until(lambda: reap() or not box.processes(), f"dead after step {step}", 5)
        box.ok("delete", "--force", "c1")
    nothing_left(box, "the last")


@test
def start_killed_at_each_step(box):
    only_wherry("its own promise")
    bundle = box.bundle(["sleep", "1000"])
    words = box.command("start", "c1")
    box.create(bundle)
    for step in steps(count_steps(words, lambda: box.ok("delete", "--force", "c1"))):
        box.create(bundle)
        kill_after(words, step)
        true(box.status_of() in ("created", "running", "stopped"), f"step {step}")
        box.ok("delete", "--force", "c1")
        nothing_left(box, step)


@test
def delete_killed_at_each_step(box):
    only_wherry("its own promise")
    bundle = box.bundle(["sleep", "1000"])
    words = box.command("delete", "--force", "c1")
    box.create(bundle)
    for step in steps(count_steps(words, lambda: None)):
        box.create(bundle)
        kill_after(words, step)
        box.ok("delete", "--force", "c1")
        nothing_left(box, step)


@test
def run_killed_at_each_step(box):
    only_wherry("its own promise")
    bundle = box.bundle(["true"])
    words = box.command("run", "--bundle", bundle, "c1")
    for step in steps(count_steps(words, lambda: None)):
        kill_after(words, step)
        box.ok("delete", "--force", "c1")
        nothing_left(box, step)


@test
def exec_killed_at_each_step_leaves_the_container(box):
    only_wherry("its own promise")
    box.create(box.bundle(["sleep", "1000"]))
    box.ok("start", "c1")
    words = box.command("exec", "c1", "true")
    for step in steps(count_steps(words, lambda: None)):
        kill_after(words, step)
        eq(box.status_of(), "running", f"step {step}")
    box.force_delete()
    nothing_left(box, "the last")


@test
def a_hook_that_kills_the_runtime_leaves_nothing(box):
    only_wherry("its own promise")
    for kind in ("prestart", "createRuntime"):
        def change(config):
            config["hooks"] = {kind: [{"path": "/bin/sh",
                                       "args": ["sh", "-c", "kill -9 $PPID; sleep 0.1"]}]}

        bundle = box.bundle(["sleep", "1000"], change)
        result = box.create(bundle, check=-9)
        true(result.status == -9, repr(result))
        box.ok("delete", "--force", "c1")
        nothing_left(box, kind)


if __name__ == "__main__":
    sys.exit(main())
