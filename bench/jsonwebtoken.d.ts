/** The one function of jsonwebtoken that the bench measures; the package brings no types. */
declare module "jsonwebtoken" {
  import type { KeyObject } from "node:crypto";

  const jsonwebtoken: {
    verify(token: string, key: KeyObject, options: { algorithms: readonly string[] }): unknown;
  };
  export default jsonwebtoken;
}
