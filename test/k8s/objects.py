"""What the cases of test/k8s ask of pods."""

import contextlib
import json
import pathlib
import time

from bed import DEPLOY

PATIENCE = 60  # seconds: probes, back-offs and the kubelet's periods are in it


@contextlib.contextmanager
def applied(bed, name):
    """deploy/examples/NAME.yaml, deleted again afterwards."""
    path = f"examples/{name}.yaml"
    bed.apply(path)
    try:
        yield
    finally:
        remove(bed, path)


def remove(bed, path):
    bed.kubectl("delete", "--ignore-not-found", "-f", DEPLOY / path, timeout=120)
    # kubectl waits for what it deletes, which a Deployment's pods are not.
    until(lambda: not bed.get("pods")["items"], "its pods are gone", 90)


def until(condition, what, timeout=PATIENCE):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"after {timeout} s still not: {what}")
        time.sleep(0.3)  # each question is a start of kubectl


def pod(bed, name):
    return bed.get("pod", name)


def statuses(of_pod):
    """{container: its status}, those of init containers too."""
    status = of_pod["status"]
    return {each["name"]: each for kind in ("initContainerStatuses", "containerStatuses")
            for each in status.get(kind, [])}


def ended(of_pod, container):
    """The container's terminated state, or None."""
    return statuses(of_pod).get(container, {}).get("state", {}).get("terminated")


def wait_ended(bed, name, container):
    until(lambda: ended(pod(bed, name), container), f"{name}: {container} has ended")
    return ended(pod(bed, name), container)


def wait_ready(bed, name, timeout=PATIENCE):
    def is_ready():
        conditions = pod(bed, name)["status"].get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    try:
        until(is_ready, f"{name} is ready", timeout)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{bed.kubectl('describe', 'pod', name).out}") from None


def execute(bed, name, *command, container=None, **more):
    """kubectl exec; the finished process."""
    chosen = ["-c", container] if container else []
    more.setdefault("check", False)
    return bed.kubectl("exec", *(["-i"] if "stdin" in more else []), name, *chosen, "--", *command, **more)


def output(bed, name, *command, **more):
    return execute(bed, name, *command, check=True, **more).out


def events(bed, name):
    items = bed.get("events", "--field-selector", f"involvedObject.name={name}")["items"]
    return [(each["reason"], each.get("message", "")) for each in items]


def states_of(path):
    """What `kubectl get pod -o json --watch` wrote so far: one object after the other."""
    text, found, place = pathlib.Path(path).read_text(), [], 0
    decoder = json.JSONDecoder()
    while place < len(text):
        try:
            one, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError:
            break
        found.append(one)
        while place < len(text) and text[place].isspace():
            place += 1
    return found
