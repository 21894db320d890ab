/**
 * Clients that come and go, in a process of their own, so that their memory does not count where the
 * broker's is measured. Gets `{ port, visits: [{ words, leavesAtOnce }] }`, words in base64; answers
 * when all of them are gone.
 */
import { connect } from "node:net";

const AT_ONCE = 20;

process.on("message", async ({ port, visits }) => {
  const queue = visits.values();
  const walk = async () => {
    for (const visit of queue) await pay(port, visit);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, walk));
  process.send("gone");
});

/** Says everything at once; some are gone with the first answer. */
function pay(port, { words, leavesAtOnce }) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.on("data", () => {
      if (leavesAtOnce) socket.destroy();
    });
    socket.write(Buffer.from(words, "base64"));
  });
}
