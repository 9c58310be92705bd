// Checks a connector definition with a public tool:
//   node check-definition.mjs connector-schema DEFINITION SCHEMA   Microsoft's JSON schema
//   node check-definition.mjs swagger-parser DEFINITION            @apidevtools/swagger-parser
import { readFileSync } from "node:fs";
import SwaggerParser from "@apidevtools/swagger-parser";
import Ajv from "ajv-draft-04";
import { parse, printParseErrorCode } from "jsonc-parser";

// Extensions that the platform documents or reads although its published schema does not know them.
const UNKNOWN_TO_SCHEMA = new Set([
  "x-ms-agentic-protocol",
  "x-ms-name-for-model",
  "x-ms-description-for-model",
]);

function readJsonWithComments(file) {
  const errors = [];
  const value = parse(readFileSync(file, "utf8"), errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    const [{ error, offset }] = errors;
    throw new Error(`${file}: ${printParseErrorCode(error)} at offset ${offset}`);
  }
  return value;
}

function without(keys, value) {
  if (Array.isArray(value)) return value.map((item) => without(keys, item));
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([key]) => !keys.has(key));
  return Object.fromEntries(kept.map(([key, item]) => [key, without(keys, item)]));
}

// An error inside a union is reported once for each branch; the deepest ones name the actual fault.
function deepestFirst(errors) {
  const depth = ({ instancePath }) => instancePath.split("/").length;
  return [...errors].sort((a, b) => depth(b) - depth(a));
}

function connectorSchema(definition, schemaFile) {
  // The schema is older than the validator: no strict mode, no formats, no patterns in Unicode mode.
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, unicodeRegExp: false });
  const validate = ajv.compile(readJsonWithComments(schemaFile));
  const document = without(UNKNOWN_TO_SCHEMA, JSON.parse(readFileSync(definition, "utf8")));
  if (validate(document)) return [];
  return deepestFirst(validate.errors).map(
    ({ instancePath, message, params }) => `${instancePath || "/"} ${message} ${JSON.stringify(params)}`,
  );
}

async function swaggerParser(definition) {
  try {
    await SwaggerParser.validate(definition);
    return [];
  } catch (error) {
    return [error.message];
  }
}

const [check, definition, schemaFile] = process.argv.slice(2);
const checks = { "connector-schema": connectorSchema, "swagger-parser": swaggerParser };
if (!(check in checks) || definition === undefined) {
  console.error("usage: check-definition.mjs connector-schema|swagger-parser DEFINITION [SCHEMA]");
  process.exit(2);
}

const faults = await checks[check](definition, schemaFile);
const shown = 40;
for (const fault of faults.slice(0, shown)) console.error(fault);
if (faults.length > shown) console.error(`... and ${faults.length - shown} more`);
console.log(`${check}: ${faults.length === 0 ? "no fault" : `${faults.length} faults`} in ${definition}`);
process.exitCode = faults.length === 0 ? 0 : 1;
