/** A reload under a thousand live sessions: each loses exactly what the new policy does not allow. */
import { expect, it } from "vitest";
import { createBroker } from "../../../bindings/node/broker/broker.ts";
import { createLog } from "../../../bindings/node/broker/log.ts";
import { connectPacket, RawClient } from "../../support/broker.ts";
import { engineFrom, imageFrom } from "../../support/policy.ts";

const SESSIONS = 1_000;
const CONF = `
  portcullis.allow_anonymous = true
  authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }`;
const BEFORE = '{allow, all, all, ["dev/${clientid}/#", "news/+", "team/#"]}.\n';
/** Odd ones lose their team, every tenth loses the news. */
const AFTER = `{deny, {user, {re, "[13579]$"}}, all, ["team/#"]}.
{deny, {clientid, {re, "0$"}}, all, ["news/+"]}.
${BEFORE}`;

const filtersOf = (n: number): string[] => [`dev/c${n}/#`, "news/+", `team/${n % 10}/#`];
const keptOf = (n: number): number[] => [0, n % 10 === 0 ? 0x11 : 0, n % 2 === 1 ? 0x11 : 0];

it("takes from each of a thousand sessions what it may not have", { timeout: 60_000 }, async () => {
  const engine = await engineFrom({ conf: CONF, acl: BEFORE });
  let follow: (entry: Record<string, unknown>) => void = () => {};
  const followed = new Promise<Record<string, unknown>>((resolve) => {
    follow = resolve;
  });
  const log = createLog({
    level: "info",
    destination: {
      write(line) {
        const entry = JSON.parse(line) as Record<string, unknown>;
        if (entry.event === "policy_followed") follow(entry);
      },
    },
  });
  const broker = await createBroker({ engine, log });
  const [address] = await broker.listen();
  const clients = await Promise.all(
    Array.from({ length: SESSIONS }, async (_, n) => {
      const client = await RawClient.open(address!.port);
      client.send(connectPacket({ clientId: `c${n}`, username: `u${n}` }));
      await client.next("connack");
      expect(await client.subscribe(filtersOf(n))).toEqual([0, 0, 0]);
      return client;
    }),
  );
  await engine.reload(imageFrom({ conf: CONF, acl: AFTER }));
  const counts = { connections: SESSIONS, removed: 600, disconnected: 0 };
  expect(await followed).toMatchObject(counts);
  // UNSUBACK says of each filter whether there was a subscription.
  const kept = clients.map(async (client, n) => {
    client.send({ cmd: "unsubscribe", messageId: 9, unsubscriptions: filtersOf(n) });
    return (await client.next("unsuback")).granted;
  });
  expect(await Promise.all(kept)).toEqual(clients.map((_, n) => keptOf(n)));
  for (const client of clients) client.socket.destroy();
  await broker.close();
  engine.close();
});
