// Everything a person does comes through here: change the state, then show what follows from it.

const said = document.getElementById('said');
let toastTimer = 0;
/** Say something to screen readers, and to everyone where it answers a press of a button. */
function say(text, visible = false) {
  said.textContent = text;
  if (!visible) return;
  said.classList.add('toast');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => said.classList.remove('toast'), 1800);
}

let treeRoot = -1;
let starKey = '';
/** Change the state and show it. `push` makes a step that the back button undoes. */
function update(changes, { push = true, fit: refit = false, legend: withLegend = true, history: write = true } = {}) {
  Object.assign(state, changes);
  if (network && !alwaysNetwork) closeNetwork(true);
  const changed = refresh();
  const root = tree ? tree.root : -1;
  const key = star ? [star.root, ...star.rings.map((ring) => ring.length)].join() : '';
  const rearranged = root !== treeRoot || key !== starKey;
  if (rearranged || root >= 0) arrange();
  starKey = key;
  treeRoot = root;
  if (changed || !nodeBuckets.length) sortOut();
  renderPanel();
  if (withLegend) renderLegend();
  else document.getElementById('reset').disabled = !filtering();
  renderNotice();
  renderViewBar();
  showView();
  showRelax();
  if (rearranged || refit) { front = null; fit(false); }
  if (alwaysNetwork && state.view === 'graph') openNetwork(false);
  redraw();
  if (write) writeAddress(push);
}

function writeAddress(push) {
  const text = fragment();
  const now = location.hash.replace(/^#/, '');
  if (text === now) return;
  try {
    const address = text ? `#${text}` : location.pathname + location.search;
    if (push) history.pushState(null, '', address); else history.replaceState(null, '', address);
  } catch {
    // A frame without an address of its own (srcdoc) has no history to write.
  }
}

function readAddress(first) {
  const { next, unknown, place } = fromFragment(location.hash);
  clearTimeout(noting);
  Object.assign(state, next);
  applyTheme();
  update({}, { history: false, fit: first });
  if (unknown.length) say(`Not in this graph: ${unknown.join(', ')}.`, true);
  const target = emphasis ? [...emphasis.nodes] : [];
  if (place) { byHand = true; moveTo(viewAt(place), false, true); }
  else if (target.length && !tree && !star) moveTo(viewOf(target, 1.1), !first);
  else if (byHand) fit(false);
}

function select(node, { show = true } = {}) {
  if (state.pathFrom >= 0 && node !== state.pathFrom) {
    const start = state.pathFrom;
    update({ pathFrom: -1, path: [start, node], node: -1, edge: -1, focus: -1, lineage: -1 });
    if (path) moveTo(viewOf(path.nodes, 1.2));
    say(path ? `Path of ${plural(path.edges.length, 'hop')}.` : 'There is no path.');
    return;
  }
  if (!shown.nodes[node]) {
    opened.add(node);
    state.lineage = -1;
    state.focus = -1;
  }
  update({ node, edge: -1 });
  if (show && state.view === 'graph') reveal(node);
  say(`${nameOf(node)}, ${types[typeOf[node]]}, ${plural(degree[node], 'link')}.`);
}
function selectEdge(e) {
  if (!shown.nodes[from[e]]) opened.add(from[e]);
  if (!shown.nodes[to[e]]) opened.add(to[e]);
  update({ edge: e, node: -1 });
  say(`${nameOf(from[e])} ${relationStyle(relations[relationOf[e]]).words} ${nameOf(to[e])}, ${statedBy(e)}.`);
}
function clearSelection() {
  if (state.node < 0 && state.edge < 0) return;
  update({ node: -1, edge: -1 });
}
/** One step out: selection, then path or neighbourhood or lineage. */
function leave(whole = false) {
  if (!whole && state.pathFrom >= 0) { state.pathFrom = -1; renderViewBar(); redraw(); return; }
  if (!whole && (state.node >= 0 || state.edge >= 0)) { clearSelection(); return; }
  if (state.focus >= 0 || state.path || state.lineage >= 0) update({ focus: -1, path: null, lineage: -1, node: -1, edge: -1 }, { fit: true });
}
function openFocus(node, hops) {
  update({ focus: node, hops, path: null, lineage: -1, node, edge: -1, view: 'graph' });
  const around_ = star ? star.rings.reduce((sum, ring) => sum + ring.length, 0) : emphasis.nodes.size - 1;
  if (star) fit(false); else moveTo(viewOf(emphasis.nodes, 1.2));
  say(`${plural(around_, 'neighbour')} within ${plural(hops, 'hop')}.`);
}
function openLineage(node) {
  update({ lineage: node, focus: -1, path: null, node: -1, edge: -1, view: 'graph' });
  say(`Lineage of ${nameOf(node)}: ${plural(tree.up.length, 'ancestor')}, ${plural(tree.down.length, 'descendant')}.`);
}
function startPath(node) {
  state.pathFrom = node;
  renderViewBar();
  redraw();
  say('Choose the other end of the path.');
  if (document.body.classList.contains('narrow')) document.body.classList.remove('has-details');
}
function openNeighbours(node) {
  const before = opened.size;
  opened.add(node);
  for (const e of edgesOf(node)) if (passes(e)) opened.add(other(e, node));
  // What is opened belongs to the whole graph, not to the part that is looked at.
  update({ node, edge: -1, lineage: -1, focus: -1 });
  moveTo(viewOf(emphasis ? emphasis.nodes : [node], 1.2));
  if (opened.size > before + 1) say(`${plural(opened.size - before - 1, 'node')} opened.`);
}

function showView() {
  const table = state.view === 'table';
  tableHome.hidden = !table;
  document.body.classList.toggle('as-table', table);
  document.getElementById('as-graph').setAttribute('aria-pressed', String(!table));
  document.getElementById('as-table').setAttribute('aria-pressed', String(table));
  renderTable();
}

// Theme: the system's, until a person says otherwise; then it is kept, and stands in the address.
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const stored = () => { try { return localStorage.getItem('mlkg-theme') || ''; } catch { return ''; } };
function applyTheme() {
  const theme = state.theme || stored() || (systemDark.matches ? 'dark' : 'light');
  document.documentElement.dataset.theme = theme;
  types.forEach((type, i) => document.documentElement.style.setProperty(`--type-${i}`, look.types[type] ? look.types[type][theme] : 'var(--muted)'));
  for (const [name, group] of Object.entries(look.groups)) document.documentElement.style.setProperty(`--group-${name}`, group[theme]);
  const button = document.getElementById('theme');
  button.setAttribute('aria-label', `Switch to ${theme === 'dark' ? 'light' : 'dark'} colours`);
  button.title = button.getAttribute('aria-label');
  readPalette();
  if (network) openNetwork(false);
  schedule();
}
function switchTheme() {
  state.theme = dark() ? 'light' : 'dark';
  try { localStorage.setItem('mlkg-theme', state.theme); } catch { /* not kept, then */ }
  applyTheme();
  writeAddress(false);
}

// Search.
const input = document.getElementById('search');
const found = document.getElementById('found');
let active = -1;
let hits = [];
function showFound() {
  const text = input.value;
  const answer = search(text);
  hits = answer.hits;
  active = hits.length && !answer.near ? 0 : -1;
  found.replaceChildren();
  const open = text.trim() !== '';
  found.hidden = !open;
  input.setAttribute('aria-expanded', String(open));
  if (open && !hits.length) found.append(h('li', { class: 'none', role: 'option', 'aria-disabled': 'true', 'aria-selected': 'false' }, 'Nothing is called that.'));
  if (open && answer.near && hits.length) found.append(h('li', { class: 'none', role: 'option', 'aria-disabled': 'true', 'aria-selected': 'false' }, 'Nothing is called that. The nearest are:'));
  hits.forEach(({ node, via }, i) => {
    const alias = via > 1 ? [...aboutNode('aliases', node), ...aboutNode('repositories', node)][via - 2] : '';
    found.append(h('li', { role: 'option', id: `found-${i}`, 'aria-selected': 'false', onpointerdown: (event) => { event.preventDefault(); choose(i); } },
      typeIcon(typeOf[node]), h('bdi', { class: 'hit' }, nameOf(node)), alias && alias !== nameOf(node) ? h('bdi', { class: 'quiet via' }, alias) : null,
      h('span', { class: 'quiet end' }, `${types[typeOf[node]]} · ${plural(degree[node], 'link')}`)));
  });
  markActive();
  if (open) said.textContent = answer.near ? 'No match.' : `${plural(answer.total, 'match', 'matches')}.`;
}
function markActive(scroll = false) {
  for (let i = 0; i < hits.length; i++) document.getElementById(`found-${i}`).setAttribute('aria-selected', String(i === active));
  if (active >= 0) { input.setAttribute('aria-activedescendant', `found-${active}`); if (scroll) document.getElementById(`found-${active}`).scrollIntoView({ block: 'nearest' }); } else input.removeAttribute('aria-activedescendant');
}
function closeFound() {
  found.hidden = true;
  hits = [];
  active = -1;
  input.setAttribute('aria-expanded', 'false');
  input.removeAttribute('aria-activedescendant');
}
function choose(i) {
  const { node } = hits[i];
  closeFound();
  input.value = '';
  if (state.pathFrom < 0 && tree) state.lineage = -1;
  select(node);
  canvas.focus({ preventScroll: true });
}
input.addEventListener('input', showFound);
input.addEventListener('focus', () => { if (input.value) showFound(); });
input.addEventListener('blur', closeFound);
input.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    if (!hits.length) return;
    event.preventDefault();
    active = (active + (event.key === 'ArrowDown' ? 1 : -1) + hits.length) % hits.length;
    markActive(true);
  } else if (event.key === 'Enter') {
    event.preventDefault();
    if (hits.length) choose(Math.max(active, 0));
  } else if (event.key === 'Escape') {
    event.preventDefault();
    event.stopPropagation();
    input.value = '';
    closeFound();
    canvas.focus({ preventScroll: true });
  }
});

// Pointers: mouse, pen and fingers alike.
const pointers = new Map();
let press = null;
let pinch = null;
const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
canvas.addEventListener('pointerdown', (event) => {
  if (event.button > 0) return;
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at(event));
  glide = null;
  if (pointers.size === 1) {
    const [x, y] = at(event);
    const node = shown.nodeTotal <= LARGE ? nodeAt(x, y, event.pointerType === 'mouse' ? 4 : 10) : -1;
    press = { x, y, lastX: x, lastY: y, moved: false, node, type: event.pointerType };
  } else if (pointers.size === 2) { press = null; pinch = spread(); }
});
function spread() {
  const [a, b] = [...pointers.values()];
  return { d: Math.hypot(a[0] - b[0], a[1] - b[1]), x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
}
canvas.addEventListener('pointermove', (event) => {
  const [x, y] = at(event);
  if (pointers.has(event.pointerId)) pointers.set(event.pointerId, [x, y]);
  if (pinch && pointers.size === 2) {
    const next = spread();
    view.x += next.x - pinch.x;
    view.y += next.y - pinch.y;
    zoomBy(next.d / Math.max(pinch.d, 1), next.x, next.y);
    pinch = next;
  } else if (press) {
    if (!press.moved && Math.hypot(x - press.x, y - press.y) < (press.type === 'mouse' ? 4 : 9)) return;
    if (!press.moved) { press.moved = true; canvas.classList.add('moving'); }
    const dx = x - press.lastX;
    const dy = y - press.lastY;
    press.lastX = x;
    press.lastY = y;
    if (press.node >= 0) {
      posX[press.node] += dx / view.k;
      posY[press.node] += dy / view.k;
      if (!tree && !star) { homeX[press.node] = posX[press.node]; homeY[press.node] = posY[press.node]; }
      redraw();
    } else { view.x += dx; view.y += dy; notePlace(true); schedule(); }
  } else {
    const node = nodeAt(x, y, 3);
    const edge = node < 0 && shown.edgeTotal < 6000 ? edgeAt(x, y, 4) : -1;
    canvas.style.cursor = node >= 0 || edge >= 0 ? 'pointer' : 'grab';
    if (node !== hovered) { hovered = node; schedule(); }
  }
});
function lift(event) {
  pointers.delete(event.pointerId);
  if (pointers.size < 2) pinch = null;
  const done = press;
  if (pointers.size === 0) press = null;
  canvas.classList.remove('moving');
  if (!done || done.moved || event.type === 'pointercancel') return;
  const slack = done.type === 'mouse' ? 6 : 12;
  const node = nodeAt(done.x, done.y, slack);
  // What is in the light is meant rather than what is dimmed, and what is hit rather than near.
  const dimmed = node >= 0 && emphasis !== null && !star && !emphasis.nodes.has(node);
  const beside = node >= 0 && nodeAt(done.x, done.y, 1) < 0;
  const edge = node < 0 || dimmed || beside ? edgeAt(done.x, done.y, beside ? 4 : slack) : -1;
  if (edge >= 0) selectEdge(edge);
  else if (node >= 0) select(node, { show: false });
  else clearSelection();
}
canvas.addEventListener('pointerup', lift);
canvas.addEventListener('pointercancel', lift);
canvas.addEventListener('pointerleave', () => { if (hovered >= 0) { hovered = -1; schedule(); } });
canvas.addEventListener('dblclick', (event) => {
  const node = nodeAt(...at(event));
  if (node >= 0) openNeighbours(node); else zoomBy(1.6, ...at(event), true);
});
canvas.addEventListener('wheel', (event) => {
  event.preventDefault();
  const step = event.deltaMode === 1 ? event.deltaY * 18 : event.deltaY;
  zoomBy(Math.exp(-Math.max(-240, Math.min(240, step)) * (event.ctrlKey ? 0.01 : 0.0022)), ...at(event));
}, { passive: false });

/** The neighbour of the selected node that lies in a direction, or the nearest visible node. */
function toward(dx, dy) {
  if (state.node < 0) {
    let best = -1;
    let least = Infinity;
    for (const node of labelOrder) {
      const d = Math.hypot(posX[node] * view.k + view.x - width / 2, posY[node] * view.k + view.y - height / 2);
      if (d < least) { least = d; best = node; }
    }
    return best;
  }
  let best = -1;
  let score = Infinity;
  const around = edgesOf(state.node).filter((e) => shown.edges[e]).map((e) => other(e, state.node));
  for (const node of around.length ? around : labelOrder) {
    if (node === state.node) continue;
    const vx = posX[node] - posX[state.node];
    const vy = posY[node] - posY[state.node];
    const length = Math.hypot(vx, vy) || 1;
    const along = (vx * dx + vy * dy) / length;
    if (along < 0.35) continue;
    const cost = length * (1.6 - along);
    if (cost < score) { score = cost; best = node; }
  }
  return best;
}
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener('keydown', (event) => {
  const arrow = ARROWS[event.key];
  if (arrow && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    if (event.shiftKey) { moveTo({ k: view.k, x: view.x - arrow[0] * 90, y: view.y - arrow[1] * 90 }, true, true); return; }
    const node = toward(...arrow);
    if (node >= 0) select(node); else say('No neighbour in that direction.');
  } else if (event.key === 'Enter' && state.node >= 0) {
    event.preventDefault();
    const title = panel.querySelector('h2');
    if (title) title.focus();
  }
});

const typing = (target) => /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== 'checkbox';
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById('help-dialog').open) return;
  if (event.key === 'Escape') { if (!shareMenu.hidden) { closeShare(); shareButton.focus(); } else leave(); return; }
  if (typing(event.target)) return;
  const chosen = state.node >= 0 ? state.node : -1;
  const act = {
    '/': () => input.focus(), '?': openHelp, '+': () => zoomBy(1.3, undefined, undefined, true), '=': () => zoomBy(1.3, undefined, undefined, true), '-': () => zoomBy(1 / 1.3, undefined, undefined, true),
    0: () => fit(true, true), t: () => update({ view: state.view === 'table' ? 'graph' : 'table' }), d: switchTheme,
    f: () => chosen >= 0 && openFocus(chosen, state.focus === chosen ? (state.hops % 3) + 1 : 1),
    l: () => chosen >= 0 && openLineage(chosen), p: () => chosen >= 0 && startPath(chosen), o: () => chosen >= 0 && openNeighbours(chosen),
  }[event.key];
  if (act) { event.preventDefault(); act(); }
});

// Buttons.
const shareButton = document.getElementById('share');
const shareMenu = document.getElementById('share-menu');
function closeShare() { shareMenu.hidden = true; shareButton.setAttribute('aria-expanded', 'false'); }
shareButton.addEventListener('click', () => {
  shareMenu.hidden = !shareMenu.hidden;
  shareButton.setAttribute('aria-expanded', String(!shareMenu.hidden));
  if (!shareMenu.hidden) shareMenu.querySelector('button').focus();
});
shareMenu.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) { exports_[button.dataset.export](); closeShare(); shareButton.focus(); }
});
shareMenu.addEventListener('keydown', (event) => {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  event.preventDefault();
  const buttons = [...shareMenu.querySelectorAll('button')];
  buttons[(buttons.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1) + buttons.length) % buttons.length].focus();
});
document.addEventListener('pointerdown', (event) => { if (!event.target.closest('.menu')) closeShare(); });
document.getElementById('as-graph').addEventListener('click', () => update({ view: 'graph' }));
document.getElementById('as-table').addEventListener('click', () => update({ view: 'table' }));
document.getElementById('theme').addEventListener('click', switchTheme);
document.getElementById('zoom-in').addEventListener('click', () => zoomBy(1.4, width / 2, height / 2, true));
document.getElementById('zoom-out').addEventListener('click', () => zoomBy(1 / 1.4, width / 2, height / 2, true));
document.getElementById('fit').addEventListener('click', () => fit(true, true));
document.getElementById('relax').addEventListener('click', toggleRelax);
const filtersButton = document.getElementById('filters');
function showFilters(open) {
  document.body.classList.toggle('no-legend', !open);
  filtersButton.setAttribute('aria-expanded', String(open));
}
filtersButton.addEventListener('click', () => showFilters(document.body.classList.contains('no-legend')));

const help = document.getElementById('help-dialog');
function openHelp() {
  const keysHeld = [['/', 'search'], ['← → ↑ ↓', 'go to a neighbour'], ['Shift + arrows', 'move the picture'], ['+ − 0', 'zoom in, zoom out, show everything'], ['Enter', 'go to the details'], ['F', 'neighbourhood of 1, 2, 3 hops'], ['O', 'open hidden neighbours'], ['P', 'path to another node'], ['L', 'lineage'], ['T', 'table and back'], ['D', 'dark and light'], ['Esc', 'one step out'], ['?', 'this help']];
  help.replaceChildren(
    h('h2', { id: 'help-title' }, 'Keys and help'),
    h('p', {}, 'Click a node or an edge to see why it is there. Double-click a node to open its neighbours. Drag to move, scroll or pinch to zoom. In the legend, Alt-click shows only one kind.'),
    h('dl', { class: 'keys' }, keysHeld.map(([key, what]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)))),
    h('p', { class: 'quiet' }, `Made by kg ${details.version}. This file works without a network and asks for nothing from anywhere.`),
    h('button', { class: 'primary', type: 'button', onclick: () => help.close() }, 'Close'));
  help.showModal();
}
document.getElementById('help').addEventListener('click', openHelp);

// The phone: legend and details lie over the graph.
const narrow = matchMedia('(max-width: 760px)');
function adapt() {
  document.body.classList.toggle('narrow', narrow.matches);
  showFilters(!matchMedia('(max-width: 1000px)').matches);
  resize();
}
narrow.addEventListener('change', adapt);
systemDark.addEventListener('change', applyTheme);
window.addEventListener('popstate', () => readAddress(false));
new ResizeObserver(resize).observe(stage);

document.getElementById('title').textContent = details.title;
document.getElementById('counts').append(...[plural(nodeCount, 'entity', 'entities'), plural(edgeCount, 'edge'), plural(details.read, 'document')]
  .flatMap((text, i) => [i ? ' · ' : '', h('span', {}, text)]));
adapt();
readAddress(true);
document.documentElement.dataset.ready = 'true';
// What a search looks through is made ready while nobody waits for it.
setTimeout(searchKeys, 400);

/** For tests and for people at the console: where things are, and what is shown. */
window.kg = Object.freeze({
  nodeAt: (id) => { const n = numberOf(id); return { x: posX[n] * view.k + view.x, y: posY[n] * view.k + view.y, shown: Boolean(shown.nodes[n]) }; },
  edgeAt: (subject, relation, object) => {
    const e = edgesOf(numberOf(subject)).find((i) => idOf(from[i]) === subject && relations[relationOf[i]] === relation && idOf(to[i]) === object);
    const [x, y] = along(course(e, view), 0.5);
    return { x, y };
  },
  edgesOf: (id) => [...edgesOf(numberOf(id))].map((e) => [idOf(from[e]), relations[relationOf[e]], idOf(to[e])]),
  counts: () => ({ nodes: shown.nodeTotal, edges: shown.edgeTotal }),
  view: () => ({ ...view }),
  middle: () => placeOf(view),
  settled: () => !raf && !job,
});
