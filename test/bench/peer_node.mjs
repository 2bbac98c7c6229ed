// Runs a WASI command in node, then prints the CPU time of _start; V8's second compiler works during it.
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1", returnOnExit: true });
const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const instance = new WebAssembly.Instance(module, wasi.getImportObject());
const begin = process.cpuUsage();
const status = wasi.start(instance);
const used = process.cpuUsage(begin);
console.log(`bench-cpu ${(used.user + used.system) / 1e6}`);
process.exitCode = status;
