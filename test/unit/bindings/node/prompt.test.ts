import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { promptHidden, promptNewPassword } from "../../../../bindings/node/prompt.ts";

/** A terminal on which somebody types as soon as they are asked. */
function terminal(...typed: readonly (string | Uint8Array)[]) {
  const events = new EventEmitter();
  const said: string[] = [];
  const answers = [...typed];
  const modes: boolean[] = [];
  const input = Object.assign(events, {
    isTTY: true,
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
    resume: () => {
      const next = answers.shift();
      if (next !== undefined)
        queueMicrotask(() => events.emit("data", Buffer.from(next as string)));
    },
    pause: () => undefined,
  });
  return { input, output: { write: (text: string) => said.push(text) }, said, modes };
}

describe("a password prompt", () => {
  it("gives what was typed, shows nothing of it and leaves the terminal as it was", async () => {
    const { input, output, said, modes } = terminal("geheim\r");
    expect(await promptHidden("Password: ", input, output)).toBe("geheim");
    expect(said.join("")).toBe("Password: \n");
    expect(modes).toEqual([true, false]);
    expect(input.listenerCount("data")).toBe(0);
  });

  it("knows backspace and Ctrl-U, by characters", async () => {
    const type = async (keys: string) => {
      const { input, output } = terminal(keys);
      return promptHidden("", input, output);
    };
    expect(await type("abc\u007f\bé\u007fx\n")).toBe("ax");
    expect(await type("wrong\u0015right\r")).toBe("right");
    expect(await type("\u007f\u007fa😀\u007f\r")).toBe("a");
  });

  it.each(["\u0003", "abc\u0003", "\u0004"])("is given up with %j", async (keys) => {
    const { input, output, modes } = terminal(keys);
    await expect(promptHidden("", input, output)).rejects.toThrow("no password was given");
    expect(modes).toEqual([true, false]);
  });

  it("asks for a new one twice", async () => {
    const ask = (...keys: string[]) => {
      const { input, output } = terminal(...keys);
      return promptNewPassword(input, output);
    };
    expect(await ask("pw\r", "pw\r")).toBe("pw");
    await expect(ask("pw\r", "pW\r")).rejects.toThrow("differ");
    await expect(ask("\r", "\r")).rejects.toThrow("empty");
  });
});
