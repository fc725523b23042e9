import { ask, byId, clear, make, percent, score, show } from "./common.js";

let kpis = [];
let creators = [];
let pending = 0;

const sliders = () => [...byId("weights").querySelectorAll("input[type=range]")];

/** Weights as the sliders stand; they need not add up: the service takes shares of their sum. */
const weights = () => Object.fromEntries(sliders().map((slider) => [slider.name, Number(slider.value)]));

function label() {
  const chosen = weights();
  const total = Object.values(chosen).reduce((sum, weight) => sum + weight, 0);
  for (const slider of sliders()) {
    slider.parentElement.querySelector("output").textContent = total ? `${(100 * chosen[slider.name] / total).toFixed(1)} %` : "–";
  }
  const tiers = [...new Set(kpis.map((kpi) => kpi.tier))];
  byId("tiers").replaceChildren(...tiers.map((tier) => {
    const own = kpis.filter((kpi) => kpi.tier === tier).reduce((sum, kpi) => sum + chosen[kpi.kpi], 0);
    return make("div", { "data-tier": tier, text: `Tier ${tier} ` }, [make("b", { text: total ? percent(own / total) : "–" })]);
  }));
}

function move(before, after) {
  if (before === after || before === null || after === null) return make("span", { text: after ?? "–" });
  const up = after < before;
  return make("span", { class: up ? "up" : "down", text: `${after} ${up ? "▲" : "▼"} from ${before}` });
}

function present(result) {
  const order = [...result.creators].sort((a, b) => (a.reweighted_rank ?? 1e9) - (b.reweighted_rank ?? 1e9));
  const heads = ["Creator", "Rank now", "Score now", "Weights that hold", "Equal weights"];
  byId("ranks").replaceChildren(
    make("thead", {}, [make("tr", {}, heads.map((text, n) => make("th", { class: n > 1 ? "number" : null, text })))]),
    make("tbody", {}, order.map((row) => make("tr", { "data-creator": row.creator_id }, [
      make("td", { text: row.creator_id }),
      make("td", {}, [move(row.rank, row.reweighted_rank)]),
      make("td", { class: "number", text: score(row.reweighted_score) }),
      make("td", { class: "number", text: score(row.overall_score) }),
      make("td", { class: "number", text: score(row.equal_weight_score) }),
    ]))),
  );
}

/** Ask again; of several questions on their way only the last answer counts. */
async function update() {
  label();
  const asked = ++pending;
  try {
    const result = await ask("/compare-weights", { creators, weights: weights() });
    if (asked !== pending) return;
    clear();
    present(result);
  } catch (error) {
    show(error, update);
  }
}

function set(of) {
  for (const slider of sliders()) slider.value = of(kpis.find((kpi) => kpi.kpi === slider.name));
  update();
}

function build() {
  for (const tier of [...new Set(kpis.map((kpi) => kpi.tier))]) {
    const rows = kpis.filter((kpi) => kpi.tier === tier).map((kpi) =>
      make("label", { class: "slider", title: kpi.meaning }, [
        make("span", { text: kpi.title }),
        make("input", { type: "range", name: kpi.kpi, min: 0, max: 0.5, step: 0.005, value: kpi.weight }),
        make("output"),
      ]));
    byId("weights").append(make("fieldset", {}, [make("legend", { text: `Tier ${tier}` }), ...rows]));
  }
}

byId("weights").oninput = update;
byId("given").onclick = () => set((kpi) => kpi.weight);
byId("equal").onclick = () => set(() => 0.1);

async function start() {
  try {
    [{ kpis }, creators] = await Promise.all([ask("/weights"), ask("/demo-creators")]);
    build();
    await update();
    document.body.dataset.ready = "true";
  } catch (error) {
    show(error, start);
  }
}
start();
