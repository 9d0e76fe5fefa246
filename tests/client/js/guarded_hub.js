// A hub with an access file, and the tokens of its principals.

import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealHub } from "./real_hub.js";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** The static token of a principal. */
export const tokenOf = (principal) => sha256(`of the test: ${principal}`);

/** Starts a hub with these rules, and with whatever else the access file is to hold; it is gone after the test. */
export async function startGuarded(t, rules, more = {}) {
  const folder = await mkdtemp(join(tmpdir(), "millrace-access-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const principals = new Set(rules.flatMap((rule) => rule.principals));
  const tokens = [...principals].map((principal) => ({ principal, sha256: sha256(tokenOf(principal)) }));
  const file = join(folder, "access.json");
  await writeFile(file, JSON.stringify({ rules, tokens, ...more }));
  return RealHub.start(t, "--access-file", file);
}

/** Writes the token of a principal into a file, for the command line; gives its path. */
export async function tokenFile(hub, principal) {
  const file = join(hub.directory, `token-of-${principal}`);
  await writeFile(file, tokenOf(principal));
  return file;
}
