/**
 * The checked configuration: what the schema makes of a configuration text, with defaults filled
 * in. Everything downstream (compile/, authn/, authz/, bindings/) reads this and nothing else.
 */
import type { ClientTls } from "../ports/http.ts";
import type { SourcePosition } from "../types.ts";
import type { Preset, Switches } from "./compatibility.ts";
import type { TextLayout } from "./hocon/index.ts";

/** Text that came from a file, with where it stood. */
export interface Located<T = string> {
  readonly value: T;
  readonly at?: SourcePosition | undefined;
  readonly layout?: TextLayout | undefined;
}

export type SecurityProfile = "legacy" | "hardened";

export interface Config {
  readonly preset: Preset;
  readonly switches: Switches;
  /** `EMQX_SECURITY_PROFILE`. */
  readonly securityProfile: SecurityProfile;
  readonly authentication: readonly AuthenticatorConfig[];
  readonly authenticationSettings: { readonly ignoreBackendFailures: boolean };
  /** Ours: accept clients when no authenticator is enabled (strict mode only). */
  readonly allowAnonymous: boolean;
  /** Ours: what becomes of live sessions when another policy is put in force. */
  readonly onPolicyChange: OnPolicyChange;
  /** Ours: attributes made of a token that no authenticator accepted. */
  readonly unverifiedClientAttrs: UnverifiedClientAttrs;
  /** Ours: name the reason code of a refused CONNECT in words (MQTT 5). */
  readonly refusalReasonString: boolean;
  /** Ours: where the built-in database is kept, relative to the configuration file. */
  readonly dataDir: string;
  /** Ours: checks of passwords that wait for their turn, before clients are refused. */
  readonly passwordChecksWaitingMax: number;
  readonly authorization: AuthorizationConfig;
  readonly mqtt: MqttConfig;
  readonly listeners: readonly ListenerConfig[];
}

/**
 * `unsubscribe` takes away the subscriptions that the new policy does not allow, `disconnect` ends
 * the sessions that hold one, `keep` leaves both as they are.
 */
export type OnPolicyChange = "unsubscribe" | "disconnect" | "keep";

/** `drop` takes them away once the client is accepted: rules and mountpoint never see them. */
export type UnverifiedClientAttrs = "keep" | "drop";

export type AuthenticatorConfig =
  | BuiltInDatabaseConfig
  | CinfoConfig
  | HttpAuthnConfig
  | JwtConfig
  | ScramConfig;

/** Every `AuthenticatorConfig["mechanism"]`. */
export const MECHANISMS: readonly string[] = [
  "cinfo",
  "jwt",
  "password_based",
  "scram",
] satisfies AuthenticatorConfig["mechanism"][];

interface AuthenticatorCommon {
  /** `<mechanism>:<backend>` or `<mechanism>`; unique in its chain. */
  readonly id: string;
  /** Configuration path, e.g. `authentication[1]`; elements count from 1, as in HOCON paths. */
  readonly path: string;
  readonly at?: SourcePosition | undefined;
  readonly enable: boolean;
  readonly precondition?: Located | undefined;
  /** Ours: what becomes of a client about whom it cannot find out, whatever holds for the others. */
  readonly onFailure?: OnFailure | undefined;
}

/** `deny` refuses the client, `ignore` asks the next authenticator. */
export type OnFailure = "deny" | "ignore";

export interface CinfoConfig extends AuthenticatorCommon {
  readonly mechanism: "cinfo";
  readonly checks: readonly CinfoCheck[];
}

export interface CinfoCheck {
  /** All must be `true`. */
  readonly isMatch: readonly Located[];
  readonly result: "allow" | "deny" | "ignore";
}

export interface JwtConfig extends AuthenticatorCommon {
  readonly mechanism: "jwt";
  readonly keys: JwtKeySource;
  readonly from: "password" | "username";
  readonly verifyClaims: readonly { readonly name: string; readonly value: Located }[];
  readonly aclClaimName: string;
  readonly onMissingJwt: "ignore" | "deny";
  readonly disconnectAfterExpire: boolean;
  /** Ours: seconds of clock difference to tolerate; default 0. */
  readonly leewaySeconds: number;
  /** Ours: whose tokens (`iss`) are its business; undefined: everybody's. */
  readonly issuers?: readonly string[] | undefined;
  /** Ours: a token issued in the future is refused. */
  readonly checkIat?: boolean | undefined;
  /** Ours: keys shorter than RFC 7518 asks for are refused instead of warned of. */
  readonly refuseShortKeys?: boolean | undefined;
  /** Ours: signatures of so many tokens are verified once; undefined: every time. */
  readonly tokenCache?: { readonly maxCount: number; readonly maxBytes: number } | undefined;
  /** Ours: Authentication Methods whose Authentication Data is the token; none when left out. */
  readonly authMethods?: readonly string[] | undefined;
}

export type JwtKeySource =
  | {
      readonly type: "hmac";
      /** Null when an image was compiled without secrets: supply it to the engine by path. */
      readonly secret: string | null;
      readonly secretBase64Encoded: boolean;
      readonly at?: SourcePosition | undefined;
    }
  | {
      readonly type: "public_key";
      /** PEM text (a file path has been read by then). */
      readonly pem: string;
      readonly at?: SourcePosition | undefined;
    }
  | {
      readonly type: "jwks";
      /** Of the key set, or with `discoveryIssuer` of that issuer's OpenID provider configuration. */
      readonly endpoint: string;
      readonly discoveryIssuer?: string | undefined;
      /** A value is null when an image was compiled without secrets: supply it by path. */
      readonly headers: Readonly<Record<string, string | null>>;
      readonly refreshIntervalSeconds: number;
      /** Failed downloads in a row after which the keys are dropped; default 5. */
      readonly maxFailCount?: number | undefined;
      /** Absent: as the platform does it. */
      readonly tls?: ClientTls | undefined;
      readonly at?: SourcePosition | undefined;
    };

export interface BuiltInDatabaseConfig extends AuthenticatorCommon {
  readonly mechanism: "password_based";
  readonly backend: "built_in_database";
  readonly userIdType: "username" | "clientid";
  /** Checks and makes hashes. */
  readonly algorithm: PasswordAlgorithm;
  /** Users to add when the authenticator is created. */
  readonly bootstrap: BootstrapFile;
}

export interface ScramConfig extends AuthenticatorCommon {
  readonly mechanism: "scram";
  readonly backend: "built_in_database";
  readonly algorithm: "sha256" | "sha512";
  readonly iterationCount: number;
  /** Ours: the SCRAM user becomes the username. */
  readonly bindsIdentity: boolean;
}

export interface BootstrapFile {
  /** Relative to the configuration file. */
  readonly path: string;
  readonly type: "plain" | "hash";
  /** Not written: then there need not be such a file. */
  readonly isDefault: boolean;
  readonly at?: SourcePosition | undefined;
}

/** `password_hash_algorithm`. Source: authentication §4. */
export type PasswordAlgorithm =
  | {
      readonly name: "plain" | "md5" | "sha" | "sha256" | "sha512";
      /** Where the salt goes; it counts as its raw bytes, a hexadecimal salt is not decoded. */
      readonly saltPosition: "disable" | "prefix" | "suffix";
    }
  | {
      readonly name: "pbkdf2";
      readonly macFun: PasswordMac;
      /** At least 1. */
      readonly iterations: number;
      /** Bytes of the derived key, at least 1; the digest's length when left out. */
      readonly dkLength?: number | undefined;
    }
  | {
      readonly name: "bcrypt";
      /** Cost of new hashes. */
      readonly saltRounds: number;
      /** What becomes of a password with a NUL or of more than 72 bytes. */
      readonly overlong: "refuse" | "cut";
    };

/** EMQX takes all of these, and fails at every use of the last three. */
export const PASSWORD_MACS = [
  "sha",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "md4",
  "md5",
  "ripemd160",
] as const;

export type PasswordMac = (typeof PASSWORD_MACS)[number];

export interface HttpAuthnConfig extends AuthenticatorCommon {
  readonly mechanism: "password_based";
  readonly backend: "http";
  readonly request: HttpRequestConfig;
  readonly connection: HttpConnectionConfig;
  /** Ours: what becomes of a client without a value for one of the placeholders. */
  readonly onAbsent: "ignore" | "empty";
  readonly oauth2?: OAuth2Config | undefined;
}

/** A request made of templates. Source: authentication §5.1, expressions §5.5. */
export interface HttpRequestConfig {
  readonly method: "get" | "post";
  /** Scheme, host and port, as in `https://auth.example:8443`. */
  readonly origin: string;
  /** Template; empty or from its first slash on. */
  readonly path: string;
  /** Percent-decoded names and values, templates both; null: a name without `=`. */
  readonly query: readonly (readonly [name: string, value: string | null])[];
  /** Names, lower-case, and values are templates. A value is null in an image without secrets. */
  readonly headers: Readonly<Record<string, string | null>>;
  /** JSON text of an object in which every text is a template. */
  readonly body?: Located | undefined;
  readonly at?: SourcePosition | undefined;
  readonly headersAt?: SourcePosition | undefined;
}

export interface HttpConnectionConfig {
  /** From the question to the last byte of the answer. */
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly poolSize: number;
  readonly pipelining: number;
  readonly maxInactiveMs: number;
  /** Absent: plain HTTP. */
  readonly tls?: ClientTls | undefined;
}

/** Bearer tokens of the client credentials grant (RFC 6749 §4.4). */
export interface OAuth2Config {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  /** Null when an image was compiled without secrets. */
  readonly clientSecret: string | null;
  readonly scope?: string | undefined;
  readonly timeoutMs: number;
  readonly tls?: ClientTls | undefined;
}

export interface AuthorizationConfig {
  readonly noMatch: "allow" | "deny";
  readonly denyAction: "ignore" | "disconnect";
  readonly includeMountpoint: boolean;
  readonly ignoreBackendFailures: boolean;
  /** In the order in which they are asked; at most one of a type. */
  readonly sources: readonly SourceConfig[];
}

export type SourceConfig = FileSourceConfig | StoredRulesConfig;

/** Every `SourceConfig["type"]`. */
export const SOURCE_TYPES: readonly string[] = [
  "built_in_database",
  "file",
] satisfies SourceConfig["type"][];

/** The rules of the built-in database. */
export interface StoredRulesConfig {
  readonly type: "built_in_database";
  readonly enable: boolean;
  /** Rules of one record, one for each topic; asked when rules are stored, and not later. */
  readonly maxRules: number;
  readonly at?: SourcePosition | undefined;
}

export interface FileSourceConfig {
  readonly type: "file";
  readonly enable: boolean;
  /** Where the rules stand, for messages. */
  readonly path: string;
  /** The acl.conf text. */
  readonly text: string;
  /** Where its first character stands: line 1 of `path`, or inside the configuration file. */
  readonly at?: SourcePosition | undefined;
}

export interface MqttConfig {
  readonly clientAttrsInit: readonly {
    readonly expression: Located;
    readonly setAsAttr: string;
  }[];
  readonly clientIdOverride?: Located | undefined;
  readonly useUsernameAsClientId: boolean;
  readonly peerCertAsUsername: PeerCertIdentity;
  readonly peerCertAsClientId: Exclude<PeerCertIdentity, "crt">;
  readonly maxClientIdLen: number;
  readonly maxTopicLevels: number;
  readonly maxQosAllowed: 0 | 1 | 2;
  readonly retainAvailable: boolean;
  readonly wildcardSubscription: boolean;
  readonly sharedSubscription: boolean;
  readonly exclusiveSubscription: boolean;
  readonly maxPacketSizeBytes: number;
  readonly idleTimeoutMs: number;
  readonly strictMode: boolean;
}

/** What of a client's certificate stands for what CONNECT says. `crt` is DER, `pem` base64 of it. */
export type PeerCertIdentity = "disabled" | "cn" | "dn" | "crt" | "pem" | "md5";

/** One line of `access_rules`: the first whose range holds the peer's address decides. */
export interface AccessRule {
  readonly permission: "allow" | "deny";
  /** `all`, an address, or a CIDR range. */
  readonly who: string;
  readonly at?: SourcePosition | undefined;
}

/** `ssl_options` of a listener, files read. It holds a private key: images never get it. */
export interface ListenerTls {
  /** PEM texts: the chain, its key, and who may have signed clients. */
  readonly certificate: string;
  readonly key: string;
  readonly password?: string | undefined;
  readonly authorities?: string | undefined;
  /** Ask clients for a certificate, and check it. */
  readonly isPeerVerified: boolean;
  readonly failIfNoPeerCert: boolean;
  /** Certificates that may stand between a client's and the authority's. */
  readonly depth: number;
  /** The last of `authorities` that are trusted although they did not sign themselves. */
  readonly partialChain: 0 | 1 | 2;
  /** Object identifiers of extended key usages that a client's certificate must have. */
  readonly extKeyUsage: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's names; none for the runtime's own choice. */
  readonly ciphers: readonly string[];
  readonly honorCipherOrder: boolean;
  readonly handshakeTimeoutMs: number;
  readonly at?: SourcePosition | undefined;
}

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export interface ListenerConfig {
  readonly type: "tcp" | "ssl";
  readonly name: string;
  readonly enable: boolean;
  readonly host: string;
  readonly port: number;
  readonly zone: string;
  readonly mountpoint: string;
  readonly mountpointAt?: SourcePosition | undefined;
  readonly enableAuthn: true | false | "quick_deny_anonymous";
  readonly maxConnections: number;
  readonly accessRules: readonly AccessRule[];
  /** Of an enabled `ssl` listener. */
  readonly tls?: ListenerTls | undefined;
  /** A chain of its own; replaces the global one. */
  readonly authentication?: readonly AuthenticatorConfig[] | undefined;
}
