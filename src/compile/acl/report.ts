/** Collects what is wrong with a rule file, each with its place. */
import type { Issue } from "../../errors.ts";
import type { Positions } from "./source.ts";

/**
 * What each error code of the reader is called by EMQX when it refuses the file. The names that
 * begin with `error:` are crashes there.
 */
export const ACL_LOAD_ERRORS = {
  ERR_CONFIG_ACL_SYNTAX: "bad_acl_file_content",
  ERR_CONFIG_ACL_RULE: "invalid_authorization_rule",
  ERR_CONFIG_ACL_PERMISSION: "invalid_authorization_permission",
  ERR_CONFIG_ACL_ACTION: "invalid_authorization_action",
  ERR_CONFIG_ACL_QOS: "invalid_authorization_qos",
  ERR_CONFIG_ACL_RETAIN: "invalid_authorization_retain",
  ERR_CONFIG_ACL_WHO: "invalid_client_match_condition",
  ERR_CONFIG_ACL_PATTERN: "invalid_re_pattern",
  ERR_CONFIG_ACL_ADDRESS: "error:badmatch",
  ERR_CONFIG_ACL_TEXT: "error:function_clause",
  ERR_CONFIG_ACL_TOPIC: "error:badarg",
  ERR_CONFIG_ACL_PLACEHOLDER: "error:badarg",
} as const;

export type AclErrorCode = keyof typeof ACL_LOAD_ERRORS;
export type AclWarningCode =
  | "WARN_CONFIG_ACL_OPTION"
  | "WARN_CONFIG_ACL_PLACEHOLDER"
  | "WARN_CONFIG_ACL_TOPIC"
  | "WARN_CONFIG_ACL_TEXT"
  | "WARN_CONFIG_ACL_WHO";

/** LIMIT: past this many errors the file is something else than rules; the rest is not listed. */
export const ACL_ERRORS_MAX = 200;
export const ACL_WARNINGS_MAX = 200;

/** An issue that has no place yet. */
export interface Complaint {
  readonly code: AclErrorCode | AclWarningCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

export class AclReport {
  readonly issues: Issue[] = [];
  errors = 0;
  #warnings = 0;
  readonly #positions: Positions;
  readonly #path: string;

  constructor(positions: Positions, path: string) {
    this.#positions = positions;
    this.#path = path;
  }

  get isFull(): boolean {
    return this.errors >= ACL_ERRORS_MAX;
  }

  add(at: number, complaint: Complaint): void {
    const { code, message, hint } = complaint;
    if (code.startsWith("ERR_")) {
      this.errors += 1;
      if (this.errors > ACL_ERRORS_MAX) return;
      const isLast = this.errors === ACL_ERRORS_MAX;
      this.#push(
        "error",
        at,
        isLast ? { ...complaint, message: `${message}; the rest is not checked` } : complaint,
      );
      return;
    }
    this.#warnings += 1;
    if (this.#warnings > ACL_WARNINGS_MAX) return;
    const isLast = this.#warnings === ACL_WARNINGS_MAX;
    this.#push("warning", at, {
      code,
      message: isLast ? `${message}; further warnings are not listed` : message,
      hint,
    });
  }

  error(at: number, code: AclErrorCode, message: string, hint?: string): void {
    this.add(at, { code, message, hint });
  }

  warning(at: number, code: AclWarningCode, message: string, hint?: string): void {
    this.add(at, { code, message, hint });
  }

  #push(severity: Issue["severity"], at: number, { code, message, hint }: Complaint): void {
    const place = this.#positions.at(at);
    this.issues.push({ severity, code, path: this.#path, message, hint, at: place });
  }
}

/** Operator's input for a message: in backticks, cut short, control characters spelled out. */
export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  const spelled = short.replace(/[\0-\x1f\x7f-\x9f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `\`${spelled}\``;
}
