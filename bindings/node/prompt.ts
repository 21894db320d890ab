/** Asks for a password on a terminal, without showing what is typed. */
import { StringDecoder } from "node:string_decoder";
import { InvalidArgumentError } from "commander";

/** The part of a terminal that is needed. */
export interface PromptInput {
  readonly isTTY?: boolean;
  setRawMode(isRaw: boolean): unknown;
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  off(event: "data", listener: (chunk: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface PromptOutput {
  write(text: string): unknown;
}

const INTERRUPT = "\u0003";
const END_OF_INPUT = "\u0004";
const BACKSPACE = "\b";
const DELETE = "\u007f";
const KILL_LINE = "\u0015";

/** What is typed up to Enter. Rejects with InvalidArgumentError after Ctrl-C or Ctrl-D. */
export async function promptHidden(
  question: string,
  input: PromptInput,
  output: PromptOutput,
): Promise<string> {
  output.write(question);
  input.setRawMode(true);
  input.resume();
  const decoder = new StringDecoder("utf8");
  let typed: string[] = [];
  try {
    return await new Promise<string>((resolve, reject) => {
      const end = (answer: () => void): void => {
        input.off("data", take);
        answer();
      };
      const take = (chunk: Buffer): void => {
        for (const character of decoder.write(chunk)) {
          switch (character) {
            case "\r":
            case "\n":
              end(() => resolve(typed.join("")));
              return;
            case INTERRUPT:
            case END_OF_INPUT:
              end(() => reject(new InvalidArgumentError("no password was given")));
              return;
            case BACKSPACE:
            case DELETE:
              typed.pop();
              break;
            case KILL_LINE:
              typed = [];
              break;
            default:
              typed.push(character);
          }
        }
      };
      input.on("data", take);
    });
  } finally {
    input.setRawMode(false);
    input.pause();
    output.write("\n");
  }
}

/** Asks twice. Rejects with InvalidArgumentError when the answers differ, or are empty. */
export async function promptNewPassword(input: PromptInput, output: PromptOutput): Promise<string> {
  const password = await promptHidden("Password: ", input, output);
  const again = await promptHidden("Again: ", input, output);
  if (password !== again)
    throw new InvalidArgumentError("the passwords differ, nothing was changed");
  if (password === "") throw new InvalidArgumentError("the password is empty, nothing was changed");
  return password;
}
