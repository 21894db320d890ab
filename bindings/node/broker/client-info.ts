/** What a CONNECT and its socket say about a client, in the engine's words. */
import type { Socket } from "node:net";
import type { ClientInfo, Text } from "../../../src/types.ts";
import type { ReceivedConnect } from "./aedes.ts";
import type { Origin } from "./peer.ts";

export function clientInfoFrom(
  packet: ReceivedConnect,
  socket: Socket,
  origin: Origin,
): ClientInfo {
  const { properties } = packet;
  return {
    clientId: packet.clientId,
    username: packet.username,
    password: packet.password,
    peerHost: normaliseAddress(socket.remoteAddress),
    peerPort: socket.remotePort,
    sockPort: socket.localPort,
    peerSni: origin.serverName,
    certCommonName: origin.certificate?.commonName,
    certSubject: origin.certificate?.subject,
    certDer: origin.certificate?.der,
    zone: origin.zone,
    listener: origin.listener,
    protocolVersion: packet.protocolVersion,
    cleanStart: packet.clean,
    userProperties: readUserProperties(properties?.userProperties),
    authMethod: properties?.authenticationMethod,
    authData: properties?.authenticationData,
  };
}

/**
 * Address without what only the local machine understands: IPv4 peers of a dual-stack socket lose
 * their IPv6 wrapping, link-local ones their interface name.
 */
export function normaliseAddress(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1];
  const percent = address.indexOf("%");
  return percent === -1 ? address : address.slice(0, percent);
}

/** Of properties with the same name the last counts. */
function readUserProperties(
  properties: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, Text>> | undefined {
  if (!properties) return undefined;
  const last: Record<string, Text> = Object.create(null);
  for (const [name, value] of Object.entries(properties)) {
    const text: unknown = Array.isArray(value) ? value.at(-1) : value;
    if (typeof text === "string") last[name] = text;
  }
  return last;
}
