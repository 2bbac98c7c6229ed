"""The command line and the log, as the callers of runc use them."""

import os
import subprocess
import sys

from harness import (NAME, RUNTIME, eq, has, main, only_wherry, read, read_log, test, true)


def plain(*words, **kwargs):
    return subprocess.run([RUNTIME, *words], capture_output=True, text=True, timeout=60, **kwargs)


@test
def version_names_program_and_specification(box):
    for option in ("--version", "-v"):
        result = plain(option)
        eq(result.returncode, 0)
        has(result.stdout, f"{NAME} version ")
        has(result.stdout, "spec: 1.")


@test
def help_is_written_to_standard_output(box):
    for words in (["--help"], ["-h"], ["help"], ["create", "--help"], ["exec", "-h"],
                  ["help", "run"]):
        result = plain(*words)
        eq(result.returncode, 0, repr(words))
        true(len(result.stdout) > 100, repr(words))
    has(plain("--help").stdout, "create")
    has(plain("create", "--help").stdout, "--bundle")


@test
def help_shows_every_command_and_fits_a_terminal(box):
    only_wherry("other texts")
    overview = plain("--help").stdout
    for command in ("create", "start", "run", "exec", "kill", "delete", "state", "list", "ps",
                    "spec", "features"):
        has(overview, f"\n  {command} ")
        text = plain(command, "--help").stdout
        has(text, f"Usage: wherry {command}")
        true(all(len(line) <= 100 for line in text.splitlines()), f"{command}: long lines")


@test
def unknown_commands_and_options_fail(box):
    true(plain("frobnicate").returncode != 0, "unknown command")
    for words in (["--nope", "list"], ["list", "--nope"], ["create", "--nope=1", "c1"],
                  ["run", "-nope", "c1"]):
        result = box.call(*words) if words[0] != "--nope" else plain(*words)
        true(result.returncode if words[0] == "--nope" else result.status, repr(words))
    has(box.call("list", "--nope").err, "flag provided but not defined: -nope")
    has(box.call("list", "--format").err, "flag needs an argument: -format")


@test
def the_number_of_arguments_is_checked(box):
    for words in (["state"], ["start"], ["delete"], ["create"], ["run"], ["kill"], ["exec"],
                  ["state", "a", "b"], ["start", "a", "b"]):
        result = box.call(*words)
        eq(result.status if words[0] != "exec" else min(result.status, 1), 1, repr(words))
        has(result.err + result.out, words[0], repr(words))


@test
def every_spelling_of_an_option_works(box):
    bundle = box.bundle(["sleep", "100"])
    for number, words in enumerate((["--bundle", bundle], ["--bundle=" + bundle], ["-b", bundle],
                                    ["-b=" + bundle], ["-bundle", bundle], ["-bundle=" + bundle])):
        box.ok("create", *words, f"c{number}", files=True)
        box.ok("delete", "-f", f"c{number}")
    # Behind the id as well, as people type it.
    box.ok("create", "c9", "--bundle", bundle, files=True)
    box.ok("delete", "c9", "--force")


@test
def options_that_callers_pass_are_known(box):
    bundle = box.bundle(["sleep", "100"])
    box.create(bundle, "c1", "--no-new-keyring", "--preserve-fds", "0", "--pid-file",
               box.path("pid"))
    box.ok("delete", "--force", "c1")
    # go-runc sends this one with a single dash.
    box.ok("run", "--detach", "-no-subreaper", "--bundle", bundle, "c2", files=True)
    box.ok("delete", "--force", "c2")


@test
def the_log_is_one_json_object_per_line(box):
    result = box.call("state", "nobody")
    eq(result.status, 1)
    eq(len(result.log), 1, repr(result.log))
    line = result.log[0]
    eq((line["level"], line["msg"]), ("error", "container does not exist"))
    true("T" in line["time"], "time is RFC 3339")
    eq(result.err, "container does not exist\n", "the bare message")


@test
def the_log_is_appended(box):
    log = box.path("log.json")
    for _ in range(2):
        subprocess.run(box.command("state", "nobody", log=log), capture_output=True, check=False)
    eq(len(read_log(log)), 2)


@test
def the_last_error_is_the_cause(box):
    bundle = box.bundle(["/no/such/program"])
    result = box.run(bundle)
    eq(result.status, 1)
    has(result.errors()[-1], "/no/such/program")
    has(result.errors()[-1], "no such file or directory")


@test
def the_text_form_has_level_and_message(box):
    log = box.path("log")
    done = subprocess.run([RUNTIME, "--root", box.state, "--log=" + log, "--log-format=text",
                           "state", "nobody"], capture_output=True, text=True)
    eq(done.returncode, 1)
    has(read(log), "level=error msg=\"container does not exist\"")
    eq(done.stderr, "container does not exist\n")


@test
def without_a_log_the_message_goes_to_standard_error_once(box):
    done = subprocess.run([RUNTIME, "--root", box.state, "state", "nobody"], capture_output=True,
                          text=True)
    eq(done.returncode, 1)
    eq(done.stderr.count("container does not exist"), 1)


@test
def an_unknown_log_format_is_refused(box):
    done = plain("--log-format", "xml", "list")
    eq(done.returncode, 1)
    has(done.stderr, "xml")


@test
def a_log_that_cannot_be_opened_is_an_error(box):
    done = plain("--log", "/no/such/directory/log", "list")
    eq(done.returncode, 1)
    has(done.stderr, "/no/such/directory/log")


@test
def the_root_is_made_when_it_is_needed(box):
    box.call("list", check=1)
    true(not os.path.exists(box.state), "list made the root")
    box.create(box.bundle(["sleep", "100"]))
    eq(os.stat(box.state).st_mode & 0o777 & ~0o711, 0, "mode of the root")
    eq(os.stat(box.path("state", "c1")).st_mode & 0o777 & ~0o711, 0, "mode of the container's")


if __name__ == "__main__":
    sys.exit(main())
