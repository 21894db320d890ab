/**
 * Decisions: what is asked of rules, and what they answer.
 *
 * decide() returns verdict | origin << 2 | rule << 4, or a negative status.
 */

export const VERDICT_NO_MATCH = 0;
export const VERDICT_ALLOW = 1;
export const VERDICT_DENY = 2;
/** A condition raised: the source's failure result. */
export const VERDICT_FAILED = 3;
/** In place of the rule's number: the decision took too many steps, and no rule decided. */
export const RULE_NONE = 134217727;
/**
 * Where the deciding rule stands: in the image, in the token's own ACL, in the stored rules of this
 * client alone, or in those that it shares with others.
 */
export const ORIGIN_IMAGE = 0;
export const ORIGIN_TOKEN = 1;
export const ORIGIN_OWN = 2;
export const ORIGIN_SHARED = 3;

// How a client's stored rules are asked, for client_stored.
/** Behind the image's rules instead of in front of them. */
export const STORED_BEHIND = 1;
/** What cannot be evaluated, there or in an image in front of them, is passed over. */
export const STORED_SKIPS_FAILURES = 2;

// Request bits: exactly one is set in a request, any number in a rule's mask.
// publish: 1 << (qos * 2 + retain)   subscribe: 64 << qos
export const ACTION_PUBLISH_ANY = 63;
export const ACTION_SUBSCRIBE_QOS0 = 64;
export const ACTION_SUBSCRIBE_ANY = 448;
/** Both: what a rule without an action of its own speaks about. */
export const ACTION_ANY = 511;
