"""The specs of critest, one a line, with what became of each: docs/critest.md.

    python3 test/integration/critest_table.py build/test-logs/critest-{2.4,1.6}-{runc,wherry}.txt > docs/critest.md
"""

import pathlib
import re
import sys

HEAD = """# critest, spec by spec

Each of two daemons with runc's own shim and with Wherry's, as `test/integration/critest.py` and the same with `HANDLER=runc` leave it in
`build/test-logs`; `test/integration/critest_table.py` makes this list of them. `+` passed, `–` skipped, `F` failed. Why a spec is not
passed by either stands in `test/integration/critest.expected`.
"""
MARKS = {"passed": "+", "skipped": "–", "failed": "F"}
SPEC = re.compile(r"^(passed|skipped|failed) +(.*)  \([\d.]+ s\)$")


def results(path):
    """{spec: mark}"""
    found = (SPEC.match(line) for line in pathlib.Path(path).read_text().splitlines())
    return {each[2]: MARKS[each[1]] for each in found if each}


def main(paths):
    columns = {pathlib.Path(path).stem.removeprefix("critest-").replace("-", " "): results(path) for path in paths}
    print(HEAD)
    print("| spec | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for spec in sorted(set().union(*columns.values())):
        print(f"| {spec.replace('|', '/')} | " + " | ".join(column.get(spec, "") for column in columns.values()) + " |")
    sums = (" ".join(f"{list(column.values()).count(mark)}{mark}" for mark in MARKS.values())
            for column in columns.values())
    print("| all | " + " | ".join(sums) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
