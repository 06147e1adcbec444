/** Small worlds from YAML, and engines over them. */
import { readDocuments } from "../../src/documents/document.ts";
import { buildWorld } from "../../src/model/build.ts";
import type { World } from "../../src/model/world.ts";

/** The world of some manifests. Throws where one of them is refused. */
export function worldOf(...texts: readonly string[]): World {
  const { documents, diagnostics } = readDocuments(texts.map((text, i) => ({ name: `${i}.yaml`, text })));
  const built = buildWorld(documents);
  const errors = [...diagnostics, ...built.diagnostics].filter((d) => d.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((d) => d.message).join("\n"));
  return built.world;
}
