"""A step of create, start, run or exec that fails: the error names the step, the call or reason, and the path;
the same words stand on standard error and in the JSON log, and nothing is left."""

import os
import sys

from harness import eq, has, main, only_wherry, test, true


def mounted(source, destination, **more):
    def change(config):
        config["mounts"].append({"type": "bind", "source": source, "destination": destination,
                                 "options": ["bind"], **more})

    return change


def hook(kind, path):
    def change(config):
        config.setdefault("hooks", {})[kind] = [{"path": path}]

    return change


def namespace(kind, path):
    def change(config):
        config["linux"]["namespaces"] = [each for each in config["linux"]["namespaces"] if each["type"] != kind]
        config["linux"]["namespaces"].append({"type": kind, "path": path})

    return change


def put(section, **values):
    def change(config):
        at = config
        for name in section.split("."):
            at = at.setdefault(name, {})
        at.update(values)

    return change


# What is done to config.json, further options, and the words that the error has to have.
CREATE = [
    (put("root", path="nowhere"), [], ["nowhere", "no such file or directory"]),
    (mounted("/no/such/source", "/mnt"), [],
     ["error during container init", "error mounting", "/no/such/source", "/mnt", "no such file or directory"]),
    (hook("prestart", "/no/such/hook"), [], ["prestart hook", "/no/such/hook", "no such file or directory"]),
    (hook("createRuntime", "/bin/false"), [], ["createRuntime hook", "/bin/false", "exit"]),
    (hook("createContainer", "/no/such/hook"), [], ["createContainer hook", "/no/such/hook"]),
    (namespace("ipc", "/no/such/namespace"), [], ["/no/such/namespace", "no such file or directory"]),
    (put("linux.sysctl", **{"kernel.shm_rmid_forced": "many"}), [],
     ["kernel/shm_rmid_forced", "invalid argument"]),
    (put("process", cwd="/bin/sh"), [], ["/bin/sh", "not a directory"]),
    (put("linux.resources", cpu={"quota": 1, "period": 5}), [], ["set cgroup limits", "linux.resources.cpu",
                                                                  "invalid argument"]),
    (put("process", args=["/no/such/program"]), [],
     ["/no/such/program", "no such file or directory"]),
    (None, ["--pid-file", "/no/such/directory/pid"], ["/no/such/directory/pid", "no such file or directory"]),
    (None, ["--pidfd-socket", "/no/such/socket"], ["pidfd socket", "/no/such/socket", "no such file or directory"]),
]


def check(box, words, *command):
    """Once with the JSON log, once on standard error alone."""
    logged = box.call(*command)
    true(logged.status != 0, f"{command} succeeded")
    eq(len(logged.errors()), 1, "errors in the log")
    for word in words:
        has(logged.errors()[-1], word)
    has(logged.err.replace('\\"', '"'), logged.errors()[-1].replace('\\"', '"'))


def check_all(box, verb):
    wrong = []
    for number, (change, options, words) in enumerate(CREATE):
        bundle = box.bundle(["true"], change)
        try:
            check(box, words, verb, "--bundle", bundle, *options, "c1")
            eq(box.containers(), [], "state")
            eq(box.leftovers(), [], "leftovers")
        except AssertionError as error:
            wrong.append(f"{number}: {words}: {error}")
            box.call("delete", "--force", "c1")
    true(not wrong, "\n".join(wrong))


@test
def a_step_of_create_that_fails_is_named(box):
    only_wherry("other words")
    check_all(box, "create")


@test
def a_step_of_run_that_fails_is_named(box):
    only_wherry("other words")
    check_all(box, "run")


@test
def a_step_of_start_that_fails_is_named(box):
    only_wherry("other words")
    for kind, path in (("startContainer", "/no/such/hook"), ("poststart", "/no/such/hook")):
        box.ok("create", "--bundle", box.bundle(["true"], hook(kind, path)), "c1", files=True)
        check(box, [f"{kind} hook", path, "no such file or directory"], "start", "c1")
        box.ok("delete", "--force", "c1")


@test
def a_step_of_exec_that_fails_is_named(box):
    only_wherry("other words")
    box.create(box.bundle(["sleep", "1000"]))
    box.ok("start", "c1")
    missing = os.path.join(box.bundle(), "process.json")
    for options, words in (
            (["c1", "/no/such/program"], ["exec failed", "/no/such/program", "no such file or directory"]),
            (["--cwd", "/no/such/cwd", "c1", "true"], ["exec failed", "/no/such/cwd", "no such file or directory"]),
            (["--process", missing, "c1"], [missing, "no such file or directory"]),
            (["--pid-file", "/no/such/directory/pid", "c1", "true"], ["/no/such/directory/pid", "no such file"])):
        check(box, words, "exec", *options)


if __name__ == "__main__":
    sys.exit(main())
