"""Terminals: --console-socket, --tty, and who may have which."""

import os
import sys
import time

from harness import (ConsoleSocket, eq, has, main, test, true, wait_for_pid)


def terminal(config):
    config["process"]["terminal"] = True


def read_until(fd, wanted, seconds=10):
    out, end = b"", time.monotonic() + seconds
    os.set_blocking(fd, False)
    while wanted not in out:
        true(time.monotonic() < end, f"no {wanted!r} in {out!r}")
        try:
            out += os.read(fd, 4096)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            break
    return out


@test
def the_master_end_is_sent_to_the_socket(box):
    console = ConsoleSocket(box.path("console"))
    bundle = box.bundle(["sh", "-c", "tty; read line; echo got $line"], terminal)
    box.create(bundle, "c1", "--console-socket", console.path)
    master, _ = console.receive()
    box.ok("start", "c1")
    read_until(master, b"/dev/pts/0")
    os.write(master, b"word\n")
    read_until(master, b"got word")
    os.close(master)
    console.close()


@test
def the_terminal_is_the_controlling_one(box):
    console = ConsoleSocket(box.path("console"))
    bundle = box.bundle(["sh", "-c", "echo to the tty > /dev/tty; sleep 1"], terminal)
    box.create(bundle, "c1", "--console-socket", console.path)
    master, _ = console.receive()
    box.ok("start", "c1")
    read_until(master, b"to the tty")
    os.close(master)
    console.close()


@test
def the_console_has_the_size_that_was_asked_for(box):
    console = ConsoleSocket(box.path("console"))

    def change(config):
        terminal(config)
        config["process"]["consoleSize"] = {"height": 33, "width": 77}

    box.create(box.bundle(["sh", "-c", "stty size; sleep 1"], change), "c1", "--console-socket",
               console.path)
    master, _ = console.receive()
    box.ok("start", "c1")
    read_until(master, b"33 77")
    os.close(master)
    console.close()


@test
def closing_the_master_hangs_up(box):
    console = ConsoleSocket(box.path("console"))
    script = "trap 'exit 5' HUP; echo ready; while :; do sleep 0.05; done"
    box.create(box.bundle(["sh", "-c", script], terminal), "c1", "--console-socket", console.path)
    master, _ = console.receive()
    pid = box.state_of()["pid"]
    box.ok("start", "c1")
    read_until(master, b"ready")
    os.close(master)
    eq(wait_for_pid(pid), 5)
    console.close()


@test
def exec_gets_a_terminal_too(box):
    box.create(box.bundle(["sleep", "1000"]))
    box.ok("start", "c1")
    console = ConsoleSocket(box.path("console"))
    box.ok("exec", "--tty", "--detach", "--console-socket", console.path, "c1", "sh", "-c",
           "tty; read x", files=True)
    master, _ = console.receive()
    read_until(master, b"/dev/pts/0")
    os.close(master)
    console.close()


@test
def a_terminal_needs_a_socket_when_detached(box):
    result = box.create(box.bundle(["true"], terminal), check=1)
    has(result.errors()[-1], "cannot allocate tty if runc will detach without setting console socket")
    result = box.call("run", "--detach", "--bundle", box.bundle(["true"], terminal), "c1")
    eq(result.status, 1)
    has(result.errors()[-1], "cannot allocate tty if runc will detach without setting console socket")
    eq(box.containers(), [])


@test
def a_socket_needs_a_terminal(box):
    console = ConsoleSocket(box.path("console"))
    result = box.create(box.bundle(["true"]), "c1", "--console-socket", console.path, check=1)
    has(result.errors()[-1],
        "cannot use console socket if runc will not detach or allocate tty")
    console.close()


@test
def a_missing_socket_is_named(box):
    result = box.create(box.bundle(["true"], terminal), "c1", "--console-socket",
                        box.path("nowhere"), check=1)
    has(result.errors()[-1], "nowhere")
    eq(box.containers(), [])
    eq(box.leftovers(), [])


if __name__ == "__main__":
    sys.exit(main())
