/**
 * Makes a fresh clone ready to run: installs what the lock file names and builds, each only when
 * something it depends on has changed since the last time. Needs nothing but Node and npm.
 *
 * With --for-tests it also builds the debug core.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`portcullis needs Node 20.19 or later; this is ${process.versions.node}`);
}

step({
  what: "installing dependencies",
  stamp: "node_modules/.portcullis-installed",
  inputs: ["package.json", "package-lock.json"],
  run: () => npm("ci", "--no-audit", "--no-fund", "--loglevel=error"),
});
step({
  what: "building the core and the package",
  stamp: "dist/.portcullis-built",
  inputs: ["package-lock.json", "asconfig.json", "tsconfig.json", "tsconfig.build.json"].concat(
    ["assembly", "src", "bindings", "bench"].flatMap(sources),
  ),
  run: () => npm("run", "--silent", "build"),
});

if (process.argv.includes("--for-tests")) {
  step({
    what: "building the debug core",
    stamp: "build/.portcullis-debug-built",
    inputs: ["package-lock.json", "asconfig.json", ...sources("assembly")],
    run: () => node("assembly/build.mjs", "debug"),
  });
}

/** Runs a step unless its stamp holds the hash of its inputs. */
function step({ what, stamp, inputs, run }) {
  const hash = createHash("sha256").update(process.versions.node);
  for (const path of inputs) hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  const digest = hash.digest("hex");
  const stampFile = join(root, stamp);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === digest) return;
  const started = Date.now();
  process.stderr.write(`portcullis: ${what} …\n`);
  run();
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, digest);
  process.stderr.write(
    `portcullis: ${what} took ${((Date.now() - started) / 1000).toFixed(1)} s\n`,
  );
}

/** Source files below a folder, generated ones left out, in a stable order. */
function sources(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|json)$/.test(entry.name))
    .filter((entry) => !entry.name.endsWith(".gen.ts"))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .filter((path) => !path.includes("node_modules") && !path.startsWith("bench/results"))
    .sort();
}

function npm(...args) {
  run("npm", args);
}

function node(...args) {
  run(process.execPath, args);
}

/** Runs a command with its output on stderr; the set-up ends with it when it fails. */
function run(command, args) {
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (error) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0) fail(`${command} ${args.join(" ")} failed`);
}

function fail(message) {
  process.stderr.write(`portcullis: ${message}\n`);
  process.exit(1);
}
