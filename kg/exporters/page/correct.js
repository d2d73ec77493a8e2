// Corrections: what is wrong here, as rules for overrides.yaml, which the next build keeps to.

/** A YAML scalar: bare where that is safe, else in double quotes, which JSON's are a part of. */
function yamlText(text) {
  if (/^[A-Za-z][A-Za-z0-9]*$/.test(text) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text)) return text;
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

let spelt = null;
/** How a rule calls a node: by its name, or by its id where another thing answers to that name. */
function ruleName(node) {
  if (!spelt) {
    spelt = new Map();
    searchKeys().forEach((spellings) => { for (const key of new Set(spellings)) spelt.set(key, (spelt.get(key) || 0) + 1); });
  }
  return spelt.get(nameKey(nameOf(node))) === 1 ? nameOf(node) : idOf(node);
}

function rule(verb, ...list_) {
  return `  - ${verb}: [${list_.map(yamlText).join(', ')}]\n    date: ${new Date().toISOString().slice(0, 10)}\n    reason: ""\n`;
}

/** What can be wrong with an edge: words, and the rules that say so. */
function edgeCorrections(e) {
  const ends_ = [ruleName(from[e]), relations[relationOf[e]], ruleName(to[e])];
  const others = heldRelations.filter((r) => r !== relationOf[e]).map((r) => relations[r]);
  return [
    ['It does not hold', () => rule('reject_edge', ...ends_)],
    ['It runs the other way', () => rule('reject_edge', ...ends_) + rule('add_edge', ends_[2], ends_[1], ends_[0])],
    ...others.map((name) => [`It is rather “${relationStyle(name).words}”`, () => rule('retype_edge', ...ends_, name)]),
    ['I have looked and am not sure', () => rule('unsure_edge', ...ends_)],
  ];
}

/** What can be wrong with a node. */
function nodeCorrections(node) {
  const name = ruleName(node);
  return [
    ...aboutNode('aliases', node).slice(0, 40).map((alias) => [`“${shortName(alias, 30)}” is something else`, () => rule('keep_apart', name, alias)]),
    ...types.filter((type) => type !== types[typeOf[node]]).map((type) => [`It is a ${type.toLowerCase()}`, () => rule('retype', name, type)]),
    ['It is nothing: leave it out', () => rule('drop', name)],
    ...byDegree.filter((other_) => other_ !== node && alike(other_, node)).slice(0, 5)
      .map((other_) => [`It is the same as “${shortName(nameOf(other_), 30)}”`, () => rule('merge', ruleName(other_), name)]),
  ];
}
/** Whether the name of one node begins with the other's, case and hyphens aside. */
function alike(one, two) {
  const [a, b] = [searchKeys()[one][0], searchKeys()[two][0]];
  return typeOf[one] === typeOf[two] && a.length > 2 && b.length > 2 && (a.startsWith(b) || b.startsWith(a));
}

/** Choose what is wrong, see the rule, copy it; `choices` makes the list once it is wanted. */
function correction(question, choices) {
  const text = h('pre', { tabindex: '0', 'aria-label': 'Rule for overrides.yaml' });
  const select_ = h('select', { 'aria-label': question });
  let made = [];
  const show = () => { text.textContent = made[Number(select_.value)][1](); };
  select_.addEventListener('change', show);
  const box = h('details', { class: 'correct' }, h('summary', {}, question), select_, text,
    h('p', { class: 'quiet' }, 'Paste it under “rules:” in overrides.yaml and build again; the correction then holds for every build.'),
    h('button', { type: 'button', onclick: () => copy(text.textContent, 'Correction copied.') }, 'Copy for overrides.yaml'));
  box.addEventListener('toggle', () => {
    if (!box.open || made.length) return;
    made = choices();
    select_.append(...made.map(([words_], i) => h('option', { value: String(i) }, words_)));
    show();
  });
  return box;
}
