import { ask, byId, clear, make, number, percent, score, show } from "./common.js";

let titles = {};

/** One input field; its unit and limits come from the reference tables. */
function field(input) {
  const hint = input.role === "target" ? `default ${number(input.default_value)}` : "";
  const control = make("input", {
    type: "number", step: "any", name: input.field, id: `field-${input.field}`,
    placeholder: hint, title: `${input.definition} (${number(input.min_value)} to ${number(input.max_value)})`,
  });
  return make("label", {}, [make("span", { text: input.title }), control]);
}

/** The form: inputs by the first KPI that reads them, then targets, then counts. */
function build(weights) {
  const inputs = Object.fromEntries(weights.inputs.map((input) => [input.field, input]));
  titles = Object.fromEntries(weights.inputs.map((input) => [input.field, input.title]));
  const used = new Set();
  const group = (fields) => make("div", { class: "fields" }, fields.map((name) => field(inputs[name])));
  const take = (names) => names.filter((name) => !used.has(name) && used.add(name));
  for (const kpi of weights.kpis) {
    const fields = take(kpi.components.flatMap((part) => part.fields));
    if (!fields.length) continue;
    const legend = make("legend", { text: `${kpi.title} ` }, [
      make("small", { text: `weight ${percent(kpi.weight)}, tier ${kpi.tier}` }),
    ]);
    byId("form").append(make("fieldset", { "data-kpi": kpi.kpi }, [legend, group(fields)]));
  }
  const rest = (role) => take(weights.inputs.filter((input) => input.role === role).map((input) => input.field));
  for (const [title, note, fields] of [
    ["Targets", "what was agreed; the default where nothing was", rest("target")],
    ["Counts behind the figures", "with them confidence and test plans are sharper", [...rest("sample"), ...rest("measure")]],
  ]) {
    const summary = make("summary", { text: `${title} ` }, [make("small", { text: note })]);
    byId("form").append(make("details", {}, [summary, group(fields)]));
  }
}

/** Inputs that were filled in; a blank field is null. */
function read() {
  const body = { creator_id: "page" };
  for (const control of byId("form").elements) {
    if (!control.name) continue;
    if (control.validity.badInput) body[control.name] = control.value || "not a number";
    else body[control.name] = control.value.trim() === "" ? null : Number(control.value);
  }
  return body;
}

function mark(names) {
  for (const control of byId("form").elements) {
    if (control.name) control.setAttribute("aria-invalid", names.includes(control.name) ? "true" : "false");
  }
  const first = names.map((name) => byId(`field-${name}`)).find(Boolean);
  if (first) {
    first.closest("details")?.setAttribute("open", "");
    first.focus();
  }
}

function tile(kpi) {
  const bar = make("i");
  bar.style.setProperty("--part", `${100 * (kpi.score ?? 0)}%`);
  return make("div", { class: `tile ${kpi.level ?? "none"}`, "data-kpi": kpi.kpi }, [
    make("span", { text: kpi.title }),
    make("b", { text: score(kpi.score) }),
    make("div", { class: "bar" }, [bar]),
    make("small", { text: kpi.score === null ? "insufficient data" : `${kpi.level}, headroom ${score(kpi.headroom)}` }),
    make("small", { text: `coverage ${percent(kpi.coverage)}, weight ${percent(kpi.weight)}` }),
  ]);
}

function card(item) {
  const plan = item.test_plan;
  const baseline = plan.baseline === null
    ? `Measure ${titles[plan.primary_metric] ?? plan.primary_metric} first: its baseline is not known.`
    : `Test: ${titles[plan.primary_metric] ?? plan.primary_metric} from ${number(plan.baseline)}, to see a change of ` +
      `${number(plan.minimum_detectable_effect)}.`;
  const size = plan.sample_size_per_arm === null ? "" : ` ${plan.sample_size_per_arm.toLocaleString("en-US")} units (${plan.unit}) in each arm.`;
  return make("article", { class: "card", "data-action": item.action }, [
    make("h4", { text: `${item.place}. ${item.title}` }),
    make("p", { text: `About ${item.effort_hours} hours, confidence ${percent(item.confidence)}, evidence ${item.evidence_grade.toUpperCase()}.` }),
    make("ul", {}, item.what_to_do.map((step) => make("li", { text: step }))),
    make("p", { class: "plan", text: `${baseline}${size} ${plan.stopping_rule}` }),
  ]);
}

function table(rows, columns) {
  const cell = (tag, column, text) => make(tag, { class: column.number ? "number" : null, text });
  return [
    make("thead", {}, [make("tr", {}, columns.map((column) => cell("th", column, column.title)))]),
    make("tbody", {}, rows.map((row) => make("tr", {}, columns.map((column) => cell("td", column, column.of(row)))))),
  ];
}

function present(result) {
  byId("empty").hidden = true;
  byId("result").hidden = false;
  byId("comparison").hidden = true;
  byId("overall").textContent = score(result.overall_score);
  byId("level").textContent = result.level ?? result.status;
  byId("level").className = `level ${result.level ?? "none"}`;
  const name = Object.fromEntries(result.kpis.map((kpi) => [kpi.kpi, kpi.title]));
  const facts = [
    ...result.tiers.map((tier) => [`Tier ${tier.tier}`, score(tier.score)]),
    ["Coverage", percent(result.coverage)],
    ["Revenue focus", percent(result.revenue_focus)],
    ["Effort of all steps", `${result.effort_hours} h`],
    ["Most headroom", result.bottlenecks.map((kpi) => name[kpi]).join(", ") || "–"],
  ];
  byId("facts").replaceChildren(...facts.map(([term, value]) =>
    make("div", { class: term === "Most headroom" ? "wide" : null }, [make("dt", { text: term }), make("dd", { text: value })])));
  byId("tiles").replaceChildren(...result.kpis.map(tile));
  byId("recommendations").replaceChildren(...(result.recommendations.length
    ? result.recommendations.map(card)
    : [make("p", { class: "hint", text: result.next_steps[0] })]));
  byId("issues").replaceChildren(...table(result.issues, [
    { title: "Component", of: (issue) => issue.title },
    { title: "KPI", of: (issue) => name[issue.kpi] },
    { title: "Severity", of: (issue) => issue.severity },
    { title: "Score", number: true, of: (issue) => score(issue.score) },
    { title: "Impact", number: true, of: (issue) => score(issue.impact, 4) },
  ]));
}

function contrast(result) {
  const change = result.percentage_change;
  const text = result.weighting_effect === null
    ? "Insufficient data: there is no score to compare. "
    : `Given weights ${score(result.overall_score, 4)}, equal weights ${score(result.equal_weight_score, 4)}: a weighting ` +
      `effect of ${result.weighting_effect.toFixed(4)}${change === null ? "" : ` (${change >= 0 ? "+" : ""}${change.toFixed(2)} %)`}. `;
  byId("comparison").replaceChildren(text, make("a", { href: result.explanation_url, text: "Why that is no improvement" }));
  byId("comparison").hidden = false;
}

async function run(work) {
  clear();
  mark([]);
  try {
    await work();
  } catch (error) {
    show(error, () => run(work));
    mark((error.problem?.errors ?? []).map((each) => each.field));
  }
}

byId("analyse").onclick = () => run(async () => present(await ask("/analyze", read())));
byId("compare").onclick = () => run(async () => {
  const body = read();
  present(await ask("/analyze", body));
  contrast(await ask("/compare-algorithms", body));
});
byId("demo").onclick = () => run(async () => {
  byId("form").reset();
  const record = await ask("/demo-data");
  for (const [name, value] of Object.entries(record)) {
    const control = byId(`field-${name}`);
    if (control) control.value = value;
  }
});
byId("reset").onclick = () => {
  byId("form").reset();
  clear();
  mark([]);
  byId("result").hidden = true;
  byId("empty").hidden = false;
};
byId("form").onsubmit = (event) => {
  event.preventDefault();
  byId("analyse").click();
};

const start = async () => {
  build(await ask("/weights"));
  document.body.dataset.ready = "true";
};
run(start);
