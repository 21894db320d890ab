/**
 * The promises about structure, kept by a table: who may import whom, where WebAssembly and crypto
 * are named, what every file must and must not contain.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SWITCHES } from "../src/config/compatibility.ts";
import { SWITCH_NAMES } from "../src/config/switch-names.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Imported paths: relative ones resolved from the root, packages by name. */
  readonly imports: readonly string[];
}

function readSources(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .filter((entry) => !entry.name.endsWith(".gen.ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes("node_modules"))
    .sort()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      return { path, text, imports: importsOf(path, text) };
    });
}

function importsOf(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)";/gm)]
    .concat([...text.matchAll(/\bimport\("([^"]+)"\)/g)])
    .map((match) => match[1]!);
  return specifiers.map((one) => (one.startsWith(".") ? join(dirname(path), one) : one));
}

const src = readSources("src");
const bindings = readSources("bindings");
const assembly = readSources("assembly");
const all = [...src, ...bindings, ...assembly];

/** First folder below src/, or the file's own name for files that stand in src/ itself. */
function partOf(path: string): string {
  const [, part] = path.split("/");
  return part!.replace(/\.ts$/, "");
}

/** What each part of src/ may import from src/. Everyone may import types, errors, text and itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  types: [],
  errors: [],
  text: [],
  body: [],
  tenant: ["core"],
  "work-queue": [],
  index: ["*"],
  engine: ["*"],
  policy: ["*"],
  "policy-meta": ["compile", "config"],
  "rule-references": ["compile"],
  ports: [],
  json: [],
  config: ["ports"],
  topic: ["config"],
  analyze: ["compile", "config", "topic"],
  compile: ["config", "json", "policy-meta", "topic"],
  core: ["compile", "ports"],
  template: ["compile", "config", "core"],
  crypto: ["body", "config", "json", "ports"],
  http: ["body", "compile", "config", "core", "json", "ports", "template"],
  authn: [
    ...["compile", "config", "core", "crypto", "http", "json", "ports", "template", "tenant"],
    ...["work-queue"],
  ],
  authz: ["compile", "config", "core", "policy", "ports", "tenant", "topic"],
  connect: [
    ...["authn", "authz", "compile", "config", "core", "crypto", "json", "observe", "policy"],
    ...["ports", "template", "work-queue"],
  ],
  observe: ["*"],
  batch: ["*"],
};

describe("imports", () => {
  it("stay inside the table", () => {
    const broken = src.flatMap(({ path, imports }) => {
      const part = partOf(path);
      const allowed = MAY_IMPORT[part];
      if (!allowed) return [`${path}: no row for ${part} in the table`];
      if (allowed.includes("*")) return [];
      return imports
        .filter((one) => one.startsWith("src/"))
        .map((one) => partOf(one))
        .filter((one) => one !== part && !["types", "errors", "text", ...allowed].includes(one))
        .map((one) => `${path} imports ${one}`);
    });
    expect(broken).toEqual([]);
  });

  it("never lead from src to bindings, Node or process globals", () => {
    const broken = src.flatMap(({ path, imports, text }) => [
      ...imports.filter((one) => /^(bindings|bench|test)\/|^node:/.test(one)),
      ...(/\b(process\.|Buffer\.|Deno\.|Bun\.|require\()/.test(stripComments(text)) ? [path] : []),
    ]);
    expect(broken).toEqual([]);
  });

  it("take nothing but abi.ts from assembly, and assembly imports nothing from outside", () => {
    const taken = [...src, ...bindings].flatMap(({ imports }) =>
      imports.filter((one) => one.startsWith("assembly/") && one !== "assembly/abi.ts"),
    );
    const outside = assembly
      .filter(({ path }) => path.endsWith(".ts"))
      .flatMap(({ path, imports }) =>
        imports.filter((one) => !one.startsWith("assembly")).map((one) => `${path}: ${one}`),
      );
    expect([...taken, ...outside]).toEqual([]);
  });

  it("have no cycles of values", () => {
    const graph = new Map(src.map((file) => [file.path, valueImports(file)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      } else if (!done.has(path)) {
        for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
        done.add(path);
      }
    };
    for (const path of graph.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });
});

/** Imports that exist at run time. */
function valueImports({ path, text }: SourceFile): string[] {
  return importsOf(path, text.replace(/^(import|export) type [^;]*;/gm, "")).filter((one) =>
    one.startsWith("src/"),
  );
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}

describe("single owners", () => {
  it("name WebAssembly only in src/core/wasm*.ts", () => {
    const others = src
      .filter(({ path }) => !path.startsWith("src/core/wasm"))
      .filter(({ text }) => /\bWebAssembly\./.test(stripComments(text)));
    expect(others.map(({ path }) => path)).toEqual([]);
  });

  it("import jose only in src/crypto", () => {
    const others = all.filter(
      ({ path, imports }) => imports.includes("jose") && !path.startsWith("src/crypto/"),
    );
    expect(others.map(({ path }) => path)).toEqual([]);
  });

  it("decode UTF-8 only in src/text.ts, but where a batch wants the valid part of a text", () => {
    const others = all.filter(({ text }) => /\bnew TextDecoder\(/.test(stripComments(text)));
    expect(others.map(({ path }) => path)).toEqual(["src/batch/template.ts", "src/text.ts"]);
  });

  it("keep eval and new Function out of everything that ships", () => {
    const broken = all.filter(({ text }) => /\beval\(|new Function\(/.test(stripComments(text)));
    expect(broken.map(({ path }) => path)).toEqual([]);
  });
});

describe("every file", () => {
  it("says what it is for in its first comment", () => {
    const silent = all.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it("holds no unfinished or focused work", () => {
    const marks = new RegExp(["\\b(TO", "DO|FIX", "ME)\\b"].join(""));
    const broken = [...all, ...readSources("test"), ...readSources("bench")].filter(
      ({ text }) => marks.test(text) || /\b(it|test|describe)\.(only|todo|skip)\b/.test(text),
    );
    expect(broken.map(({ path }) => path).filter((path) => path !== "test/tidy.test.ts")).toEqual(
      [],
    );
  });

  it("is reachable from an entry, a test or a bench", () => {
    const roots = [...readSources("test"), ...readSources("bench"), ...readSources("tools")];
    const everything = new Map([...all, ...roots].map((file) => [file.path, file]));
    const entries = [
      "src/index.ts",
      "bindings/node/index.ts",
      "bindings/node/cli.ts",
      "bindings/edge/index.ts",
      "bindings/deno/mod.ts",
      "assembly/index.ts",
      "src/core/wasm-module.ts",
      "src/core/wasm-files.d.ts",
      ...roots.map(({ path }) => path),
    ];
    const seen = new Set<string>();
    const visit = (path: string): void => {
      const file = everything.get(path) ?? everything.get(`${path}.ts`);
      if (!file || seen.has(file.path)) return;
      seen.add(file.path);
      for (const next of file.imports) visit(next);
    };
    for (const entry of entries) visit(entry);
    const dead = [...everything.keys()].filter((path) => !seen.has(path));
    expect(dead.filter((path) => path !== "assembly/build.mjs")).toEqual([]);
  });
});

describe("documents", () => {
  it("list every compatibility switch in ARCHITECTURE.md with its clause", () => {
    const text = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
    const missing = SWITCH_NAMES.filter(
      (name) => !text.includes(`\`${name}\``) || !text.includes(SWITCHES[name].clause),
    );
    expect(missing).toEqual([]);
  });

  it("use every switch somewhere", () => {
    const used = src
      .filter(({ path }) => !/^src\/config\/(compatibility|switch-names)\.ts$/.test(path))
      .concat(bindings)
      .map(({ text }) => text)
      .join("\n");
    expect(SWITCH_NAMES.filter((name) => !used.includes(name))).toEqual([]);
  });
});
