import { existsSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { runCli, TestDirectory } from "../../support/cli.ts";

interface Case {
  readonly name: string;
  /** `p.conf` is checked; an `acl.conf` is added where there is none. */
  readonly files: Readonly<Record<string, string>>;
  /** What the operator reads, from a line end on. */
  readonly says: string;
  /** 2 when left out. */
  readonly code?: number;
}

/** Whatever there is by now. */
const MECHANISMS = /`jwt`(, `\w+`)* or `\w+`/g;

function directory(files: Readonly<Record<string, string>>): TestDirectory {
  const made = new TestDirectory({ "acl.conf": "{deny, all}.\n", ...files });
  onTestFinished(() => made.remove());
  return made;
}

describe("portcullis check", () => {
  it.each<Case>([
    {
      name: "a key that does not exist",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "0123456789abcdef0123456789abcdef" }
mqtt {
  max_topic_level = 3
}
`,
      },
      says: `
p.conf:4:3: error: mqtt: there is no key \`max_topic_level\` here
    4 |   max_topic_level = 3
      |   ^
      = hint: did you mean \`max_topic_levels\`?

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a misspelt secret, without repeating it",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  { mechanism = jwt, algorithm = "hmac-based", secrett = "hunter2hunter2", from = password }
]
`,
      },
      says: `
p.conf:3:48: error: authentication[1]: there is no key \`secrett\` here
    3 |   { mechanism = jwt, algorithm = "hmac-based", secrett = "**************", from = password }
      |                                                ^
      = hint: did you mean \`secret\`?

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a root key that does not exist",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentification = []
authentication = { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "0123456789abcdef0123456789abcdef" }
`,
      },
      says: `
p.conf:2:1: error: there is no root key \`authentification\`
    2 | authentification = []
      | ^
      = hint: did you mean \`authentication\`? valid here: \`authentication\`, \`authentication_settings\`, \`authorization\`, \`listeners\`, \`mqtt\`, \`portcullis\`

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "values of a wrong type",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "0123456789abcdef0123456789abcdef" }
mqtt {
	max_topic_levels = lots
	max_qos_allowed = 7
	client_attrs_init = "x"
}
`,
      },
      says: `
p.conf:4:21: error: mqtt.max_topic_levels: expected a whole number from 1 to 65535, found \`lots\`
    4 | 	max_topic_levels = lots
      | 	                   ^

p.conf:5:20: error: mqtt.max_qos_allowed: expected a whole number from 0 to 2, found \`7\`
    5 | 	max_qos_allowed = 7
      | 	                  ^

p.conf:6:22: error: mqtt.client_attrs_init: expected a list of an attribute: \`{ expression = …, set_as_attr = … }\`, found \`x\`
    6 | 	client_attrs_init = "x"
      | 	                    ^

p.conf: cannot be used (3 errors, no warnings)
`,
    },
    {
      name: "an unclosed brace",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
mqtt {
  max_topic_levels = 3

authentication = { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "0123456789abcdef0123456789abcdef" }
`,
      },
      says: `
p.conf:2:6: error: mqtt: the \`{\` opened here is never closed
    2 | mqtt {
      |      ^
      = hint: add \`}\`; the file ends in line 6

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "an unclosed quote",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf }]
authentication = { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "0123456789abcdef0123456789abcdef" }
`,
      },
      says: `
p.conf:1:26: error: authorization: the \`{\` opened here is never closed
    1 | authorization.sources = [{ type = file, path = "acl.conf }]
      |                          ^
      = hint: add \`}\`; the file ends in line 3

p.conf:1:48: error: authorization: the text that starts with this \`"\` is not closed on the same line
    1 | authorization.sources = [{ type = file, path = "acl.conf }]
      |                                                ^
      = hint: close it with \`"\`, or write a text of several lines between \`"""\` and \`"""\`

p.conf: cannot be used (2 errors, no warnings)
`,
    },
    {
      name: "an unknown function",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = cinfo
    checks = [
	  { is_match = "str_neqq(clientid, username)", result = deny }
    ]
  }
]
`,
      },
      says: `
p.conf:6:18: error: authentication[1].checks[1].is_match[1]: unknown function \`str_neqq\`, at character 1 of the expression
    6 | 	  { is_match = "str_neqq(clientid, username)", result = deny }
      | 	                ^
      = hint: did you mean \`str_neq\`?

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "an unknown variable",
      code: 0,
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = cinfo
    checks = [
	  { is_match = "str_neq(clientld, username)", result = deny }
    ]
  }
]
`,
      },
      says: `
p.conf:6:26: warning: authentication[1].checks[1].is_match[1]: unknown variable \`clientld\`: it is never bound, at character 9 of the expression
    6 | 	  { is_match = "str_neq(clientld, username)", result = deny }
      | 	                        ^
      = hint: did you mean \`clientid\`?

p.conf: ok: strict mode, authentication cinfo, 1 rule (no errors, 1 warning)
`,
    },
    {
      name: "a wrong number of arguments",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = cinfo
    checks = [
	  { is_match = "str_neq(clientid)", result = deny }
    ]
  }
]
`,
      },
      says: `
p.conf:6:18: error: authentication[1].checks[1].is_match[1]: \`str_neq\` takes 2 arguments, found 1, at character 1 of the expression
    6 | 	  { is_match = "str_neq(clientid)", result = deny }
      | 	                ^
      = hint: write str_neq(a, b)

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a bad regular expression behind a tab and letters that are no ASCII",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = cinfo
    checks = [
	  { is_match = "regex_match(clientid, '^dé日[a-z')", result = deny }
    ]
  }
]
`,
      },
      says: `
p.conf:6:45: error: authentication[1].checks[1].is_match[1]: bad regular expression: a character class is not closed, at character 28 of the expression
    6 | 	  { is_match = "regex_match(clientid, '^dé日[a-z')", result = deny }
      | 	                                          　^
      = hint: add ] or write \\[

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a refused feature of regular expressions, in a text of several lines",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = cinfo
    checks = [
	  { is_match = """
     regex_match(clientid,
       '^(?=x*)$')
    """, result = deny }
    ]
  }
]
`,
      },
      says: `
p.conf:8:10: error: authentication[1].checks[1].is_match[1]: bad regular expression: not supported: look-ahead, at character 38 of the expression
    8 |        '^(?=x*)$')
      |          ^
      = hint: one of a fixed length is fine; else test separately and combine: \`^(?!.*admin)\` is not(regex_match(x, 'admin')), \`a(?=.*b)\` is regex_match(x, 'a.*b')

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a place inside a text with escapes",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = cinfo
    checks = [
	  { is_match = "concat([\\"a\\", \\"b\\", lowerr(clientid)])", result = deny }
    ]
  }
]
`,
      },
      says: `
p.conf:6:40: error: authentication[1].checks[1].is_match[1]: unknown function \`lowerr\`, at character 19 of the expression
    6 | 	  { is_match = "concat([\\"a\\", \\"b\\", lowerr(clientid)])", result = deny }
      | 	                                      ^
      = hint: did you mean \`lower\`?

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a place inside an indented text",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = cinfo
    checks = [
	  { is_match = """~
        str_eq(clientid,
          upperr(username))
      ~""", result = deny }
    ]
  }
]
`,
      },
      says: `
p.conf:8:11: error: authentication[1].checks[1].is_match[1]: unknown function \`upperr\`, at character 20 of the expression
    8 |           upperr(username))
      |           ^
      = hint: did you mean \`upper\`?

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a place inside a text made of several, as well as it is known",
      files: {
        "p.conf": `portcullis.compatibility = strict
authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = cinfo
    checks = [
	  { is_match = "str_eq(clientid, '"abc"', 1 2)", result = deny }
    ]
  }
]
`,
      },
      says: `
p.conf:7:18: error: authentication[1].checks[1].is_match[1]: expected \`,\` or \`)\`, found the number \`2\`, at character 27 of the expression
    7 | 	  { is_match = "str_eq(clientid, '"abc"', 1 2)", result = deny }
      | 	                ^

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "terms that are no rule",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "0123456789abcdef0123456789abcdef" }
`,
        "acl.conf": `{allow, all, subscribe, ["a/#"]}.
	{alow, {user, "é"}, publish, ["b"]}.
{allow, {usr, "x"}, publish, ["b"]}.
{allow, {user, "x"}, publsh, ["b"]}.
{allow, {user, "x"}, publish, ["b/#/c"]}.
{allow, {user, "é"}, publish, ["b/\${clientld}"]}.
{allow, {user, {re, "^a(b"}}, all, ["x"]}.
{allow, {ipaddr, "10.0.0.0/33"}, all, ["x"]}.
{deny, all}
{deny, all}.
`,
      },
      says: `
acl.conf:2:3: error: a rule begins with \`allow\` or \`deny\`, not \`alow\`
    2 | 	{alow, {user, "é"}, publish, ["b"]}.
      | 	 ^
      = hint: write \`allow\`

acl.conf:3:9: error: unknown condition \`usr\`
    3 | {allow, {usr, "x"}, publish, ["b"]}.
      |         ^
      = hint: did you mean \`user\`?

acl.conf:4:22: error: unknown action \`publsh\`
    4 | {allow, {user, "x"}, publsh, ["b"]}.
      |                      ^
      = hint: did you mean \`publish\`?

acl.conf:5:32: warning: \`#\` is a wildcard only as the last level, so \`b/#/c\` selects no topic
    5 | {allow, {user, "x"}, publish, ["b/#/c"]}.
      |                                ^

acl.conf:6:32: error: unknown placeholder \`\${clientld}\`
    6 | {allow, {user, "é"}, publish, ["b/\${clientld}"]}.
      |                                ^
      = hint: did you mean \`\${clientid}\`?

acl.conf:7:21: error: pattern of \`user\`: a group is not closed, at character 3 of the pattern
    7 | {allow, {user, {re, "^a(b"}}, all, ["x"]}.
      |                     ^

acl.conf:8:18: error: \`10.0.0.0/33\` has a prefix length that is not a number from 0 to 32
    8 | {allow, {ipaddr, "10.0.0.0/33"}, all, ["x"]}.
      |                  ^

acl.conf:9:12: error: expected \`.\`, found \`{\`
    9 | {deny, all}
      |            ^
      = hint: every rule ends with a dot, the last one too

p.conf: cannot be used (7 errors, 1 warning)
`,
    },
    {
      name: "a missing acl file",
      files: {
        "p.conf": `authentication = { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "0123456789abcdef0123456789abcdef" }
authorization.sources = [
  { type = file, path = "rules/acl.conf" }
]
`,
      },
      says: `
p.conf:3:26: error: authorization.sources[1].path: cannot read \`rules/acl.conf\`: there is no such file
    3 |   { type = file, path = "rules/acl.conf" }
      |                          ^
      = hint: the path is relative to \`p.conf\`

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a PEM that holds no key",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  { mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = "key.pem" }
]
`,
        "key.pem": `-----BEGIN PUBLIC KEY-----
AAAA
-----END PUBLIC KEY-----
`,
      },
      says: `
p.conf:3:80: error: authentication[1].public_key: the \`PUBLIC KEY\` block cannot be read as a key
    3 |   { mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = "key.pem" }
      |                                                                                ^
      = hint: write a public key or certificate: \`openssl pkey -in private.pem -pubout\` makes one

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a file that is no PEM",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  { mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = "key.pem" }
]
`,
        "key.pem": `ssh-rsa AAAA
`,
      },
      says: `
p.conf:3:80: error: authentication[1].public_key: expected PEM text: \`-----BEGIN …-----\`
    3 |   { mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = "key.pem" }
      |                                                                                ^
      = hint: give the text between \`"""\` and \`"""\`, or the path of a PEM file

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a missing PEM file",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  { mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = "key.pem" }
]
`,
      },
      says: `
p.conf:3:80: error: authentication[1].public_key: cannot read \`key.pem\`: there is no such file
    3 |   { mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = "key.pem" }
      |                                                                                ^
      = hint: the path is relative to \`p.conf\`

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "an empty secret",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "" }
]
`,
      },
      says: `
p.conf:3:76: error: authentication[1].secret: an empty secret lets anyone sign a token
    3 |   { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "" }
      |                                                                            ^
      = hint: use at least 32 random bytes

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "a secret that is no base64",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret_base64_encoded = true
    secret =
      "hunter2 is no base64"
  }
]
`,
      },
      says: `
p.conf:6:8: error: authentication[1].secret: expected standard base64 with padding
    6 |       "******* ** ** ******"
      |        ^
      = hint: remove \`secret_base64_encoded\`, or encode the key

p.conf: cannot be used (1 error, no warnings)
`,
    },
    {
      name: "unknown mechanisms",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  { mechanism = jwtt }
  { mechanism = gcp_device }
]
`,
      },
      says: `
p.conf:3:17: error: authentication[1].mechanism: expected MECHANISMS, found \`jwtt\`
    3 |   { mechanism = jwtt }
      |                 ^
      = hint: did you mean \`jwt\`?

p.conf:4:17: error: authentication[2].mechanism: mechanism \`gcp_device\` is not supported
    4 |   { mechanism = gcp_device }
      |                 ^
      = hint: use MECHANISMS

p.conf: cannot be used (2 errors, no warnings)
`,
    },
    {
      name: "misspelt placeholders",
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
listeners.tcp.default { mountpoint = "x/\${clientld}/" }
authentication = [
  {
    mechanism = jwt, use_jwks = false, algorithm = "hmac-based"
    secret = "0123456789abcdef0123456789abcdef"
    verify_claims { sub = "\${usrname}" }
  }
]
`,
      },
      says: `
p.conf:7:28: error: authentication[1].verify_claims.sub: unknown placeholder \`\${usrname}\`
    7 |     verify_claims { sub = "\${usrname}" }
      |                            ^
      = hint: did you mean \`\${username}\`? known here: \${clientid}, \${username}; write \${$}{usrname} for the literal text

p.conf:2:39: error: listeners.tcp.default.mountpoint: unknown placeholder \`\${clientld}\`
    2 | listeners.tcp.default { mountpoint = "x/\${clientld}/" }
      |                                       ^
      = hint: did you mean \`\${clientid}\`? known here: \${clientid}, \${username}, \${endpoint_name}, \${peerhost}, \${zone}, \${client_attrs.NAME}; write \${$}{clientld} for the literal text

p.conf: cannot be used (2 errors, no warnings)
`,
    },
    {
      name: "a doubled backslash, with the mended spelling",
      code: 0,
      files: {
        "p.conf": `authorization.sources = [{ type = file, path = "acl.conf" }]
authentication = [
  {
    mechanism = cinfo
    checks = [
	  { is_match = """regex_match(clientid, '(^|\\\\s)(read)')""", result = deny }
    ]
  }
]
`,
      },
      says: `
p.conf:6:46: warning: authentication[1].checks[1].is_match[1]: doubled backslash in a regular expression, read as one; EMQX 6.2 matches a backslash here, at character 27 of the expression
    6 | 	  { is_match = """regex_match(clientid, '(^|\\\\s)(read)')""", result = deny }
      | 	                                            ^
      = hint: write \`(^|\\s)(read)\`: strings in expressions have no escapes

p.conf: ok: strict mode, authentication cinfo, 1 rule (no errors, 1 warning)
`,
    },
  ])("tells of $name", async ({ files, says, code = 2 }) => {
    const made = directory(files);
    const result = await runCli("check", made.file("p.conf"));
    const said = made.without(`\n${result.stderr}${result.stdout}`);
    expect(said.replaceAll(MECHANISMS, "MECHANISMS")).toBe(says);
    expect(result.code).toBe(code);
  });

  const GOOD =
    'authentication = { mechanism = cinfo, checks = [{ is_match = "true", result = deny }] }';

  it("says that a good configuration is one, on stdout alone", async () => {
    const made = directory({
      "p.conf": `${GOOD}\nauthorization.sources = [{ type = file, path = "acl.conf" }]`,
    });
    const { code, stdout, stderr } = await runCli("check", made.file("p.conf"));
    expect(made.without(stdout)).toBe(
      "p.conf: ok: strict mode, authentication cinfo, 1 rule (no errors, no warnings)\n",
    );
    expect([code, stderr]).toEqual([0, ""]);
  });

  it("tells of stored rules beside those of files, without looking for them", async () => {
    const made = directory({
      "p.conf": `${GOOD}\nauthorization.sources = [{ type = built_in_database }]`,
    });
    const { code, stdout, stderr } = await runCli("check", made.file("p.conf"));
    expect(stdout).toContain("authentication cinfo, 0 rules and those of the built-in database (");
    expect([code, stderr, existsSync(made.file("data"))]).toEqual([0, "", false]);
  });

  it("gives the same as JSON, also of a file that is not there", async () => {
    const made = directory({ "p.conf": "mqtt.max_topic_levls = 3" });
    const broken = await runCli("check", "--json", made.file("p.conf"));
    expect(broken.code).toBe(2);
    expect(JSON.parse(broken.stdout)).toMatchObject({
      ok: false,
      issues: [{ code: "ERR_CONFIG_UNKNOWN_KEY", at: { line: 1, column: 1 } }],
    });
    const missing = await runCli("check", "--json", made.file("nothing.conf"));
    expect([missing.code, missing.stderr]).toEqual([2, ""]);
    expect(JSON.parse(missing.stdout)).toMatchObject({ issues: [{ code: "ERR_CONFIG_FILE" }] });
  });

  it("shows the part of a long line that it is about", async () => {
    const made = directory({
      "p.conf": `mqtt { max_topic_levels = 3, ${"  ".repeat(200)}max_topic_levls = 4 }`,
    });
    const { stderr } = await runCli("check", made.file("p.conf"));
    const [, source, caret] = stderr.split("\n") as [string, string, string];
    expect(source.length).toBeLessThan(180);
    expect(source.slice(caret.indexOf("^"))).toMatch(/^max_topic_levls = 4 \}/);
  });

  it("never repeats a secret that stands beside the mistake", async () => {
    for (const line of [
      'secret = "hunter2hunter2", fromm = password',
      "secret = hunter2hunter2, fromm = password",
      'secret: "hunter2 \\" hunter2", fromm = password',
      'fromm = password, "secret" = """hunter2"""',
    ]) {
      const made = directory({
        "p.conf": `authentication = [{ mechanism = jwt, algorithm = "hmac-based", ${line} }]`,
      });
      const { code, stdout, stderr } = await runCli("check", made.file("p.conf"));
      expect(code, line).toBe(2);
      expect(stderr, line).toContain("did you mean `from`?");
      expect(stdout + stderr, line).not.toContain("hunter2");
    }
  });
});
