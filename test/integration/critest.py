#!/usr/bin/env python3
"""critest, the Kubernetes project's suite for a kubelet's runtime, with pods of our handler.

    CRITEST=PROGRAM test/integration/critest.py          containerd 2.4, or 1.6 where 2.4 is not built
    CRITEST=PROGRAM test/integration/critest.py 1.6 -ginkgo.focus Streaming
    HANDLER=runc CRITEST=PROGRAM test/integration/...    the same with containerd's own shim

Each spec is a line in build/test-logs/critest-DAEMON-HANDLER.txt. What runc's shim does not pass either on
the machine that this was written on stands in critest.expected: a spec that is skipped and not listed
there counts as failed, and the exit status is 1 when one fails that is not listed. The last line is
"critest: N passed, M failed, K skipped".
"""

import collections
import fnmatch
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "beds"))
import bed as beds  # noqa: E402
import catalogue  # noqa: E402
import critest_images  # noqa: E402
import programs  # noqa: E402

HANDLER = os.environ.get("HANDLER", "wherry")
LOGS = programs.ROOT / "build" / "test-logs"
MINUTES = 25
STATES = {"passed": "passed", "skipped": "skipped", "pending": "skipped"}


def expected(daemon):
    """Patterns of spec names that runc's shim fails or skips, by the daemon's version."""
    found = {"failed": [], "skipped": []}
    for line in (HERE / "critest.expected").read_text().splitlines():
        words = line.split(None, 2)
        if words and not line.startswith("#") and words[0] in (daemon, "all"):
            found[words[1]].append(words[2])
    return found


def listed(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def specs(report):
    """(state, name, message, seconds) of each spec that was selected; ginkgo calls the others skipped."""
    for suite in json.loads(report.read_text()):
        for spec in suite["SpecReports"] or []:
            message = (spec.get("Failure") or {}).get("Message", "")
            if spec["LeafNodeType"] != "It" or not (spec.get("NumAttempts") or message):
                continue
            name = " ".join([*(spec.get("ContainerHierarchyTexts") or []), spec["LeafNodeText"]])
            # Brackets would be sets of letters in the patterns.
            name = name.replace("[k8s.io] ", "").replace("[", "(").replace("]", ")")
            yield (STATES.get(spec["State"], "failed"), name, " ".join(message.split())[:400],
                   spec.get("RunTime", 0) / 1e9)


def run(bed, critest, arguments):
    """critest's report, or an error; its output in the log."""
    name = f"critest-{bed.daemon}-{HANDLER}"
    report, log = LOGS / f"{name}.json", LOGS / f"{name}.log"
    report.unlink(missing_ok=True)
    choice = pathlib.Path(bed.path("test-images.yaml"))
    choice.write_text(f"defaultTestContainerImage: {critest_images.BUSYBOX}\n"
                      f"webServerTestImage: {critest_images.NGINX}\n")
    command = [critest, "-runtime-endpoint", f"unix://{bed.address}", "-runtime-handler", HANDLER,
               "-test-images-file", choice, "-ginkgo.no-color", "-ginkgo.json-report", report]
    if os.path.exists(bed.path("nri.sock")):
        command += ["-nri-socket", bed.path("nri.sock")]
    with log.open("w") as out:
        subprocess.run([str(word) for word in [*command, *arguments]], stdout=out, stderr=out,
                       stdin=subprocess.DEVNULL, env=bed.environment(), timeout=MINUTES * 60)
    if not report.exists():
        sys.exit(f"critest left no report:\n{log.read_text()[-3000:]}")
    return sorted(specs(report), key=lambda spec: spec[1])


def judge(daemon, found):
    """Lines to keep, the sums, and how many failures are ours alone."""
    known = expected(daemon)
    sums, lines, ours = collections.Counter(), [], 0
    for state, name, message, seconds in found:
        if state == "skipped" and not listed(name, known["skipped"]):
            state, message = "failed", f"skipped, as it is not for runc's shim: {message}"
        if state == "failed" and not listed(name, known["failed"]):
            ours += 1
        sums[state] += 1
        lines.append(f"{state:8}{name}  ({seconds:.1f} s)")
        if state != "passed" and message:
            lines.append(f"        {message}")
    return lines, sums, ours


def choose_daemon():
    """Its version, and the arguments for critest."""
    if len(sys.argv) > 1 and sys.argv[1] in programs.DAEMONS:
        return sys.argv[1], sys.argv[2:]
    try:
        programs.Daemon("2.4")
        return "2.4", sys.argv[1:]
    except programs.Missing:
        return "1.6", sys.argv[1:]


def main():
    critest = shutil.which(os.environ.get("CRITEST", "critest"))
    daemon, arguments = choose_daemon()
    if not critest:
        print("skipped: no critest: CRITEST names the program (built from kubernetes-sigs/cri-tools)")
        print("critest: 0 passed, 0 failed, 0 skipped")
        return 0
    critest_images.busybox_program()  # from the network, which a bed has not
    beds.enter()
    LOGS.mkdir(parents=True, exist_ok=True)
    bed = beds.Bed(daemon)
    try:
        bed.start_registry()
        critest_images.push_all(beds.REGISTRY)
        bed.start_containerd()
        catalogue.load(bed, ("k8s.io",), ("pause",))
        lines, sums, ours = judge(daemon, run(bed, critest, arguments))
        shutil.copy(bed.path("log", "containerd.log"),
                    LOGS / f"critest-{daemon}-{HANDLER}-containerd.log")
        left = bed.leftovers()
    finally:
        bed.close()
    (LOGS / f"critest-{daemon}-{HANDLER}.txt").write_text("\n".join(lines) + "\n")
    for index, line in enumerate(lines):
        if line.startswith("failed"):
            print(line, *lines[index + 1:index + 2], sep="\n")
    if left:
        print("left behind: " + ", ".join(left[:20]))
    print(f"critest: {sums['passed']} passed, {sums['failed']} failed, {sums['skipped']} skipped")
    return 1 if ours or left or not sums["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
