/**
 * Runs the behaviour suite on Node, Deno, Bun and workerd and compares their answers. The package
 * is packed as it would be published; every runtime resolves it by name.
 *
 * Usage: node test/runtime/run.mjs [report.json]
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { makeFixtures, makeHttpFixtures } from "./fixtures.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const app = `${root}build/runtime`;

/** The module that workerd is given under the name core.wasm. */
const wasmBeside = {
  name: "wasm-beside",
  setup({ onResolve }) {
    onResolve({ filter: /core\.wasm$/ }, () => ({ path: "core.wasm", external: true }));
  },
};

const WORKERD_CONFIG = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [
    (name = "worker.mjs", esModule = embed "worker.bundle.mjs"),
    (name = "core.wasm", wasm = embed "core.wasm"),
    (name = "policy.image", data = embed "policy.image"),
    (name = "http.image", data = embed "http.image")
  ],
  compatibilityDate = "2026-05-01"
);
`;

installRuntimes();
const authServer = await startAuthServer();
preparePackage(authServer.origin);
const runtimes = [
  ["Node", () => run(process.execPath, ["main.mjs"])],
  [
    "Deno",
    () =>
      run(`${here}node_modules/.bin/deno`, [
        "run",
        "--allow-read",
        "--allow-net=127.0.0.1",
        "--node-modules-dir=manual",
        "--no-lock",
        "main.mjs",
      ]),
  ],
  ["Bun", () => run(`${here}node_modules/.bin/bun`, ["run", "main.mjs"])],
  ["workerd", runWorkerd],
];

let passed = 0;
let failed = 0;
let reference;
for (const [runtime, start] of runtimes) {
  const results = JSON.parse(await start());
  reference ??= results;
  results.forEach(({ name, answer, failure }, index) => {
    const differs = JSON.stringify(answer) !== JSON.stringify(reference[index].answer);
    const problem = failure ?? (differs ? `differs from Node: ${JSON.stringify(answer)}` : "");
    if (problem) {
      failed++;
      console.log(`  ✗ ${runtime}: ${name}\n      ${problem}`);
    } else passed++;
  });
  console.log(
    `${runtime}: ${results.length} cases, ${failed ? "failures above" : "all as expected"}`,
  );
}
if (process.argv[2]) {
  writeFileSync(
    process.argv[2],
    JSON.stringify({ numPassedTests: passed, numFailedTests: failed }),
  );
}
authServer.stop();
process.exit(failed ? 1 : 0);

/** npm ci in this folder, unless the lock file is what is installed. */
function installRuntimes() {
  const digest = createHash("sha256")
    .update(readFileSync(`${here}package-lock.json`))
    .digest("hex");
  const stamp = `${here}node_modules/.installed`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  console.log("installing deno, bun and workerd from npm …");
  must("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], here);
  writeFileSync(stamp, digest);
}

/** In a process of its own: this one waits for the runtimes, and nothing else. */
async function startAuthServer() {
  const server = spawn(process.execPath, [`${here}auth-server.mjs`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = () => server.kill();
  process.once("exit", stop);
  const origin = await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    server.stdout.once("data", (data) => resolve(data.toString().trim()));
  });
  return { origin, stop };
}

/** build/runtime: the suite, its fixtures, and the packed package as a dependency. */
function preparePackage(origin) {
  rmSync(app, { recursive: true, force: true });
  mkdirSync(`${app}/node_modules/portcullis`, { recursive: true });
  const packed = must("npm", ["pack", "--silent", "--pack-destination", app], root).trim();
  must(
    "tar",
    ["-xzf", `${app}/${packed}`, "--strip-components=1", "-C", `${app}/node_modules/portcullis`],
    root,
  );
  for (const file of ["suite.mjs", "main.mjs", "worker.mjs"]) {
    copyFileSync(`${here}${file}`, `${app}/${file}`);
  }
  const { image, secrets, cases } = makeFixtures(`${here}policy.conf`);
  writeFileSync(`${app}/policy.image`, image);
  const http = makeHttpFixtures(origin);
  writeFileSync(`${app}/http.image`, http.image);
  const fixtures = { secrets, cases, http: { secrets: http.secrets, cases: http.cases } };
  writeFileSync(`${app}/fixtures.json`, JSON.stringify(fixtures));
  writeFileSync(`${app}/package.json`, '{"type":"module"}');
}

function run(command, args) {
  return must(command, args, app);
}

function must(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit ${status}\n${stderr}`);
  return stdout;
}

/** Bundles the worker as a user's build would and asks workerd over HTTP. */
async function runWorkerd() {
  await build({
    absWorkingDir: app,
    entryPoints: ["worker.mjs"],
    outfile: `${app}/worker.bundle.mjs`,
    bundle: true,
    format: "esm",
    conditions: ["workerd"],
    loader: { ".json": "json" },
    external: ["*.wasm", "*.image"],
    plugins: [wasmBeside],
  });
  copyFileSync(`${app}/node_modules/portcullis/dist/core.wasm`, `${app}/core.wasm`);
  writeFileSync(`${app}/workerd.capnp`, WORKERD_CONFIG);
  const server = spawn(
    `${here}node_modules/.bin/workerd`,
    ["serve", "workerd.capnp", "--control-fd=3"],
    { cwd: app, stdio: ["ignore", "inherit", "inherit", "pipe"] },
  );
  try {
    const port = await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.once("exit", (code) => reject(new Error(`workerd ended with ${code}`)));
      server.stdio[3].on("data", (data) => {
        for (const line of data.toString().trim().split("\n")) {
          const event = JSON.parse(line);
          if (event.event === "listen" && event.socket === "http") resolve(event.port);
        }
      });
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const text = await response.text();
    if (!response.ok) throw new Error(`workerd answered ${response.status}: ${text}`);
    return text;
  } finally {
    server.removeAllListeners("exit");
    server.kill();
  }
}
