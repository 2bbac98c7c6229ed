"""Kills a command after its n-th system call, by ptrace(2): every step of a command in turn, not a
race against the clock. Children of the command are not traced."""

import ctypes
import os
import signal

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long

PTRACE_TRACEME = 0
PTRACE_SETOPTIONS = 0x4200
PTRACE_SYSCALL = 24
PTRACE_O_TRACESYSGOOD = 1
PTRACE_O_EXITKILL = 0x100000


def kill_after(words, count):
    """Runs `words`, and kills it at the entry of system call number `count`. Returns how many were
    made, and the exit status if it ended before (None if it was killed)."""
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
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
