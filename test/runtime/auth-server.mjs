/** The server that the suite's HTTP authenticator asks; prints its origin and runs until it is stopped. */
import { createServer } from "node:http";

const ANSWERS = {
  right: (response) =>
    json(response, { result: "allow", client_attrs: { role: "reader" }, is_superuser: true }),
  wrong: (response) => json(response, {}, 401),
  redirect: (response) => {
    response.writeHead(302, { location: "/authn?again" });
    response.end();
  },
  garbage: (response) => json(response, "allow"),
  huge: (response) => json(response, { result: "allow", padding: "x".repeat(300_000) }),
  cut: (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write('{"result":"allow"}');
    response.socket.destroySoon();
  },
  silent: () => {},
};

const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  // Who followed a redirect, or came without the key, must not be let in.
  const isRight = request.url === "/authn" && request.headers["x-api-key"] === "key of the suite";
  const { password } = JSON.parse(body || "{}");
  if (isRight) ANSWERS[password](response);
  else json(response, { result: "allow", client_attrs: { role: "intruder" } });
});

function json(response, value, status = 200) {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(value));
}

server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
