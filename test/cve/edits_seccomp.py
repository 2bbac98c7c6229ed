"""Mistakes that the compiler of seccomp filters could make: each must be seen by the comparison with libseccomp."""

from edit import Edit

COMPILE, TABLE = "runtime/security/seccomp_compile.cpp", "runtime/security/seccomp_table.cpp"


def edit(name, *changes):
    return Edit("seccomp", name, "runtime_security_test", changes, ["SeccompEquivalence.*"])


EDITS = [
    edit("a number searched for above instead of from", (COMPILE, "if_else(BPF_JGE, segments", "if_else(BPF_JGT, segments")),
    edit("a rule holds for the numbers behind it", (COMPILE, "    add(number + 1, {answer_with(otherwise)});\n", "")),
    edit("upper halves are not compared", (COMPILE, "if (!narrow_) half(load_high()", "if (narrow_) half(load_high()")),
    edit("unequal by the lower half alone", (COMPILE, "if (!narrow_) code = {load_high()", "if (narrow_) code = {load_high()")),
    edit("ordered by the lower half alone", (COMPILE, "    if (!narrow_) {\n      code = {load_high()",
                                             "    if (narrow_) {\n      code = {load_high()")),
    edit("an equal upper half decides", (COMPILE, "jump(BPF_JGT, high(arg_.value), above", "jump(BPF_JGE, high(arg_.value), above")),
    edit("at least for more than", (COMPILE, "      case GreaterThan:\n        return ordered(BPF_JGT",
                                    "      case GreaterThan:\n        return ordered(BPF_JGE")),
    edit("at most for less than", (COMPILE, "      case LessThan:\n        return ordered(BPF_JGE",
                                   "      case LessThan:\n        return ordered(BPF_JGT")),
    edit("a masked value keeps its other bits", (COMPILE, "arg_.value_two & arg_.value)", "arg_.value_two)")),
    edit("a mask is not applied", (COMPILE, "if (bits != UINT32_MAX) code", "if (bits == 1) code"),
         (COMPILE, "low(mask) != UINT32_MAX ? 3 : 2", "low(mask) == 1 ? 3 : 2")),
    edit("another bit for x32", (COMPILE, "kX32Bit = 0x40000000", "kX32Bit = 0x20000000")),
    edit("x32 compares whole arguments", (TABLE, "SCMP_ARCH_X32, AUDIT_ARCH_X86_64, true", "SCMP_ARCH_X32, AUDIT_ARCH_X86_64, false")),
    edit("foreign architectures pass", (COMPILE, "Code code = {answer_with(SECCOMP_RET_KILL_THREAD)}",
                                        "Code code = {answer_with(SECCOMP_RET_ALLOW)}")),
    edit("the newest known call is new", (COMPILE, "add(*table.enosys_above + 1,", "add(*table.enosys_above,")),
    edit("permissive profiles know new calls", (TABLE, "if (is_permissive(table.otherwise))", "if (!is_permissive(table.otherwise))")),
    edit("an errno that nobody names", (TABLE, "errno_ret.value_or(EPERM)", "errno_ret.value_or(EACCES)")),
    edit("the mildest of several answers", (TABLE, "strictness(a.answer) < strictness(b.answer)",
                                            "strictness(a.answer) > strictness(b.answer)")),
    edit("an argument that is tested twice counts as one test",
         (TABLE, "if (args[i].index == args[j].index) return true", "if (args[i].index == args[j].index) return false")),
    edit("the last of two answers", (TABLE, "} else if (!call.always) {", "} else {")),
    edit("conditions before what holds always", (COMPILE, "call.always ? Code", "call.always && call.conditional.empty() ? Code")),
    edit("another number behind a multiplexer", (TABLE, '{"connect", "socketcall", 3, 362}', '{"connect", "socketcall", 4, 362}')),
    edit("nothing behind a multiplexer", (TABLE, "        add_multiplexed(table, *multiplexed, rule, answer, otherwise);\n", "        static_cast<void>(multiplexed);\n")),
    edit("kills a thread for a process", (TABLE, "      return SECCOMP_RET_KILL_PROCESS;\n    case oci::SeccompAction::Trap",
                                          "      return SECCOMP_RET_KILL_THREAD;\n    case oci::SeccompAction::Trap")),
]
