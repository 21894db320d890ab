/** Rules compiled and decided by the core, for tests. */

import { ENTRY_RULES } from "../../assembly/abi.ts";
import { readAddress } from "../../src/compile/acl/address.ts";
import { packImage } from "../../src/compile/image.ts";
import type { Rule } from "../../src/compile/rule/ast.ts";
import { compileRules } from "../../src/compile/rule/compile.ts";
import { coreSwitches } from "../../src/compile/switches.ts";
import { resolveSwitches, type Switches } from "../../src/config/compatibility.ts";
import type { RuleAnswer } from "../../src/core/core.ts";
import type { RequestFields } from "../../src/core/request.ts";
import { actionBit, closeClient, decide, openClient } from "../../src/core/rules.ts";
import { type CoreMemory, instantiate, loadImage } from "../../src/core/wasm.ts";
import { loadModuleSync } from "../../src/core/wasm-inline.gen.ts";
import type { Action, Text } from "../../src/types.ts";
import type { ReferenceClient } from "../reference/client.ts";

const module = loadModuleSync();
const EMPTY = packImage([], 0);

/** A core of its own, with an empty image. */
export function newCore(): CoreMemory {
  return instantiate(module, () => -1, EMPTY);
}

const shared = newCore();

/** Loads compiled rules into a core, by default a shared one. Throws when they have errors. */
export function coreWith(
  rules: readonly Rule[],
  switches: Switches = resolveSwitches("strict"),
  memory: CoreMemory = shared,
): CoreMemory {
  const { blob, issues } = compileRules(rules, { switches });
  const errors = issues.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  loadImage(memory, packImage([{ kind: ENTRY_RULES, id: 0, blob }], coreSwitches(switches)));
  return memory;
}

/** The request of a client as the reference has it. */
export function requestOf(client: ReferenceClient): RequestFields {
  const { peerHost } = client;
  return {
    clientId: client.clientId,
    username: client.username,
    zone: client.zone,
    listener: client.listener,
    certCommonName: client.certCommonName,
    clientAttrs: client.clientAttrs,
    peerHost: peerHost ? readAddress(peerHost, { standard: true }) : undefined,
  };
}

/** Opens a client, asks once and closes it. */
export function decideOnce(
  memory: CoreMemory,
  client: RequestFields,
  action: Action,
  topic: Text,
): RuleAnswer {
  const handle = openClient(memory, client);
  const answer = decide(memory, handle, actionBit(action), topic);
  closeClient(memory, handle);
  return answer;
}
