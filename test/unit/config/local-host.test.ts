import { expect, it } from "vitest";
import { isLocalHost } from "../../../src/config/local-host.ts";

it.each([
  ["http://localhost:8080/", true],
  ["http://LOCALHOST/", true],
  ["http://127.0.0.1/", true],
  ["http://127.1/", true],
  ["http://127.255.255.254/", true],
  ["http://[::1]/", true],
  ["http://[0:0:0:0:0:0:0:1]/", true],
  ["http://128.0.0.1/", false],
  ["http://10.0.0.127/", false],
  ["http://127.0.0.1.example/", false],
  ["http://127.example/", false],
  ["http://localhost.example/", false],
  ["http://notlocalhost/", false],
  ["http://[::2]/", false],
])("the host of %s is this machine: %s", (url, expected) => {
  expect(isLocalHost(new URL(url).hostname)).toBe(expected);
});
