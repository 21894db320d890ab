#!/usr/bin/env node
/** The `portcullis` executable. */
import { main } from "./main.ts";

// A reader that has seen enough (`| head -1`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

await main(process.argv.slice(2));
