"""Runs a command with one of the runtime's defences switched off, by ptrace(2) of it and all of its children
(x86-64): the calls that make the defence are changed on their way into the kernel, or their answers on
the way back. So a test can show that it would notice if the runtime no longer made them.

A weakening is a function that gets each Call at its entry. It may change the call, have `after` called with
what it answered, or do at this very moment what an attacker would have to win a race for."""

import ctypes
import os
import signal

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long

TRACEME, GETREGS, SETREGS, DETACH, SYSCALL, SETOPTIONS = 0, 12, 13, 17, 24, 0x4200
SYSGOOD, FOLLOW, EXITKILL, WALL = 1, 2 | 4 | 8, 0x100000, 0x40000000
# Of user_regs_struct (sys/user.h).
RAX, ORIG_RAX, RSP, COUNT = 10, 15, 19, 27
ARGUMENTS = (14, 13, 12, 7, 9, 8)  # rdi, rsi, rdx, r10, r8, r9
ENTRY = 2**64 - 38  # rax at the entry of a call: -ENOSYS
RED_ZONE = 128 + 8192  # below it the stack is free
AT_FDCWD = 2**64 - 100

NUMBERS = {
    "close": 3, "fstat": 5, "ioctl": 16, "sched_yield": 24, "getpid": 39, "execve": 59, "getcwd": 79, "setsid": 112,
    "capset": 126, "fstatfs": 138, "sethostname": 170, "openat": 257, "mkdirat": 258, "newfstatat": 262, "execveat": 322,
    "open_tree": 428, "move_mount": 429, "close_range": 436, "openat2": 437}
NAMES = {number: name for name, number in NUMBERS.items()}


class Call:
    """One system call that a traced process is about to make."""

    def __init__(self, pid, registers):
        self.pid, self.registers = pid, registers
        self.after = None  # called with this Call once it has been answered

    @property
    def name(self):
        return NAMES.get(self.registers[ORIG_RAX])

    def replace(self, name, *arguments):
        """Another call in its place, or other arguments."""
        self.registers[ORIG_RAX] = NUMBERS[name]
        for number, value in enumerate(arguments):
            self[number] = value

    def __getitem__(self, number):
        return self.registers[ARGUMENTS[number]]

    def __setitem__(self, number, value):
        self.registers[ARGUMENTS[number]] = value

    @property
    def answer(self):
        return ctypes.c_int64(self.registers[RAX]).value

    @answer.setter
    def answer(self, value):
        self.registers[RAX] = value % 2**64

    def read(self, address, size):
        with open(f"/proc/{self.pid}/mem", "rb", 0) as memory:
            memory.seek(address)
            return memory.read(size)

    def write(self, address, content):
        with open(f"/proc/{self.pid}/mem", "r+b", 0) as memory:
            memory.seek(address)
            memory.write(content)

    def text(self, number):
        """The path that the argument points to."""
        out = b""
        while b"\0" not in out and len(out) < 4096:
            piece = self.read(self[number] + len(out), 4096 - (self[number] + len(out)) % 4096)
            if not piece:
                break
            out += piece
        return os.fsdecode(out.split(b"\0")[0])

    def put_text(self, number, text):
        """Lets the argument point to another path."""
        self[number] = self.registers[RSP] - RED_ZONE
        self.write(self[number], os.fsencode(text) + b"\0")

    def path_of(self, number):
        """Of the file that the argument is a descriptor of, as the host names it."""
        try:
            return os.readlink(f"/proc/{self.pid}/fd/{ctypes.c_int32(self[number] % 2**32).value}")
        except OSError:
            return ""


def intact(_call):
    """Nothing is weaker."""


def together(*weakenings):
    def weaken(call):
        for each in weakenings:
            each(call)
    return weaken


def _start(words, output, pass_fds):
    pid = os.fork()
    if pid == 0:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(file, 1)
        os.dup2(file, 2)
        for fd in pass_fds:
            os.set_inheritable(fd, True)
        _libc.ptrace(TRACEME, 0, None, None)
        os.execv(words[0], words)
    os.waitpid(pid, 0)  # stopped by its execve
    _libc.ptrace(SETOPTIONS, pid, None, SYSGOOD | FOLLOW | EXITKILL)
    _libc.ptrace(SYSCALL, pid, None, None)
    return pid


def _stop_at_call(pid, weaken, pending):
    """`pending` has the calls that are to be looked at again when they have been answered."""
    registers = (ctypes.c_uint64 * COUNT)()
    _libc.ptrace(GETREGS, pid, None, registers)
    if registers[RAX] == ENTRY and pid not in pending:
        call = Call(pid, registers)
        weaken(call)
        if call.after:
            pending[pid] = call
    elif pid in pending:
        call = pending.pop(pid)
        call.registers = registers
        call.after(call)
    else:
        return
    _libc.ptrace(SETREGS, pid, None, registers)


def run(words, weaken, output, pass_fds=()):
    """Until all processes have ended. The exit status; standard output and error go to the file `output`."""
    first = _start(words, output, pass_fds)
    result, traced, pending = None, {first}, {}
    while traced:
        pid, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            traced.discard(pid)
            pending.pop(pid, None)
            if pid == first:
                result = os.waitstatus_to_exitcode(status)
            continue
        traced.add(pid)
        signal_number = os.WSTOPSIG(status)
        if signal_number == signal.SIGTRAP | 0x80:
            _stop_at_call(pid, weaken, pending)
            signal_number = 0
        elif signal_number in (signal.SIGTRAP, signal.SIGSTOP):
            signal_number = 0  # events, and how a new child begins
        _libc.ptrace(SYSCALL, pid, None, signal_number)
    return result
