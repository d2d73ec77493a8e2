// What is looked at, and what of the graph is therefore visible. The URL fragment mirrors it.

const fresh = () => ({
  view: 'graph', // or 'table'
  node: -1, edge: -1, // what the panel shows
  focus: -1, hops: 1,
  path: null, // [from, to]
  pathFrom: -1, // waiting for the other end
  lineage: -1,
  hiddenTypes: new Set(), hiddenRelations: new Set(), hiddenKinds: new Set(),
  statuses: new Set([0]), // shown ones; 0 is accepted
  confidence: 0,
  loose: true, // nodes without a visible edge
  document: -1, years: null,
  all: nodeCount <= LARGE,
  theme: '', // as the system, else 'light' or 'dark'
  rows: 'nodes',
});
const state = fresh();
/** Nodes opened on top of the overview. */
const opened = new Set();

const overview = (() => {
  if (nodeCount <= LARGE) return null;
  // Families first: their members hang on them, and people look for them by name.
  const family = relations.indexOf('memberOf');
  const members = new Int32Array(nodeCount);
  for (let e = 0; e < edgeCount; e++) if (relationOf[e] === family) members[to[e]]++;
  return new Set(ranked(degree.map((d, node) => d + 4 * members[node])).slice(0, OVERVIEW));
})();

const shown = { nodes: new Uint8Array(nodeCount), edges: new Uint8Array(edgeCount), nodeTotal: 0, edgeTotal: 0 };
/** Nodes and edges in the light, the rest is dimmed; null where all are equal. */
let emphasis = null;
let tree = null; // lineage, while it is drawn
/** The neighbourhood in focus, while it stands alone: { root, rings }, rings by distance. */
let star = null;
/** A neighbourhood of more nodes than this is lit where it stands, among the others. */
const STAR = 160;
let path = null;

const yearOf = documents.map((row) => row[4]);
const years = yearOf.filter((year) => year);
const firstYear = years.reduce((a, b) => Math.min(a, b), years[0] || 0);
const lastYear = years.reduce((a, b) => Math.max(a, b), 0);

/** Whether the filters let an edge through, its ends aside. */
function passes(e) {
  if (e === state.edge) return true; // what the panel explains is seen
  if (state.hiddenRelations.has(relationOf[e])) return false;
  if (confidenceOf[e] < state.confidence) return false;
  if (!state.statuses.has(statusOf[e])) return false;
  if (state.hiddenKinds.size && kindsOf(e).every((kind) => state.hiddenKinds.has(kind))) return false;
  if (state.hiddenTypes.has(typeOf[from[e]]) || state.hiddenTypes.has(typeOf[to[e]])) return false;
  if (state.document >= 0 && !inDocuments(e, (doc) => doc === state.document)) return false;
  if (state.years && !inDocuments(e, (doc) => !yearOf[doc] || (yearOf[doc] >= state.years[0] && yearOf[doc] <= state.years[1]))) return false;
  return true;
}
const inDocuments = (e, test) =>
  evidenceOf(e).some((row) => test(sentenceAt(row[0])[0]));

function inDocument(node, doc) {
  return aboutNode('mentioned', node).some(([d]) => d === doc)
    || aboutNode('introduced', node).includes(doc);
}

/** A node with its visible edges and their other ends. */
function around(node) {
  const visible = edgesOf(node).filter((e) => shown.edges[e]);
  return { nodes: new Set([node, ...Array.from(visible, (e) => other(e, node))]), edges: new Set(visible) };
}

/**
 * The visible nodes of a neighbourhood by distance from its middle, as [node, parent]; the
 * innermost by relation, so that what is tied in the same way stands together.
 */
function rings(root, near) {
  const out = [];
  const seen = new Set([root]);
  let border = [root];
  while (border.length) {
    const next = [];
    for (const node of border) {
      const reach = Array.from(edgesOf(node)).filter((e) => passes(e) && near.has(other(e, node)) && shown.nodes[other(e, node)]);
      reach.sort((a, b) => relationOf[a] - relationOf[b] || Number(from[a] === node) - Number(from[b] === node) || a - b);
      for (const e of reach) {
        const far = other(e, node);
        if (!seen.has(far)) { seen.add(far); next.push([far, node]); }
      }
    }
    if (next.length) out.push(next);
    border = next.map(([node]) => node);
  }
  return out;
}

/** Work out what is visible from the state; return whether anything came or went. */
function refresh() {
  const before = shown.nodes.slice();
  let changed = false;
  tree = state.lineage >= 0 ? lineage(state.lineage, passes) : null;
  path = state.path ? shortestPath(state.path[0], state.path[1], passes) : null;
  const near = state.focus >= 0 ? within(state.focus, state.hops, passes) : null;
  const alone = near && !tree && !state.path && near.size <= STAR;
  const family = tree && new Set([tree.root, ...tree.up.map((hop) => hop.node), ...tree.down.map((hop) => hop.node)]);
  const must = new Set([...(near || []), ...(path ? path.nodes : []), ...(state.path || [])]);
  const linked = new Uint8Array(nodeCount);
  shown.nodeTotal = 0;
  shown.edgeTotal = 0;
  const base = (node) => state.all || overview.has(node) || opened.has(node) || must.has(node);
  for (let node = 0; node < nodeCount; node++) {
    let visible = family ? family.has(node) : alone ? near.has(node) : base(node);
    if (visible && state.hiddenTypes.has(typeOf[node])) visible = false;
    if (visible && state.document >= 0 && !inDocument(node, state.document)) visible = false;
    shown.nodes[node] = visible ? 1 : 0;
  }
  const treeEdges = tree && new Set([...tree.up, ...tree.down].map((hop) => hop.edge));
  for (let e = 0; e < edgeCount; e++) {
    const visible = Boolean(shown.nodes[from[e]] && shown.nodes[to[e]] && passes(e)
      && (!tree || treeEdges.has(e) || lineageKind[relationOf[e]]));
    if (shown.edges[e] !== Number(visible)) { changed = true; shown.edges[e] = visible ? 1 : 0; }
    if (visible) { linked[from[e]] = 1; linked[to[e]] = 1; shown.edgeTotal++; }
  }
  for (let node = 0; node < nodeCount; node++) {
    if (shown.nodes[node] && !state.loose && !linked[node] && !must.has(node) && node !== state.node) shown.nodes[node] = 0;
    shown.nodeTotal += shown.nodes[node];
    if (shown.nodes[node] !== before[node]) changed = true;
  }
  star = alone ? { root: state.focus, rings: rings(state.focus, near) } : null;
  emphasis = null;
  if (star) {
    // Nothing else is drawn: only what a click has chosen need be lit.
    if (state.edge >= 0) emphasis = { nodes: new Set([from[state.edge], to[state.edge]]), edges: new Set([state.edge]) };
    else if (state.node >= 0 && state.node !== state.focus) emphasis = around(state.node);
  } else if (!tree) {
    if (path) emphasis = { nodes: new Set(path.nodes), edges: new Set(path.edges) };
    else if (near) emphasis = { nodes: near, edges: null };
    else if (state.edge >= 0) emphasis = { nodes: new Set([from[state.edge], to[state.edge]]), edges: new Set([state.edge]) };
    else if (state.node >= 0) emphasis = around(state.node);
  }
  return changed;
}

// The fragment: short keys, ids as they stand, only what differs from the start.
const list = (set, names) => [...set].map((i) => names[i]).join(',');
const unlist = (text, names) => new Set(text.split(',').map((name) => names.indexOf(name)).filter((i) => i >= 0));
const edgeKey = (e) => [details.nodes.iri[from[e]], relations[relationOf[e]], details.nodes.iri[to[e]]].join('~');
const idOf = (node) => details.nodes.iri[node];

function fragment() {
  const values = new URLSearchParams();
  const put = (key, value) => values.set(key, value);
  if (state.view !== 'graph') put('view', state.rows === 'edges' ? 'edges' : 'table');
  if (state.node >= 0) put('n', idOf(state.node));
  if (state.edge >= 0) put('e', edgeKey(state.edge));
  if (state.focus >= 0) { put('focus', idOf(state.focus)); put('hops', String(state.hops)); }
  if (state.path) put('path', state.path.map(idOf).join('~'));
  if (state.lineage >= 0) put('lineage', idOf(state.lineage));
  if (state.hiddenTypes.size) put('hide', list(state.hiddenTypes, types));
  if (state.hiddenRelations.size) put('hiderel', list(state.hiddenRelations, relations));
  if (state.hiddenKinds.size) put('hidekind', list(state.hiddenKinds, kinds));
  if (state.statuses.size !== 1 || !state.statuses.has(0)) put('status', list(state.statuses, statuses));
  if (state.confidence > 0) put('conf', state.confidence.toFixed(2));
  if (!state.loose) put('loose', '0');
  if (state.document >= 0) put('doc', documents[state.document][0]);
  if (state.years) put('years', state.years.join('-'));
  if (state.all && nodeCount > LARGE) put('all', '1');
  if (opened.size && !state.all) put('open', [...opened].slice(0, 60).map(idOf).join(','));
  if (state.theme) put('theme', state.theme);
  if (byHand) put('at', placeOf(view).join(','));
  return values.toString().replace(/%2F/g, '/').replace(/%7E/g, '~').replace(/%2C/g, ',');
}

/** Read a fragment; return the state and what in it is unknown here. */
function fromFragment(text) {
  const next = fresh();
  const unknown = [];
  let values;
  try { values = new URLSearchParams(text.replace(/^#/, '')); } catch { return { next, unknown, place: null }; }
  const node = (key) => {
    const id = values.get(key);
    if (!id) return -1;
    const found = numberOf(id) ?? byName(id);
    if (found < 0) unknown.push(id);
    return found;
  };
  const view = values.get('view');
  if (view === 'table' || view === 'edges') { next.view = 'table'; next.rows = view === 'edges' ? 'edges' : 'nodes'; }
  next.node = node('n');
  next.focus = node('focus');
  next.hops = Math.min(3, Math.max(1, Number(values.get('hops')) || 1));
  next.lineage = node('lineage');
  const edge = values.get('e');
  if (edge) {
    const [s, r, o] = edge.split('~');
    const start = numberOf(s);
    const hit = start === undefined ? undefined
      : edgesOf(start).find((e) => idOf(from[e]) === s && relations[relationOf[e]] === r && idOf(to[e]) === o);
    if (hit === undefined) unknown.push(edge); else next.edge = hit;
  }
  const ends = (values.get('path') || '').split('~').map((id) => numberOf(id));
  if (ends.length === 2 && ends.every((end) => end !== undefined)) next.path = ends;
  if (values.get('hide')) next.hiddenTypes = unlist(values.get('hide'), types);
  if (values.get('hiderel')) next.hiddenRelations = unlist(values.get('hiderel'), relations);
  if (values.get('hidekind')) next.hiddenKinds = unlist(values.get('hidekind'), kinds);
  if (values.has('status')) next.statuses = unlist(values.get('status'), statuses);
  next.confidence = Math.min(1, Math.max(0, Number(values.get('conf')) || 0));
  next.loose = values.get('loose') !== '0';
  next.document = documents.findIndex((row) => row[0] === values.get('doc'));
  const range = (values.get('years') || '').split('-').map(Number);
  if (range.length === 2 && range.every(Number.isFinite) && range[0]) next.years = range;
  next.all = nodeCount <= LARGE || values.get('all') === '1';
  const theme = values.get('theme');
  if (theme === 'light' || theme === 'dark') next.theme = theme;
  const spot = (values.get('at') || '').split(',').map(Number);
  const place = spot.length === 3 && spot.every(Number.isFinite) && spot[2] > 0 ? spot : null;
  opened.clear();
  for (const id of (values.get('open') || '').split(',')) if (numberOf(id) !== undefined) opened.add(numberOf(id));
  return { next, unknown, place };
}

function byName(name) {
  const key = nameKey(name);
  return searchKeys().findIndex((spellings) => spellings.includes(key));
}
