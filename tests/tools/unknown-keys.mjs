// The keys of a value that its schema does not name, as dotted paths. JSON Schema lets unknown keys pass
// unless it is told otherwise; here an object with named properties is taken to name all of them.
export function unknownKeys(document, schema, value, path = "") {
  return find(document, [schema], value, path);
}

function find(document, schemas, value, path) {
  const parts = schemas.flatMap((schema) => flatten(document, schema));
  if (Array.isArray(value)) {
    const items = parts.flatMap((part) => part.items ?? []);
    return items.length === 0 ? [] : value.flatMap((item) => find(document, items, item, path));
  }
  if (value === null || typeof value !== "object") return [];
  const named = parts.filter((part) => part.properties);
  // A schema whose fields another operation tells has more than it names.
  const open = parts.flatMap((part) => part.additionalProperties || (part["x-ms-dynamic-schema"] ? true : []));
  // Nothing is said about its keys: a free-form object.
  if (named.length === 0 && open.length === 0) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const inner = path === "" ? key : `${path}.${key}`;
    const known = named.flatMap((part) => part.properties[key] ?? []);
    if (known.length > 0) return find(document, known, item, inner);
    if (open.length > 0) return find(document, open.filter((part) => part !== true), item, inner);
    return [inner];
  });
}

// A schema with its references and combinations laid out flat: whatever any branch allows is allowed.
function flatten(document, schema) {
  if (schema.$ref) {
    const target = schema.$ref.slice(2).split("/").reduce((node, key) => node[key], document);
    return flatten(document, target);
  }
  const branches = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [schema, ...branches.flatMap((branch) => flatten(document, branch))];
}
