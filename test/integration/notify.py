"""NOTIFY_SOCKET: a service manager learns that a container is ready, and which process it is."""

import os
import socket
import subprocess
import sys

from harness import eq, has, main, test, true, wait_until

PATIENCE = 20


class Manager:
    """The service manager's end; its barriers end when they are read."""

    def __init__(self, box):
        self.path = box.path("manager")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE)

    def hears(self):
        text, fds, _, _ = socket.recv_fds(self.socket, 4096, 4)
        for fd in fds:
            os.close(fd)
        return text.decode()

    def has_heard_nothing(self):
        self.socket.setblocking(False)
        try:
            return not self.socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)


def says(pid, text):
    """As a program in the container would. Its own root, since only there is the mount."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(text.encode(), f"/proc/{pid}/root/run/notify/notify.sock")


def environment(manager):
    return {**os.environ, "NOTIFY_SOCKET": manager.path}


@test
def start_waits_until_the_container_is_ready(box):
    manager = Manager(box)
    box.create(box.bundle(["sleep", "1000"]), env=environment(manager))
    pid = box.state_of()["pid"]
    start = subprocess.Popen(box.command("start", "c1"), env=environment(manager))
    wait_until(lambda: box.status_of() == "running", "it runs")
    says(pid, "STATUS=soon")
    true(start.poll() is None and manager.has_heard_nothing(), "it waits")
    # Others are not kept from the container.
    box.ok("update", "--pids-limit", "50", "c1")
    says(pid, "READY=1\nMAINPID=1")
    eq(manager.hears(), f"MAINPID={pid}\nREADY=1\n")
    true(start.poll() is None, "it waits for the manager")
    eq(manager.hears(), "BARRIER=1")
    eq(start.wait(PATIENCE), 0)


@test
def run_in_the_foreground_passes_it_on(box):
    manager = Manager(box)
    bundle = box.bundle(["sh", "-c", "echo $NOTIFY_SOCKET; while [ ! -e /go ]; do sleep 0.1; done"])
    run = subprocess.Popen(box.command("run", "--bundle", bundle, "c1"), env=environment(manager),
                           stdout=subprocess.PIPE, text=True)
    eq(run.stdout.readline(), "/run/notify/notify.sock\n")
    says(box.state_of()["pid"], "READY=1")
    eq(manager.hears(), "READY=1\n")
    with open(os.path.join(bundle, "rootfs/go"), "w"):
        pass
    eq(run.wait(PATIENCE), 0)
    eq(box.containers(), [])


@test
def a_container_that_ends_before_it_is_ready_keeps_nobody(box):
    manager = Manager(box)
    box.create(box.bundle(["true"]), env=environment(manager))
    box.ok("start", "c1", env=environment(manager))
    true(manager.has_heard_nothing(), "nothing was said")
    result = box.call("run", "--bundle", box.bundle(["sh", "-c", "exit 4"]), "c2",
                      env=environment(manager))
    eq(result.status, 4)


@test
def without_a_manager_there_is_no_socket(box):
    result = box.call("run", "--bundle", box.bundle(["sh", "-c", "ls /run/notify; env"]), "c1")
    true("NOTIFY_SOCKET" not in result.out, repr(result))
    has(result.err, "No such file")


if __name__ == "__main__":
    sys.exit(main())
