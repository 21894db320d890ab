import { describe, expect, it } from "vitest";
import {
  ENTRY_META,
  INPUT_BYTES_MAX,
  REQUEST_HEADER_BYTES,
  REQUEST_WRITTEN,
  SLOT_CLIENT_ATTRS,
  SLOT_CLIENTID,
  SLOT_COUNT,
  SLOT_IS_SUPERUSER,
  SLOT_OTHER,
  SLOT_PASSWORD,
  SLOT_PEERHOST,
  SLOT_PEERPORT,
  SLOT_USERNAME,
  SLOT_ZONE,
  SLOTS_ALL,
  TAG_ATOM,
  TAG_BIGINT,
  TAG_BYTES,
  TAG_FLOAT,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_OPAQUE,
  TAG_TRUE,
  TAG_UNBOUND,
  TAG_UNDEFINED,
  VALUE_BYTES,
} from "../../../assembly/abi.ts";
import { packImage } from "../../../src/compile/image.ts";
import { encodeRequest, type RequestFields } from "../../../src/core/request.ts";
import { type CoreMemory, instantiate, loadImage } from "../../../src/core/wasm.ts";
import { loadModuleSync } from "../../../src/core/wasm-inline.gen.ts";

const memory: CoreMemory = instantiate(loadModuleSync(), () => -1, packImage([], 0));
const base = memory.exports.input_ptr();

function slot(index: number): number {
  return base + index * VALUE_BYTES;
}

function tagAt(at: number): number {
  return memory.view.getUint32(at, true);
}

function textAt(at: number): string {
  const from = memory.view.getUint32(at + 8, true);
  const length = memory.view.getUint32(at + 4, true);
  return new TextDecoder().decode(memory.bytes.slice(from, from + length));
}

describe("encodeRequest", () => {
  it("leaves every slot unbound for a client nothing is known of", () => {
    encodeRequest(memory, { clientId: "old", other: { a: 1 } });
    expect(encodeRequest(memory, {})).toBe(REQUEST_HEADER_BYTES);
    for (let index = 0; index < SLOT_COUNT; index++) expect(tagAt(slot(index))).toBe(TAG_UNBOUND);
  });

  it("tells an absent value from an undefined and an empty one", () => {
    encodeRequest(memory, { clientId: "", username: null });
    expect(tagAt(slot(SLOT_CLIENTID))).toBe(TAG_BYTES);
    expect(textAt(slot(SLOT_CLIENTID))).toBe("");
    expect(tagAt(slot(SLOT_USERNAME))).toBe(TAG_UNDEFINED);
    expect(tagAt(slot(SLOT_ZONE))).toBe(TAG_UNBOUND);
  });

  it("writes texts as UTF-8 and bytes as they are", () => {
    encodeRequest(memory, { clientId: "é日", username: Uint8Array.of(0xff, 0x2f) });
    expect(textAt(slot(SLOT_CLIENTID))).toBe("é日");
    const from = memory.view.getUint32(slot(SLOT_USERNAME) + 8, true);
    expect([...memory.bytes.slice(from, from + 2)]).toEqual([0xff, 0x2f]);
  });

  it("writes numbers, booleans, atoms and addresses", () => {
    encodeRequest(memory, {
      peerPort: -2,
      isSuperuser: true,
      zone: { type: "atom", name: "default" },
      peerHost: Uint8Array.of(127, 0, 0, 1),
      username: 1.5,
    });
    expect(tagAt(slot(SLOT_PEERPORT))).toBe(TAG_INT);
    expect(memory.view.getBigInt64(slot(SLOT_PEERPORT) + 8, true)).toBe(-2n);
    expect(tagAt(slot(SLOT_IS_SUPERUSER))).toBe(TAG_TRUE);
    expect(tagAt(slot(SLOT_ZONE))).toBe(TAG_ATOM);
    expect(tagAt(slot(SLOT_PEERHOST))).toBe(TAG_OPAQUE);
    expect(memory.view.getUint32(slot(SLOT_PEERHOST) + 4, true)).toBe(4);
    expect(tagAt(slot(SLOT_USERNAME))).toBe(TAG_FLOAT);
  });

  it("writes attributes as pairs, whatever their names", () => {
    encodeRequest(memory, {
      clientAttrs: [
        ["__proto__", "p"],
        ["type", "map"],
        ["n", null],
      ],
    });
    const at = slot(SLOT_CLIENT_ATTRS);
    expect([tagAt(at), memory.view.getUint32(at + 4, true)]).toEqual([TAG_MAP, 3]);
    const pairs = memory.view.getUint32(at + 8, true);
    expect(pairs % 8).toBe(0);
    expect([textAt(pairs), textAt(pairs + 16)]).toEqual(["__proto__", "p"]);
    expect([textAt(pairs + 32), textAt(pairs + 48)]).toEqual(["type", "map"]);
    expect(tagAt(pairs + 80)).toBe(TAG_UNDEFINED);
  });

  it("writes nested values", () => {
    const big = 2n ** 63n;
    encodeRequest(memory, {
      other: {
        list: {
          type: "list",
          items: [
            { type: "integer", value: big },
            { type: "integer", value: -big },
          ],
        },
      },
    });
    const pairs = memory.view.getUint32(slot(SLOT_OTHER) + 8, true);
    expect(tagAt(pairs + VALUE_BYTES)).toBe(TAG_LIST);
    const items = memory.view.getUint32(pairs + VALUE_BYTES + 8, true);
    expect(tagAt(items)).toBe(TAG_BIGINT);
    expect(textAt(items)).toBe("9223372036854775808");
    expect(tagAt(items + VALUE_BYTES)).toBe(TAG_INT);
    expect(memory.view.getBigInt64(items + VALUE_BYTES + 8, true)).toBe(-big);
  });

  it("takes a request that fills the input buffer and refuses one byte more", () => {
    const room = INPUT_BYTES_MAX - REQUEST_HEADER_BYTES;
    const fields = (length: number): RequestFields => ({ password: new Uint8Array(length) });
    expect(encodeRequest(memory, fields(room))).toBe(INPUT_BYTES_MAX);
    expect(() => encodeRequest(memory, fields(room + 1))).toThrow(
      expect.objectContaining({ code: "ERR_LIMIT_INPUT" }),
    );
  });

  it("counts only the slots as written that were asked for", () => {
    const written = (): number => memory.view.getUint32(base + REQUEST_WRITTEN, true);
    encodeRequest(memory, { clientId: "c", username: "u" }, 1 << SLOT_USERNAME);
    expect(written()).toBe(1 << SLOT_USERNAME);
    expect(textAt(slot(SLOT_USERNAME))).toBe("u");
    encodeRequest(memory, {});
    expect(written()).toBe(SLOTS_ALL);
    const password = new Uint8Array(INPUT_BYTES_MAX);
    expect(() => encodeRequest(memory, { password })).toThrow("the request is over");
    expect(written()).toBe(0);
  });

  it("finds long strings a place after the memory has grown and the image has changed", () => {
    const password = "é".repeat(200);
    const ask = (core: CoreMemory): string => {
      encodeRequest(core, { password });
      const at = core.view.getUint32(core.inputPtr + SLOT_PASSWORD * VALUE_BYTES + 8, true);
      return new TextDecoder().decode(core.bytes.slice(at, at + 400));
    };
    const core = instantiate(loadModuleSync(), () => -1, packImage([], 0));
    expect(ask(core)).toBe(password);
    core.exports.memory.grow(1);
    expect(ask(core)).toBe(password);
    loadImage(core, packImage([{ kind: ENTRY_META, id: 0, blob: new Uint8Array(4096) }], 0));
    expect(ask(core)).toBe(password);
  });
});
