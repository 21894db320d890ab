/** The CONNACK of an accepted MQTT 5 client has to name the broker's limits; aedes does not. */
import type { IConnackPacket } from "mqtt-packet";
import type { MqttConfig } from "../../../src/config/config.ts";
import { writePacket } from "./packets.ts";
import type { Peer } from "./peer.ts";

/**
 * Call before aedes writes its CONNACK, the first thing it writes. Returns what has to be called
 * afterwards: it writes the CONNACK with the limits added. Undefined when there is nothing to add.
 *
 * [MQTT5 3.2.2-9] [MQTT5 3.2.2.3.5] [MQTT5 3.2.2.3.11]
 */
export function amendConnack(peer: Peer): ((connack: IConnackPacket) => void) | undefined {
  const limits = describeLimits(peer.host.engine.config.mqtt);
  const { socket } = peer;
  if (peer.version !== 5 || Object.keys(limits).length === 0) return undefined;
  const { write } = socket;
  socket.write = () => true;
  return (connack) => {
    socket.write = write;
    const properties = { ...connack.properties, ...limits };
    writePacket(socket, 5, { ...connack, cmd: "connack", properties });
  };
}

function describeLimits(mqtt: MqttConfig): NonNullable<IConnackPacket["properties"]> {
  return {
    ...(mqtt.maxQosAllowed < 2 ? { maximumQoS: mqtt.maxQosAllowed } : {}),
    ...(mqtt.retainAvailable ? {} : { retainAvailable: false }),
    ...(mqtt.wildcardSubscription ? {} : { wildcardSubscriptionAvailable: false }),
  };
}
