/** Rules as text and as data. */

export { ACL_LOAD_ERRORS, type AclErrorCode } from "./report.ts";
export { type AclOptions, type AclReading, readAcl } from "./rules.ts";
export {
  describeTokenAclProblem,
  readTokenAcl,
  type TokenAcl,
  type TokenAclOptions,
  type TokenAclProblem,
} from "./token-acl.ts";
