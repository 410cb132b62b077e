// Runs a WASI preview 1 command in node: FILE PREOPENS ENVIRONMENT ARGUMENTS…, the middle two as JSON.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [file, preopens, env, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [file, ...args],
  env: JSON.parse(env),
  preopens: JSON.parse(preopens),
  returnOnExit: false,
});
const module = await WebAssembly.compile(await readFile(file));
wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
