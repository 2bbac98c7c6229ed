"""kill -9 of the shim, of its operations with it, of `start` and of `delete`, at each step of a pod's life:
`delete` leaves no process, socket, mount, cgroup or state.

CRASH_STEPS=all tries every system call; otherwise about 3 of each call, spread evenly."""

import json
import os

from harness import become_subreaper, eq, main, only_wherry, settle, test, true
from shim_daemon import (PROCESS, SHIM, Daemon, any_of, create_request, message, one, put_away, shim_pids,
                         socket_of, wait_gone)
from traced import kill_after, kill_server_after

EVER = 1 << 30
STEPS = os.environ.get("CRASH_STEPS", "3")
EXEC = json.dumps({"args": ["sleep", "1000"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}})

# A pod's life, as calls: (method, what it asks for).
LIFE = [
    ("Create", None),
    ("Start", message((1, "c1"))),
    ("Exec", message((1, "c1"), (2, "e1"), (7, any_of(PROCESS, EXEC)))),
    ("Start", message((1, "c1"), (2, "e1"))),
    ("Pause", message((1, "c1"))),
    ("Resume", message((1, "c1"))),
    ("Kill", message((1, "c1"), (3, 9), (4, 1))),
    ("Wait", message((1, "c1"))),
    ("Delete", message((1, "c1"), (2, "e1"))),
    ("Delete", message((1, "c1"))),
    ("Shutdown", message((1, "c1"))),
]


def steps(total):
    stride = 1 if STEPS == "all" else max(1, total // int(STEPS))
    return range(0, total + stride, stride)


class Pod:
    """A shim whose container is where a step of LIFE begins."""

    def __init__(self, box):
        # What is orphaned is init's, which reaps: an end of a pid namespace waits for that.
        become_subreaper(False)
        dialect, read = one(box)
        self.box, self.daemon = box, Daemon(box, dialect)
        self.bundle, self.mount = self.daemon.bundle("c1", ["sleep", "1000"])
        _, self.socket = read(self.daemon.start(self.bundle, "c1"))
        self.client = self.daemon.connect(self.socket)
        self.pid = shim_pids(box)[0]

    def send(self, number):
        method, payload = LIFE[number]
        if method == "Create":
            payload = create_request("c1", self.bundle, [self.mount],
                                     options=any_of(*self.daemon.dialect.config))
        return self.client.send(method, payload)

    def live_until(self, number):
        for each in range(number):
            self.client.receive(self.send(each))

    def bury(self, what):
        """The daemon's part, when a shim is dead."""
        self.client.close()
        self.daemon.delete(self.bundle, "c1")
        nothing_left(self.box, what)
        true(not os.path.exists(self.socket), f"{what}: the socket is gone")
        self.daemon.close()
        put_away(self.box, "c1")


def nothing_left(box, what):
    settle(lambda: not box.leftovers(), 5)
    eq(box.leftovers(), [], what)
    state = os.path.join(box.state, "ns")
    eq(os.listdir(state) if os.path.isdir(state) else [], [], f"{what}: state")


def killed_in(box, number, count, follow):
    pod = Pod(box)
    pod.live_until(number)
    made = kill_server_after(pod.pid, lambda: pod.send(number), count, follow)
    pod.bury(f"{LIFE[number][0]} ({number}) killed after {count} calls{' of its operation' if follow else ''}")
    return made


@test
def the_shim_killed_at_each_step(box):
    only_wherry("a shim of its own")
    for number in range(len(LIFE)):
        for step in steps(killed_in(box, number, EVER, False)):
            killed_in(box, number, step, False)


@test
def the_shim_killed_at_each_step_of_its_operations(box):
    only_wherry("a shim of its own")
    for number, (method, _) in enumerate(LIFE):
        if method in ("Exec", "Wait", "Shutdown"):
            continue  # these fork nothing
        for step in steps(killed_in(box, number, EVER, True)):
            killed_in(box, number, step, True)


@test
def start_killed_at_each_step(box):
    only_wherry("a shim of its own")
    become_subreaper(False)
    dialect, _ = one(box)
    daemon = Daemon(box, dialect)
    bundle, _ = daemon.bundle("c1", ["true"])
    stdin = box.path("stdin")
    with open(stdin, "wb") as file:
        file.write(dialect.input(daemon, "c1"))
    words = [SHIM, "-namespace", daemon.namespace, "-address", daemon.address, "-id", "c1", "start"]
    total, status = kill_after(words, EVER, bundle, stdin)
    eq(status, 0, "the command by itself")
    for step in steps(total):
        kill_after(words, step, bundle, stdin)
        daemon.delete(bundle, "c1")
    # One that was on its way already serves, until it finds that nobody calls it.
    path = socket_of(daemon, "c1")
    true(wait_gone(lambda: not shim_pids(box), 20), f"shims: {shim_pids(box)}")
    true(not os.path.exists(path), "the socket is gone")
    nothing_left(box, "after all")
    daemon.close()


@test
def delete_killed_at_each_step(box):
    only_wherry("a shim of its own")
    total = None
    for step in [EVER, *range(0, 400, 400 // (400 if STEPS == "all" else int(STEPS)))]:
        pod = Pod(box)
        pod.live_until(4)
        kill_server_after(pod.pid, lambda: None, 0)
        words = [SHIM, "-namespace", pod.daemon.namespace, "-address", pod.daemon.address, "-id", "c1",
                 "-bundle", pod.bundle, "delete"]
        if total is None or step <= total:
            made, _ = kill_after(words, step, pod.bundle)
            total = total or made
        pod.bury(f"delete killed after {step} calls, and once more")


if __name__ == "__main__":
    main()
