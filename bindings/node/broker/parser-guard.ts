/**
 * Makes the packet parser safe to feed with anything.
 *
 * mqtt-packet decodes text leniently (bytes that are not UTF-8 become U+FFFD, so that two different
 * identities could turn into one), reads every one-byte property as true or false, and makes an
 * array of a repeated property and null or -1 of a truncated one. The guard marks such packets.
 * It also catches what is thrown on the way from the bytes through the handlers of aedes: thrown
 * inside a socket event, it would end the process.
 */
import { isUtf8 } from "node:buffer";
import type { IAuthPacket } from "mqtt-packet";
import type { AedesClient, ParserMarks } from "./aedes.ts";

const REPLACEMENT = "\ufffd";

/** Call once for each connection, before the first byte is read. */
export function guardParser(client: AedesClient): void {
  const parser = client._parser;
  const parse = parser.parse;
  const parseString = parser._parseString;
  const parseByType = parser._parseByType;
  const parseProperties = parser._parseProperties;
  const parseAuth = parser._parseAuth;

  parser.parse = function guardedParse(bytes) {
    try {
      return parse.call(this, bytes);
    } catch (error) {
      client.emit("error", new Error("packet not handled", { cause: error }));
      return 0;
    }
  };

  parser._parseString = function guardedParseString() {
    const start = this._pos + 2;
    const text = parseString.call(this);
    if (text?.includes(REPLACEMENT) && !isUtf8(this._list.slice(start, this._pos))) {
      this.packet!.invalidText = true;
    }
    return text;
  };

  // [MQTT5 3.1.2.11.6 and others] Every property of type byte is 0 or 1.
  parser._parseByType = function guardedParseByType(type) {
    if (type === "byte" && this._list.slice(this._pos, this._pos + 1)[0]! > 1) {
      this.packet!.invalidProperty = true;
    }
    return parseByType.call(this, type);
  };

  parser._parseProperties = function guardedParseProperties() {
    const properties = parseProperties.call(this);
    if (properties !== false && !Object.entries(properties).every(isWellFormed)) {
      this.packet!.invalidProperty = true;
    }
    return properties;
  };

  // [MQTT5 3.15.2.1] An AUTH may end before its reason code, and must not before its properties.
  // The parser would go on reading in the packet behind.
  parser._parseAuth = function guardedParseAuth() {
    const packet = this.packet as IAuthPacket & ParserMarks;
    const length = packet.length ?? 0;
    if (length === 0) {
      packet.reasonCode = 0;
      return true;
    }
    if (length === 1) packet.invalidProperty = true;
    const result = length === 1 ? true : parseAuth.call(this);
    if (this._pos !== length) packet.invalidProperty = true;
    return result;
  };
}

/** [MQTT5 2.2.2.2] Only user properties may occur more than once in what a client sends. */
function isWellFormed([name, value]: [string, unknown]): boolean {
  if (name === "userProperties") return true;
  if (typeof value === "boolean") return value || FLAGS.has(name);
  return value !== null && !Array.isArray(value) && (typeof value !== "number" || value >= 0);
}

const FLAGS: ReadonlySet<string> = new Set([
  "requestResponseInformation",
  "requestProblemInformation",
  "payloadFormatIndicator",
]);
