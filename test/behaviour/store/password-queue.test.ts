/** A flood of passwords whose hashes take for ever, at a broker in a process of its own. */
import { beforeEach, describe, expect, it } from "vitest";
import { hashesAtOnce } from "../../../bindings/node/passwords.ts";
import { connectPacket, RawClient } from "../../support/broker.ts";
import { TestDirectory } from "../../support/cli.ts";
import { type CliProcess, startCli } from "../../support/cli-process.ts";
import { makeToken, p256, spkiPem } from "../../support/tokens.ts";

const WAITING_MAX = 3;
const POLICY = `
portcullis.max_waiting_password_checks = ${WAITING_MAX}
listeners.tcp.default.bind = "127.0.0.1:0"
mqtt.idle_timeout = 1h
authentication = [
  { mechanism = jwt, use_jwks = false, algorithm = public-key, from = password
    precondition = "str_eq(username, 'device')"
    public_key = """${spkiPem(p256.publicKey)}""" }
  { mechanism = password_based, backend = built_in_database
    bootstrap_file = "users.csv", bootstrap_type = hash
    password_hash_algorithm { name = bcrypt } }
]
`;
/** 2³¹ rounds: nobody sees the end of it. */
const ENDLESS = "$2b$31$CCCCCCCCCCCCCCCCCCCCC.IicMm5VgMI8LHMPtBXrvSpqi/PeaMNa";

let directory: TestDirectory;
let broker: CliProcess;
let port: number;
let clients: RawClient[];

beforeEach(async () => {
  directory = new TestDirectory({
    "p.conf": POLICY,
    "users.csv": `user_id,password_hash,salt,is_superuser\nann,${ENDLESS},,false\n`,
  });
  clients = [];
  broker = startCli(["broker", "-c", directory.file("p.conf")]);
  const text = await broker.until(/"event":"listening".*\n/);
  const line = text.split("\n").find((one) => one.includes('"event":"listening"'))!;
  ({ port } = JSON.parse(line) as { port: number });
  return async () => {
    for (const { socket } of clients) socket.destroy();
    broker.child.kill("SIGKILL");
    await broker.ended;
    directory.remove();
  };
});

/** Ann has a password, a device a token. */
async function connect(
  password: string,
  protocolVersion: 4 | 5,
  username: "ann" | "device",
): Promise<RawClient> {
  const client = await RawClient.open(port);
  clients.push(client);
  const credentials = { username, password: Buffer.from(password) };
  client.send(connectPacket({ clientId: `c${clients.length}`, protocolVersion, ...credentials }));
  return client;
}

describe("a flood of passwords that take long to check", () => {
  it("fills the queue, whoever comes then is told to try later, and tokens are checked all the same", async () => {
    const held = hashesAtOnce() + WAITING_MAX;
    const flood = await Promise.all(
      Array.from({ length: held + 2 }, () => connect("wrong", 5, "ann")),
    );
    const log = await broker.until(/(?:"reason":"too_many_password_checks"[\s\S]*){2}/);
    expect(log).toMatch(/"event":"connect_refused".*"code":"0x89".*"clientId":"c\d+"/);
    // All others wait: two, and no more, have an answer.
    const answers = flood.map((client) => client.next("connack"));
    const first = await Promise.race(answers);
    expect(first.reasonCode).toBe(0x89);
    const old = await connect("wrong", 4, "ann");
    expect((await old.next("connack")).returnCode).toBe(3);
    // Signatures of elliptic curves are checked on the same threads.
    const tokens = Array.from({ length: 5 }, () =>
      connect(makeToken("ES256", p256.privateKey, { sub: "c" }), 5, "device"),
    );
    for (const client of await Promise.all(tokens)) {
      expect((await client.next("connack")).reasonCode).toBe(0);
    }
    expect(flood.filter(({ socket }) => socket.readable)).toHaveLength(held);
    // What is never answered ends with the connection.
    await Promise.race([Promise.allSettled(answers), broker.child.kill("SIGKILL")]);
  });
});
