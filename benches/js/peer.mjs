// Measures V8 or JavaScriptCore from inside Node or Bun, as peers/ does wasmtime and wasmi:
//   peer.mjs kernel FILE N REPS           call run(N) REPS times
//   peer.mjs compile FILE                 make a module; the engine's options decide how much of it is compiled
//   peer.mjs start FILE [EXPORT [I32...]] from bytes to the end of the first call, or to an instance without EXPORT
// Each prints one JSON object. Reading the file and the process's own start are not measured.
import { readFileSync } from "node:fs";
import { stubs } from "./imports.mjs";

// CPU seconds of all threads; and of this one, where the host can tell.
const total = (usage) => (usage.user + usage.system) / 1e6;
const processCpu = () => total(process.cpuUsage());
const threadCpu = process.threadCpuUsage ? () => total(process.threadCpuUsage()) : processCpu;
const wall = () => performance.now() / 1e3;

function peakMb() {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
}

// Times in seconds by the given clocks, and what the thing returned.
function time(thing, cpu = processCpu) {
  const [cpuStart, wallStart] = [cpu(), wall()];
  const result = thing();
  return { wall: wall() - wallStart, cpu: cpu() - cpuStart, result };
}

function kernel(bytes, n, reps) {
  const first = time(() => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    return { exports, value: exports.run(Number(n)) };
  });
  const { exports, value } = first.result;
  const calls = Array.from({ length: Number(reps) }, () => time(() => exports.run(Number(n)), threadCpu));
  if (calls.some((call) => call.result !== value)) throw new Error("the calls returned different values");
  const each = { cpu: calls.map((call) => call.cpu), wall: calls.map((call) => call.wall) };
  // Numbers of 64 bits do not fit JSON's, so the result is text.
  return { cpu_s: first.cpu, wall_s: first.wall, ...each, result: String(value) };
}

function compile(bytes) {
  const made = time(() => new WebAssembly.Module(bytes));
  return { cpu_s: made.cpu, wall_s: made.wall };
}

function start(bytes, name, ...args) {
  const imports = stubs(bytes);
  const made = time(() => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
    if (name === undefined) return "instance";
    try {
      exports[name](...args.map(Number));
      return "returned";
    } catch (error) {
      if (typeof exports[name] !== "function") throw error;
      return "trapped";
    }
  });
  return { cpu_s: made.cpu, wall_s: made.wall, end: made.result };
}

const [mode, file, ...rest] = process.argv.slice(2);
const report = { kernel, compile, start }[mode](readFileSync(file), ...rest);
console.log(JSON.stringify({ ...report, peak_mb: peakMb() }));
