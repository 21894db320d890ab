/** The topic prefix of an accepted client. Source: authorization §8.4, §9 item 8. */
import { parseTemplate } from "../compile/template.ts";
import { MOUNTPOINT_NAMES } from "../compile/template-places.ts";
import type { Switches } from "../config/compatibility.ts";
import type { ListenerConfig } from "../config/config.ts";
import type { RequestFields } from "../core/request.ts";
import { templateRecord } from "../template/record.ts";
import { renderMountpoint } from "../template/render.ts";

export type MountpointResult =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly at: string; readonly names: readonly string[] };

/** Renders the listener's mountpoint with the final values; empty when it has none. */
export function renderClientMountpoint(
  listener: ListenerConfig | undefined,
  fields: RequestFields,
  switches: Switches,
): MountpointResult {
  if (!listener?.mountpoint) return { ok: true, value: "" };
  const template = parseTemplate(listener.mountpoint, {
    allowed: MOUNTPOINT_NAMES,
    switches,
    namespacesSurvive: true,
  });
  const rendered = renderMountpoint(template, templateRecord(fields), switches);
  const at = `listeners.${listener.type}.${listener.name}.mountpoint`;
  if (!rendered.ok) return { ok: false, at, names: "names" in rendered ? rendered.names : [] };
  const { value } = rendered;
  // Bytes that are no text could not be told from other clients' ones.
  if (typeof value !== "string") return { ok: false, at, names: ["a value that is not UTF-8"] };
  return { ok: true, value };
}
