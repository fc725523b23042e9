// What the pages share: asking the service, and making elements without HTML in strings.

const KEY = "plumbline-key";

export const byId = (id) => document.getElementById(id);

/** An element with attributes (`class`, `text`, `on` for a click) and children. */
export function make(tag, attributes = {}, children = []) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** The answer to a question; throws Refused with the problem document. */
export async function ask(path, body) {
  const key = sessionStorage.getItem(KEY);
  const headers = key ? { "X-API-Key": key } : {};
  const options = { headers };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refused({ status: 0, detail: "The service does not answer.", errors: [] });
  }
  const content = await answer.json();
  if (!answer.ok) throw new Refused(content);
  return content;
}

/** Show what was refused, and ask for the key where one is needed. */
export function show(error, again) {
  const message = byId("message");
  if (!(error instanceof Refused)) throw error;
  const { status, detail, errors } = error.problem;
  message.textContent = [detail, ...errors.map((e) => `${e.field}: ${e.message}.`)].join(" ");
  message.hidden = false;
  if (status === 401) {
    byId("key-row").hidden = false;
    byId("key").onchange = () => {
      sessionStorage.setItem(KEY, byId("key").value);
      byId("key-row").hidden = true;
      clear();
      again?.();
    };
  }
}

export function clear() {
  byId("message").hidden = true;
}

export const score = (value, digits = 3) => (value === null ? "–" : value.toFixed(digits));
export const percent = (value) => (value === null ? "–" : `${(100 * value).toFixed(0)} %`);
export const number = (value) =>
  value === null ? "–" : value.toLocaleString("en-US", { maximumSignificantDigits: 4 });
