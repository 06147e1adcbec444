/** Holds real output against the published schemas. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { ROOT } from "./run.ts";

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });

/** What of the value breaks the schema; empty where nothing does. */
export function schemaProblems(name: string, value: unknown): string[] {
  const schema: Record<string, unknown> = JSON.parse(readFileSync(join(ROOT, `schemas/${name}.schema.json`), "utf8"));
  const validate = ajv.getSchema(`urn:bulkhead:schema:${name}:1`) ?? ajv.compile(schema);
  if (validate(value) === true) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ""}`);
}
