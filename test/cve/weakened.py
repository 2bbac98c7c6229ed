"""Runs a command with one of the runtime's defences switched off, by ptrace(2) of it and all of its children
(x86-64): the calls that make the defence are changed on their way into the kernel. So a test can show that
it would notice if the runtime no longer made them."""

import ctypes
import os
import signal

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long

TRACEME, PEEKDATA, POKEDATA, GETREGS, SETREGS, SYSCALL, SETOPTIONS = 0, 2, 5, 12, 13, 24, 0x4200
SYSGOOD, FOLLOW, EXITKILL, WALL = 1, 2 | 4 | 8, 0x100000, 0x40000000
# Of user_regs_struct (sys/user.h).
RAX, RDX, RSI, RDI, ORIG_RAX, COUNT = 10, 12, 13, 14, 15, 27
SCHED_YIELD, GETPID, GETCWD, CAPSET, OPENAT, CLOSE_RANGE, OPENAT2 = 24, 39, 79, 126, 257, 436, 437
ENTRY = 2**64 - 38  # rax at the entry of a call: -ENOSYS


def _poke(pid, address, value):
    _libc.ptrace(POKEDATA, pid, address, value)


def resolve(path):
    """openat2 of `path`, or what is below it, without RESOLVE_*: "/" and ".." in links mean the host's.
    Other paths are left alone, or the host itself would be filled."""
    wanted = path.encode()

    def weaken(pid, registers):
        if registers[ORIG_RAX] != OPENAT2:
            return
        with open(f"/proc/{pid}/mem", "rb", 0) as memory:
            memory.seek(registers[RSI])
            name = memory.read(len(wanted) + 1)
        if name in (wanted + b"\0", wanted + b"/"):
            registers[RSI] += 1  # without the slash it begins at the descriptor of the root
            _poke(pid, registers[RDX] + 16, 0)  # open_how.resolve
    return weaken


def close(pid, registers):
    """Descriptors of whoever called the runtime stay open."""
    if registers[ORIG_RAX] == CLOSE_RANGE:
        registers[ORIG_RAX] = SCHED_YIELD  # answers 0 as well


def close_and_directory(pid, registers):
    """The same, and a working directory outside of the root passes for one inside."""
    close(pid, registers)
    if registers[ORIG_RAX] == GETCWD:
        _poke(pid, registers[RDI], ord("/"))
        registers[ORIG_RAX] = GETPID


def links(pid, registers):
    """openat follows links where it was told not to."""
    if registers[ORIG_RAX] == OPENAT:
        registers[RDX] &= ~os.O_NOFOLLOW


def inheritable(pid, registers):
    """Capabilities are made inheritable too."""
    if registers[ORIG_RAX] != CAPSET:
        return
    with open(f"/proc/{pid}/mem", "r+b", 0) as memory:  # cap_user_data_t, capset(2)
        memory.seek(registers[RSI])
        permitted = memory.read(8)[4:]
        memory.seek(registers[RSI] + 8)
        memory.write(permitted)


def run(words, weaken, output, pass_fds=()):
    """The exit status; standard output and error go to the file `output`."""
    first = os.fork()
    if first == 0:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(file, 1)
        os.dup2(file, 2)
        for fd in pass_fds:
            os.set_inheritable(fd, True)
        _libc.ptrace(TRACEME, 0, None, None)
        os.execv(words[0], words)
    os.waitpid(first, 0)  # stopped by its execve
    _libc.ptrace(SETOPTIONS, first, None, SYSGOOD | FOLLOW | EXITKILL)
    _libc.ptrace(SYSCALL, first, None, None)
    registers = (ctypes.c_uint64 * COUNT)()
    result, traced = None, {first}
    while traced:
        pid, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            traced.discard(pid)
            if pid == first:
                result = os.waitstatus_to_exitcode(status)
            continue
        traced.add(pid)
        pending = os.WSTOPSIG(status)
        if pending == signal.SIGTRAP | 0x80:
            pending = 0
            _libc.ptrace(GETREGS, pid, None, registers)
            if registers[RAX] == ENTRY:
                weaken(pid, registers)
                _libc.ptrace(SETREGS, pid, None, registers)
        elif pending in (signal.SIGTRAP, signal.SIGSTOP):
            pending = 0  # events, and how a new child begins
        _libc.ptrace(SYSCALL, pid, None, pending)
    return result
