// The graph's twin: the same nodes and edges under the same filters, as sortable tables.

const PAGE_ROWS = 100;
const tableHome = document.getElementById('table');
const order = { nodes: { column: 2, down: true }, edges: { column: 0, down: false } };
let tablePage = 0;
let tableFilter = '';

const papersOf = (e) => new Set(evidenceOf(e).map((row) => sentenceAt(row[0])[0])).size;
/** What speaks for an edge, in words. */
const reasonOf = (e) => {
  const [item] = evidenceOf(e).slice(0, 1).map(evidence);
  if (!item) return '';
  return item.kind === 'inferred' ? inferredFrom(item) : item.text;
};
const columns = {
  nodes: [
    ['Name', (n) => nameOf(n), (n) => nameButton(n)],
    ['Type', (n) => types[typeOf[n]]],
    ['Links', (n) => degree[n]],
    ['Documents', (n) => details.nodes.mentions[n]],
    ['Also written', (n) => aboutNode('aliases', n).slice(0, 6).join(', ')],
  ],
  edges: [
    ['Subject', (e) => nameOf(from[e]), (e) => nameButton(from[e])],
    ['Relation', (e) => relationStyle(relations[relationOf[e]]).words],
    ['Object', (e) => nameOf(to[e]), (e) => nameButton(to[e])],
    ['Confidence', (e) => confidenceOf[e], (e) => percent(confidenceOf[e])],
    ['Sentence', reasonOf,
      (e) => h('button', { type: 'button', class: 'plain sentence', onclick: () => selectEdge(e), 'aria-label': `Why: ${nameOf(from[e])} ${relationStyle(relations[relationOf[e]]).words} ${nameOf(to[e])}` },
        h('bdi', {}, reasonOf(e).slice(0, 400) || 'Why'))],
    ['Evidence', (e) => look.kinds[kinds[kindOf[e]]].title.toLowerCase()],
    ['Documents', (e) => papersOf(e)],
  ],
};
let collator = null;

function tableRows() {
  const rows = [];
  const wanted = nameKey(tableFilter);
  if (state.rows === 'nodes') {
    for (const node of visibleNodes()) if (!wanted || searchKeys()[node].some((key) => key.includes(wanted))) rows.push(node);
  } else {
    for (let e = 0; e < edgeCount; e++) if (shown.edges[e] && (!wanted || nameKey(`${nameOf(from[e])}${relations[relationOf[e]]}${nameOf(to[e])}`).includes(wanted))) rows.push(e);
  }
  const { column, down } = order[state.rows];
  collator ||= new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  const value = columns[state.rows][column][1];
  const keyed = rows.map((row) => [value(row), row]);
  keyed.sort((a, b) => (typeof a[0] === 'number' ? a[0] - b[0] : collator.compare(a[0], b[0])) * (down ? -1 : 1) || a[1] - b[1]);
  return keyed.map((pair) => pair[1]);
}

function renderTable() {
  if (state.view !== 'table') return;
  const rows = tableRows();
  const pages = Math.max(1, Math.ceil(rows.length / PAGE_ROWS));
  tablePage = Math.min(tablePage, pages - 1);
  const heads = columns[state.rows];
  const { column, down } = order[state.rows];
  const active = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : '';
  const tab = (kind, words_, count) => h('button', { type: 'button', 'aria-pressed': String(state.rows === kind), 'data-key': `tab-${kind}`, onclick: () => { tablePage = 0; update({ rows: kind }, { push: false }); } }, `${words_} ${number(count)}`);
  const filter = h('input', { type: 'search', placeholder: 'Filter rows', 'aria-label': 'Filter rows', 'data-key': 'table-filter' });
  filter.value = tableFilter;
  filter.addEventListener('input', () => { tableFilter = filter.value; tablePage = 0; renderTable(); });
  tableHome.replaceChildren(
    h('div', { class: 'table-head' }, h('div', { class: 'segments', role: 'group', 'aria-label': 'Rows' }, tab('nodes', 'Nodes', shown.nodeTotal), tab('edges', 'Edges', shown.edgeTotal)), filter,
      h('div', { class: 'pager' }, h('button', { type: 'button', 'data-key': 'previous', disabled: tablePage === 0, onclick: () => { tablePage--; renderTable(); } }, 'Previous'),
        h('span', {}, rows.length ? `${number(tablePage * PAGE_ROWS + 1)}–${number(Math.min(rows.length, (tablePage + 1) * PAGE_ROWS))} of ${number(rows.length)}` : 'No rows'),
        h('button', { type: 'button', 'data-key': 'next', disabled: tablePage >= pages - 1, onclick: () => { tablePage++; renderTable(); } }, 'Next'))),
    h('div', { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': state.rows === 'nodes' ? 'Nodes' : 'Edges' },
      h('table', { class: state.rows }, h('caption', { class: 'unseen' }, state.rows === 'nodes' ? 'The nodes of the graph that the filters let through' : 'The edges of the graph that the filters let through'),
        h('thead', {}, h('tr', {}, heads.map(([title], i) => h('th', { scope: 'col', 'aria-sort': i === column ? (down ? 'descending' : 'ascending') : 'none' },
          h('button', { type: 'button', 'data-key': `sort-${i}`, onclick: () => sortBy(i) }, title, h('span', { 'aria-hidden': 'true', class: 'arrow' }, i === column ? (down ? '↓' : '↑') : '')))))),
        h('tbody', {}, rows.slice(tablePage * PAGE_ROWS, (tablePage + 1) * PAGE_ROWS).map((row) => h('tr', { class: (state.rows === 'nodes' ? state.node : state.edge) === row ? 'chosen' : '' },
          heads.map(([, value, make], i) => h(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : null, dir: 'auto', class: typeof value(row) === 'number' ? 'value' : null }, make ? make(row) : String(value(row))))))))));
  if (active) { const again = tableHome.querySelector(`[data-key="${active}"]`); if (again) { again.focus(); if (active === 'table-filter') again.setSelectionRange(tableFilter.length, tableFilter.length); } }
}

function sortBy(column) {
  const current = order[state.rows];
  const numeric = ['Links', 'Documents', 'Confidence'].includes(columns[state.rows][column][0]);
  order[state.rows] = current.column === column ? { column, down: !current.down } : { column, down: numeric };
  tablePage = 0;
  renderTable();
  say(`Sorted by ${columns[state.rows][column][0]}, ${order[state.rows].down ? 'descending' : 'ascending'}.`);
}
