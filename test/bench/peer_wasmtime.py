"""Runs a WASI command in wasmtime (the Python package), compiled before; then prints its CPU time."""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "bench", "python"))
import wasmtime  # noqa: E402

if len(sys.argv) < 2:
    sys.exit(0)
engine = wasmtime.Engine()
linker = wasmtime.Linker(engine)
linker.define_wasi()
store = wasmtime.Store(engine)
wasi = wasmtime.WasiConfig()
wasi.inherit_stdout()
store.set_wasi(wasi)

compiled = sys.argv[1] + ".wasmtime"
if not os.path.exists(compiled):
    with open(compiled, "wb") as file:
        file.write(wasmtime.Module.from_file(engine, sys.argv[1]).serialize())
module = wasmtime.Module.deserialize_file(engine, compiled)
start = linker.instantiate(store, module).exports(store)["_start"]
begin = time.process_time()
try:
    start(store)
except wasmtime.ExitTrap as trap:
    if trap.code != 0:
        raise
print(f"bench-cpu {time.process_time() - begin}")
