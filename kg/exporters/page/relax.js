// vis-network: its physics behind the button "Relax", and its drawing for --renderer pyvis.

const RELAXED = 1000; // more nodes than this would only make people wait
const visHome = document.getElementById('vis-home');
let network = null;

function visGroups() {
  const shapes = { circle: 'dot', square: 'square', diamond: 'diamond', hexagon: 'hexagon', triangle: 'triangle', star: 'star' };
  return Object.fromEntries(types.map((type, i) => [type, {
    shape: shapes[look.types[type] ? look.types[type].shape : 'circle'] || 'dot', color: palette.types[i],
  }]));
}

/** Run vis-network, which travels as text until then: most people never need it. */
function loadNetwork() {
  if (window.vis) return;
  const script = document.createElement('script');
  // The policy admits this text by its hash, and no other.
  script.textContent = document.getElementById('library').textContent;
  document.head.append(script);
}

/** Draw what is visible with vis-network, moving or still. */
function openNetwork(physics) {
  loadNetwork();
  closeNetwork(false);
  const items = [...visibleNodes()].map((node) => ({
    id: node, label: shortName(nameOf(node)), group: types[typeOf[node]], x: posX[node], y: posY[node],
    size: radius[node], font: { color: palette.text, strokeWidth: 3, strokeColor: palette.ground, face: FONT },
  }));
  const lines = [];
  for (let e = 0; e < edgeCount; e++) {
    if (!shown.edges[e]) continue;
    const style = look.kinds[kinds[kindOf[e]]];
    lines.push({
      id: e, from: from[e], to: to[e], width: style.width, dashes: style.dash.length ? style.dash : false,
      color: { color: palette.groups[relationStyle(relations[relationOf[e]]).group], opacity: 0.6 },
    });
  }
  visHome.hidden = false;
  canvas.hidden = true;
  network = new vis.Network(visHome, { nodes: new vis.DataSet(items), edges: new vis.DataSet(lines) }, {
    groups: visGroups(),
    edges: { smooth: false, arrows: { to: { enabled: true, scaleFactor: 0.45 } } },
    physics: physics ? { solver: 'forceAtlas2Based', stabilization: false, minVelocity: 1.5, forceAtlas2Based: { springLength: 60, avoidOverlap: 0.3 } } : false,
    interaction: { keyboard: false, tooltipDelay: 1e9 },
  });
  network.moveTo({ position: { x: (width / 2 - view.x) / view.k, y: (height / 2 - view.y) / view.k }, scale: view.k });
  network.on('click', ({ nodes: [node], edges: [edge] }) => {
    if (node !== undefined) select(node);
    else if (edge !== undefined) selectEdge(edge);
    else clearSelection();
  });
  network.on('doubleClick', ({ nodes: [node] }) => { if (node !== undefined) openNeighbours(node); });
  if (physics) network.once('stabilized', () => closeNetwork(true));
}

/** Go back to the canvas; where nodes have moved, they stay. */
function closeNetwork(keep) {
  if (!network) return;
  if (keep) {
    const places = network.getPositions();
    for (const [node, { x, y }] of Object.entries(places)) { posX[node] = homeX[node] = x; posY[node] = homeY[node] = y; }
    const scale = network.getScale();
    const middle = network.getViewPosition();
    Object.assign(view, { k: scale, x: width / 2 - middle.x * scale, y: height / 2 - middle.y * scale });
  }
  network.destroy();
  network = null;
  visHome.hidden = true;
  canvas.hidden = false;
  redraw();
  showRelax();
}

const alwaysNetwork = details.renderer === 'pyvis';
function showRelax() {
  const button = document.getElementById('relax');
  button.hidden = alwaysNetwork || state.view === 'table' || tree !== null || star !== null || shown.nodeTotal > RELAXED || shown.edgeTotal === 0;
  button.textContent = network ? 'Stop' : 'Relax';
  button.title = network ? 'Leave the nodes where they are' : 'Let the nodes find their places by forces';
}
function toggleRelax() {
  if (network) { closeNetwork(true); say('The nodes stay where they are.'); } else { openNetwork(true); say('The nodes are moving; press Stop to leave them.'); }
  showRelax();
}
