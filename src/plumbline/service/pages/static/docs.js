import { byId, make } from "./common.js";

/** A short name of a JSON schema's type. */
function kind(schema) {
  if (!schema) return "anything";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(kind).join(" or ");
  if (schema.type === "array") return `list of ${kind(schema.items)}`;
  if (schema.format) return schema.format;
  return schema.type ?? "anything";
}

/** Limits of a value, in words. */
function limits(schema) {
  const own = schema.anyOf?.find((each) => each.type !== "null") ?? schema;
  const found = [];
  if (own.minimum !== undefined) found.push(`from ${own.minimum}`);
  if (own.maximum !== undefined) found.push(`to ${own.maximum}`);
  if (own.maxLength !== undefined) found.push(`at most ${own.maxLength} characters`);
  if (own.maxItems !== undefined) found.push(`at most ${own.maxItems} items`);
  return found.join(" ");
}

function rows(list) {
  const head = make("tr", {}, ["Name", "Type", "Meaning"].map((text) => make("th", { text })));
  return make("div", { class: "scroll" }, [make("table", {}, [
    make("thead", {}, [head]),
    make("tbody", {}, list.map(([name, schema, text]) => make("tr", {}, [
      make("td", {}, [make("code", { text: name })]),
      make("td", { text: [kind(schema), limits(schema)].filter(Boolean).join(", ") }),
      make("td", { text: text ?? "" }),
    ]))),
  ])]);
}

function properties(api, schema) {
  const named = schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema;
  return Object.entries(named?.properties ?? {}).map(([name, own]) => [name, own, own.description]);
}

function endpoint(api, path, method, operation) {
  const summary = make("summary", {}, [
    make("span", { class: `method ${method}`, text: method.toUpperCase() }),
    make("code", { text: path }),
    make("small", { text: ` ${operation.description ?? ""}` }),
  ]);
  const parts = [summary];
  if (operation.parameters?.length) {
    parts.push(make("h3", { text: "Parameters" }), rows(operation.parameters.map((each) => [each.name, each.schema, each.description])));
  }
  const body = operation.requestBody?.content["application/json"]?.schema;
  if (body) parts.push(make("h3", { text: "Body" }), rows(properties(api, body)));
  parts.push(make("h3", { text: "Answers" }));
  for (const [status, answer] of Object.entries(operation.responses)) {
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    parts.push(make("p", {}, [make("code", { text: status }), ` ${answer.description}${schema ? `: ${kind(schema)}` : ""}`]));
    if (status.startsWith("2")) {
      const fields = properties(api, schema?.type === "array" ? schema.items : schema);
      if (fields.length) parts.push(rows(fields));
    }
  }
  return make("details", { "data-path": path }, parts);
}

const api = await (await fetch("/openapi.json")).json();
byId("about").textContent = `${api.info.description} Version ${api.info.version}.`;
const groups = {};
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    (groups[operation.tags?.[0] ?? "other"] ??= []).push(endpoint(api, path, method, operation));
  }
}
for (const [tag, found] of Object.entries(groups)) {
  byId("endpoints").append(make("h2", { text: tag[0].toUpperCase() + tag.slice(1) }), ...found);
}
document.body.dataset.ready = "true";
