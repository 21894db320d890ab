import { expect, it } from "vitest";
import { traceConnect } from "../../../src/observe/connect-trace.ts";
import { engineOf } from "../../support/engine.ts";

const copies = `[${Array(17).fill("password").join(", ")}]`;
const text = `
  mqtt.client_attrs_init = [{ expression = "concat(${copies})", set_as_attr = a }]
  mqtt.clientid_override = "concat([clientid, '-', username])"
  authentication = [{ mechanism = cinfo, checks = [{ is_match = "str_eq(clientid, 'c-u')", result = allow }] }]`;

it("ends where the engine gives a client up", async () => {
  const { engine, login } = await engineOf({ text });
  const placed = async (password: string) =>
    (await traceConnect(engine, { clientId: "c", username: "u", password })).map(({ at }) => at);
  expect(await placed("short")).toEqual(["a", "mqtt.clientid_override", "cinfo"]);
  expect(await placed("x".repeat(65_535))).toEqual(["a"]);
  const client = { clientId: "c", username: "u" };
  expect(await login({ ...client, password: "short" })).toBe("allow by cinfo");
  expect(await login({ ...client, password: "x".repeat(65_535) })).toMatch(/^0x87 core_failed/);
});
