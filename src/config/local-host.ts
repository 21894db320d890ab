/** Is it this machine, where nobody reads along? `hostname` as a URL has it: `[::1]`. */
export function isLocalHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
