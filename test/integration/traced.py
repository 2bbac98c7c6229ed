"""Kills a command or a server after its n-th system call, by ptrace(2): every step in turn, not a race
against the clock."""

import ctypes
import os
import signal
import time

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long

PTRACE_TRACEME = 0
PTRACE_SETOPTIONS = 0x4200
PTRACE_CONT = 7
PTRACE_ATTACH = 16
PTRACE_DETACH = 17
PTRACE_SYSCALL = 24
PTRACE_O_TRACESYSGOOD = 1
PTRACE_O_TRACEFORK = 2
WALL = 0x40000000
PTRACE_O_EXITKILL = 0x100000


def kill_after(words, count, cwd=None, stdin=os.devnull):
    """Runs `words`, and kills it at the entry of system call number `count`; its children are not
    traced. Returns how many were made, and the exit status if it ended before (None if it was
    killed)."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(os.open(stdin, os.O_RDONLY), 0)
        for fd in (1, 2):
            os.dup2(null, fd)
        os.chdir(cwd or ".")
        _libc.ptrace(PTRACE_TRACEME, 0, None, None)
        os.execv(words[0], words)
    os.waitpid(pid, 0)  # stopped by its execve
    _libc.ptrace(PTRACE_SETOPTIONS, pid, None, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
    stops, pending = 0, 0
    while True:
        if stops // 2 >= count:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return stops // 2, None
        _libc.ptrace(PTRACE_SYSCALL, pid, None, pending)
        _, status = os.waitpid(pid, 0)
        pending = 0
        if not os.WIFSTOPPED(status):
            return stops // 2, os.waitstatus_to_exitcode(status)
        if os.WSTOPSIG(status) == signal.SIGTRAP | 0x80:
            stops += 1
        elif os.WSTOPSIG(status) != signal.SIGTRAP:  # which a further execve gives
            pending = os.WSTOPSIG(status)


def kill_server_after(server, request, count, follow=False, idle=0.3):
    """Calls `request`, which sends something to the process `server`, and kills the server at its system
    call number `count`; with `follow`, at that of the first process that it forks. When there are fewer:
    as soon as nothing has happened for `idle` seconds. Returns how many there were."""
    _libc.ptrace(PTRACE_ATTACH, server, None, None)
    os.waitpid(server, WALL)
    _libc.ptrace(PTRACE_SETOPTIONS, server, None,
                 PTRACE_O_TRACESYSGOOD | (PTRACE_O_TRACEFORK if follow else 0))
    target = None if follow else server
    request()
    _libc.ptrace(PTRACE_CONT if follow else PTRACE_SYSCALL, server, None, None)
    stops, last = 0, time.monotonic()
    while stops // 2 < count and time.monotonic() < last + idle:
        try:
            pid, status = os.waitpid(-1, WALL | os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            time.sleep(0.0005)
            continue
        if not os.WIFSTOPPED(status):
            continue
        if follow and target is None and pid != server:
            target = pid
        if pid not in (server, target):
            _libc.ptrace(PTRACE_DETACH, pid, None, 0)  # a process of the container
            continue
        last = time.monotonic()
        pending = os.WSTOPSIG(status)
        if pending == signal.SIGTRAP | 0x80:
            stops += pid == target
            pending = 0
        elif pending in (signal.SIGTRAP, signal.SIGSTOP):
            pending = 0
        if stops // 2 < count:
            _libc.ptrace(PTRACE_SYSCALL if pid == target else PTRACE_CONT, pid, None, pending)
    os.kill(server, signal.SIGKILL)
    for pid in {server, target} - {None}:
        try:
            while not os.WIFSIGNALED(os.waitpid(pid, WALL)[1]):
                pass
        except ChildProcessError:
            pass
    if follow and target is None:
        let_go_of_others()
    return stops // 2


def let_go_of_others(seconds=0.2):
    """What the server has forked last is traced too, and would stay stopped."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            pid, status = os.waitpid(-1, WALL | os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            time.sleep(0.005)
        elif os.WIFSTOPPED(status):
            _libc.ptrace(PTRACE_DETACH, pid, None, 0)
