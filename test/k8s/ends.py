"""How containers end: out of memory, by a trap, by deletion."""

import subprocess
import time

from cases import case, eq, has, true
from objects import applied, ended, events, pod, states_of, statuses, until, wait_ended, wait_ready


@case
def over_its_memory_limit_a_guest_is_oom_killed(bed):
    with applied(bed, "memory"):
        state = wait_ended(bed, "memory", "worker")
        eq((state["reason"], state["exitCode"]), ("OOMKilled", 137))


@case
def a_trap_is_in_the_log_and_the_kubelet_backs_off(bed):
    with applied(bed, "trap"):
        until(lambda: statuses(pod(bed, "trap")).get("trap", {}).get("restartCount", 0) > 0,
              "it is restarted")
        until(lambda: "CrashLoopBackOff" in str(statuses(pod(bed, "trap"))["trap"]["state"]),
              "the kubelet backs off")
        last = statuses(pod(bed, "trap"))["trap"]["lastState"]["terminated"]
        eq((last["exitCode"], last["reason"]), (134, "Error"))
        log = bed.kubectl("logs", "trap").out
        has(log, "about to trap: memory", "what the guest wrote")
        has(log, "out of bounds memory access", "the trap's name")
        has(log, "call_in_the_middle", "the trap's backtrace")
        has(str(events(bed, "trap")), "BackOff")


@case
def deletion_ends_a_guest_that_computes_at_once_with_143(bed):
    with applied(bed, "spin"):
        wait_ready(bed, "spin")
        seen = bed.path("spin.json")
        with open(seen, "w") as out:
            watch = subprocess.Popen(bed.kubectl_command("get", "pod", "spin", "-o", "json", "--watch"),
                                     stdout=out, env=bed.environment())
        time.sleep(1)
        begin = time.monotonic()
        bed.kubectl("delete", "pod", "spin")  # waits for the end
        took = time.monotonic() - begin
        watch.terminate()
        watch.wait()
        last = [ended(each, "worker") for each in states_of(seen) if ended(each, "worker")]
        true(last, "no state told how it ended")
        eq(last[-1]["exitCode"], 143)
        true(took < 10, f"the deletion took {took:.1f} s of the 30 s of grace")
