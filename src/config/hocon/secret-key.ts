/** Values that must not be repeated in messages, told by their key. */

const SECRET = /secret|passw|passphrase|token|credential|private|authorization|cookie|api_?key/i;

/** May the value below `key` hold a secret? */
export function isSecretKey(key: string): boolean {
  return SECRET.test(key);
}
