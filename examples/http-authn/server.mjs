/**
 * A server that says who may connect. Answers as EMQX's HTTP authenticator wants it:
 *
 *   200 {"result":"allow", …}   let the client in; is_superuser, client_attrs, acl, expire_at say more
 *   200 {"result":"deny"}       refuse it
 *   200 {"result":"ignore"}     no opinion: the next authenticator is asked
 *
 * Anything else is a failure, and a failure refuses too.
 */
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const API_KEY = process.env.API_KEY ?? "replace-me";
const USERS = new Map([
  ["alice", user("wonderland", { client_attrs: { role: "device" } })],
  ["mallory", { ...user("looking-glass"), isBanned: true }],
]);

function user(password, fields = {}) {
  const salt = randomBytes(16);
  return { salt, hash: scryptSync(password, salt, 32), fields };
}

/** Sessions end after an hour, and then the client is asked about again. */
function decide({ username, password }) {
  const known = USERS.get(username);
  if (!known) return { result: "ignore" };
  const isRight = timingSafeEqual(scryptSync(String(password), known.salt, 32), known.hash);
  if (!isRight || known.isBanned) return { result: "deny" };
  const inAnHour = Math.floor(Date.now() / 1000) + 3600;
  return { result: "allow", expire_at: inAnHour, ...known.fields };
}

const server = createServer(async (request, response) => {
  const send = (status, answer) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(answer));
  };
  try {
    if (request.headers["x-api-key"] !== API_KEY) return send(404, {});
    let body = "";
    for await (const chunk of request) {
      body += chunk;
      if (body.length > 300_000) return send(413, {});
    }
    send(200, decide(JSON.parse(body)));
  } catch {
    send(400, {});
  }
});

server.listen(Number(process.env.PORT ?? 8090), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/authn`);
});
