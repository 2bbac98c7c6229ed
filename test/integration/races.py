"""Several commands at once: whoever comes second gets an answer, and nothing is left."""

import json
import os
import subprocess
import sys
import threading

from harness import eq, has, is_alive, main, only_wherry, reap, settle, test, true, wait_until

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def at_once(commands):
    children = [subprocess.Popen(words, **QUIET) for words in commands]
    return [child.wait(60) for child in children]


@test
def of_many_creates_one_wins(box):
    bundle = box.bundle(["sleep", "1000"])
    for _ in range(5):
        statuses = at_once([box.command("create", "--bundle", bundle, "c1")] * 8)
        eq(sorted(statuses), [0] + [1] * 7)
        eq(box.status_of(), "created")
        box.ok("delete", "--force", "c1")
    eq(box.containers(), [])


@test
def of_many_starts_one_wins(box):
    only_wherry("several may win")
    bundle = box.bundle(["sleep", "1000"])
    for _ in range(5):
        box.create(bundle)
        eq(sorted(at_once([box.command("start", "c1")] * 6)), [0] + [1] * 5)
        eq(box.status_of(), "running")
        box.ok("delete", "--force", "c1")


@test
def many_deletes_agree(box):
    bundle = box.bundle(["sleep", "1000"])
    for _ in range(5):
        box.create(bundle)
        box.ok("start", "c1")
        at_once([box.command("delete", "--force", "c1")] * 6)
        box.ok("delete", "--force", "c1")
        eq(box.containers(), [])


@test
def many_forced_deletes_all_succeed(box):
    only_wherry("some fail")
    bundle = box.bundle(["sleep", "1000"])
    for _ in range(5):
        box.create(bundle)
        box.ok("start", "c1")
        eq(at_once([box.command("delete", "--force", "c1")] * 6), [0] * 6)


@test
def kill_and_delete_meet_the_end_of_the_process(box):
    for number in range(12):
        bundle = box.bundle(["sh", "-c", f"sleep 0.0{number}"])
        box.create(bundle)
        box.ok("start", "c1")
        killed = box.call("kill", "c1", "KILL")
        if killed.status != 0:
            has(killed.errors()[-1], "container not running")
        box.ok("delete", "--force", "c1")


@test
def state_and_list_are_never_broken(box):
    """While containers come and go, readers see whole records or nothing."""
    os.mkdir(box.state)  # without it, list fails
    bundle = box.bundle(["sleep", "1000"])
    end = threading.Event()
    bad = []

    def reader():
        while not end.is_set():
            state = subprocess.run(box.command("state", "c1"), capture_output=True, text=True)
            if state.returncode == 0:
                json.loads(state.stdout)
            elif "does not exist" not in state.stderr:
                bad.append(state.stderr)
            listed = subprocess.run(box.command("list", "-f", "json"), capture_output=True,
                                    text=True)
            if listed.returncode != 0 or listed.stderr:
                bad.append(listed.stderr)

    thread = threading.Thread(target=reader)
    thread.start()
    try:
        for _ in range(15):
            box.create(bundle)
            box.ok("start", "c1")
            box.ok("delete", "--force", "c1")
    finally:
        end.set()
        thread.join()
    only_wherry("its readers may see half of a directory")
    eq(bad, [])


@test
def many_containers_at_once(box):
    bundles = [box.bundle(["sh", "-c", f"exit {number}"]) for number in range(12)]
    children = [subprocess.Popen(box.command("run", "--bundle", bundle, f"c{number}"), **QUIET)
                for number, bundle in enumerate(bundles)]
    eq([child.wait(60) for child in children], list(range(12)))
    eq(box.containers(), [])


@test
def delete_during_create_ends_with_nothing_or_one_container(box):
    only_wherry("its own promise")
    bundle = box.bundle(["sleep", "1000"])
    for _ in range(10):
        create = subprocess.Popen(box.command("create", "--bundle", bundle, "c1"), **QUIET)
        delete = subprocess.Popen(box.command("delete", "--force", "c1"), **QUIET)
        created, deleted = create.wait(60), delete.wait(60)
        eq(deleted, 0)
        if created == 0 and box.containers():
            eq(box.status_of(), "created")
        box.ok("delete", "--force", "c1")
        settle(lambda: reap() or not box.leftovers())
        eq(box.leftovers(), [])


@test
def a_fork_bomb_can_be_deleted(box):
    def change(config):
        config["linux"]["resources"]["pids"] = {"limit": 200}

    # Forty that fork without end: a classic bomb may burn out at the limit before it is looked at.
    bomb = "for i in $(seq 40); do (while :; do sleep 0.01; done) & done; sleep 1000"
    bundle = box.bundle(["sh", "-c", bomb], change)
    box.create(bundle)
    box.ok("start", "c1")
    pid = box.state_of()["pid"]
    wait_until(lambda: len(json.loads(box.ok("ps", "-f", "json", "c1").out)) > 20, "it forks")
    box.ok("delete", "--force", "c1")
    true(not is_alive(pid), "dead")


if __name__ == "__main__":
    sys.exit(main())
