/**
 * Writes users into a store, one transaction each, and prints the number of each when it is on disk.
 * Arguments: directory, name of the users, first number, number after the last.
 */
import { writeSync } from "node:fs";
import { openStore } from "../../dist/bindings/node/store/store.js";

const [directory, name, first, end] = process.argv.slice(2);
const store = await openStore(directory);
for (let number = Number(first); number < Number(end); number += 1) {
  const place = { group: "global", namespace: "", id: `${name}${number}` };
  const user = { passwordHash: `hash of ${number}`, salt: "", isSuperuser: false };
  store.write((writer) => writer.putPasswordUser(place, user));
  // At once and whole: what is printed is what was acknowledged.
  writeSync(1, `${number}\n`);
}
await store.close();
