"""The rows of the result: a table for people, build/bench.json for programs."""

import json
import os

from measure import ROOT


class Report:
    def __init__(self):
        self.rows, self.notes = [], []

    def add(self, name, ours, unit, peer=None, peer_name=None, goal=None, goal_on="ratio"):
        """goal is an upper bound on the ratio ours / peer, or (goal_on="ours") on ours itself."""
        row = {"name": name, "ours": ours, "peer": peer, "peer_name": peer_name, "unit": unit,
               "ratio": ours / peer if peer else None, "goal": goal}
        self.rows.append(row)
        reached = row["ratio"] if goal_on == "ratio" else ours
        verdict = "" if goal is None else f"{goal:g} {'met' if reached <= goal else 'MISSED'}"
        text = f"{name:36} {ours:9.3f}"
        text += f" {peer:9.3f} {peer_name:14}" if peer is not None else " " * 25
        text += f" {unit:5}" + (f" {row['ratio']:7.3f}" if row["ratio"] else " " * 8) + "  " + verdict
        print(text.rstrip(), flush=True)

    def note(self, text):
        self.notes.append(text)
        print("  (" + text + ")", flush=True)

    def write(self):
        path = os.path.join(ROOT, "build", "bench.json")
        with open(path, "w") as file:
            json.dump(self.rows, file, indent=1)
            file.write("\n")
        print(f"bench: {len(self.rows)} rows in build/bench.json")


def heading():
    print(f"{'what':36} {'ours':>9} {'peer':>9} {'':14} {'unit':5} {'ratio':>7}  goal")
