// Taking something away: pictures, tables and links of what is seen.

function save(name, type, content) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const address = URL.createObjectURL(blob);
  const anchor = h('a', { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  say(`Saved ${name}.`);
}

async function copy(text, told) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h('textarea', { readonly: true, class: 'unseen' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say(told, true);
}

const escapeXml = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])
  .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');

/** A pen with the part of the canvas's interface that paint() uses, which writes SVG. */
function svgPen(w, h_) {
  const out = [];
  const measure = document.createElement('canvas').getContext('2d');
  let d = '';
  let dash = [];
  const round = (value) => Math.round(value * 100) / 100;
  const pen = {
    globalAlpha: 1, fillStyle: '#000', strokeStyle: '#000', lineWidth: 1, font: '', textAlign: 'center', textBaseline: '', lineCap: '', lineJoin: '',
    beginPath() { d = ''; },
    moveTo(x, y) { d += `M${round(x)} ${round(y)}`; },
    lineTo(x, y) { d += `L${round(x)} ${round(y)}`; },
    bezierCurveTo(a, b, c, e, x, y) { d += `C${round(a)} ${round(b)} ${round(c)} ${round(e)} ${round(x)} ${round(y)}`; },
    arc(x, y, r) { d += `M${round(x - r)} ${round(y)}a${round(r)} ${round(r)} 0 1 0 ${round(2 * r)} 0a${round(r)} ${round(r)} 0 1 0 ${round(-2 * r)} 0`; },
    rect(x, y, a, b) { d += `M${round(x)} ${round(y)}h${round(a)}v${round(b)}h${round(-a)}Z`; },
    closePath() { d += 'Z'; },
    setLineDash(list_) { dash = list_; },
    stroke() { out.push(`<path d="${d}" fill="none" stroke="${pen.strokeStyle}" stroke-width="${round(pen.lineWidth)}" stroke-opacity="${round(pen.globalAlpha)}"${dash.length ? ` stroke-dasharray="${dash.join(' ')}"` : ''}/>`); },
    fill() { out.push(`<path d="${d}" fill="${pen.fillStyle}" fill-opacity="${round(pen.globalAlpha)}"/>`); },
    fillRect(x, y, a, b) { out.push(`<rect x="${x}" y="${y}" width="${a}" height="${b}" fill="${pen.fillStyle}"/>`); },
    measureText(text) { measure.font = pen.font; return measure.measureText(text); },
    text(text, x, y, paint_) {
      const [, slant, weight, size] = /^(italic )?(\d+) ([\d.]+)px/.exec(pen.font) || [0, '', 400, 12];
      out.push(`<text x="${round(x)}" y="${round(y)}" text-anchor="middle" font-size="${size}" font-weight="${weight}"${slant ? ' font-style="italic"' : ''} ${paint_}>${escapeXml(text)}</text>`);
    },
    fillText(text, x, y) { pen.text(text, x, y, `fill="${pen.fillStyle}"`); },
    strokeText(text, x, y) { pen.text(text, x, y, `fill="none" stroke="${pen.strokeStyle}" stroke-width="${pen.lineWidth}" stroke-linejoin="round"`); },
    result() {
      return `<svg xmlns="${SVG}" width="${w}" height="${h_}" viewBox="0 0 ${w} ${h_}" font-family="${FONT.replace(/"/g, "'")}" role="img"><title>${escapeXml(details.title)}</title>\n${out.join('\n')}\n</svg>\n`;
    },
  };
  return pen;
}

function exportSvg() {
  const pen = svgPen(width, height);
  paintAll(pen, view, width, height);
  save('graph.svg', 'image/svg+xml', pen.result());
}

function exportPng() {
  const scale = 2;
  const sheet = document.createElement('canvas');
  sheet.width = width * scale;
  sheet.height = height * scale;
  const ctx = sheet.getContext('2d', { alpha: false });
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  paintAll(ctx, view, width, height);
  sheet.toBlob((blob) => save('graph.png', 'image/png', blob), 'image/png');
}

/** One cell of CSV; a leading = + - @ would make a spreadsheet calculate, so it is quoted off. */
function csvCell(value) {
  let text = String(value ?? '');
  if (/^[=+\-@\t\r]/.test(text) && !Number.isFinite(Number(text))) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
const csv = (heads, rows) => `\ufeff${[heads, ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;
const visibleEdges = () => [...shown.edges.keys()].filter((e) => shown.edges[e]);

function exportNodes() {
  save('nodes.csv', 'text/csv', csv(['id', 'type', 'name', 'aliases', 'repositories', 'links', 'documents', 'licences'],
    [...visibleNodes()].map((n) => [idOf(n), types[typeOf[n]], nameOf(n), aboutNode('aliases', n).join('|'), aboutNode('repositories', n).join('|'), degree[n], details.nodes.mentions[n], aboutNode('licences', n).join('|')])));
}
function exportEdges() {
  save('edges.csv', 'text/csv', csv(['subject', 'relation', 'object', 'subject_type', 'object_type', 'status', 'confidence', 'evidence', 'documents'],
    visibleEdges().map((e) => [nameOf(from[e]), relations[relationOf[e]], nameOf(to[e]), types[typeOf[from[e]]], types[typeOf[to[e]]], statuses[statusOf[e]], details.edges.confidence[e],
      kindsOf(e).map((kind) => kinds[kind]).join('|'), [...new Set(evidenceOf(e).map((row) => documents[sentenceAt(row[0])[0]][0]))].join('|')])));
}
function exportJson() {
  const data = {
    title: details.title,
    nodes: [...visibleNodes()].map((n) => ({ id: idOf(n), type: types[typeOf[n]], name: nameOf(n), aliases: aboutNode('aliases', n), repositories: aboutNode('repositories', n) })),
    edges: visibleEdges().map((e) => ({
      subject: idOf(from[e]), relation: relations[relationOf[e]], object: idOf(to[e]), status: statuses[statusOf[e]], confidence: details.edges.confidence[e],
      evidence: evidenceOf(e).map(evidence).map((item) => ({ document: documents[item.document][0], url: documents[item.document][3], sentence: item.text, kind: item.kind, extractor: item.extractor, rule: item.rule, confidence: item.confidence, negated: item.negated })),
    })),
  };
  save('graph.json', 'application/json', `${JSON.stringify(data, null, 1)}\n`);
}

// RDF, with the IRIs of graph.ttl.
const BASE = 'https://w3id.org/mlkg/';
const encoded = (part) => {
  const text = encodeURIComponent(part.toWellFormed ? part.toWellFormed() : part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return /^\.*$/.test(text) ? text.replace(/\./g, '%2E') : text;
};
const iriOf = (id) => `<${BASE}${id.split('/').map(encoded).join('/')}>`;
const literal = (text) => JSON.stringify(text.replace(/[^\t\n\r\x20-\ud7ff\ud800-\udfff\ue000-\ufffd]/g, '\ufffd'));

/** Everything seen as Turtle: types, names, where introduced, and accepted edges as triples. */
function exportTurtle() {
  const out = [`@prefix mlkg: <${BASE}ontology#> .`, '@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .', '@prefix skos: <http://www.w3.org/2004/02/skos/core#> .'];
  for (const node of visibleNodes()) {
    const pairs = [`a mlkg:${types[typeOf[node]]}`, `rdfs:label ${literal(nameOf(node))}`];
    const aliases = aboutNode('aliases', node);
    if (aliases.length) pairs.push(`skos:altLabel ${aliases.map(literal).join(', ')}`);
    for (const doc of aboutNode('introduced', node)) pairs.push(`mlkg:introducedIn <${BASE}doc/${encoded(documents[doc][0]).replace(/%3A/g, ':')}>`);
    for (const e of edgesOf(node)) if (from[e] === node && shown.edges[e] && statuses[statusOf[e]] === 'accepted') pairs.push(`mlkg:${relations[relationOf[e]]} ${iriOf(idOf(to[e]))}`);
    out.push(`\n${iriOf(idOf(node))} ${pairs.join(' ;\n    ')} .`);
  }
  save('graph.ttl', 'text/turtle', `${out.join('\n')}\n`);
}

const bibtexText = (text) => text.replace(/\s+/g, ' ').replace(/[\\{}$&#%_~^]/g, (c) => ({ '\\': '\\textbackslash{}', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}' })[c] || `\\${c}`);
/** The papers that speak for what is seen, as far as the graph knows them: it keeps no authors. */
function exportBibtex() {
  const used = new Set();
  for (const e of visibleEdges()) for (const row of evidenceOf(e)) used.add(sentenceAt(row[0])[0]);
  for (const node of visibleNodes()) for (const doc of aboutNode('introduced', node)) used.add(doc);
  const taken_ = new Set();
  const entries = [...used].sort((a, b) => a - b).filter((doc) => documents[doc][1] === 'paper').map((doc) => {
    const [id, , title, url, year] = documents[doc];
    const stem = id.replace(/[^A-Za-z0-9.:-]+/g, '-').slice(0, 60) || 'paper';
    let key = stem;
    for (let i = 2; taken_.has(key); i++) key = `${stem}-${i}`;
    taken_.add(key);
    const arxiv = /arxiv\.org\/abs\/([^\s?#]+)/i.exec(url || '');
    const fields = [`  title = {{${bibtexText(title)}}}`];
    if (year) fields.push(`  year = {${year}}`);
    if (/^https?:[^\s{}]+$/.test(url || '')) fields.push(`  url = {${url}}`);
    if (arxiv) fields.push(`  eprint = {${arxiv[1].replace(/[{}]/g, '')}}`, '  archivePrefix = {arXiv}');
    return `@misc{${key},\n${fields.join(',\n')}\n}\n`;
  });
  save('papers.bib', 'application/x-bibtex', entries.join('\n'));
}
const exports_ = { link: () => copy(location.href, 'Link copied.'), svg: exportSvg, png: exportPng, nodes: exportNodes, edges: exportEdges, json: exportJson, turtle: exportTurtle, bibtex: exportBibtex };
