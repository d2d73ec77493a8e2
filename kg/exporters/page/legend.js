// The legend: what colours, shapes and lines mean, how many there are, and whether they show.

const legend = document.getElementById('legend');
const present = (counts) => counts.map((count, i) => [count, i]).filter(([count]) => count).map(([, i]) => i);
const tally = (values, size) => { const counts = new Array(size).fill(0); for (const v of values) counts[v]++; return counts; };
const typeCounts = tally(typeOf, types.length);
const statusCounts = tally(statusOf, statuses.length);
const heldRelations = present(tally(relationOf, relations.length));
const heldKinds = kinds.map((_, kind) => kind).filter((kind) => kindBits.some((bits) => bits & (1 << kind)));
const looseCount = degree.reduce((sum, d) => sum + (d === 0), 0);

/** A row that shows or hides one thing; "only" hides all the others. */
function toggleRow(set, index, all, icon, text, count, key) {
  const box = h('input', { type: 'checkbox', 'data-key': key });
  box.checked = !set.has(index);
  box.addEventListener('change', () => toggle(set, index));
  const label = h('label', {}, box, icon, h('span', { class: 'text' }, text), h('span', { class: 'count' }, number(count)));
  label.addEventListener('click', (event) => {
    if (event.altKey) { event.preventDefault(); only(set, index, all); }
  });
  return h('li', { class: set.has(index) ? 'off' : '' }, label,
    h('button', { type: 'button', class: 'only', 'aria-label': `Only ${text}`, onclick: () => only(set, index, all) }, 'only'));
}
function toggle(set, index) {
  if (set.has(index)) set.delete(index); else set.add(index);
  update({}, { push: false });
}
function only(set, index, all) {
  const alone = !set.has(index) && all.every((i) => i === index || set.has(i));
  set.clear();
  if (!alone) for (const i of all) if (i !== index) set.add(i);
  // One kind of edges alone is seen only without the nodes that it does not tie.
  update(set === state.hiddenTypes ? {} : { loose: alone }, { push: false });
}

/** How many edges of each relation and kind there are, among those whose status shows. */
function edgeCounts() {
  const relationCounts = new Array(relations.length).fill(0);
  const kindCounts = new Array(kinds.length).fill(0);
  for (let e = 0; e < edgeCount; e++) {
    if (!state.statuses.has(statusOf[e])) continue;
    relationCounts[relationOf[e]]++;
    for (let kind = 0; kind < kinds.length; kind++) if (kindBits[e] & (1 << kind)) kindCounts[kind]++;
  }
  return { relationCounts, kindCounts };
}

let drawnFor = '';
/** What a status means, where its name does not say it. */
function gloss(status) {
  const words_ = look.statuses[status];
  return words_ === status ? null : h('span', { class: 'gloss' }, words_.startsWith(status) ? words_.slice(status.length).replace(/^[,:]? /, '') : words_);
}

function renderLegend() {
  const now = JSON.stringify([state.hiddenTypes, state.hiddenRelations, state.hiddenKinds, state.statuses].map((set) => [...set])
    .concat([state.confidence, state.loose, state.document, state.years]));
  if (now === drawnFor) return;
  drawnFor = now;
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : '';
  const heldTypes = present(typeCounts);
  const { relationCounts, kindCounts } = edgeCounts();
  const heldStatuses = present(statusCounts);
  const blocks = [];
  blocks.push(h('div', { class: 'legend-head' }, h('h2', {}, 'Legend'),
    h('button', { type: 'button', class: 'plain', id: 'reset', 'data-key': 'reset', onclick: resetFilters, disabled: !filtering() }, 'Reset')));
  if (state.document >= 0) {
    blocks.push(h('p', { class: 'callout' }, 'Only what this document says: ', documentLink(state.document), ' ',
      h('button', { type: 'button', class: 'plain', onclick: () => update({ document: -1 }) }, 'Show all documents')));
  }
  if (heldTypes.length) {
    blocks.push(h('section', {}, h('h3', {}, 'Nodes'), h('ul', {}, heldTypes.map((type) =>
      toggleRow(state.hiddenTypes, type, heldTypes, typeIcon(type, 15), look.types[types[type]] ? look.types[types[type]].plural : types[type], typeCounts[type], `type-${type}`)))));
  }
  if (looseCount) {
    const box = h('input', { type: 'checkbox', 'data-key': 'loose' });
    box.checked = state.loose;
    box.addEventListener('change', () => update({ loose: box.checked }, { push: false }));
    blocks.at(-1).append(h('ul', {}, h('li', { class: state.loose ? '' : 'off' }, h('label', {}, box, h('span', { class: 'ring' }), h('span', { class: 'text' }, 'Without links'), h('span', { class: 'count' }, number(looseCount))))));
  }
  const byGroup = Object.keys(look.groups).map((group) => [group, heldRelations.filter((r) => relationStyle(relations[r]).group === group)]).filter(([, held]) => held.length);
  if (byGroup.length) {
    blocks.push(h('section', {}, h('h3', {}, 'Edges'), byGroup.map(([group, held]) => h('div', { class: 'group' },
      h('h4', {}, h('span', { class: 'swatch', style: { background: `var(--group-${group})` } }), look.groups[group].title),
      h('ul', {}, held.map((relation) => toggleRow(state.hiddenRelations, relation, heldRelations, null, relationStyle(relations[relation]).words, relationCounts[relation], `relation-${relation}`)))))));
    blocks.push(h('section', {}, h('h3', {}, 'Evidence'), h('ul', {}, heldKinds.map((kind) => {
      const style = look.kinds[kinds[kind]];
      const row = toggleRow(state.hiddenKinds, kind, heldKinds, lineIcon(style.dash, style.width + 0.4, 'var(--text)'), style.title, kindCounts[kind], `kind-${kind}`);
      row.querySelector('label').append(h('span', { class: 'gloss' }, style.words));
      return row;
    }))));
  }
  if (heldStatuses.some((status) => status !== 0)) {
    blocks.push(h('section', {}, h('h3', {}, 'Status'), h('ul', {}, heldStatuses.map((status) => {
      const hidden = new Set(statuses.map((_, i) => i).filter((i) => !state.statuses.has(i)));
      const box = h('input', { type: 'checkbox', 'data-key': `status-${status}` });
      box.checked = state.statuses.has(status);
      box.addEventListener('change', () => { if (box.checked) state.statuses.add(status); else state.statuses.delete(status); update({}, { push: false }); });
      return h('li', { class: hidden.has(status) ? 'off' : '' }, h('label', {}, box, h('span', { class: 'text' }, statuses[status]), h('span', { class: 'count' }, number(statusCounts[status])),
        gloss(statuses[status])));
    }))));
  }
  if (edgeCount) {
    const slider = h('input', { type: 'range', min: '0', max: '1', step: '0.05', value: String(state.confidence), id: 'confidence', 'data-key': 'confidence', 'aria-label': 'Least confidence', 'aria-valuetext': percent(state.confidence) });
    slider.value = String(state.confidence);
    const told = h('output', { for: 'confidence' }, percent(state.confidence));
    slider.addEventListener('input', () => { told.textContent = percent(Number(slider.value)); slider.setAttribute('aria-valuetext', percent(Number(slider.value))); update({ confidence: Number(slider.value) }, { push: false, legend: false }); });
    blocks.push(h('section', {}, h('h3', {}, 'Confidence at least ', told), slider));
  }
  if (lastYear > firstYear) {
    const range = state.years || [firstYear, lastYear];
    const choose = (which, words_) => {
      const options = [];
      for (let year = firstYear; year <= lastYear; year++) options.push(h('option', { value: String(year), selected: year === range[which] }, String(year)));
      const select_ = h('select', { 'aria-label': words_, 'data-key': `year-${which}` }, options);
      select_.addEventListener('change', () => {
        const next = range.slice();
        next[which] = Number(select_.value);
        next.sort();
        update({ years: next[0] === firstYear && next[1] === lastYear ? null : next }, { push: false });
      });
      return select_;
    };
    blocks.push(h('section', {}, h('h3', {}, 'Years'), h('div', { class: 'row' }, choose(0, 'First year'), h('span', {}, 'to'), choose(1, 'Last year'))));
  }
  legend.replaceChildren(...blocks);
  if (focused) { const again = legend.querySelector(`[data-key="${focused}"]`); if (again) again.focus(); }
}

const filtering = () => Boolean(state.hiddenTypes.size || state.hiddenRelations.size || state.hiddenKinds.size || state.confidence
  || !state.loose || state.document >= 0 || state.years || state.statuses.size !== 1 || !state.statuses.has(0));
function resetFilters() {
  const start = fresh();
  update({ hiddenTypes: start.hiddenTypes, hiddenRelations: start.hiddenRelations, hiddenKinds: start.hiddenKinds, statuses: start.statuses, confidence: 0, loose: true, document: -1, years: null }, { push: false });
  say('All filters are off.');
}

/** Words at the foot of the graph on what is not seen, and a button against that; or nothing. */
function notice() {
  if (state.view === 'table' || !nodeCount) return null;
  if (isPart()) {
    let inView = 0;
    for (const node of visibleNodes()) {
      const x = posX[node] * view.k + view.x;
      const y = posY[node] * view.k + view.y;
      if (x >= 0 && y >= 0 && x <= width && y <= height) inView++;
    }
    if (inView < shown.nodeTotal) return [`${number(inView)} of ${number(shown.nodeTotal)} in view`, 'Show all', 'show-part', () => fit(true, true)];
    return unnamed > 0 ? [`${plural(unnamed, 'name')} left out for lack of room`, 'Zoom in', 'show-names', () => zoomBy(1.4, width / 2, height / 2, true)] : null;
  }
  if (shown.nodeTotal < nodeCount) {
    const text = `${number(shown.nodeTotal)} of ${plural(nodeCount, 'node')} shown`;
    if (!state.all) return [text, 'Show all', 'show-all', () => update({ all: true }, { fit: true })];
    return filtering() ? [text, 'Reset filters', 'show-filtered', resetFilters] : [text];
  }
  if (nodeCount <= LARGE) return null;
  return [`All ${number(nodeCount)} nodes shown`, 'Show the overview', 'show-overview', () => { opened.clear(); update({ all: false }, { fit: true }); }];
}
let noticed = '';
function renderNotice() {
  const [text, words_, id, act] = notice() || [''];
  // Drawn only where it changes: a button that is replaced loses the focus.
  if (noticed === `${text}|${id}`) return;
  noticed = `${text}|${id}`;
  const box = document.getElementById('notice');
  box.hidden = !text;
  box.replaceChildren(h('span', {}, text), id ? h('button', { type: 'button', class: 'plain', id, onclick: act }, words_) : '');
}

/** What the graph is narrowed to, and the way out. */
function renderViewBar() {
  const bar = document.getElementById('view-bar');
  bar.replaceChildren();
  bar.hidden = state.view === 'table';
  const out = (words_) => h('button', { type: 'button', class: 'plain', onclick: () => leave(true) }, words_);
  if (state.pathFrom >= 0) bar.append(h('span', {}, 'Path from ', h('bdi', {}, shortName(nameOf(state.pathFrom))), ': click or search its other end'), h('button', { type: 'button', class: 'plain', onclick: () => { state.pathFrom = -1; renderViewBar(); redraw(); } }, 'Cancel'));
  else if (tree) bar.append(h('span', {}, 'Lineage of ', h('bdi', {}, shortName(nameOf(tree.root)))), out('Back to the graph'));
  else if (state.path) bar.append(h('span', {}, 'Path from ', h('bdi', {}, shortName(nameOf(state.path[0]))), ' to ', h('bdi', {}, shortName(nameOf(state.path[1])))), out('Back to the graph'));
  else if (state.focus >= 0) {
    bar.append(h('span', {}, 'Around ', h('bdi', {}, shortName(nameOf(state.focus)))),
      h('div', { class: 'segments', role: 'group', 'aria-label': 'Hops' }, [1, 2, 3].map((hops) => h('button', { type: 'button', 'aria-label': plural(hops, 'hop'), 'aria-pressed': String(state.hops === hops), onclick: () => openFocus(state.focus, hops) }, String(hops)))),
      out('Back to the graph'));
  } else bar.hidden = true;
  const nothing = document.getElementById('nothing');
  nothing.hidden = shown.nodeTotal > 0 || state.view === 'table';
  nothing.textContent = nodeCount ? 'The filters hide everything. Reset them in the legend.' : 'Nothing to draw: the graph is empty.';
}
