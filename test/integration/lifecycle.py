"""create, start, state, kill, delete, run, list, ps: the states of a container and their order."""

import json
import os
import signal
import sys

from harness import (eq, has, is_alive, main, only_wherry, read, test, true, wait_for_pid,
                     wait_until, write_config)


@test
def run_gives_the_status_of_the_process(box):
    for script, status in (("exit 0", 0), ("exit 1", 1), ("exit 42", 42), ("kill -9 $$", None),
                           ("exit 255", 255)):
        if status is not None:
            eq(box.run(box.bundle(["sh", "-c", script])).status, status, script)


@test
def run_of_a_killed_process_gives_128_and_the_signal(box):
    bundle = box.bundle(["sh", "-c", "sleep 100 & kill -9 $!; wait $!; exit $?"])
    eq(box.run(bundle).status, 137)


@test
def run_passes_standard_streams(box):
    bundle = box.bundle(["sh", "-c", "cat; echo err >&2"])
    result = box.run(bundle, stdin="hello\n")
    eq(result.status, 0, repr(result))
    eq(result.out, "hello\n")
    eq(result.err, "err\n")


@test
def run_removes_the_container(box):
    box.ok("run", "--bundle", box.bundle(), "c1")
    eq(box.containers(), [])
    eq(box.call("state", "c1").status, 1)


@test
def run_with_keep_leaves_it_stopped(box):
    box.ok("run", "--keep", "--bundle", box.bundle(), "c1")
    eq(box.status_of(), "stopped")
    box.ok("delete", "c1")


@test
def run_detached_returns_at_once(box):
    bundle = box.bundle(["sleep", "100"])
    box.ok("run", "--detach", "--bundle", bundle, "c1", files=True)
    eq(box.status_of(), "running")
    box.ok("delete", "--force", "c1")
    eq(box.containers(), [])


@test
def a_container_goes_through_its_states(box):
    bundle = box.bundle(["sleep", "100"])
    box.create(bundle)
    eq(box.status_of(), "created")
    box.ok("start", "c1")
    eq(box.status_of(), "running")
    pid = box.state_of()["pid"]
    box.ok("kill", "c1", "KILL")
    box.wait_status("stopped")
    eq(box.state_of()["pid"], 0, "pid of a stopped container")
    eq(wait_for_pid(pid), 137)
    box.ok("delete", "c1")
    eq(box.call("state", "c1").errors(), ["container does not exist"])


@test
def the_program_runs_only_after_start(box):
    bundle = box.bundle(["touch", "/started"])
    box.create(bundle)
    marker = os.path.join(bundle, "rootfs/started")
    true(not os.path.exists(marker), "ran before start")
    box.ok("start", "c1")
    wait_until(lambda: os.path.exists(marker), "the program ran")
    box.wait_status("stopped")


@test
def state_tells_what_callers_read(box):
    def change(config):
        config["annotations"] = {"org.example.key": "value"}

    bundle = box.bundle(["sleep", "100"], change)
    box.create(bundle)
    state = box.state_of()
    eq(state["id"], "c1")
    eq(state["bundle"], bundle)
    eq(state["rootfs"], os.path.join(bundle, "rootfs"))
    eq(state["annotations"].get("org.example.key"), "value")
    true(is_alive(state["pid"]), "pid lives")
    true(state["created"].endswith("Z"), "created is UTC")
    true("owner" in state and "ociVersion" in state, "owner and ociVersion")


@test
def the_first_process_belongs_to_the_subreaper(box):
    box.create(box.bundle(["sleep", "100"]))
    pid = box.state_of()["pid"]
    parent = read(f"/proc/{pid}/stat").rsplit(") ", 1)[1].split()[1]
    eq(int(parent), os.getpid(), "parent of the first process")


@test
def the_pid_file_holds_the_pid(box):
    pid_file = box.path("init.pid")
    box.create(box.bundle(["sleep", "100"]), "c1", "--pid-file", pid_file)
    eq(int(read(pid_file)), box.state_of()["pid"])
    eq([each for each in os.listdir(box.directory) if each.startswith(".init")], [])


@test
def later_changes_of_the_bundle_do_not_matter(box):
    bundle = box.bundle(["sh", "-c", "echo first > /out"])
    box.create(bundle)
    write_config(bundle, {"ociVersion": "1.0.2", "process": {"args": ["false"], "cwd": "/"}})
    box.ok("start", "c1")
    wait_until(lambda: os.path.exists(os.path.join(bundle, "rootfs/out")), "the program ran")
    box.wait_status("stopped")


@test
def an_id_is_taken_once(box):
    bundle = box.bundle(["sleep", "100"])
    box.create(bundle)
    again = box.create(bundle, check=1)
    has(again.errors()[-1], "container with given ID already exists")
    eq(box.status_of(), "created", "the first one")


@test
def impossible_ids_are_refused(box):
    bundle = box.bundle()
    for bad in ("", ".", "..", "a/b", "../x", "a b", "a\u00e9"):
        result = box.create(bundle, bad, check=1)
        true(result.errors(), f"id {bad!r} gives no error")
        if bad:
            has(result.errors()[-1], "invalid", f"id {bad!r}")
    eq(box.containers(), [])


@test
def start_works_once(box):
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    again = box.call("start", "c1")
    eq(again.status, 1)
    has(again.errors()[-1], "cannot start an already running container")


@test
def a_stopped_container_does_not_start(box):
    box.create(box.bundle(["true"]))
    box.ok("start", "c1")
    box.wait_status("stopped")
    again = box.call("start", "c1")
    eq(again.status, 1)
    has(again.errors()[-1], "cannot start a container that has stopped")


@test
def delete_refuses_what_runs(box):
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    refused = box.call("delete", "c1")
    eq(refused.status, 1)
    has(refused.errors()[-1], "cannot delete container c1 that is not stopped: running")
    eq(box.status_of(), "running")


@test
def delete_of_a_created_container_ends_it(box):
    box.create(box.bundle(["sleep", "100"]))
    pid = box.state_of()["pid"]
    box.ok("delete", "c1")
    wait_until(lambda: not is_alive(pid), "the first process is dead")
    eq(box.containers(), [])


@test
def delete_force_ends_what_runs_with_its_children(box):
    bundle = box.bundle(["sh", "-c", "sleep 1000 & sleep 1000 & wait"])
    box.create(bundle)
    box.ok("start", "c1")
    wait_until(lambda: len(json.loads(box.ok("ps", "--format", "json", "c1").out)) == 3, "children")
    pids = json.loads(box.ok("ps", "--format", "json", "c1").out)
    box.ok("delete", "--force", "c1")
    for pid in pids:
        wait_until(lambda: not is_alive(pid), f"{pid} is dead")
    eq(box.leftovers(), [])


@test
def delete_of_nothing_fails_unless_forced(box):
    result = box.call("delete", "nobody")
    eq(result.status, 1)
    has(result.errors()[-1], "container does not exist")
    box.ok("delete", "--force", "nobody")


@test
def kill_sends_names_and_numbers(box):
    script = "for s in USR1 USR2 HUP; do trap \"echo $s >> /out\" $s; done; touch /ready; " \
             "while :; do sleep 0.05; done"
    bundle = box.bundle(["sh", "-c", script])
    box.create(bundle)
    box.ok("start", "c1")
    rootfs = os.path.join(bundle, "rootfs")
    wait_until(lambda: os.path.exists(f"{rootfs}/ready"), "ready")
    out = f"{rootfs}/out"
    for number, name in enumerate(("USR1", "SIGUSR2", str(signal.SIGHUP.value))):
        box.ok("kill", "c1", name)
        wait_until(lambda: os.path.exists(out) and len(read(out).split()) == number + 1, name)
    eq(read(out).split(), ["USR1", "USR2", "HUP"])


@test
def kill_without_a_signal_is_sigterm(box):
    bundle = box.bundle(["sh", "-c", "trap 'exit 3' TERM; touch /ready; while :; do sleep 0.05; done"])
    box.create(bundle)
    box.ok("start", "c1")
    wait_until(lambda: os.path.exists(os.path.join(bundle, "rootfs/ready")), "ready")
    pid = box.state_of()["pid"]
    box.ok("kill", "c1")
    eq(wait_for_pid(pid), 3)


@test
def kill_of_unknown_signals_and_containers_fails(box):
    box.create(box.bundle(["sleep", "100"]))
    result = box.call("kill", "c1", "FOO")
    eq(result.status, 1)
    has(result.errors()[-1], "unknown signal \"FOO\"")
    result = box.call("kill", "nobody", "KILL")
    eq(result.status, 1)
    has(result.errors()[-1], "container does not exist")


@test
def kill_of_a_stopped_container_fails_unless_all(box):
    box.create(box.bundle(["true"]))
    box.ok("start", "c1")
    box.wait_status("stopped")
    result = box.call("kill", "c1", "KILL")
    eq(result.status, 1)
    has(result.errors()[-1], "container not running")
    box.ok("kill", "--all", "c1", "KILL")


@test
def kill_all_reaches_every_process(box):
    bundle = box.bundle(["sh", "-c", "trap '' TERM; sleep 1000 & sleep 1000 & touch /ready; wait"])
    box.create(bundle)
    box.ok("start", "c1")
    wait_until(lambda: os.path.exists(os.path.join(bundle, "rootfs/ready")), "ready")
    wait_until(lambda: len(json.loads(box.ok("ps", "--format", "json", "c1").out)) == 3, "children")
    box.ok("kill", "--all", "c1", "KILL")
    box.wait_status("stopped")


@test
def a_container_without_pid_namespace_dies_as_a_whole(box):
    def change(config):
        spaces = config["linux"]["namespaces"]
        config["linux"]["namespaces"] = [each for each in spaces if each["type"] != "pid"]

    bundle = box.bundle(["sh", "-c", "sleep 1000 & echo $! > /child; wait"], change)
    box.create(bundle)
    box.ok("start", "c1")
    child = os.path.join(bundle, "rootfs/child")
    wait_until(lambda: os.path.exists(child) and read(child).strip(), "the child started")
    box.ok("delete", "--force", "c1")
    wait_until(lambda: not is_alive(int(read(child))), "the child is dead")


@test
def list_of_a_root_that_is_not_there_fails(box):
    has(box.call("list", check=1).errors()[-1], "no such file or directory")


@test
def list_shows_every_container(box):
    os.makedirs(box.state)
    eq(box.ok("list", "--quiet").out, "")
    eq(json.loads(box.ok("list", "--format", "json").out), None)
    first = box.bundle(["sleep", "100"])
    box.create(first, "c1")
    box.create(box.bundle(["sleep", "100"]), "c2")
    box.ok("start", "c2")
    eq(box.ok("list", "--quiet").out.split(), ["c1", "c2"])
    rows = json.loads(box.ok("list", "--format=json").out)
    eq([(row["id"], row["status"]) for row in rows], [("c1", "created"), ("c2", "running")])
    eq(rows[0]["bundle"], first)
    eq(rows[0]["owner"], "root")
    heading, row, _ = box.ok("list").out.splitlines()
    eq(heading.split(), ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"])
    eq(row.split()[2], "created")
    eq(heading.index("STATUS"), row.index("created"), "columns are aligned")


@test
def ps_filters_the_hosts_table(box):
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    wait_until(lambda: "sleep" in read(f"/proc/{box.state_of()['pid']}/cmdline"), "sleep runs")
    eq(json.loads(box.ok("ps", "--format", "json", "c1").out), [box.state_of()["pid"]])
    lines = box.ok("ps", "c1").out.splitlines()
    eq(len(lines), 2, repr(lines))
    has(lines[0], "PID")
    has(lines[1], "sleep 100")
    lines = box.ok("ps", "c1", "-eo", "pid,comm").out.splitlines()
    eq(lines[1].split(), [str(box.state_of()["pid"]), "sleep"])


@test
def two_roots_do_not_see_each_other(box):
    box.create(box.bundle(["sleep", "100"]))
    os.makedirs(box.path("other"))
    other = box.command("--root", box.path("other"), "list", "--quiet")
    import subprocess
    eq(subprocess.run(other, capture_output=True, check=True).stdout, b"")


@test
def a_relative_bundle_and_the_current_directory_work(box):
    bundle = box.bundle(["sh", "-c", "exit 5"])
    eq(box.call("run", "c1", cwd=bundle).status, 5)
    eq(box.call("run", "--bundle", os.path.basename(bundle), "c1", cwd=box.directory).status, 5)


@test
def the_state_survives_a_killed_container(box):
    box.create(box.bundle(["sleep", "100"]))
    box.ok("start", "c1")
    os.kill(box.state_of()["pid"], signal.SIGKILL)
    box.wait_status("stopped")
    box.ok("delete", "c1")


@test
def features_is_a_document(box):
    only_wherry("other fields")
    features = json.loads(box.ok("features").out)
    for hook in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart",
                 "poststop"):
        true(hook in features["hooks"], hook)
    true("rro" in features["mountOptions"], "mountOptions")
    true("pid" in features["linux"]["namespaces"], "namespaces")
    eq(features["linux"]["intelRdt"], {"enabled": True, "schemata": True, "monitoring": True})


@test
def spec_writes_a_bundle_that_runs(box):
    bundle = box.bundle()
    os.unlink(os.path.join(bundle, "config.json"))
    box.ok("spec", "--bundle", bundle)
    again = box.call("spec", "--bundle", bundle)
    eq(again.status, 1)
    config = json.loads(read(os.path.join(bundle, "config.json")))
    eq(config["process"]["args"], ["sh"])
    config["process"]["args"] = ["sh", "-c", "exit 9"]
    config["process"]["terminal"] = False
    config["linux"]["cgroupsPath"] = box.cgroup + "/spec"
    config["process"]["rlimits"] = []
    write_config(bundle, config)
    eq(box.run(bundle).status, 9)


@test
def kill_ends_all_processes_of_a_container_without_a_pid_namespace(box):
    def change(config):
        config["linux"]["namespaces"] = [each for each in config["linux"]["namespaces"] if each["type"] != "pid"]
    box.create(box.bundle(["sh", "-c", "sleep 1000 & sleep 1000 & wait"], change))
    box.ok("start", "c1")
    wait_until(lambda: len(json.loads(box.ok("ps", "--format", "json", "c1").out)) == 3, "all there")
    pids = json.loads(box.ok("ps", "--format", "json", "c1").out)
    box.ok("kill", "c1", "KILL")
    wait_until(lambda: not any(is_alive(pid) for pid in pids), "all are gone")


@test
def a_created_container_can_be_asked_to_end(box):
    box.create(box.bundle(["sleep", "1000"]))
    eq(box.status_of(), "created")
    box.ok("kill", "c1", "TERM")
    box.wait_status("stopped")


if __name__ == "__main__":
    sys.exit(main())
