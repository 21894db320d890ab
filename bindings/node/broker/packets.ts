/** Answers the broker writes itself, past aedes. */
import type { Socket } from "node:net";
import mqtt, { type Packet } from "mqtt-packet";

const VERSIONS = {
  3: { protocolVersion: 3 },
  4: { protocolVersion: 4 },
  5: { protocolVersion: 5 },
} as const;

/** Writes a packet unless the socket is gone. False: the peer reads too slowly, wait for drain. */
export function writePacket(socket: Socket, version: 3 | 4 | 5, packet: Packet): boolean {
  if (!socket.writable) return true;
  mqtt.writeToStream(packet, socket, VERSIONS[version]);
  return !socket.writableNeedDrain;
}
