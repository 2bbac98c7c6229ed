"""esbuild, Go compiled for WASI, bundles the TypeScript compiler and its own sources: what it writes is what
the native esbuild of the same version writes."""

import pathlib
import shutil

from workshop import must, same

VERSION = "0.27.2"
TYPESCRIPT = "typescript@5.9.2"
ENTRY = """import ts from './typescript.js'
interface Shape { kind: 'circle' | 'square'; size: number }
enum Level { Low = 1, High = Low << 3 }
export const area = ({kind, size}: Shape): number => kind === 'circle' ? Math.PI * size ** 2 : size * size
export class Box<T> { constructor(private readonly value: T, protected level = Level.High) {} get(): T { return this.value } }
console.log(ts.version, area({kind: 'square', size: 2}), new Box(1n).get())
"""


def bundle(shop, scratch):
    module = shop.npm(f"@esbuild/wasi-preview1@{VERSION}") / "esbuild.wasm"
    native = shop.npm(f"@esbuild/linux-x64@{VERSION}") / "bin" / "esbuild"
    typescript = shop.npm(TYPESCRIPT) / "lib" / "typescript.js"
    shop.compile(module, minutes=40)
    scratch = pathlib.Path(scratch)
    shutil.copy(typescript, scratch / "typescript.js")
    (scratch / "entry.ts").write_text(ENTRY)
    options = ["--bundle", "--minify", "--platform=node", "--sourcemap", "--target=es2020", "--log-level=warning"]
    seen = shop.guest(module, "/entry.ts", *options, "--outfile=/seen/out.js", root=scratch, env=["PWD=/"])
    same((seen.status, seen.err), (0, b""), repr(seen))
    must([native, "entry.ts", *options, "--outfile=wanted/out.js"], cwd=scratch)
    for name in ("out.js", "out.js.map"):
        same((scratch / "seen" / name).read_bytes(), (scratch / "wanted" / name).read_bytes(), name)
    broken = scratch / "broken.ts"
    broken.write_text("const x: = 3\nimport y from './nowhere'\n")
    seen = shop.guest(module, "/broken.ts", "--bundle", root=scratch, env=["PWD=/"])
    wanted = must(["sh", "-c", f"! {native} broken.ts --bundle"], cwd=scratch)
    same((seen.status, seen.err), (1, wanted.err), "messages")
