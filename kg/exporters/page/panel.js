// The panel: what a node, an edge, a path or a lineage is, and the sentences that say so.
// Names and sentences are other people's: they enter the page as text nodes and in no other way.

/** Make an element: h('p', { class: 'x', onclick: f }, 'text', child). */
function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}
const SVG = 'http://www.w3.org/2000/svg';
function svgElement(tag, properties, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
const percent = (value) => `${Math.round(value * 100)} %`;
const sureness = (value) => (value >= 0.9 ? 'very sure' : value >= 0.75 ? 'sure' : value >= 0.5 ? 'likely' : 'doubtful');

/** A link, only where the address is a web address; else its text. */
function link(address, text) {
  if (!/^https?:\/\/[^\s]+$/i.test(address || '')) return h('span', { dir: 'auto' }, text);
  return h('a', { href: address, target: '_blank', rel: 'noopener noreferrer', dir: 'auto' }, text);
}

/** The drawn shape of a type, as in the graph. */
function typeIcon(type, size = 14) {
  const parts = [];
  const pen = {
    moveTo: (x, y) => parts.push(`M${x.toFixed(2)} ${y.toFixed(2)}`),
    lineTo: (x, y) => parts.push(`L${x.toFixed(2)} ${y.toFixed(2)}`),
    closePath: () => parts.push('Z'),
    rect: (x, y, w, hh) => parts.push(`M${x} ${y}h${w}v${hh}h${-w}Z`),
    arc: (x, y, r) => parts.push(`M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`),
  };
  const style = look.types[types[type]];
  addShape(pen, style ? style.shape : 'circle', 8, 8, 5.4);
  return svgElement('svg', { viewBox: '0 0 16 16', width: size, height: size, class: 'shape', 'aria-hidden': 'true' },
    svgElement('path', { d: parts.join(''), style: `fill:var(--type-${type})` }));
}

function lineIcon(dash, lineWidth, colour) {
  return svgElement('svg', { viewBox: '0 0 28 10', width: 28, height: 10, class: 'line', 'aria-hidden': 'true' },
    svgElement('path', { d: 'M1 5h26', style: `stroke:${colour};stroke-width:${lineWidth};stroke-dasharray:${dash.join(' ') || 'none'};fill:none` }));
}

const nameButton = (node, extra) =>
  h('button', { type: 'button', class: 'name', onclick: () => select(node, { show: true }) },
    typeIcon(typeOf[node]), h('bdi', {}, nameOf(node)), extra);

function documentLink(doc) {
  const [id, kind, title, url, year] = documents[doc];
  return h('span', { class: 'source' }, link(url, title || id),
    h('span', { class: 'quiet' }, ` ${[kind === 'paper' ? 'paper' : kind.replace('-', ' '), year].filter(Boolean).join(', ')}`));
}

/** A sentence with the two names marked. */
function quotation(item) {
  const quote = h('blockquote', { dir: 'auto' });
  let at = 0;
  for (const [start, end, role] of item.marks.slice().sort((a, b) => a[0] - b[0])) {
    if (start < at) continue;
    quote.append(item.text.slice(at, start), h('mark', { class: role }, item.text.slice(start, end)));
    at = end;
  }
  quote.append(item.text.slice(at));
  return quote;
}

const WHERE = { title: 'title', abstract: 'abstract', body: 'text', name: 'name' };
function evidenceCard(item) {
  const place = WHERE[item.field] || item.field.replace(/^yaml:/, 'metadata field ');
  return h('article', { class: `evidence ${item.negated ? 'against' : ''}` },
    item.negated && h('p', { class: 'flag' }, 'This sentence denies it'),
    item.kind === 'inferred' && h('p', { class: 'flag' }, inferredFrom(item)),
    quotation(item),
    h('p', { class: 'from' }, documentLink(item.document)),
    h('dl', { class: 'facts' },
      h('div', {}, h('dt', {}, 'Evidence'), h('dd', {}, `${look.kinds[item.kind].title.toLowerCase()}, ${look.kinds[item.kind].words}`)),
      h('div', {}, h('dt', {}, 'Found in'), h('dd', {}, place)),
      h('div', {}, h('dt', {}, 'Extractor'), h('dd', {}, [item.extractor, item.rule].filter(Boolean).join(' · '))),
      h('div', {}, h('dt', {}, 'Confidence'), h('dd', {}, `${percent(item.confidence)}, ${sureness(item.confidence)}`))),
    h('div', { class: 'row' },
      h('button', { type: 'button', class: 'plain', onclick: () => copy(item.text, 'Sentence copied.') }, 'Copy sentence'),
      h('button', { type: 'button', class: 'plain', onclick: () => update({ document: item.document }) }, 'Only this document')));
}

const section = (title, ...content) => h('section', {}, h('h3', {}, title), ...content);

/** Rows, the first few, and a button for the others. */
function capped(rows, limit, make, tag = 'ul') {
  const holder = h(tag, {});
  holder.append(...rows.slice(0, limit).map(make));
  if (rows.length <= limit) return holder;
  const more = h('button', { type: 'button', class: 'plain' }, `Show all ${number(rows.length)}`);
  more.addEventListener('click', () => { holder.append(...rows.slice(limit, 2000).map(make)); more.remove(); });
  return h('div', {}, holder, more);
}

function header(kicker, title, ...rest) {
  return h('header', {},
    h('div', { class: 'kicker' }, kicker,
      h('button', { type: 'button', class: 'icon close', 'aria-label': 'Close details', title: 'Close details', onclick: () => leave() },
        svgElement('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true' }, svgElement('path', { d: 'm5 5 10 10M15 5 5 15' })))),
    h('h2', { dir: 'auto', tabindex: '-1' }, title), ...rest);
}

/** "151 models, 378 methods and 43 datasets", the most frequent types first. */
function countsInWords() {
  const counted = present(typeCounts).sort((a, b) => typeCounts[b] - typeCounts[a])
    .map((type) => (typeCounts[type] === 1 ? `1 ${types[type].toLowerCase()}` : `${number(typeCounts[type])} ${(look.types[types[type]] ? look.types[types[type]].plural : types[type]).toLowerCase()}`));
  return counted.length < 2 ? counted.join('') : `${counted.slice(0, -1).join(', ')} and ${counted.at(-1)}`;
}

/**
 * The edge to show as an example: lineage that says how before others, with a sentence that names both
 * ends, between names that several documents know, since what stands nowhere else may be no name at all.
 */
function exampleEdge() {
  let best = -1;
  let most = 0;
  for (let e = 0; e < edgeCount && e < 20000; e++) {
    if (!shown.edges[e] || from[e] === to[e] || kinds[kindOf[e]] !== 'extracted') continue;
    const known = Math.min(3, details.nodes.mentions[from[e]], details.nodes.mentions[to[e]]);
    const attested = Math.min(degree[from[e]], degree[to[e]]) > 1;
    const tells = lineageKind[relationOf[e]] === 'parent' && relations[relationOf[e]] !== 'derivedFrom';
    const score = confidenceOf[e] + (tells ? 1 : 0) + (attested ? 1 : 0) + known;
    if (score <= most) continue;
    const first = evidenceOf(e)[0];
    const item = first && evidence(first);
    if (item && item.marks.length === 2 && !item.negated && item.text.length < 260) { best = e; most = score; }
  }
  return best;
}

function homePanel() {
  const first = (limit, test) => { const found_ = []; for (const node of byDegree) { if (test(node)) found_.push(node); if (found_.length === limit) break; } return found_; };
  const hops = (node) => edgesOf(node).filter((e) => lineageKind[relationOf[e]] && lineageKind[relationOf[e]] !== 'data').length;
  const models = first(200, isLineage).map((node) => [hops(node), node]).sort((a, b) => b[0] - a[0]).slice(0, 5).map(([, node]) => node);
  const best = first(5, (node) => degree[node] > 0);
  if (!nodeCount) {
    return [h('header', {}, h('h2', {}, 'Nothing was found')),
      h('p', {}, 'This graph has no entities. Build it from papers or cards that name models, datasets or methods, and look into report.md to see what was read and skipped.')];
  }
  const example = exampleEdge();
  const accepted = statusCounts[statuses.indexOf('accepted')];
  const weaker = edgeCount - accepted;
  return [
    h('header', {}, h('h2', {}, `What ${plural(details.read, 'document')} say${details.read === 1 ? 's' : ''}`),
      h('p', { class: 'lead' }, `${countsInWords()}, related by ${plural(accepted, 'statement')}${weaker ? ` and ${plural(weaker, 'weaker or disputed one')}` : ''}.`),
      h('p', { class: 'lead' }, 'Click a node or an edge to see why it is there: the sentences that state it, or what it is concluded from.')),
    example >= 0 ? section('For example', h('div', { class: 'example' }, statement(example, true), hopEvidence(example))) : null,
    models.length ? section('Lineage to start with', h('ul', {}, models.map((node) => h('li', {}, nameButton(node), h('button', { type: 'button', class: 'plain end', 'aria-label': `Lineage of ${nameOf(node)}`, onclick: () => openLineage(node) }, 'Lineage'))))) : null,
    best.length ? section('Best connected', h('ul', {}, best.map((node) => h('li', {}, nameButton(node), h('span', { class: 'quiet end' }, plural(degree[node], 'link')))))) : null,
    edgeCount ? section('How to read the picture', h('p', {}, 'What is related stands close together; a pale disc holds one such group. The larger a node, the more links it has. Shapes tell types apart, colours of lines the kinds of relation: see the legend.')) : null,
    h('p', { class: 'quiet' }, 'Press / to search and ? for all keys.'),
  ];
}

/** Where a person can look further: Hub repositories. */
function repositoryLink(node, repository) {
  const data = types[typeOf[node]] === 'Dataset' || types[typeOf[node]] === 'Benchmark';
  const safe = /^[\w.-]+\/[\w.-]+$/.test(repository);
  return link(safe ? `https://huggingface.co/${data ? 'datasets/' : ''}${repository}` : '', repository);
}

function nodePanel(node) {
  const aliases = aboutNode('aliases', node);
  const repositories = aboutNode('repositories', node);
  const introduced = aboutNode('introduced', node);
  const mentioned = aboutNode('mentioned', node).filter(([doc]) => !introduced.includes(doc));
  const facts = aboutNode('facts', node);
  const scores = details.results.filter((row) => row[0] === node || row[1] === node || row[2] === node);
  const beyond = edgesOf(node).filter((e) => passes(e) && !shown.nodes[other(e, node)]).length;
  const licences = aboutNode('licences', node);
  const parts = [
    header([typeIcon(typeOf[node]), h('span', {}, types[typeOf[node]]), introduced.length ? h('span', { class: 'tag' }, 'introduced here') : null], nameOf(node),
      licences.length ? h('p', { class: 'quiet', dir: 'auto' }, `Licence: ${licences.join(', ')}`) : null),
    h('div', { class: 'row buttons' },
      h('div', { class: 'segments', role: 'group', 'aria-label': 'Neighbourhood, in hops' },
        h('span', { class: 'label' }, 'Hops'),
        [1, 2, 3].map((hops) => h('button', { type: 'button', 'aria-pressed': String(state.focus === node && state.hops === hops), 'aria-label': `Neighbourhood of ${plural(hops, 'hop')}`, onclick: () => openFocus(node, hops) }, String(hops)))),
      h('button', { type: 'button', onclick: () => openLineage(node), disabled: !edgesOf(node).some((e) => lineageKind[relationOf[e]]) }, 'Lineage'),
      h('button', { type: 'button', onclick: () => startPath(node) }, 'Path to…')),
    beyond ? h('p', { class: 'callout' }, `${plural(beyond, 'link')} to nodes that are not shown. `, h('button', { type: 'button', class: 'plain', onclick: () => openNeighbours(node) }, 'Open them')) : null,
  ];
  if (aliases.length) parts.push(section('Also written', h('p', { class: 'aliases' }, aliases.slice(0, 40).map((alias) => h('bdi', {}, alias)))));
  if (repositories.length) parts.push(section('On the Hugging Face Hub', h('ul', {}, repositories.map((name) => h('li', {}, repositoryLink(node, name))))));

  const groups = new Map();
  for (const e of edgesOf(node).filter(passes)) {
    const key = `${relationOf[e]}|${from[e] === node ? 'out' : 'in'}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(e);
  }
  const order = [...groups.entries()].sort((a, b) => parseInt(a[0], 10) - parseInt(b[0], 10) || (a[0] < b[0] ? 1 : -1));
  if (order.length) {
    const passing = edgesOf(node).filter(passes).length;
    const hidden = edgesOf(node).length - passing;
    parts.push(section(`Relations ${number(passing)}`, hidden ? h('p', { class: 'quiet' }, `${number(hidden)} more, weaker, disputed or filtered out: see the legend.`) : null, order.map(([key, list]) => {
      const [relation, way] = key.split('|');
      const style = relationStyle(relations[relation]);
      list.sort((a, b) => confidenceOf[b] - confidenceOf[a]);
      return h('div', { class: 'relation' },
        h('h4', {}, h('span', { class: 'swatch', style: { background: `var(--group-${style.group})` } }), way === 'out' ? style.words : style.inverse, h('span', { class: 'quiet' }, number(list.length))),
        capped(list, 6, (e) => h('li', {}, nameButton(other(e, node)),
          h('button', { type: 'button', class: 'plain end', onclick: () => selectEdge(e), 'aria-label': `Why: ${nameOf(from[e])} ${style.words} ${nameOf(to[e])}` }, `Why · ${percent(confidenceOf[e])}`))));
    })));
  } else if (edgesOf(node).length) parts.push(h('p', { class: 'quiet' }, 'The filters hide all of its links.'));
  else parts.push(h('p', { class: 'quiet' }, 'No text relates it to anything else.'));

  if (scores.length) parts.push(section('Results', resultTable(scores, node)));
  if (introduced.length) parts.push(section('Introduced by', h('ul', {}, introduced.map((doc) => h('li', {}, documentLink(doc))))));
  const total = details.nodes.mentions[node] - introduced.length;
  if (mentioned.length) {
    parts.push(section(introduced.length ? 'Also mentioned by' : 'Mentioned by',
      capped(mentioned, 5, ([doc, count]) => h('li', {}, documentLink(doc), count > 1 ? h('span', { class: 'quiet' }, `, ${count} times`) : null)),
      total > mentioned.length ? h('p', { class: 'quiet' }, `and ${plural(total - mentioned.length, 'document')} more; the RDF has them all.`) : null));
  }
  if (facts.length) parts.push(section('Stated of it', h('dl', { class: 'facts' }, facts.slice(0, 20).map(([key, value]) => h('div', {}, h('dt', {}, key), h('dd', { dir: 'auto' }, value))))));
  parts.push(correction('Is this entity wrong?', () => nodeCorrections(node)));
  parts.splice(-1, 0, h('div', { class: 'row foot' },
    h('button', { type: 'button', class: 'plain', onclick: () => copy(location.href, 'Link copied.') }, 'Copy link'),
    h('button', { type: 'button', class: 'plain', onclick: () => copy(`https://w3id.org/mlkg/${idOf(node)}`, 'IRI copied.') }, 'Copy IRI')));
  return parts;
}

function resultTable(rows, node) {
  const cell = (value) => (typeof value === 'number' ? nameButton(value) : value || '–');
  const first = rows.some((row) => row[0] !== node);
  const make = (row) => h('tr', {},
    first ? h('td', {}, row[0] === node ? '–' : cell(row[0])) : null,
    h('td', {}, row[1] === node ? 'this' : cell(row[1])), h('td', {}, row[2] === node ? 'this' : cell(row[2])),
    h('td', { class: 'value' }, row[3]),
    h('td', {}, row[5].length ? h('button', { type: 'button', class: 'plain', 'aria-label': `Why ${row[3]}`, onclick: (event) => {
      const open = event.target.closest('tr').nextElementSibling;
      if (open && open.classList.contains('why')) { open.remove(); return; }
      event.target.closest('tr').after(h('tr', { class: 'why' }, h('td', { colspan: first ? 5 : 4 }, evidenceCard(evidence(row[5][0])))));
    } }, 'Why') : null));
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Results' }, h('table', {},
    h('thead', {}, h('tr', {}, first ? h('th', { scope: 'col' }, 'Of') : null, h('th', { scope: 'col' }, 'On'), h('th', { scope: 'col' }, 'Metric'), h('th', { scope: 'col' }, 'Value'), h('th', { scope: 'col' }, h('span', { class: 'unseen' }, 'Evidence')))),
    capped(rows, 12, make, 'tbody').tagName === 'TBODY' ? capped(rows, 12, make, 'tbody') : h('tbody', {}, rows.slice(0, 200).map(make))));
}

function statement(e, big) {
  const style = relationStyle(relations[relationOf[e]]);
  return h('div', { class: `statement ${big ? 'big' : ''}` }, nameButton(from[e]),
    h('span', { class: 'verb', style: { color: `var(--group-${style.group})` } }, style.words, h('span', { 'aria-hidden': 'true' }, ' →')), nameButton(to[e]));
}

function edgePanel(e) {
  const rows = evidenceOf(e).map(evidence);
  const total = details.edges.count[e];
  const status = statuses[statusOf[e]];
  const style = relationStyle(relations[relationOf[e]]);
  const triple = `${nameOf(from[e])} ${relations[relationOf[e]]} ${nameOf(to[e])}`;
  return [
    header([h('span', { class: 'swatch', style: { background: `var(--group-${style.group})` } }), look.groups[style.group].title], 'Why this edge?', statement(e, true)),
    h('div', { class: 'meter' },
      h('div', { class: 'meter-text' }, h('strong', {}, percent(confidenceOf[e])), h('span', {}, sureness(confidenceOf[e])),
        h('span', { class: 'quiet' }, kindsOf(e).map((kind) => look.kinds[kinds[kind]].title.toLowerCase()).join(', '))),
      h('div', { class: 'track', 'aria-hidden': 'true' }, h('div', { style: { width: percent(confidenceOf[e]).replace(' ', '') } }))),
    status !== 'accepted' ? h('p', { class: 'callout' }, `Status: ${look.statuses[status]}.`) : null,
    kinds[kindOf[e]] === 'inferred' ? h('p', { class: 'callout' }, `No sentence states this: it is ${look.kinds.inferred.words}.`) : null,
    section(plural(total, 'piece of evidence', 'pieces of evidence'), rows.map(evidenceCard),
      total > rows.length ? h('p', { class: 'quiet' }, `and ${number(total - rows.length)} more; provenance.ttl has them all.`) : null),
    h('div', { class: 'row foot' },
      h('button', { type: 'button', class: 'plain', onclick: () => copy(location.href, 'Link copied.') }, 'Copy link'),
      h('button', { type: 'button', class: 'plain', onclick: () => copy(triple, 'Statement copied.') }, 'Copy statement')),
    correction('Is this edge wrong?', () => edgeCorrections(e)),
  ];
}

function pathPanel() {
  const [start, goal] = state.path;
  if (!path) {
    return [header(['Path'], `No way from ${nameOf(start)} to ${nameOf(goal)}`),
      h('p', {}, 'The two are not connected by what is shown. Loosen the filters, or lower the confidence.')];
  }
  return [
    header(['Shortest path'], `${nameOf(start)} to ${nameOf(goal)}`, h('p', { class: 'lead' }, `${plural(path.edges.length, 'hop')}. Arrows keep the direction in which each statement was made.`)),
    h('ol', { class: 'hops' }, path.edges.map((e) => h('li', {}, statement(e), hopEvidence(e)))),
  ];
}

/** "2 sentences", or that none states the edge but something implies it. */
function statedBy(e) {
  const inferred = evidenceOf(e).filter((row) => kinds[row[1]] === 'inferred').length;
  return details.edges.count[e] > inferred ? plural(details.edges.count[e] - inferred, 'sentence') : 'no sentence states it';
}
function hopEvidence(e) {
  const first = evidenceOf(e).length ? evidence(evidenceOf(e)[0]) : null;
  return h('div', { class: 'hop-evidence' },
    first && first.kind === 'inferred' ? h('p', { class: 'quiet' }, `${inferredFrom(first)}${first.premises.length ? '' : ', which stands here:'}`) : null, first ? quotation(first) : null,
    h('button', { type: 'button', class: 'plain', onclick: () => selectEdge(e) }, `Why · ${percent(confidenceOf[e])} · ${statedBy(e)}`));
}

function lineagePanel() {
  const branch = (hops, parent) => {
    const here = hops.filter((hop) => hop.parent === parent);
    if (!here.length) return null;
    return h('ul', { class: 'tree' }, here.map((hop) => {
      const style = relationStyle(relations[relationOf[hop.edge]]);
      const up = from[hop.edge] === hop.parent;
      return h('li', {}, h('div', { class: 'hop' },
        h('span', { class: 'verb', style: { color: `var(--group-${style.group})` } }, up ? style.words : style.inverse), nameButton(hop.node)),
      hopEvidence(hop.edge), branch(hops, hop.node));
    }));
  };
  const real = (hops) => hops.filter((hop) => hop.kind !== 'family').length;
  return [
    header(['Lineage'], nameOf(tree.root), h('p', { class: 'lead' }, tree.up.length + tree.down.length
      ? `${plural(real(tree.up), 'ancestor')} above, ${plural(real(tree.down), 'descendant')} below. Families are drawn, not counted.`
      : 'No text says where it comes from or what came of it.')),
    tree.up.length ? section('Where it comes from', branch(tree.up, tree.root)) : null,
    tree.down.length ? section('What came of it', branch(tree.down, tree.root)) : null,
  ];
}

const panel = document.getElementById('panel');
function renderPanel() {
  const content = state.edge >= 0 ? edgePanel(state.edge)
    : state.node >= 0 ? nodePanel(state.node)
      : state.path ? pathPanel()
        : tree ? lineagePanel() : homePanel();
  if (state.edge >= 0 || state.node >= 0) {
    const back = state.path ? ['Back to the path'] : tree ? ['Back to the lineage'] : null;
    if (back) content.unshift(h('button', { type: 'button', class: 'plain back', onclick: () => update({ node: -1, edge: -1 }) }, `← ${back[0]}`));
  }
  panel.replaceChildren(...content.filter(Boolean));
  panel.scrollTop = 0;
  const open = state.edge >= 0 || state.node >= 0 || Boolean(state.path) || tree !== null;
  document.body.classList.toggle('has-details', open);
}
