/**
 * The behaviour suite that every runtime runs: one body, the package as it ships, the same image.
 *
 * @param createVerifier from `portcullis/edge`
 * @param fixtures { image: Uint8Array, secrets, cases: [{ name, question, expect }], http }, `http`
 *   being the same once more, for a policy that asks a server
 * @returns one result a case: { name, answer, failure? }; answers are compared across runtimes
 */
export async function runSuite(createVerifier, { http, ...fixtures }) {
  return [
    ...(await runCases(createVerifier, fixtures)),
    ...(await runCases(createVerifier, http)),
    await damagedImage(createVerifier, fixtures.image, fixtures.secrets),
  ];
}

async function runCases(createVerifier, { image, secrets, cases }) {
  const verifier = await createVerifier({ image, secrets });
  const results = [];
  for (const { name, question, expect } of cases) {
    const response = await verifier.fetch(
      new Request("http://localhost/", { method: "POST", body: JSON.stringify(question) }),
    );
    const answer = await response.json();
    results.push({ name, answer, ...difference(expect, { status: response.status, ...answer }) });
  }
  verifier.close();
  return results;
}

/** Every member of `expect` has to be in `actual`; `actual` may hold more. */
function difference(expect, actual) {
  for (const [name, wanted] of Object.entries(expect)) {
    const got = actual[name];
    const same =
      Array.isArray(wanted) && Array.isArray(got)
        ? wanted.length === got.length && wanted.every((one, i) => !difference(one, got[i]).failure)
        : JSON.stringify(wanted) === JSON.stringify(got);
    if (!same) {
      return { failure: `${name}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}` };
    }
  }
  return {};
}

async function damagedImage(createVerifier, image, secrets) {
  const name = "refuses a damaged image with an error, never a trap";
  const damaged = image.slice();
  damaged[damaged.length >> 1] ^= 1;
  try {
    await createVerifier({ image: damaged, secrets });
    return { name, failure: "the image was accepted" };
  } catch (error) {
    return { name, answer: error.code, ...difference({ code: "ERR_CORE_IMAGE" }, error) };
  }
}
