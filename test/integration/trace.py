"""--trace and WHERRY_TRACE: what a command did when, and what its errors were."""

import json
import os
import sys

from harness import eq, has, main, only_wherry, test, true

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def traced(box, *command, parent=None, **kwargs):
    """The resource's attributes and the spans of the last command in the box's trace."""
    only_wherry("writes no trace")
    environment = {**os.environ, "WHERRY_TRACE": box.path("trace")}
    if parent:
        environment["TRACEPARENT"] = parent
    box.call(*command, env=environment, files=True, **kwargs)
    with open(box.path("trace")) as file:
        resource = json.loads(file.readlines()[-1])["resourceSpans"][0]
    attributes = {each["key"]: list(each["value"].values())[0]
                  for each in resource["resource"]["attributes"]}
    return attributes, resource["scopeSpans"][0]["spans"]


def time_of(span, key):
    return int({each["key"]: each["value"]["intValue"] for each in span["attributes"]}[key])


def names(spans):
    return [span["name"] for span in spans]


@test
def the_phases_of_a_containers_life_are_told(box):
    bundle = box.bundle(["sleep", "100"])
    attributes, spans = traced(box, "create", "--bundle", bundle, "c1")
    eq((attributes["service.name"], attributes["container.id"]), ("wherry", "c1"))
    eq(names(spans)[0], "create")
    for name in ("bundle", "intent", "plan", "cgroups", "process", "enter cgroups", "attach"):
        true(name in names(spans), f"{name} in {names(spans)}")
    true("execute" in names(traced(box, "start", "c1")[1]), "start")
    true({"plan", "process", "execute"} <= set(names(traced(box, "exec", "c1", "true")[1])), "exec")
    true("remove" in names(traced(box, "delete", "--force", "c1")[1]), "delete")


@test
def phases_lie_within_their_parents(box):
    _, spans = traced(box, "run", "--bundle", box.bundle(), "c1")
    by_id = {span["spanId"]: span for span in spans}
    eq(len(by_id), len(spans))
    eq(len({span["traceId"] for span in spans}), 1)
    true("parentSpanId" not in spans[0], "the command is nobody's part")
    for span in spans[1:]:
        parent = by_id[span["parentSpanId"]]
        true(time_of(parent, "monotonic.start") <= time_of(span, "monotonic.start")
             <= time_of(span, "monotonic.end") <= time_of(parent, "monotonic.end"), span["name"])
        true(int(span["startTimeUnixNano"]) > 10 ** 18, "Unix time")


@test
def a_traceparent_is_continued(box):
    _, spans = traced(box, "state", "nobody", parent=PARENT)
    eq((spans[0]["traceId"], spans[0]["parentSpanId"]), (PARENT[3:35], PARENT[36:52]))
    _, spans = traced(box, "state", "nobody", parent="00-x")
    true(spans[0]["traceId"] != PARENT[3:35], "a trace of its own")


@test
def an_error_is_in_the_phase_where_it_happened(box):
    def change(config):
        config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}

    _, spans = traced(box, "run", "--bundle", box.bundle(change=change), "c1")
    failed = {span["name"] for span in spans if span["status"]["code"] == 2}
    eq(failed, {"run", "process", "runtime hooks"})
    has(spans[0]["status"]["message"], "createRuntime")


@test
def the_option_does_the_same_and_nothing_is_written_without(box):
    only_wherry("writes no trace")
    box.call("--trace", box.path("one"), "state", "nobody")
    eq(os.stat(box.path("one")).st_mode & 0o777, 0o600)
    os.mkdir(box.state)  # without it, list fails
    before = os.listdir(box.directory)
    box.call("list")
    true(set(os.listdir(box.directory)) - set(before) <= {"log2.json", "out2", "err2"}, "no trace")
    result = box.call("--trace", "/nonexistent/x", "list", check=0)
    has(" ".join(line["msg"] for line in result.log), "trace: open")


if __name__ == "__main__":
    sys.exit(main())
