/**
 * The CONNACK of an accepted MQTT 5 client has to name the broker's limits, and repeat its
 * Authentication Method; aedes does neither.
 */
import type { IConnackPacket } from "mqtt-packet";
import type { MqttConfig } from "../../../src/config/config.ts";
import { authProperties } from "./auth.ts";
import { writePacket } from "./packets.ts";
import type { Peer } from "./peer.ts";

/**
 * Call before aedes writes its CONNACK, the first thing it writes. Returns what has to be called
 * afterwards: it writes the CONNACK with all of this added. Undefined when there is nothing to add.
 *
 * [MQTT5 3.2.2-9] [MQTT5 3.2.2.3.5] [MQTT5 3.2.2.3.11] [MQTT5 4.12.0-5]
 */
export function amendConnack(peer: Peer): ((connack: IConnackPacket) => void) | undefined {
  const { socket, auth } = peer;
  const more = {
    ...describeLimits(peer.host.engine.config.mqtt),
    ...authProperties(auth, auth?.lastData),
  };
  if (peer.version !== 5 || Object.keys(more).length === 0) return undefined;
  const { write } = socket;
  socket.write = () => true;
  return (connack) => {
    socket.write = write;
    const properties = { ...connack.properties, ...more };
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
