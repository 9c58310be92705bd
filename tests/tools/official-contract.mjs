// Calls every operation of the connector's definition, with the service in front of a mock (Prism) of
// OpenRouter's own OpenAPI document:
//   node official-contract.mjs SERVICE_BINARY DEFINITION OPENROUTER_DOCUMENT
//
// It fails when
//   - an operation has no example, or a parameter or body key of it is used by none (examples.mjs);
//   - an operation does not answer with a success it declares, or its answer does not fit its schema;
//   - the mock refuses what the service sent, or the service sent a key the document does not name.
//
// Between the service and Prism stands a recorder, because Prism says what it refused in its answers, and
// because a few of Prism's answers cannot be used as they are.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import SwaggerParser from "@apidevtools/swagger-parser";
import Ajv from "ajv-draft-04";
import { PNG, examples } from "./examples.mjs";
import { unknownKeys } from "./unknown-keys.mjs";

const HOST = "127.0.0.1";
const KEY = "sk-or-v1-official-contract";
// Where OpenRouter's API lives on its host. Prism leaves the base path of the document's server out.
const UPSTREAM_BASE = "/api/v1";

// Documented in OpenRouter's guides, and accepted by it, but not named in its OpenAPI document.
const ONLY_IN_GUIDES = new Set(["verbosity", "reasoning.max_tokens", "reasoning.exclude", "reasoning.enabled"]);

// An end user's id is part of every other generation request, and an unknown key does no harm here.
const ONLY_ELSEWHERE = new Set(["/images user"]);

// The document declares no 401 for these: they answer without a key, while Prism asks for one everywhere.
const KEYLESS = /^\/(models|model|providers|embeddings\/models|images\/models|videos\/models|endpoints\/zdr)(\/|$)/;

async function freePort() {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

class Program {
  constructor(name, command, args, options = {}) {
    this.name = name;
    this.output = "";
    this.child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    // Why it runs no more; undefined while it runs.
    this.end = undefined;
    this.ended = new Promise((done) => {
      this.child.once("exit", (code, signal) => done((this.end = `${name} ended with ${signal ?? code}`)));
      this.child.once("error", (error) => done((this.end = `${name} did not start: ${error.message}`)));
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on("data", (chunk) => (this.output = (this.output + chunk).slice(-20_000)));
    }
  }

  // Ready means: it answers HTTP at all.
  async ready(url, seconds) {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      try {
        await (await fetch(url)).arrayBuffer();
        return;
      } catch {
        if (this.end || Date.now() > deadline) {
          throw new Error(`${this.end ?? `${this.name} is not ready after ${seconds} s`}\n${this.output}`);
        }
        await new Promise((wake) => setTimeout(wake, 50));
      }
    }
  }

  async stop() {
    this.child.kill("SIGTERM");
    const killer = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await this.ended;
    clearTimeout(killer);
  }
}

// What Prism had against a request; faults of its own canned answers are not the service's.
function refusals(headers, status, text) {
  const refused = [];
  // With many violations Prism puts a sentence before a list it has cut off: then only the start is readable.
  const listed = headers.get("sl-violations") ?? "";
  for (const [, location, message] of listed.matchAll(/"location":\[([^\]]*)\].*?"message":"((?:[^"\\]|\\.)*)"/g)) {
    if (location.startsWith('"request"')) refused.push(message.replaceAll('\\"', '"'));
  }
  if (refused.length === 0 && status >= 400) refused.push(`${status} ${text.slice(0, 500)}`);
  // A union is refused once for each of its branches.
  return refused.slice(0, 8);
}

// The document's examples hold words where bytes belong, and one media type that no answer can have.
function usable(path, answer, says) {
  const type = answer.headers["content-type"] ?? "";
  if (path === "/audio/speech" && type === "audio/*") {
    return { ...answer, headers: { "content-type": "audio/mpeg" }, body: Buffer.from(`ID3\u0004${"\0".repeat(60)}`) };
  }
  if (!type.includes("json")) return answer;
  let text = answer.body.toString().replaceAll("<base64-encoded-image>", PNG);
  if (says !== undefined && path === "/chat/completions") {
    const chat = JSON.parse(text);
    chat.choices[0].message.content = says;
    text = JSON.stringify(chat);
  }
  return { ...answer, body: Buffer.from(text) };
}

function declaredRequest(document, method, path) {
  for (const [template, item] of Object.entries(document.paths)) {
    const pattern = new RegExp(`^${template.replace(/\{[^}]+\}/g, "[^/]+")}$`);
    if (item[method] && pattern.test(path)) return item[method];
  }
  return undefined;
}

function unknownToDocument(document, method, url, headers, body) {
  const operation = declaredRequest(document, method, url.pathname);
  if (!operation) return [];
  const names = new Set((operation.parameters ?? []).filter((p) => p.in === "query").map((p) => p.name));
  const unknown = [...url.searchParams.keys()].filter((name) => !names.has(name));
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  if (schema && body.length > 0 && headers["content-type"]?.includes("json")) {
    unknown.push(...unknownKeys(document, schema, JSON.parse(body)));
  }
  return unknown.filter((key) => !ONLY_IN_GUIDES.has(key) && !ONLY_ELSEWHERE.has(`${url.pathname} ${key}`));
}

// Forwards to Prism and notes every call; `says` is the text the mocked model answers with for now.
class Recorder {
  calls = [];
  says = undefined;

  constructor(document, prism) {
    this.document = document;
    this.prism = prism;
    this.server = createServer((request, response) => {
      this.forward(request).then(
        ({ status, headers, body }) => response.writeHead(status, headers).end(body),
        (error) => {
          this.calls.push({ what: request.url, status: 0, refused: [`the recorder failed: ${error.stack}`] });
          response.writeHead(500).end();
        },
      );
    });
  }

  async forward(request) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const method = request.method.toLowerCase();
    if (!request.url.startsWith(`${UPSTREAM_BASE}/`)) {
      throw new Error(`${request.method} ${request.url} is outside ${UPSTREAM_BASE}`);
    }
    const url = new URL(request.url.slice(UPSTREAM_BASE.length), this.prism);

    const headers = { ...request.headers };
    for (const name of ["host", "connection", "content-length", "transfer-encoding", "accept-encoding"]) {
      delete headers[name];
    }
    if (KEYLESS.test(url.pathname)) headers.authorization ??= `Bearer ${KEY}`;

    const reply = await fetch(url, { method: request.method, headers, body: body.length > 0 ? body : undefined });
    const answer = {
      status: reply.status,
      headers: { "content-type": reply.headers.get("content-type") ?? "" },
      body: Buffer.from(await reply.arrayBuffer()),
    };
    this.note(method, url, headers, body, reply, answer);
    return usable(url.pathname, answer, this.says);
  }

  note(method, url, headers, body, reply, answer) {
    const text = answer.body.toString();
    const call = { what: `${method.toUpperCase()} ${url.pathname}`, status: answer.status };
    call.refused = refusals(reply.headers, answer.status, text);
    // Not in the document, though it exists: the service goes on with /chat/completions.
    call.expected = call.what === "POST /completions" && text.includes("NO_PATH_MATCHED_ERROR");
    for (const key of unknownToDocument(this.document, method, url, headers, body)) {
      call.refused.push(`the document does not name ${key}`);
    }
    if (headers.authorization !== `Bearer ${KEY}`) call.refused.push("the key was not sent as it should be");
    this.calls.push(call);
  }
}

// The operations of a Swagger 2.0 document, with what a call needs to know of each.
function* operationsOf(definition) {
  const deref = (value) =>
    value?.$ref ? value.$ref.slice(2).split("/").reduce((node, key) => node[key], definition) : value;
  for (const [path, item] of Object.entries(definition.paths)) {
    for (const method of ["get", "put", "post", "delete", "patch"]) {
      const operation = item[method];
      if (!operation) continue;
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(deref);
      const bodySchema = parameters.find((p) => p.in === "body")?.schema;
      yield {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        bodySchema,
        query: parameters.filter((p) => p.in === "query").map((p) => p.name),
        bodyKeys: Object.keys(deref(bodySchema)?.properties ?? {}),
        responses: Object.fromEntries(Object.entries(operation.responses).map(([code, r]) => [code, deref(r)])),
      };
    }
  }
}

const pick = (values, names) => Object.fromEntries(Object.entries(values ?? {}).filter(([key]) => names.includes(key)));

class Contract {
  faults = [];
  rows = [];
  leftOut = new Set();
  answers = {};

  constructor(definition, address, recorder) {
    this.definition = definition;
    this.address = address;
    this.recorder = recorder;
    this.ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, unicodeRegExp: false });
  }

  fits(what, schema, value) {
    const validate = this.ajv.compile({ ...schema, definitions: this.definition.definitions });
    const faults = [];
    if (!validate(value)) {
      faults.push(...validate.errors.map((e) => `${e.instancePath || "/"} ${e.message}`));
    }
    faults.push(...unknownKeys(this.definition, schema, value).map((key) => `${key} is not declared`));
    return faults.map((fault) => `${what}: ${fault}`);
  }

  async call(operation, example, label) {
    const body = example.body && (example.lenient ? example.body : pick(example.body, operation.bodyKeys));
    const query = pick(example.query, operation.query);
    for (const key of Object.keys({ ...example.body, ...example.query })) {
      if (!(key in { ...body, ...query })) this.leftOut.add(`${operation.id}.${key}`);
    }
    const faults = [];
    if (body && !example.lenient) faults.push(...this.fits("the example", operation.bodySchema, body));

    const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => {
      if (example.path?.[name] === undefined) throw new Error(`the example has no ${name}`);
      return encodeURIComponent(example.path[name]);
    });
    const url = new URL(`${this.definition.basePath ?? ""}${path}`.replace(/^\/\//, "/"), this.address);
    url.search = new URLSearchParams(query);
    this.recorder.says = example.says;
    let response = await fetch(url, {
      method: operation.method,
      headers: {
        authorization: KEY,
        ...(body && { "content-type": "application/json" }),
        ...example.headers,
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    let text = await response.text();

    let jobId;
    if (response.status === 202 && text) {
      // Of the type of the 200, and the address says where that will be.
      const started = JSON.parse(text);
      faults.push(...this.fits("the 202", operation.responses[200].schema, started));
      jobId = started.job_id;
      const until = Date.now() + 60_000;
      while (response.status === 202 && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        response = await fetch(response.headers.get("location"));
        text = await response.text();
      }
    }
    const declared = operation.responses[response.status];
    if (!response.ok || !declared) {
      faults.push(`answered ${response.status}: ${text.slice(0, 500)}`);
    } else if (declared.schema && response.headers.get("content-type")?.includes("json")) {
      const answer = JSON.parse(text);
      this.answers[operation.id] = jobId ? { ...answer, job_id: jobId } : answer;
      faults.push(...this.fits("the answer", declared.schema, answer));
    }
    this.finish(label, response.status, faults);
  }

  finish(label, status, faults) {
    const calls = this.recorder.calls;
    this.recorder.calls = [];
    for (const call of calls.filter((c) => !c.expected)) {
      faults.push(...call.refused.map((reason) => `${call.what}: ${reason}`));
    }
    const upstream = calls.map((c) => `${c.what} ${c.status}${c.expected ? " (expected)" : ""}`).join(", ");
    this.rows.push([label, status, faults.length === 0 ? "ok" : "FAULT", upstream || "-"]);
    this.faults.push(...faults.map((fault) => `${label}: ${fault}`));
  }

  // Calls that no answer waited for: the catalogue at start, jobs in the background.
  finishOthers(label) {
    if (this.recorder.calls.length > 0) this.finish(label, "-", []);
  }

  async run(service) {
    this.finishOthers("(at start)");
    // In the order of the examples, since a later one may need the answer of an earlier one.
    const order = Object.keys(examples);
    const operations = [...operationsOf(this.definition)].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
    for (const operation of operations) {
      const used = new Set();
      for (const entry of examples[operation.id] ?? []) {
        let label = operation.id;
        try {
          const example = typeof entry === "function" ? entry(this.answers) : entry;
          label = `${operation.id}, ${example.name}`;
          for (const key of Object.keys({ ...example.query, ...example.body })) used.add(key);
          await this.call(operation, example, label);
        } catch (error) {
          this.finish(label, "-", [`the call failed: ${error.cause ?? error}`]);
        }
        if (service.end) {
          this.faults.push(`${service.end} at ${label}`);
          return;
        }
      }
      if (!examples[operation.id]) this.faults.push(`${operation.id}: no example in examples.mjs`);
      else {
        const unused = [...operation.query, ...operation.bodyKeys].filter((key) => !used.has(key));
        if (unused.length > 0) this.faults.push(`${operation.id}: no example uses ${unused.join(", ")}`);
      }
    }
    const known = new Set(operations.map((o) => o.id));
    for (const id of order.filter((id) => !known.has(id))) this.leftOut.add(id);
    this.finishOthers("(afterwards)");
  }
}

function print(contract) {
  const width = (column) => Math.max(...contract.rows.map((row) => String(row[column]).length), 0);
  for (const row of contract.rows) {
    console.log(row.map((cell, column) => String(cell).padEnd(column < 3 ? width(column) : 0)).join("  "));
  }
  if (contract.leftOut.size > 0) {
    console.log(`\nIn the examples but not in the definition: ${[...contract.leftOut].join(", ")}`);
  }
  for (const fault of contract.faults) console.error(`FAULT ${fault}`);
  console.log(`\nofficial-contract: ${contract.rows.length} calls, ${contract.faults.length} faults`);
}

async function main([binary, definitionFile, documentFile]) {
  if (documentFile === undefined) throw new Error("usage: official-contract.mjs BINARY DEFINITION DOCUMENT");
  const definition = JSON.parse(readFileSync(definitionFile, "utf8"));
  const document = await SwaggerParser.parse(documentFile);
  const scratch = mkdtempSync(join(tmpdir(), "official-contract-"));
  const programs = [];
  let recorder;
  try {
    const prismPort = await freePort();
    const prism = new Program("Prism", process.execPath, [
      createRequire(import.meta.url).resolve("@stoplight/prism-cli/dist/index.js"),
      ...["mock", "--host", HOST, "--port", String(prismPort), "--verboseLevel", "warn", resolve(documentFile)],
    ]);
    programs.push(prism);
    await prism.ready(`http://${HOST}:${prismPort}/`, 120);

    recorder = new Recorder(document, `http://${HOST}:${prismPort}`);
    recorder.server.listen(0, HOST);
    await once(recorder.server, "listening");

    const port = await freePort();
    const upstream = `http://${HOST}:${recorder.server.address().port}${UPSTREAM_BASE}`;
    // In a directory of its own, so that whatever it keeps goes away with it.
    const service = new Program(
      "the service",
      resolve(binary),
      ["serve", "--upstream-url", upstream, "--bind", `${HOST}:${port}`, "--store-url", "sqlite::memory:"],
      // One connection makes all calls, as fast as it can.
      { cwd: scratch, env: { ...process.env, OPENROUTER_CONNECTOR__LIMITS__CALLS: "0" } },
    );
    programs.unshift(service);
    await service.ready(`http://${HOST}:${port}/health`, 30);

    const contract = new Contract(definition, `http://${HOST}:${port}`, recorder);
    await contract.run(service);
    print(contract);
    if (contract.faults.length > 0) {
      process.exitCode = 1;
      if (service.output) console.error(`\n--- the service's last words\n${service.output.slice(-4000)}`);
    }
  } finally {
    for (const program of programs) await program.stop();
    recorder?.server.closeAllConnections();
    recorder?.server.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

await main(process.argv.slice(2));
