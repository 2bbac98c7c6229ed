"""Leaks of a container's life, planted; and descriptors that a process in a container should not have."""

from edit import Edit

CHILD, CREATING, LEFTOVERS = "runtime/process/child.cpp", "runtime/container/creating.cpp", "runtime/state/leftovers.cpp"
FIRST = "runtime/process/first_process.cpp"
LIVES = ("test/leaks/leaks.py", "20")
KEPT_KEYRING = """  ::syscall(SYS_keyctl, KEYCTL_LINK, ring, KEY_SPEC_USER_KEYRING);
  ::syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, ring, 60);
  if (ring < 0 &&"""
KEPT_MOUNT = """  ::mount("tmpfs", (record.bundle + "/rootfs/tmp").c_str(), "tmpfs", 0, nullptr);
  if (!removed) return removed;"""


def edit(name, says, tests, *changes):
    return Edit("leaks", name, "wherry", changes, tests, says)


EDITS = [
    edit("cgroups stay", "cgroup /", [LIVES],
         (LEFTOVERS, "  if (!record.cgroup.empty()) note(cgroup.remove());\n", "")),
    edit("processes stay", "process ", [LIVES],
         (CREATING, "  if (!removed) return removed;", "  if (::fork() == 0) ::pause();\n  if (!removed) return removed;")),
    edit("state stays", "state of", [LIVES], (CREATING, "  return entry.remove();\n", "  return {};\n")),
    edit("mounts stay", "mounts:", [LIVES], (CREATING, "  if (!removed) return removed;", KEPT_MOUNT),
         (CREATING, "namespace runtime::container {", "#include <sys/mount.h>\nnamespace runtime::container {")),
    edit("keyrings stay", "keyrings:", [LIVES], (FIRST, "  if (ring < 0 &&", KEPT_KEYRING)),
    edit("descriptors of the caller go in", "", [
        LIVES, ("test/integration/isolation.py", "descriptors_of_the_caller_stay_with_it"),
        ("test/cve/processes.py", "cve_2024_21626_and_youki_xr7r_a_descriptor_of_the_caller")],
        (CHILD, "SYS_close_range, first, end, 0", "SYS_close_range, ~0U, ~0U, 0")),
    edit("the host's procfs goes in", "", [
        ("test/integration/isolation.py", "a_waiting_container_holds_no_descriptor_of_the_host"),
        ("test/cve/processes.py", "cve_2016_9962_descriptors_of_a_process_that_joins")],
        (CHILD, "return !plan.has_user_namespace && namespaces::is_host_root();", "return false && plan.has_user_namespace;")),
]
