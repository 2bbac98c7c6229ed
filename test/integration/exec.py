"""exec: processes that join a running container."""

import json
import os
import subprocess
import sys

from harness import (Skip, eq, has, is_alive, main, read, test, true, wait_for_pid, wait_until)


def running(box, change=None):
    bundle = box.bundle(["sleep", "1000"], change)
    box.create(bundle)
    box.ok("start", "c1")
    return bundle


def process_file(box, **fields):
    process = {"args": ["true"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}
    process.update(fields)
    path = box.path("process.json")
    with open(path, "w") as file:
        json.dump(process, file)
    return path


@test
def exec_gives_the_status_of_the_process(box):
    running(box)
    eq(box.ok("exec", "c1", "echo", "hello").out, "hello\n")
    eq(box.call("exec", "c1", "sh", "-c", "exit 42").status, 42)
    eq(box.call("exec", "c1", "sh", "-c", "kill -9 $$").status, 137)


@test
def exec_passes_standard_input(box):
    running(box)
    eq(box.ok("exec", "c1", "cat", stdin="some text").out, "some text")


@test
def exec_takes_what_follows_the_id_as_it_is(box):
    running(box)
    eq(box.ok("exec", "c1", "echo", "--detach", "-t", "--").out, "--detach -t --\n")


@test
def exec_lives_in_the_containers_namespaces(box):
    bundle = running(box)
    pid = box.state_of()["pid"]
    script = "hostname; for n in pid net ipc uts mnt; do readlink /proc/self/ns/$n; done"
    lines = box.ok("exec", "c1", "sh", "-c", script).out.split()
    eq(lines[0], "box")
    for name, link in zip(("pid", "net", "ipc", "uts", "mnt"), lines[1:]):
        eq(link, os.readlink(f"/proc/{pid}/ns/{name}"), name)
    has(box.ok("exec", "c1", "ls", "/bin").out, "busybox", bundle)


@test
def exec_lives_in_the_containers_cgroups(box):
    running(box)
    pid = box.state_of()["pid"]
    lines = box.ok("exec", "c1", "cat", "/proc/self/cgroup").out
    eq(lines, read(f"/proc/{pid}/cgroup"))


@test
def a_process_file_says_everything(box):
    running(box)
    path = process_file(box, args=["sh", "-c", "pwd; id -u; id -g; echo $WORD"], cwd="/tmp",
                        env=["PATH=/bin", "WORD=x"], user={"uid": 1000, "gid": 1001})
    eq(box.ok("exec", "--process", path, "c1").out.split(), ["/tmp", "1000", "1001", "x"])


@test
def options_say_it_too(box):
    running(box)
    out = box.ok("exec", "--cwd", "/etc", "-e", "A=1", "-e", "B=2", "--user", "7:8", "c1", "sh",
                 "-c", "pwd; echo $A $B; id -u; id -g").out
    eq(out.split(), ["/etc", "1", "2", "7", "8"])


@test
def exec_inherits_the_environment_of_the_container(box):
    running(box, lambda config: config["process"]["env"].append("FROM_CONFIG=yes"))
    eq(box.ok("exec", "c1", "sh", "-c", "echo $FROM_CONFIG").out, "yes\n")


@test
def exec_has_the_capabilities_and_privileges_of_the_container(box):
    running(box)
    pid = box.state_of()["pid"]
    wanted = [line for line in read(f"/proc/{pid}/status").splitlines()
              if line.startswith(("CapEff", "CapBnd", "NoNewPrivs"))]
    out = box.ok("exec", "c1", "cat", "/proc/self/status").out
    for line in wanted:
        has(out, line)


@test
def detached_exec_writes_the_pid_and_returns(box):
    running(box)
    pid_file = box.path("exec.pid")
    box.ok("exec", "--detach", "--pid-file", pid_file, "c1", "sh", "-c", "sleep 0.2; exit 6",
           files=True)
    pid = int(read(pid_file))
    true(is_alive(pid), "lives")
    eq(wait_for_pid(pid), 6)


@test
def a_missing_program_is_told_like_runc_does(box):
    running(box)
    result = box.call("exec", "c1", "nonsense")
    eq(result.status, 255)
    has(result.errors()[-1], "exec: \"nonsense\": executable file not found in $PATH")
    result = box.call("exec", "c1", "/no/such")
    eq(result.status, 255)
    has(result.errors()[-1], "exec: \"/no/such\": stat /no/such: no such file or directory")


@test
def a_program_without_the_right_to_run_is_told(box):
    bundle = running(box)
    with open(os.path.join(bundle, "rootfs/notes"), "w") as file:
        file.write("text")
    result = box.call("exec", "c1", "/notes")
    eq(result.status, 255)
    has(result.errors()[-1], "permission denied")


@test
def exec_fails_where_there_is_no_running_container(box):
    result = box.call("exec", "nobody", "true")
    eq(result.status, 255)
    has(result.errors()[-1], "container does not exist")
    box.create(box.bundle(["true"]))
    box.ok("start", "c1")
    box.wait_status("stopped")
    result = box.call("exec", "c1", "true")
    eq(result.status, 255)
    has(result.errors()[-1], "cannot exec in a stopped container")


@test
def exec_works_in_a_created_container(box):
    box.create(box.bundle(["sleep", "100"]))
    eq(box.ok("exec", "c1", "echo", "here").out, "here\n")
    eq(box.status_of(), "created")


@test
def a_broken_process_file_is_told(box):
    running(box)
    for text in ("", "{", "[]", '{"args": 5}', '{"args": [], "cwd": "/"}',
                 '{"args": ["true"], "cwd": "relative"}'):
        path = box.path("broken.json")
        with open(path, "w") as file:
            file.write(text)
        result = box.call("exec", "--process", path, "c1")
        eq(result.status, 255, text)
        true(result.errors(), text)


def allowed_cpus(box, *options):
    out = box.ok("exec", *options, "c1", "grep", "Cpus_allowed_list", "/proc/self/status").out
    return out.split(":")[1].strip()


@test
def exec_runs_on_the_cpus_that_the_process_asks_for(box):
    cpus = sorted(os.sched_getaffinity(0))
    running(box)
    path = process_file(box, args=["grep", "Cpus_allowed_list", "/proc/self/status"],
                        execCPUAffinity={"initial": str(cpus[0]), "final": str(cpus[-1])})
    has(box.ok("exec", "--process", path, "c1").out, f"\t{cpus[-1]}\n")
    path = process_file(box, args=["grep", "Cpus_allowed_list", "/proc/self/status"],
                        execCPUAffinity={"initial": str(cpus[0])})
    has(box.ok("exec", "--process", path, "c1").out, f"\t{cpus[0]}\n")


@test
def exec_takes_the_affinity_of_config_json(box):
    last = str(max(os.sched_getaffinity(0)))

    def change(config):
        config["process"]["execCPUAffinity"] = {"final": last}
    running(box, change)
    eq(allowed_cpus(box), last)


@test
def the_cpus_of_the_caller_are_not_the_containers(box):
    everywhere = os.sched_getaffinity(0)
    if len(everywhere) < 2:
        raise Skip("needs two processors")
    running(box)
    wanted = allowed_cpus(box)
    try:
        os.sched_setaffinity(0, {min(everywhere)})
        eq(allowed_cpus(box), wanted)
    finally:
        os.sched_setaffinity(0, everywhere)


@test
def a_capability_of_exec_is_ambient_where_it_is_inheritable(box):
    def change(config):
        config["process"]["capabilities"]["inheritable"] = ["CAP_CHOWN"]
    running(box, change)
    status = ["c1", "grep", "CapAmb", "/proc/self/status"]
    has(box.ok("exec", "--cap", "CAP_CHOWN", *status).out, "0000000000000001\n")
    has(box.ok("exec", "--cap", "CAP_FOWNER", *status).out, "0000000000000000\n")


@test
def exec_takes_a_cgroup_below_for_one_controller_and_none_beside(box):
    running(box)
    lines = box.ok("exec", "c1", "cat", "/proc/self/cgroup").out.splitlines()
    own = {line.split(":")[1]: line.split(":")[2] for line in lines}
    if "pids" not in own:
        raise Skip("needs the pids controller of cgroup v1")
    os.mkdir("/sys/fs/cgroup/pids" + own["pids"] + "/below")
    lines = box.ok("exec", "--cgroup", "pids:below", "c1", "cat", "/proc/self/cgroup").out.splitlines()
    there = {line.split(":")[1]: line.split(":")[2] for line in lines}
    eq(there.pop("pids"), own.pop("pids") + "/below")
    eq(there, own)
    for path in ("..", "../b1-sibling", "pids:../other"):
        has(box.call("exec", "--cgroup", path, "c1", "true", check=255).errors()[-1], "bad sub cgroup path")


@test
def many_execs_at_once_leave_nothing(box):
    running(box)
    children = [subprocess.Popen(box.command("exec", "c1", "sh", "-c", f"exit {number}"),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                for number in range(16)]
    eq([child.wait(60) for child in children], list(range(16)))
    wait_until(lambda: len(json.loads(box.ok("ps", "--format", "json", "c1").out)) == 1, "alone")


if __name__ == "__main__":
    sys.exit(main())
