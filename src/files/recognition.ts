/** Which files are manifests, and which are the project's own. */
import { basename } from "node:path";
import type { Source } from "../documents/document.ts";
import { readDocuments } from "../documents/reader.ts";

/**
 * What a file is for.
 *
 * - `manifest`: objects of a cluster.
 * - `expectation`: `expect.yaml` or `*.expect.yaml`.
 * - `case`: `refused.yaml`, `exposure.yaml`, `placement.yaml`, which stand beside a case.
 * - `configuration`: `bulkhead.yaml`.
 * - `segregation`: a Segregation and nothing else.
 */
export type FileRole = "manifest" | "expectation" | "case" | "configuration" | "segregation";

/** The kind of the file in which a team says what it wants. */
const SEGREGATION = { apiVersion: "bulkhead.dev/v1", kind: "Segregation" } as const;

/** Whether a file in a folder is read at all: by its ending. */
export function isReadable(fileName: string): boolean {
  return /\.(?:ya?ml|json)$/.test(fileName);
}

/** Whether a file holds expectations: by its name. */
export function isExpectationFile(fileName: string): boolean {
  return fileName === "expect.yaml" || fileName.endsWith(".expect.yaml");
}

/**
 * Tells what a file is for.
 *
 * Takes the source. Returns its role: the name speaks first, but a file that holds an object of a cluster is a manifest
 * whatever its name, so that nothing is passed over. A Segregation among other objects counts as a manifest too.
 */
export function roleOf(source: Source): FileRole {
  const byName = roleByName(basename(source.name));
  if (byName !== "manifest") return holdsObject(source) ? "manifest" : byName;
  return source.text.includes(SEGREGATION.kind) && isSegregation(source) ? "segregation" : "manifest";
}

/** Whether a source holds a Segregation, alone or among other objects. */
export function holdsSegregation(source: Source): boolean {
  return source.text.includes(SEGREGATION.kind) && readDocuments([source]).documents.some(isSegregationObject);
}

function roleByName(name: string): FileRole {
  if (isExpectationFile(name)) return "expectation";
  switch (name) {
    case "refused.yaml":
    case "exposure.yaml":
    case "placement.yaml":
      return "case";
    case "bulkhead.yaml":
      return "configuration";
    default:
      return "manifest";
  }
}

function holdsObject(source: Source): boolean {
  if (!/["']?\bkind["']?\s*:/.test(source.text)) return false;
  return readDocuments([source]).documents.some((document) => document.apiVersion !== SEGREGATION.apiVersion);
}

function isSegregation(source: Source): boolean {
  const { documents, counts } = readDocuments([source]);
  return counts.refused === 0 && documents.length > 0 && documents.every(isSegregationObject);
}

function isSegregationObject(document: { readonly apiVersion: string; readonly kind: string }): boolean {
  return document.apiVersion === SEGREGATION.apiVersion && document.kind === SEGREGATION.kind;
}
