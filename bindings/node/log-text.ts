/** The broker's log as a person reads it on a terminal: one short line an event. */
import type pino from "pino";
import { paint } from "./terminal.ts";

/** Takes pino's JSON lines and writes readable ones. */
export function textDestination(write: (line: string) => void): pino.DestinationStream {
  return {
    write(json) {
      const line = textLine(JSON.parse(json) as Record<string, unknown>);
      if (line !== undefined) write(`${line}\n`);
    },
  };
}

const WARN = 40;

/** Shown in the line itself, or of no use to a person. */
const APART = new Set([
  "level",
  "time",
  "event",
  "msg",
  "reason",
  "by",
  "code",
  "clientId",
  "peer",
]);

/** `12:30:01 connect refused: check_denied by cinfo, 0x86 (client "dev-1" …)`. */
function textLine(entry: Record<string, unknown>): string | undefined {
  // The command has said where it listens.
  if (entry.event === "listening") return undefined;
  const { time, level, msg, by, code, clientId } = entry;
  const colour = Number(level) >= WARN ? "yellow" : "dim";
  const decided = by === undefined ? "" : ` by ${by}`;
  const answered = code === undefined ? "" : `, answered ${code}`;
  const details = Object.entries(entry).filter(([name]) => !APART.has(name) && name !== "listener");
  const shown = [
    ...(clientId === undefined ? [] : [`client ${JSON.stringify(clientId)}`]),
    ...details.map(
      ([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`,
    ),
  ].join(", ");
  const clock = String(time).slice(11, 19);
  const what = paint(colour, `${msg}${decided}${answered}`, process.stdout);
  return `${clock} ${what}${shown && `  ${shown}`}`;
}
