"use strict";
// Computes what the bundle computes, in the same order: answer, code, terms, odds, clip, recalibration.
const DATA = JSON.parse(document.getElementById("specification").textContent);
const SMALLEST = 1e-7;
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

function clean(values) {
  const clipped = values.map((v) => Math.min(Math.max(Number.isNaN(v) ? 1 / values.length : v, SMALLEST), 1));
  const sum = clipped.reduce((a, b) => a + b, 0);
  return clipped.map((v) => v / sum);
}

// Odds against the most probable class.
function oddsOf(scores) {
  const most = Math.max(...scores);
  return scores.map((s) => Math.exp(s - most));
}

function softmax(scores) {
  const odds = oddsOf(scores);
  const sum = odds.reduce((a, b) => a + b, 0);
  return odds.map((o) => o / sum);
}

// What the equation is given for an answer, and what to be careful about.
function coded(input, answer) {
  const absent = { code: input.absent === null ? NaN : input.absent, flag: "missing" };
  if (answer === null || answer === "") return absent;
  if (input.categories.length) {
    const place = input.categories.indexOf(answer);
    return place < 0 ? { code: -1, flag: "unseen" } : { code: place, flag: "" };
  }
  if (!NUMBER.test(answer)) return { code: NaN, flag: "no_number" };
  let value = Number(answer);
  const [low, high] = input.plausible;
  if ((low !== null && value < low) || (high !== null && value > high)) return { ...absent, flag: "implausible" };
  if (input.missing_codes.includes(value)) return absent;
  if (input.capped && value > 90 && value < 130) value = 90;
  const outside = (input.low !== null && value < input.low) || (input.high !== null && value > input.high);
  return { code: value, flag: outside ? "out_of_range" : "" };
}

function spline(value, knots, curve) {
  const first = knots[0], beforeLast = knots[knots.length - 2], last = knots[knots.length - 1];
  const own = knots[curve], towards = (last - own) / (last - beforeLast);
  const inside = Math.min(Math.max(value, first), last);
  const bent = Math.max(inside - own, 0) ** 3 - Math.max(inside - beforeLast, 0) ** 3 * towards;
  const end = 3 * ((last - own) ** 2 - (last - beforeLast) ** 2 * towards);
  return (bent + end * Math.max(value - last, 0)) / (last - first) ** 2;
}

function termValue(term, code) {
  if (term.kind === "missing") return Number.isNaN(code) ? 1 : 0;
  if (term.kind === "level") return code === term.level ? 1 : 0;
  const filled = Number.isNaN(code) ? term.fill : code;
  const shaped = term.knots.length ? spline(filled, term.knots, term.curve) : filled;
  return (shaped - term.centre) / term.scale;
}

function interpolate(value, x, y) {
  if (value <= x[0]) return y[0];
  if (value >= x[x.length - 1]) return y[y.length - 1];
  let at = 0;
  while (x[at + 1] <= value) at += 1;
  return y[at] + ((y[at + 1] - y[at]) / (x[at + 1] - x[at])) * (value - x[at]);
}

const expit = (score) => 1 / (1 + Math.exp(-score));
// Proportional odds: a score for each class but the lowest gives the risk of that class or a higher one.
const steps = (scores) => [1, ...scores.map(expit)].map((above, k) => above - (k < scores.length ? expit(scores[k]) : 0));
const both = (risk) => [1 - risk, risk];
const within = (p) => Math.min(Math.max(p, SMALLEST), 1 - SMALLEST);
const RECALIBRATE = {
  platt: (risk, p) => both(expit(p.slope[0] * Math.log(within(risk[1]) / (1 - within(risk[1]))) + p.intercept[0])),
  beta: (risk, p) => both(expit(p.abc[0] * Math.log(within(risk[1])) - p.abc[1] * Math.log1p(-within(risk[1])) + p.abc[2])),
  temperature: (risk, p) => softmax(clean(risk).map((r) => p.power[0] * Math.log(r))),
  vector: (risk, p) => softmax(clean(risk).map((r, k) => p.power[0] * Math.log(r) + p.shift[k])),
};
RECALIBRATE.shift = RECALIBRATE.vector;
for (const curve of ["isotonic", "venn_abers", "isotonic_and_platt", "venn_abers_and_platt"])
  RECALIBRATE[curve] = (risk, p) => both(interpolate(risk[1], p.x, p.y));

function recalibrated(risk, calibrator) {
  const own = calibrator.method === "none" ? risk : clean(RECALIBRATE[calibrator.method](risk, calibrator.parameters));
  return calibrator.then ? recalibrated(own, calibrator.then) : own;
}

function risks(codes) {
  const scores = DATA.equation.intercepts.slice();
  for (const term of DATA.equation.terms) {
    const value = termValue(term, codes[term.place]);
    term.coefficients.forEach((c, k) => { scores[k] += value * c; });
  }
  return recalibrated(clean(clean(DATA.equation.ordered ? steps(scores) : oddsOf(scores))), DATA.calibrator);
}

// The page.
const form = document.getElementById("patient");
let language = document.documentElement.lang in DATA.words ? document.documentElement.lang : "en";
const words = (key, values = {}) =>
  Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, () => value), DATA.words[language][key]);
const number = (value) => String(Number(value.toPrecision(4))).replace("-", "−");

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

// What a category is called: its label, with the code behind where several share it.
function shown(input, name) {
  const label = input.level_labels[name];
  if (label === undefined) return name;
  return Object.values(input.level_labels).filter((other) => other === label).length > 1 ? `${label} (${name})` : label;
}

function field(input, place) {
  const box = element("div", undefined, { class: "field" });
  const name = input.label || input.name, unit = DATA.words[language].units[place];
  const title = input.since ? words("days_after", { name, since: input.since }) : name;
  const label = element("label", unit ? `${title} (${unit})` : title, { for: `in${place}` });
  if (input.label) label.append(" ", element("small", input.name));
  box.append(label);
  let control;
  if (input.categories.length) {
    control = element("select", undefined, { id: `in${place}` });
    const settled = input.absent !== null && input.absent >= 0; // a box: what nobody ticked is its no
    if (!settled) control.append(element("option", words("unknown"), { value: "" }));
    input.categories.forEach((name) => name !== "" && control.append(element("option", shown(input, name), { value: name })));
    control.append(element("option", words("other"), { value: DATA.other }));
    if (settled) control.value = input.categories[input.absent];
  } else {
    control = element("input", undefined, { id: `in${place}`, type: "text", inputmode: "decimal", autocomplete: "off" });
    if (input.low !== null)
      box.append(element("small", words("seen", { low: number(input.low), high: number(input.high) })));
  }
  control.setAttribute("aria-describedby", `note${place}`);
  box.append(control, element("small", "", { id: `note${place}`, class: "note" }));
  return box;
}

function answers() {
  return DATA.inputs.map((input, place) => {
    const { value } = document.getElementById(`in${place}`);
    return input.categories.length ? value : value.trim();
  });
}

function show() {
  const given = answers();
  const found = DATA.inputs.map((input, place) => coded(input, given[place]));
  found.forEach(({ flag }, place) => {
    document.getElementById(`note${place}`).textContent = flag ? words(flag) : "";
  });
  const list = document.getElementById("risks");
  list.replaceChildren();
  delete list.dataset.risks;
  if (found.some((f) => f.flag === "no_number")) {
    document.getElementById("doubt").textContent = words("no_risk");
    return;
  }
  const risk = risks(found.map((f) => f.code));
  list.dataset.risks = JSON.stringify(risk);
  if (given.every((answer) => answer === "")) {
    document.getElementById("doubt").textContent = words("nothing");
    return;
  }
  DATA.classes.forEach((_class, k) => {
    if (DATA.classes.length === 2 && k === 0) return;
    list.append(element("li", words("risk", { name: DATA.words[language].classes[k], risk: (100 * risk[k]).toFixed(1) })));
  });
  const doubtful = found.filter((f) => f.flag).length;
  document.getElementById("doubt").textContent = doubtful ? words("doubt", { n: doubtful }) : "";
}

function draw() {
  const kept = form.childElementCount ? answers() : null;
  document.documentElement.lang = language;
  document.title = words("title");
  document.querySelectorAll("[data-word]").forEach((at) => { at.textContent = words(at.dataset.word); });
  const list = document.getElementById("caveats");
  list.replaceChildren(...DATA.words[language].caveats.map((text) => element("li", text)));
  form.replaceChildren(...DATA.inputs.map(field));
  if (kept) kept.forEach((value, place) => { document.getElementById(`in${place}`).value = value; });
  show();
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("language").addEventListener("click", () => {
  const all = Object.keys(DATA.words);
  language = all[(all.indexOf(language) + 1) % all.length];
  draw();
});
draw();
