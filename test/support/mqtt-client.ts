/** MQTT.js against a test broker: what a device of a user would see. */
import { connect, type IClientOptions, type MqttClient } from "mqtt";

export type Version = 4 | 5;

export interface Device {
  readonly client: MqttClient;
  /** Topics of the messages that came, in order. */
  readonly heard: string[];
  /** SUBACK codes of one packet. */
  subscribe(filters: readonly string[], qos?: 0 | 1 | 2): Promise<number[]>;
  /** Publishes with QoS 1; the reason code of the PUBACK. */
  publish(topic: string): Promise<number>;
  /** Resolves with the topics heard before `topic` came by. */
  until(topic: string): Promise<string[]>;
  /** Reason code of the DISCONNECT, or `closed` when the connection just ends. */
  ended(): Promise<number | "closed">;
  leave(): Promise<void>;
}

export interface DeviceOptions extends IClientOptions {
  readonly port: number;
  readonly version: Version;
}

/** Connects, or gives the code of the CONNACK that refused it. */
export async function knock(options: DeviceOptions): Promise<Device | number> {
  const { port, version, ...more } = options;
  const client = connect({
    host: "127.0.0.1",
    port,
    protocolVersion: version,
    reconnectPeriod: 0,
    keepalive: 0,
    ...more,
  });
  return new Promise((resolve, reject) => {
    client.once("error", (error) => {
      const { code } = error as { code?: unknown };
      if (typeof code === "number") resolve(code);
      else reject(error);
    });
    client.once("connect", () => {
      client.removeAllListeners("error");
      client.on("error", () => {});
      resolve(deviceOf(client));
    });
  });
}

/** Connects; fails the test when it is refused. */
export async function join(options: DeviceOptions): Promise<Device> {
  const answer = await knock(options);
  if (typeof answer === "number") throw new Error(`refused with 0x${answer.toString(16)}`);
  return answer;
}

function deviceOf(client: MqttClient): Device {
  const heard: string[] = [];
  let notice: () => void = () => {};
  client.on("message", (topic) => {
    heard.push(topic);
    notice();
  });
  const end = new Promise<number | "closed">((resolve) => {
    client.once("disconnect", (packet) => resolve(Number(packet.reasonCode)));
    client.once("close", () => resolve("closed"));
  });
  return {
    client,
    heard,
    subscribe: (filters, qos = 0) =>
      new Promise((resolve, reject) => {
        client.subscribe([...filters], { qos }, (error, _, packet) => {
          const granted = packet?.granted;
          if (granted) resolve(granted.map(Number));
          else reject(error);
        });
      }),
    publish: (topic) =>
      new Promise((resolve, reject) => {
        client.publish(topic, topic, { qos: 1 }, (error, packet) => {
          const code = (error as { code?: unknown } | null | undefined)?.code;
          if (typeof code === "number") resolve(code);
          else if (error) reject(error);
          else resolve((packet as { reasonCode?: number } | undefined)?.reasonCode ?? 0);
        });
      }),
    until: async (topic) => {
      while (!heard.includes(topic)) {
        await new Promise<void>((resolve) => {
          notice = resolve;
        });
      }
      return heard.splice(0, heard.indexOf(topic) + 1).slice(0, -1);
    },
    ended: () => end,
    leave: () => client.endAsync(true),
  };
}
