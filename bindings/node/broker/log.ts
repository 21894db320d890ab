/**
 * The broker's log: JSON lines that say who was refused what, and why.
 *
 * Nothing a client sends gets in but its id and topics, cut short and with every character escaped
 * that could move a terminal's cursor. Passwords, payloads and usernames (which may be tokens) are
 * never passed here; `redact` is the second lock on that door.
 */
import pino from "pino";
import type { Decision, Fault, RuleReference } from "../../../src/types.ts";
import type { Clock } from "./clock.ts";

export type Logger = pino.Logger;

const REDACTED = ["username", "password", "token", "payload", "secret", "authData"];

export interface LogOptions {
  /** `trace` … `fatal`, or `silent`; default `info`. */
  readonly level?: string | undefined;
  /** Where the lines go; default standard output. */
  readonly destination?: pino.DestinationStream | undefined;
}

/** A pino logger with the broker's redaction. Any other pino logger may be passed to the broker. */
export function createLog(options: LogOptions = {}): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level ?? "info",
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: "(redacted)" },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

/** LIMIT: characters of a client id or topic in a log line. */
export const LOGGED_CHARACTERS_MAX = 128;

/** LIMIT: lines about clients per second; a flood of refusals must not fill a disk. */
export const LINES_PER_SECOND_MAX = 50;

/** Who a line is about. */
export interface LoggedClient {
  readonly clientId?: string | undefined;
  readonly peer: string;
  readonly listener: string;
}

/** What was refused: the reason, what decided, and details such as the topic. */
export interface Refusal {
  readonly reason: string;
  readonly by: string;
  readonly code?: number | undefined;
  readonly topic?: string | undefined;
  readonly qos?: number | undefined;
  readonly rule?: RuleReference | undefined;
  readonly faults?: readonly Fault[] | undefined;
}

export type RefusedThing =
  | "connect"
  | "auth"
  | "publish"
  | "subscribe"
  | "subscription"
  | "delivery"
  | "will"
  | "delayed"
  | "packet";

/** Writes lines about clients, at most LINES_PER_SECOND_MAX a second; the rest is counted. */
export class ClientLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  #second = 0;
  #lines = 0;
  #suppressed = 0;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** One line: this client was refused that, for this reason. */
  refused(what: RefusedThing, client: LoggedClient, refusal: Refusal): void {
    if (!this.#mayWrite("warn")) return;
    this.#log.warn(
      {
        event: `${what}_refused`,
        reason: refusal.reason,
        by: refusal.by,
        ...(refusal.code === undefined ? {} : { code: hexCode(refusal.code) }),
        ...(refusal.topic === undefined ? {} : { topic: printable(refusal.topic) }),
        ...(refusal.qos === undefined ? {} : { qos: refusal.qos }),
        ...describeRule(refusal.rule),
        ...describeFaults(refusal.faults),
        ...describeClient(client),
      },
      `${what} refused: ${printable(refusal.reason)}`,
    );
  }

  /** One line about something that happened to a connection. */
  noted(level: "debug" | "info" | "warn", event: string, client: LoggedClient, why: string): void {
    if (!this.#log.isLevelEnabled(level) || !this.#mayWrite(level)) return;
    this.#log[level]({ event, why: printable(why), ...describeClient(client) }, event);
  }

  /** Says how much was left out since the last line. */
  flush(): void {
    if (this.#suppressed === 0) return;
    this.#log.warn(
      { event: "lines_suppressed", count: this.#suppressed },
      "log lines left out to keep the log small",
    );
    this.#suppressed = 0;
  }

  #mayWrite(level: "debug" | "info" | "warn"): boolean {
    if (!this.#log.isLevelEnabled(level)) return false;
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
      this.flush();
    }
    if (this.#lines >= LINES_PER_SECOND_MAX) {
      this.#suppressed++;
      return false;
    }
    this.#lines++;
    return true;
  }
}

/** The refusal in an authorization decision. */
export function refusalOf(decision: Decision, topic: string, qos: number): Refusal {
  const { reason, by, rule, faults } = decision;
  return { reason, by, rule, faults, topic, qos };
}

/**
 * Text that is safe to print: at most LOGGED_CHARACTERS_MAX characters, with control, format,
 * separator and lone surrogate characters as `\u{…}`.
 */
export function printable(text: string): string {
  const head = text.slice(0, LOGGED_CHARACTERS_MAX);
  const safe = head.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  return text.length > head.length ? `${safe}… (${text.length} characters)` : safe;
}

function describeClient(client: LoggedClient): object {
  return {
    ...(client.clientId === undefined ? {} : { clientId: printable(client.clientId) }),
    peer: client.peer,
    listener: client.listener,
  };
}

function describeRule(rule: RuleReference | undefined): object {
  if (!rule) return {};
  const list = rule.list === undefined ? "" : `${rule.list} `;
  return { rule: rule.at ? `${rule.at.file}:${rule.at.line}` : `${list}#${rule.number}` };
}

function describeFaults(faults: readonly Fault[] | undefined): object {
  if (!faults?.length) return {};
  return {
    faults: faults.map((fault) => `${fault.code} ${fault.at}: ${printable(fault.message)}`),
  };
}

function hexCode(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}
