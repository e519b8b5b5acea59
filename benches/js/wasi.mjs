// Runs a WASI command in Node or Bun: wasi.mjs OPTIONS-AS-JSON, where the options are {file, args, env, dirs: {GUEST: HOST}}.
// The exit code becomes the process's; a trap gives 134.
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const { file, args, env, dirs } = JSON.parse(process.argv[2]);
const wasi = new WASI({ version: "preview1", args, env, preopens: dirs, returnOnExit: true });
const module = new WebAssembly.Module(readFileSync(file));
// Bun has an older interface: no `getImportObject`, and `start` that ends the process by itself.
const imports = wasi.getImportObject?.() ?? { wasi_snapshot_preview1: wasi.wasiImport };
const instance = new WebAssembly.Instance(module, imports);
try {
  process.exitCode = wasi.start(instance) ?? 0;
} catch (error) {
  console.error(String(error.stack ?? error));
  process.exitCode = 134;
}
