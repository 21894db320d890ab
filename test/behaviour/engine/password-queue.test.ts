/** Many logins with passwords at a time: who waits, who is refused, and who does not notice. */
import { describe, expect, it } from "vitest";
import { PASSWORD_CHECKS_WAITING_MAX } from "../../../assembly/abi.ts";
import type { PasswordPrimitives } from "../../../src/ports/password-primitives.ts";
import { brief, engineOf, imageOf, SECRET, START, token } from "../../support/engine.ts";
import { FakeUserDatabase } from "../../support/user-database.ts";

const HASH = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.IicMm5VgMI8LHMPtBXrvSpqi/PeaMNa";
const policy = (more = "", algorithm = "name = bcrypt") => `${more}
authentication = [
  { mechanism = password_based, backend = built_in_database
    password_hash_algorithm { ${algorithm} } },
  { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}", from = password }
]`;

async function setUp(text: string, atOnce?: number, preset?: "emqx") {
  /** Ends the oldest derivation under way. */
  const ends: (() => void)[] = [];
  let derived = 0;
  const hold = <T>(value: T) =>
    new Promise<T>((resolve) => {
      derived++;
      ends.push(() => resolve(value));
    });
  const passwords: PasswordPrimitives = {
    atOnce,
    digest: (_, message) => message,
    pbkdf2: (_mac, _password, _salt, _iterations, length) => hold(new Uint8Array(length)),
    bcrypt: () => hold(HASH),
  };
  const users = new FakeUserDatabase().add("global//ann", { passwordHash: HASH });
  const test = await engineOf({ text, preset, ports: { users, passwords } });
  const ann = { username: "ann", password: "pw" };
  const login = async (client: object = ann) => brief(await test.connect(client));
  const counts = () => ({ ...test.engine.passwordChecks, derived });
  /** Until what has begun has come to its derivation. */
  const settle = () => new Promise(setImmediate);
  const end = async () => {
    ends.shift()!();
    await settle();
  };
  return { ...test, login, counts, end, settle };
}

const ALLOW = "allow by password_based:built_in_database";
const BUSY = "0x89 too_many_password_checks by password_based:built_in_database";

describe("logins with passwords", () => {
  it("take their turns, as many at a time as the host says", async () => {
    const { login, counts, end, settle } = await setUp(policy(), 2);
    const logins = [login(), login(), login()];
    await settle();
    expect(counts()).toEqual({ running: 2, waiting: 1, derived: 2 });
    await end();
    expect(counts()).toEqual({ running: 2, waiting: 0, derived: 3 });
    await end();
    await end();
    expect(await Promise.all(logins)).toEqual([ALLOW, ALLOW, ALLOW]);
    expect(counts()).toEqual({ running: 0, waiting: 0, derived: 3 });
  });

  it("wait up to the limit, and one more is told that the server is busy", async () => {
    const { login, counts, end, settle } = await setUp(policy());
    const waiting = Array.from({ length: 1 + PASSWORD_CHECKS_WAITING_MAX }, () => login());
    await settle();
    expect(counts()).toEqual({ running: 1, waiting: PASSWORD_CHECKS_WAITING_MAX, derived: 1 });
    // Whether there is such an account makes no difference.
    expect(await login()).toBe(BUSY);
    expect(await login({ username: "bob", password: "pw" })).toBe(BUSY);
    await end();
    expect(await waiting[0]).toBe(ALLOW);
    const again = login();
    await settle();
    expect(counts().waiting).toBe(PASSWORD_CHECKS_WAITING_MAX);
    expect(await login()).toBe(BUSY);
    for (let n = 0; n <= PASSWORD_CHECKS_WAITING_MAX; n++) await end();
    expect(new Set(await Promise.all([...waiting, again]))).toEqual(new Set([ALLOW]));
  });

  it("wait up to another limit where one is written, also after a reload", async () => {
    const limit = (max: number) => policy(`portcullis.max_waiting_password_checks = ${max}`);
    const { login, end, settle, engine } = await setUp(limit(1));
    const waiting = [login(), login()];
    await settle();
    expect(await login()).toBe(BUSY);
    await engine.reload(imageOf({ text: limit(2) }));
    waiting.push(login());
    await settle();
    // Those from before the reload count.
    expect(await login()).toBe(BUSY);
    for (const _ of waiting) await end();
    expect(await Promise.all(waiting)).toEqual([ALLOW, ALLOW, ALLOW]);
    for (const wrong of [0, 1.5, '"many"']) {
      expect(() => imageOf({ text: limit(wrong as number) })).toThrow(
        "portcullis.max_waiting_password_checks",
      );
    }
  });

  it("with pbkdf2 wait as well, and with digests never do", async () => {
    const derived = policy("portcullis.max_waiting_password_checks = 1", PBKDF2);
    const slow = await setUp(derived);
    void [slow.login(), slow.login()];
    await slow.settle();
    expect(await slow.login()).toBe(BUSY);
    const quick = await setUp(
      policy("portcullis.max_waiting_password_checks = 1", "name = sha256"),
    );
    const wrong = Array.from({ length: 50 }, () => quick.login());
    expect(new Set(await Promise.all(wrong))).toEqual(
      new Set(["0x86 wrong_password by password_based:built_in_database"]),
    );
  });

  it("are refused in emqx mode too, instead of being passed on to the next authenticator", async () => {
    const more = "portcullis.max_waiting_password_checks = 1";
    const next = policy(more).replace(
      "{ mechanism = jwt",
      '{ mechanism = cinfo, checks = [{ is_match = "true", result = allow }] }, { mechanism = jwt',
    );
    const { login, settle } = await setUp(next, 1, "emqx");
    void [login(), login()];
    await settle();
    expect(await login()).toBe(BUSY);
  });

  it("hold up nobody who comes with a token", async () => {
    const { login, counts, settle } = await setUp(policy());
    for (let n = 0; n < 10; n++) void login();
    await settle();
    expect(counts()).toMatchObject({ running: 1, waiting: 9 });
    const claims = { exp: START + 60 };
    expect(await login({ password: token(claims) })).toBe("allow by jwt");
  });

  it("are refused when the engine is closed, without the work for those that wait", async () => {
    const { login, counts, end, settle, engine } = await setUp(policy());
    const waiting = [login(), login(), login()];
    await settle();
    engine.close();
    await end();
    expect(await Promise.all(waiting)).toEqual(Array(3).fill("0x88 closed by engine"));
    expect(counts()).toEqual({ running: 0, waiting: 0, derived: 1 });
  });

  it("say in an explanation what there were too many of, and which setting counts", async () => {
    const { trace, login, settle } = await setUp(
      policy("portcullis.max_waiting_password_checks = 1"),
    );
    void [login(), login()];
    await settle();
    const steps = await trace({ username: "ann", password: "client-secret" });
    const text = JSON.stringify(steps);
    expect(text).toContain("portcullis.max_waiting_password_checks");
    expect(text).not.toContain("client-secret");
  });
});

const PBKDF2 = "name = pbkdf2, mac_fun = sha256, iterations = 2";
