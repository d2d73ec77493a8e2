// The graph as arrays, and questions about it. Nothing here touches the page.

// What every view needs is read at once, as columns and typed arrays; what is asked for one at a
// time (sentences, evidence, aliases) stays text until then, in blocks.

const parsed = (id) => JSON.parse(document.getElementById(id).textContent);
const nodes = { label: [], group: [], x: [], y: [], ...parsed('nodes-data') };
const edges = { from: [], to: [], ...parsed('edges-data') };
const details = parsed('details-data');
const { look, types, relations, kinds, statuses, documents, words } = details;

/** A long table that travels in blocks of rows; a block is read when one of its rows is wanted. */
function blocks(name) {
  const texts = document.querySelectorAll(`script[data-block="${name}"]`);
  const read = new Array(texts.length);
  return (row) => {
    const block = Math.floor(row / details.block);
    read[block] ||= JSON.parse(texts[block].textContent);
    return read[block][row % details.block];
  };
}
/** Rows of evidence of an edge, to be unpacked by evidence(). */
const evidenceOf = blocks('evidence');
/** [document, field, text] of a sentence. */
const sentenceAt = blocks('sentences');
let about = null;
/** What is known of a node under a key (aliases, repositories, introduced, mentioned, licences, facts). */
function aboutNode(key, node) {
  about ||= parsed('about-data');
  return about[key][node] || [];
}

const nodeCount = nodes.label.length;
const edgeCount = edges.from.length;
/** Above this many nodes the page opens on an overview. */
const LARGE = 3000;
const OVERVIEW = 500;

const typeOf = Uint8Array.from(nodes.group);
const from = Int32Array.from(edges.from);
const to = Int32Array.from(edges.to);
const relationOf = Uint8Array.from(details.edges.relation);
/** The kinds of evidence of each edge as bits; the lowest one is the strongest kind. */
const kindBits = Uint8Array.from(details.edges.kinds);
const kindsOf = (e) => kinds.map((_, kind) => kind).filter((kind) => kindBits[e] & (1 << kind));
const kindOf = Uint8Array.from(kindBits, (bits) => (bits ? 31 - Math.clz32(bits & -bits) : 2));
const confidenceOf = Float64Array.from(details.edges.confidence);
const statusOf = Uint8Array.from(details.edges.status);
const communityOf = Int32Array.from(details.nodes.community);
const homeX = Float32Array.from(nodes.x);
const homeY = Float32Array.from(nodes.y);

/** The edges of each node, one after the other in one array. */
const edgesOf = (() => {
  const start = new Int32Array(nodeCount + 1);
  for (let e = 0; e < edgeCount; e++) {
    start[from[e] + 1]++;
    if (from[e] !== to[e]) start[to[e] + 1]++;
  }
  for (let node = 0; node < nodeCount; node++) start[node + 1] += start[node];
  const next = start.slice();
  const all = new Int32Array(start[nodeCount]);
  for (let e = 0; e < edgeCount; e++) {
    all[next[from[e]]++] = e;
    if (from[e] !== to[e]) all[next[to[e]]++] = e;
  }
  return (node) => all.subarray(start[node], start[node + 1]);
})();
/** The accepted edges of each node, which are what the page opens with. */
const degree = new Int32Array(nodeCount);
for (let e = 0; e < edgeCount; e++) {
  if (statuses[statusOf[e]] !== 'accepted') continue;
  degree[from[e]]++;
  if (from[e] !== to[e]) degree[to[e]]++;
}
const radius = Float32Array.from(degree, (d) => 4 + 1.9 * Math.sqrt(Math.min(d, 90)));

/** All nodes, those with the highest score first; sorts numbers alone, which browsers do fast. */
function ranked(score) {
  const most = score.reduce((a, b) => Math.max(a, b), 0);
  const packed = Float64Array.from(score, (value, node) => (most - value) * nodeCount + node).sort();
  return Array.from(packed, (value) => value % nodeCount);
}
const byDegree = ranked(degree);
let numbers = null;
/** The node with an id, or undefined. */
function numberOf(id) {
  numbers ||= new Map(details.nodes.iri.map((iri, node) => [iri, node]));
  return numbers.get(id);
}

/** Edges between the same two nodes, where there are several. */
const parallel = (() => {
  const first = new Map();
  const several = new Map();
  for (let e = 0; e < edgeCount; e++) {
    const key = Math.min(from[e], to[e]) * nodeCount + Math.max(from[e], to[e]);
    if (!first.has(key)) first.set(key, e);
    else if (several.has(key)) several.get(key).push(e);
    else several.set(key, [first.get(key), e]);
  }
  return [...several.values()];
})();
/** How far edges between the same two nodes bend, so that each can be seen and clicked. */
const bend = new Float32Array(edgeCount);
/** Bend the edges of which others between the same two nodes are visible too. */
function bendEdges(visible) {
  for (const group of parallel) {
    const seen = group.filter((e) => visible[e]);
    seen.forEach((e, i) => {
      const side = from[e] < to[e] ? 1 : -1;
      bend[e] = from[e] === to[e] ? i : side * (i - (seen.length - 1) / 2) * 0.22;
    });
  }
}

const other = (e, node) => (from[e] === node ? to[e] : from[e]);
const nameOf = (node) => nodes.label[node];
const relationStyle = (name) =>
  look.relations[name] || { group: Object.keys(look.groups)[0], words: name, inverse: name, lineage: '' };
const lineageKind = relations.map((name) => relationStyle(name).lineage);

/** Unpack a row of evidence; see kg/exporters/html.py. */
function evidence(row) {
  const [sentence, kind, extractor, rule, confidence, s0, s1, o0, o1, negated, premises] = row;
  const [doc, field, text] = sentenceAt(sentence);
  return {
    document: doc, field: words[field], text, kind: kinds[kind], extractor: words[extractor],
    rule: words[rule], confidence, negated: Boolean(negated), premises: premises || [],
    marks: [[s0, s1, 'subject'], [o0, o1, 'object']].filter(([start]) => start >= 0),
  };
}

/** From what an edge is inferred: its sentence only holds the name. */
const inferredFrom = (item) => (item.premises.length
  ? `Follows from: ${item.premises.join('; ')}`
  : `By its name (${item.rule})`);

/** What spellings of one name share: case, blanks, hyphens and underscores aside. */
const nameKey = (text) => (/^[ -~]*$/.test(text) ? text.toLowerCase().replace(/[ \-_]+/g, '') : foldName(text));
const foldName = (text) =>
  text.normalize('NFKC').toLowerCase().replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]/g, '')
    .replace(/[\s\-_\u2010-\u2015\u2212]+/g, '');

let keys = null;
function searchKeys() {
  keys ||= nodes.label.map((label, node) => [
    nameKey(label), nameKey(details.nodes.iri[node]),
    ...aboutNode('aliases', node).map(nameKey), ...aboutNode('repositories', node).map(nameKey),
  ]);
  return keys;
}

/** Return the nodes called `text`, best first, and whether they are only near misses. */
function search(text, limit = 12) {
  const wanted = nameKey(text);
  if (!wanted) return { hits: [], near: false };
  const parts = text.trim().split(/[\s\-_]+/).map(nameKey).filter(Boolean);
  const rows = [];
  searchKeys().forEach((spellings, node) => {
    let best = Infinity;
    let via = -1;
    for (let i = 0; i < spellings.length; i++) {
      const at = spellings[i].indexOf(wanted);
      let rank = Infinity;
      if (at >= 0) rank = spellings[i] === wanted ? 0 : at === 0 ? 1 : 3;
      else if (parts.length > 1 && parts.every((part) => spellings[i].includes(part))) rank = 4;
      // A name beats an alias, an alias beats an id.
      if (rank < Infinity) rank += i === 0 ? 0 : i === 1 ? 0.6 : 0.3;
      if (rank < best) { best = rank; via = i; }
    }
    if (best < Infinity) rows.push([best, -degree[node], node, via]);
  });
  if (rows.length) {
    rows.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    return { hits: rows.slice(0, limit).map((row) => ({ node: row[2], via: row[3] })), near: false, total: rows.length };
  }
  return { hits: nearest(wanted, 3), near: true, total: 0 };
}

/** Return the nodes whose names share most letter pairs with `wanted`. */
function nearest(wanted, limit) {
  const pairs = (text) => {
    const set = new Set();
    for (let i = 0; i < text.length - 1 && i < 60; i++) set.add(text.slice(i, i + 2));
    return set;
  };
  const goal = pairs(wanted);
  const scored = [];
  searchKeys().forEach((spellings, node) => {
    const have = pairs(spellings[0]);
    let shared = 0;
    for (const pair of goal) if (have.has(pair)) shared++;
    if (shared) scored.push([(2 * shared) / (goal.size + have.size), node]);
  });
  scored.sort((a, b) => b[0] - a[0] || degree[b[1]] - degree[a[1]]);
  return scored.slice(0, limit).map(([, node]) => ({ node, via: 0 }));
}

/** Return the nodes within `hops` of `start` over edges that `passes`. */
function within(start, hops, passes) {
  const reached = new Set([start]);
  let border = [start];
  for (let hop = 0; hop < hops; hop++) {
    const next = [];
    for (const node of border) {
      for (const e of edgesOf(node)) {
        const far = other(e, node);
        if (passes(e) && !reached.has(far)) { reached.add(far); next.push(far); }
      }
    }
    border = next;
  }
  return reached;
}

/** Return a shortest path as { nodes, edges }, or null; of equals, the best evidenced. */
function shortestPath(start, goal, passes) {
  const via = new Map([[start, -1]]);
  let border = [start];
  while (border.length && !via.has(goal)) {
    const next = [];
    for (const node of border) {
      const sorted = edgesOf(node).slice().sort((a, b) => confidenceOf[b] - confidenceOf[a]);
      for (const e of sorted) {
        const far = other(e, node);
        if (passes(e) && !via.has(far)) { via.set(far, e); next.push(far); }
      }
    }
    border = next;
  }
  if (!via.has(goal)) return null;
  const path = { nodes: [goal], edges: [] };
  for (let node = goal; node !== start;) {
    const e = via.get(node);
    node = other(e, node);
    path.edges.unshift(e);
    path.nodes.unshift(node);
  }
  return path;
}

/**
 * Return the family tree of `root`: what it came from (up) and what came of it (down), as hops
 * { node, edge, kind, parent } by distance. A family is drawn at its member but not climbed; from
 * a family that is asked for itself one goes down through its members.
 */
function lineage(root, passes) {
  const walk = (direction) => {
    const hops = [];
    const seen = new Set([root]);
    let border = [root];
    for (let depth = 1; border.length && depth <= 12; depth++) {
      const next = [];
      for (const node of border) {
        for (const e of edgesOf(node)) {
          const kind = lineageKind[relationOf[e]];
          const up = direction === 'up';
          if (!kind || !passes(e) || (up ? from[e] : to[e]) !== node || from[e] === to[e]) continue;
          const far = other(e, node);
          if (seen.has(far)) continue;
          seen.add(far);
          hops.push({ node: far, edge: e, kind, parent: node, depth });
          if (!(kind === 'family' && up)) next.push(far);
        }
      }
      border = next;
    }
    return hops;
  };
  const up = walk('up');
  const below = walk('down');
  const above = new Set(up.map((hop) => hop.node));
  return { root, up, down: below.filter((hop) => !above.has(hop.node)) };
}
const isLineage = (node) => edgesOf(node).some((e) => lineageKind[relationOf[e]] && lineageKind[relationOf[e]] !== 'data');
