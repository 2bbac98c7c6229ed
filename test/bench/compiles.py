"""Compiles into an empty cache: MB/s of module, peak memory of the largest process, cores kept busy."""

import os
import shutil
import tempfile

import guests
import starts
from measure import HERE, ROOT, Failed, sample


def run(report, bench):
    if guests.missing():
        report.note("compile: " + guests.missing())
        return
    kernel = os.path.join(HERE, "kernels", "wordmap.c")
    modules = {"small": guests.compile_file(kernel, "wordmap.wasm", guests.WASM)}
    sqlite = os.path.join(ROOT, "build", "guests", "sqlite.wasm")
    if os.path.exists(sqlite):
        modules["sqlite"] = sqlite
    else:
        report.note("compile: no build/guests/sqlite.wasm (make demo builds it): left out")
    if bench.full:
        modules["esbuild"] = starts.big_module(report)
    else:
        report.note("compile: the module of 20 MB takes minutes: only with --full")
    for name, module in modules.items():
        if not module:
            continue
        cache = tempfile.mkdtemp(prefix="wherry-bench-")
        try:
            taken = sample([bench.wherry, "compile", "--quiet", module],
                           env={"WHERRY_CACHE_DIR": cache})
        except Failed as failed:
            report.note(f"compile: {failed}")
            continue
        finally:
            shutil.rmtree(cache, ignore_errors=True)
        size = os.path.getsize(module) / 1e6
        title = f"compile: {name} ({size:.2f} MB)"
        report.add(title, taken.wall, "s")
        report.add(title + ", speed", size / taken.wall, "MB/s")
        report.add(title + ", peak RSS", taken.rss, "MiB")
        report.add(title + ", cores busy", taken.cpu / taken.wall, "cores")
