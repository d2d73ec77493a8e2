"use strict";

// The query page: no library, nothing from elsewhere, everything asked of the same origin.

const PAGE = 100;
const find = (id) => document.getElementById(id);
const state = { questions: [], terms: [], prefixes: {}, answer: null, page: 0, chosen: 0, names: [] };

const EXAMPLE = `SELECT ?student ?teacher ?sentence WHERE {
  ?a mlkg:status mlkg:Accepted ; rdf:predicate mlkg:distilledFrom ;
     rdf:subject ?student ; rdf:object ?teacher ; mlkg:hasEvidence/mlkg:sentence ?sentence .
} LIMIT 20`;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// --- asking ------------------------------------------------------------------------------------

async function run() {
  const query = find("query").value;
  history.replaceState(null, "", "#q=" + encodeURIComponent(query));
  const begin = performance.now();
  find("status").textContent = "asking …";
  find("error").hidden = true;
  const accept = "application/sparql-results+json, application/n-triples;q=0.9";
  let response, text;
  try {
    response = await fetch("/sparql", {
      method: "POST",
      headers: { Accept: accept, "Content-Type": "application/sparql-query" },
      body: query,
    });
    text = await response.text();
  } catch (error) {
    return fail("the server does not answer: " + error.message);
  }
  if (!response.ok) return fail(text);
  const kind = response.headers.get("Content-Type");
  state.answer = kind.includes("json") ? JSON.parse(text) : triples(text);
  state.page = 0;
  const ms = Math.round(performance.now() - begin);
  show();
  const rows = state.answer.results ? state.answer.results.bindings.length : null;
  find("status").textContent = (rows === null ? "" : rows + (rows === 1 ? " row, " : " rows, ")) + ms + " ms";
  if (rows === 0) await explain(query);
  offer("json", "application/json", JSON.stringify(state.answer));
  if (rows !== null) offer("csv", "text/csv", csv());
}

// Say why there are no rows: a term that the ontology or a name that the graph does not have.
async function explain(query) {
  const asked = { method: "POST", headers: { "Content-Type": "application/sparql-query" }, body: query };
  const response = await fetch("/hints", asked);
  const hints = response.ok ? await response.json() : [];
  if (hints.length) find("table").querySelector(".dim").textContent = hints.join("\n");
}

function fail(message) {
  state.answer = null;
  show();
  find("status").textContent = "";
  find("error").textContent = message.trim();
  find("error").hidden = false;
}

function offer(id, type, text) {
  const link = find(id);
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.hidden = false;
}

function csv() {
  const { vars } = state.answer.head;
  const cell = (value) => '"' + (value ? value.value : "").replaceAll('"', '""') + '"';
  const lines = state.answer.results.bindings.map((row) => vars.map((name) => cell(row[name])));
  return [vars.map((name) => `"${name}"`), ...lines].map((line) => line.join(",") + "\r\n").join("");
}

// N-Triples as rows of three columns.
function triples(text) {
  const term = /<([^>]*)>|_:(\S+)|"((?:[^"\\]|\\.)*)"(?:\^\^<[^>]*>|@[\w-]+)?/g;
  const bindings = text.split("\n").filter(Boolean).map((line) => {
    const found = [...line.matchAll(term)].map((m) => m[1] !== undefined
      ? { type: "uri", value: m[1] } : { type: m[2] ? "bnode" : "literal", value: unescaped(m[2] ?? m[3]) });
    return { subject: found[0], predicate: found[1], object: found[2] };
  });
  return { head: { vars: ["subject", "predicate", "object"] }, results: { bindings } };
}

function unescaped(text) {
  const plain = { n: "\n", r: "\r", t: "\t" };
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g, (_, four, eight, one) =>
    four || eight ? String.fromCodePoint(parseInt(four || eight, 16)) : plain[one] ?? one);
}

// --- showing -----------------------------------------------------------------------------------

function shorten(iri) {
  let best = iri;
  for (const [name, namespace] of Object.entries(state.prefixes)) {
    const rest = iri.startsWith(namespace) ? iri.slice(namespace.length) : "";
    if (/^[\w.-]+$/.test(rest) && name.length + rest.length + 1 < best.length) best = name + ":" + rest;
  }
  return best;
}

function local(iri) {
  const ours = /^https:\/\/w3id\.org\/mlkg\/(?=ontology#|(model|dataset|benchmark|method|task|metric|doc|assertion|evidence|result|fact|extractor|run)\/)/;
  return iri.replace(ours, "/");
}

function shown(value) {
  if (!value) return "";
  if (value.type !== "uri") return value.value;
  if (!/^https?:/.test(value.value)) return value.value;
  return element("a", { href: local(value.value), textContent: shorten(value.value) });
}

function show() {
  const table = find("table");
  table.replaceChildren();
  find("graph").replaceChildren();
  find("tabs").hidden = !(state.answer && state.answer.results);
  if (!state.answer) return;
  if (!state.answer.results) {
    table.append(element("p", { textContent: state.answer.boolean ? "yes" : "no" }));
    return;
  }
  const { vars } = state.answer.head;
  const rows = state.answer.results.bindings;
  const part = rows.slice(state.page * PAGE, (state.page + 1) * PAGE);
  const head = element("tr", {}, ...vars.map((name) => element("th", { textContent: name, scope: "col" })));
  const body = part.map((row) => element("tr", {}, ...vars.map((name) => element("td", {}, shown(row[name])))));
  table.append(element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
  if (!rows.length) table.append(element("p", { className: "dim", textContent: "No rows." }));
  pages(rows.length);
  draw(vars, rows);
}

function pages(count) {
  const last = Math.ceil(count / PAGE);
  const turn = (by) => () => { state.page += by; show(); };
  const box = find("pages");
  box.replaceChildren();
  if (last < 2) return;
  box.append(
    element("button", { type: "button", textContent: "‹", disabled: state.page === 0, onclick: turn(-1) }),
    ` page ${state.page + 1} of ${last} `,
    element("button", { type: "button", textContent: "›", disabled: state.page === last - 1, onclick: turn(1) }),
  );
}

// The things of the rows on a circle; what stands in one row is joined by an arrow, called by the
// relation between the two where a column holds one, else by the column that it leads to.
function draw(vars, rows) {
  const most = 60;
  const nodes = new Map();
  const found = new Map();
  const relation = ({ value }, name) => name === "predicate" || /^mlkg:[a-z]/.test(shorten(value));
  for (const row of rows) {
    let last = null;
    let words = "";
    for (const name of vars) {
      const thing = row[name];
      if (!thing || thing.type !== "uri") continue;
      if (relation(thing, name)) { words = shorten(thing.value); continue; }
      if (nodes.size < most && !nodes.has(thing.value)) nodes.set(thing.value, 0);
      const ends = [last, thing.value];
      if (last !== null && last !== thing.value && ends.every((end) => nodes.has(end))) {
        const line = [...ends, words || name];
        found.set(line.join(" "), line);
      }
      last = thing.value;
      words = "";
    }
  }
  const lines = [...found.values()];
  const size = 800, radius = 300, svgName = "http://www.w3.org/2000/svg";
  const make = (name, attributes, text) => {
    const made = document.createElementNS(svgName, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  };
  const svg = make("svg", { viewBox: `0 0 ${size} ${size}`, role: "img" });
  svg.append(make("title", {}, `${nodes.size} things and ${lines.length} joins`));
  [...nodes.keys()].forEach((name, i) => {
    const angle = (2 * Math.PI * i) / nodes.size;
    nodes.set(name, [size / 2 + radius * Math.cos(angle), size / 2 + radius * Math.sin(angle)]);
  });
  const head = make("marker", { id: "head", viewBox: "0 0 10 10", refX: 20, refY: 5, markerWidth: 7, markerHeight: 7, orient: "auto" });
  head.append(make("path", { d: "M0 0 10 5 0 10Z" }));
  svg.append(head);
  const labels = [];
  for (const [from, to, label] of lines) {
    const [x1, y1] = nodes.get(from), [x2, y2] = nodes.get(to);
    svg.append(make("line", { x1, y1, x2, y2, "marker-end": "url(#head)" }));
    labels.push(make("text", { x: (x1 + x2) / 2, y: (y1 + y2) / 2, "text-anchor": "middle", class: "relation" }, label));
  }
  // Of many lines the words would only cover one another.
  if (labels.length <= 40) svg.append(...labels);
  for (const [name, [x, y]] of nodes) {
    const link = make("a", { href: local(name) });
    const side = x < size / 2 ? "end" : "start";
    link.append(make("circle", { cx: x, cy: y, r: 6 }),
      make("text", { x: x + (side === "end" ? -10 : 10), y: y + 4, "text-anchor": side }, shorten(name)));
    svg.append(link);
  }
  find("graph").append(nodes.size ? svg : element("p", { className: "dim", textContent: "No things to draw." }));
}

// --- completing --------------------------------------------------------------------------------

function complete() {
  const box = find("query");
  const before = box.value.slice(0, box.selectionStart);
  const typed = before.match(/[\w:.-]*$/)[0];
  const list = find("completion");
  if (typed.length < 2) return close();
  const lower = typed.toLowerCase();
  state.names = state.terms.filter((term) => term.name.toLowerCase().startsWith(lower)
    || (!typed.includes(":") && term.name.toLowerCase().split(":")[1]?.startsWith(lower))).slice(0, 20);
  if (!state.names.length || state.names[0].name === typed) return close();
  state.chosen = 0;
  list.replaceChildren(...state.names.map((term, i) => element("li", {
    role: "option",
    onmousedown: (event) => { event.preventDefault(); take(i); },
  }, term.name, element("small", { textContent: term.definition }))));
  mark();
  const line = before.split("\n").length;
  list.style.top = Math.min(line * 21 + 12, box.clientHeight) + "px";
  list.style.left = Math.min(before.split("\n").pop().length * 8, box.clientWidth - 200) + "px";
  list.hidden = false;
}

function mark() {
  [...find("completion").children].forEach((item, i) => {
    item.setAttribute("aria-selected", String(i === state.chosen));
    if (i === state.chosen) item.scrollIntoView({ block: "nearest" });
  });
}

function close() { find("completion").hidden = true; }

function take(index) {
  const box = find("query");
  const start = box.value.slice(0, box.selectionStart).search(/[\w:.-]*$/);
  box.setRangeText(state.names[index].name, start, box.selectionStart, "end");
  close();
  box.focus();
}

function keys(event) {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.preventDefault(); close(); run(); return; }
  if (event.ctrlKey && event.key === " ") { event.preventDefault(); complete(); return; }
  if (find("completion").hidden) return;
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves) {
    state.chosen = (state.chosen + moves[event.key] + state.names.length) % state.names.length;
    mark();
  } else if (event.key === "Enter" || event.key === "Tab") take(state.chosen);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
}

// --- canned questions --------------------------------------------------------------------------

function choose() {
  const form = find("parameters");
  const question = state.questions.find((item) => item.name === find("canned").value);
  form.replaceChildren();
  form.hidden = !question;
  if (!question) return;
  for (const item of question.parameters) {
    const input = element("input", { name: item.name, placeholder: item.optional ? "any" : "", required: !item.optional });
    form.append(element("label", { title: item.about }, item.about + " ", input));
  }
  form.append(element("button", { textContent: "Ask" }));
  // Run asks what stands in the box: the question that was chosen, and none from before.
  find("query").value = question.sparql.trim();
  if (question.parameters.length) form.querySelector("input").focus();
  else bind();
}

async function bind(event) {
  event?.preventDefault();
  const name = find("canned").value;
  const given = new URLSearchParams(new FormData(find("parameters")));
  const response = await fetch(`/questions/${encodeURIComponent(name)}?${given}`);
  if (!response.ok) return fail(await response.text());
  const bound = await response.json();
  find("query").value = bound.query;
  await run();
  if (bound.notes) find("status").textContent += " · " + bound.notes;
}

// --- start -------------------------------------------------------------------------------------

async function start() {
  const linked = location.hash.startsWith("#q=") ? decodeURIComponent(location.hash.slice(3)) : "";
  find("query").value = linked || EXAMPLE;
  find("run").onclick = run;
  find("query").onkeydown = keys;
  find("query").oninput = complete;
  find("query").onblur = close;
  find("canned").onchange = choose;
  find("parameters").onsubmit = bind;
  find("copy").onclick = async () => {
    history.replaceState(null, "", "#q=" + encodeURIComponent(find("query").value));
    await navigator.clipboard?.writeText(location.href);
    find("status").textContent = "link copied";
  };
  find("theme").onclick = () => {
    const root = document.documentElement;
    const dark = getComputedStyle(root).colorScheme.includes("dark") && (root.dataset.theme === "dark"
      || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches));
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  };
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  for (const tab of document.querySelectorAll("[data-tab]")) {
    tab.onclick = () => {
      for (const other of document.querySelectorAll("[data-tab]")) {
        other.setAttribute("aria-pressed", String(other === tab));
        find(other.dataset.tab).hidden = other !== tab;
      }
    };
  }
  const [questions, terms] = await Promise.all(
    ["/questions", "/terms"].map(async (path) => (await fetch(path)).json()));
  state.questions = questions;
  state.prefixes = terms.prefixes;
  state.terms = [...terms.terms,
    ...Object.entries(terms.prefixes).map(([name, iri]) => ({ name: name + ":", definition: iri })),
    ...["rdf:type", "rdf:subject", "rdf:predicate", "rdf:object", "rdfs:label", "skos:altLabel",
      "owl:sameAs", "dcterms:title", "dcterms:identifier", "nif:isString", "foaf:page"]
      .map((name) => ({ name, definition: "" }))];
  find("canned").append(...questions.map((item) =>
    element("option", { value: item.name, textContent: `${item.name}: ${item.title}` })));
  document.body.dataset.ready = "yes";
  if (document.activeElement === document.body) find("query").focus();
  if (linked) run();
}

start();
