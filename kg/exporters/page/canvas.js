// Drawing. A finished picture is kept with the view it was painted for; while people pan or zoom
// that picture is moved at once, and the next one is painted in slices behind it, so no frame is
// ever long, whatever the size of the graph.

const canvas = document.getElementById('graph');
const surface = canvas.getContext('2d', { alpha: false });
const stage = document.getElementById('stage');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif';

const posX = Float32Array.from(homeX);
const posY = Float32Array.from(homeY);
const view = { k: 1, x: 0, y: 0 }; // screen = world * k + (x, y)
let width = 1;
let height = 1;
let density = 1;
let palette = null;
let buckets = []; // visible edges that share colour and line
let nodeBuckets = []; // visible nodes by type
let labelOrder = []; // visible nodes, the best connected first

let front = null; // { canvas, view, margin }
let back = null;
let job = null;
let stale = true;
let raf = 0;
let budget = 3000; // pieces painted in one frame; adapts to the machine
let lastFrame = 0;
let hovered = -1;
let ends = new Uint8Array(0); // in a tree: 1 has a line upwards, 2 downwards
let unnamed = 0; // nodes of the picture for whose names there was no room
/** At this zoom the names of a tree can be read. */
const LEGIBLE = 0.42;
/** The least height of a node and its name in a neighbourhood, and how much of it nodes take. */
const ROW = 27;
const STAR_SCALE = 1.25;

/** Whether a person has moved or zoomed the picture since it was last fitted. */
let byHand = false;
let noting = 0;
/** A while after the last movement, write where the picture stands into the address. */
function notePlace(moved) {
  if (!moved && !byHand) return;
  byHand = moved;
  clearTimeout(noting);
  noting = setTimeout(() => writeAddress(false), 250);
}
/** The middle of what is seen and the zoom, which mean the same on a screen of another size. */
const placeOf = ({ k, x, y }) => [Math.round((width / 2 - x) / k), Math.round((height / 2 - y) / k), Number(k.toPrecision(4))];
const viewAt = ([x, y, k]) => ({ k, x: width / 2 - x * k, y: height / 2 - y * k });

const dark = () => document.documentElement.dataset.theme === 'dark';

function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const pick = (name) => style.getPropertyValue(name).trim();
  const side = dark() ? 'dark' : 'light';
  palette = {
    ground: pick('--ground'), region: pick('--region'), text: pick('--text'), muted: pick('--muted'), accent: pick('--accent'),
    types: types.map((type) => (look.types[type] ? look.types[type][side] : pick('--muted'))),
    groups: Object.fromEntries(Object.entries(look.groups).map(([name, group]) => [name, group[side]])),
  };
  stale = true;
}

/** Sort what is visible into runs that one path can draw. */
function sortOut() {
  bendEdges(shown.edges);
  const order = Object.keys(look.groups).reverse(); // lineage last, on top
  const rankOf = relations.map((name) => order.indexOf(relationStyle(name).group));
  const runs = [];
  for (let e = 0; e < edgeCount; e++) {
    if (!shown.edges[e]) continue;
    const rank = rankOf[relationOf[e]];
    const far = communityOf[from[e]] !== communityOf[to[e]];
    // What leads from one community to another lies beneath, so that communities stand out.
    const key = ((far ? 0 : order.length) + rank) * kinds.length + kindOf[e];
    runs[key] ||= { group: order[rank], far, kind: kinds[kindOf[e]], edges: [] };
    runs[key].edges.push(e);
  }
  buckets = runs.filter(Boolean);
  nodeBuckets = types.map((type) => ({ type, nodes: [] }));
  labelOrder = byDegree.filter((node) => shown.nodes[node]);
  for (const node of labelOrder) nodeBuckets[typeOf[node]].nodes.push(node);
  stale = true;
}

const isTree = () => tree !== null;
/** Whether a part of the graph stands alone, with a name at each node. */
const isPart = () => tree !== null || star !== null;
/** Nodes grow more slowly than distances, so that an overview has dots and a close-up has room. */
function nodeScale(k) {
  if (isTree()) return Math.max(k, 0.6);
  if (star) return Math.min((STAR_SCALE * k * star.room) / ROW, Math.sqrt(k)); // as distances, which leave room for them
  const few = Math.min(1.5, Math.max(1, (1800 / Math.max(shown.nodeTotal, 1)) ** 0.22));
  return (k < 1 ? k ** 0.72 : k ** 0.5) * (k < 1 ? few : 1);
}
const sizeOf = (node, scale) => (isTree() ? 9 * scale : Math.max(1.1, radius[node] * scale));

function addShape(ctx, shape, x, y, r) {
  if (r < 2.2) { ctx.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7); return; }
  if (shape === 'circle') { ctx.moveTo(x + r, y); ctx.arc(x, y, r, 0, 6.2832); return; }
  if (shape === 'square') { const h = r * 0.9; ctx.rect(x - h, y - h, h * 2, h * 2); return; }
  const [count, size, turn, inner] = { diamond: [4, 1.25, 0, 1], hexagon: [6, 1.1, 0, 1],
    triangle: [3, 1.32, -Math.PI / 2, 1], star: [5, 1.38, -Math.PI / 2, 0.5] }[shape] || [8, 1, 0, 1];
  const steps = inner === 1 ? count : count * 2;
  const drop = shape === 'triangle' ? r * 0.2 : 0;
  for (let i = 0; i < steps; i++) {
    const reach = r * size * (inner !== 1 && i % 2 ? inner : 1);
    const angle = turn + (i / steps) * 2 * Math.PI;
    const px = x + reach * Math.cos(angle);
    const py = y + drop + reach * Math.sin(angle);
    if (i === 0) ctx.moveTo(px, py); else ctx.lineTo(px, py);
  }
  ctx.closePath();
}

/** Where an edge runs on the screen: a cubic curve, as its ends and the two points that pull it aside. */
function course(e, at) {
  const ax = posX[from[e]] * at.k + at.x;
  const ay = posY[from[e]] * at.k + at.y;
  const bx = posX[to[e]] * at.k + at.x;
  const by = posY[to[e]] * at.k + at.y;
  const dx = bx - ax;
  const dy = by - ay;
  if (!isTree()) {
    const sx = (-2 / 3) * dy * bend[e];
    const sy = (2 / 3) * dx * bend[e];
    return [ax, ay, ax + dx / 3 + sx, ay + dy / 3 + sy, bx - dx / 3 + sx, by - dy / 3 + sy, bx, by];
  }
  if (Math.abs(dy) < 1) {
    // Along its row it would run through what stands between: it hangs below.
    const drop = Math.min(24 + 0.12 * Math.abs(dx), 80) + Math.sign(dx) * bend[e] * 160;
    return [ax, ay, ax + dx * 0.15, ay + drop, bx - dx * 0.15, by + drop, bx, by];
  }
  const aside = -2 * dy * bend[e];
  return [ax, ay, ax + aside, ay + dy / 2, bx + aside, ay + dy / 2, bx, by];
}

/** The point of a course at `t`, from 0 at its start to 1 at its end. */
function along([ax, ay, px, py, qx, qy, bx, by], t) {
  const u = 1 - t;
  const [a, p, q, b] = [u ** 3, 3 * u * u * t, 3 * u * t * t, t ** 3];
  return [a * ax + p * px + q * qx + b * bx, a * ay + p * py + q * qy + b * by];
}

const isStraight = (e) => !isTree() && !bend[e];

function addEdge(ctx, e, at, scale) {
  const [ax, ay, px, py, qx, qy, bx, by] = course(e, at);
  if (from[e] === to[e]) {
    const r = sizeOf(from[e], scale);
    const loop = 7 + r * 0.6 + bend[e] * 5;
    ctx.moveTo(ax + loop, ay - r - loop * 0.6);
    ctx.arc(ax, ay - r - loop * 0.6, loop, 0, 6.2832);
    return;
  }
  ctx.moveTo(ax, ay);
  if (isStraight(e)) ctx.lineTo(bx, by);
  else ctx.bezierCurveTo(px, py, qx, qy, bx, by);
}

function addArrow(ctx, e, at, scale, size) {
  if (from[e] === to[e]) return;
  const [ax, ay, , , qx, qy, bx, by] = course(e, at);
  const gap = sizeOf(to[e], scale) + 2;
  if (Math.hypot(bx - ax, by - ay) < gap + size * 1.5) return;
  const length = Math.hypot(bx - qx, by - qy);
  const ux = (bx - qx) / length;
  const uy = (by - qy) / length;
  const tx = bx - ux * gap;
  const ty = by - uy * gap;
  ctx.moveTo(tx, ty);
  ctx.lineTo(tx - ux * size - uy * size * 0.45, ty - uy * size + ux * size * 0.45);
  ctx.lineTo(tx - ux * size + uy * size * 0.45, ty - uy * size - ux * size * 0.45);
  ctx.closePath();
}

/** Whether an edge can touch the rectangle at all. */
function crosses(e, at, w, h) {
  const ax = posX[from[e]] * at.k + at.x;
  const bx = posX[to[e]] * at.k + at.x;
  if ((ax < -40 && bx < -40) || (ax > w + 40 && bx > w + 40)) return false;
  const ay = posY[from[e]] * at.k + at.y;
  const by = posY[to[e]] * at.k + at.y;
  return !((ay < -40 && by < -40) || (ay > h + 40 && by > h + 40));
}

/** A pale disc behind each community of some size: middle and reach, from where its nodes belong. */
const regions = (() => {
  const held = new Map();
  for (let node = 0; node < nodeCount; node++) {
    const key = communityOf[node];
    if (!held.has(key)) held.set(key, { key, nodes: [], x: 0, y: 0, r: 0, loose: true });
    const region = held.get(key);
    region.nodes.push(node);
    region.x += homeX[node];
    region.y += homeY[node];
    if (edgesOf(node).length) region.loose = false;
  }
  return [...held.values()].filter((region) => region.nodes.length >= 4).map((region) => {
    region.x /= region.nodes.length;
    region.y /= region.nodes.length;
    for (const node of region.nodes) region.r = Math.max(region.r, Math.hypot(homeX[node] - region.x, homeY[node] - region.y) + radius[node]);
    return region;
  });
})();

function paintRegions(ctx, at, w, h) {
  ctx.globalAlpha = emphasis ? 0.55 : 1;
  ctx.fillStyle = palette.region;
  ctx.beginPath();
  for (const region of regions) {
    const x = region.x * at.k + at.x;
    const y = region.y * at.k + at.y;
    const r = (region.r + 7) * at.k + 1;
    if (x + r < 0 || y + r < 0 || x - r > w || y - r > h || !region.nodes.some((node) => shown.nodes[node])) continue;
    ctx.moveTo(x + r, y);
    ctx.arc(x, y, r, 0, 6.2832);
  }
  ctx.fill();
  ctx.globalAlpha = 1;
}

const SLICE = 400;
const SHOWN_NAME = 44;
/** A name of at most `most` letters, without its middle: the ends tell sizes and versions apart. */
const shortName = (text, most = SHOWN_NAME) => {
  const ends_ = text.length > 8 * most ? text.slice(0, 4 * most) + text.slice(-4 * most) : text;
  const all = [...ends_.replace(/\s+/g, ' ')];
  if (all.length <= most) return all.join('');
  return `${all.slice(0, Math.ceil(most / 2) - 1).join('')}…${all.slice(all.length - Math.floor(most / 2)).join('')}`;
};

/**
 * Paint the visible graph onto `ctx`; a generator that yields the number of pieces done, so that
 * the caller decides how much to do at once.
 */
function* paint(ctx, at, w, h, mx = 0, my = 0) {
  const scale = nodeScale(at.k);
  const lit = emphasis;
  const litEdge = (e) => (lit.edges ? lit.edges.has(e) : lit.nodes.has(from[e]) && lit.nodes.has(to[e]));
  ctx.globalAlpha = 1;
  ctx.fillStyle = palette.ground;
  ctx.fillRect(0, 0, w, h);
  ctx.lineCap = 'butt';
  ctx.lineJoin = 'round';
  if (!isPart()) paintRegions(ctx, at, w, h);

  let inView = 0;
  for (const run of buckets) for (const e of run.edges) if (crosses(e, at, w, h)) inView++;
  yield 200;
  const rich = inView <= 2200;
  const crowded = inView > 6000;
  const faint = inView > 6000 ? 0.2 : inView > 2200 ? 0.28 : inView > 900 ? 0.42 : 0.6;
  // Thousands of dimmed edges would add nothing but a grey haze, and take longest.
  for (const bright of !lit ? [true] : inView > 3000 ? [true] : [false, true]) {
    for (const run of buckets) {
      const style = look.kinds[run.kind];
      const strong = run.group === 'lineage' || run.group === 'family';
      const plain = (strong ? Math.min(0.9, faint + 0.25) : faint) * (run.far && inView > 350 ? 0.4 : 1);
      const alpha = lit ? (bright ? 0.95 : star ? 0.25 : 0.07) : isTree() ? 0.9 : star && inView < 200 ? 0.8 : plain;
      const finish = () => {
        ctx.globalAlpha = alpha;
        ctx.strokeStyle = palette.groups[run.group];
        const wide = style.width * (lit && bright ? 1.35 : rich ? 1 : 0.75) * (isTree() ? 1.4 : 1);
        ctx.lineWidth = crowded && !lit ? Math.min(1, wide) : wide; // hairlines are drawn several times faster
        ctx.setLineDash(rich && !(lit && !bright) ? style.dash : []);
        ctx.stroke();
      };
      let open = 0;
      const heads = [];
      for (const e of run.edges) {
        if ((lit && litEdge(e) !== bright) || !crosses(e, at, w, h)) continue;
        if (open === 0) ctx.beginPath();
        addEdge(ctx, e, at, scale);
        heads.push(e);
        if (++open >= SLICE) { finish(); yield open; open = 0; }
      }
      if (open) { finish(); yield open; }
      if (heads.length && (rich || (lit && bright && heads.length < 2000)) && (!lit || bright)) {
        ctx.beginPath();
        const size = isTree() ? 8 : Math.min(9, 4.5 + 2.5 * Math.min(at.k, 2));
        for (const e of heads) addArrow(ctx, e, at, scale, size);
        ctx.globalAlpha = Math.min(1, alpha + 0.15);
        ctx.fillStyle = palette.groups[run.group];
        ctx.fill();
        yield heads.length;
      }
    }
  }
  ctx.setLineDash([]);

  for (const bright of lit ? [false, true] : [true]) {
    for (const run of nodeBuckets) {
      const shape = look.types[run.type] ? look.types[run.type].shape : 'circle';
      let open = 0;
      const finish = () => {
        ctx.globalAlpha = bright ? 1 : star ? 0.45 : 0.16;
        if (bright && scale > 0.28) { ctx.strokeStyle = palette.ground; ctx.lineWidth = 2.4; ctx.stroke(); }
        ctx.fillStyle = palette.types[types.indexOf(run.type)];
        ctx.fill();
      };
      for (const node of run.nodes) {
        const x = posX[node] * at.k + at.x;
        const y = posY[node] * at.k + at.y;
        if (x < -30 || y < -30 || x > w + 30 || y > h + 30) continue;
        if (lit && lit.nodes.has(node) !== bright) continue;
        if (open === 0) ctx.beginPath();
        addShape(ctx, shape, x, y, sizeOf(node, scale));
        if (++open >= SLICE) { finish(); yield open; open = 0; }
      }
      if (open) { finish(); yield open; }
    }
  }

  ctx.globalAlpha = 1;
  yield* paintLabels(ctx, at, w, h, scale, mx, my);
}

/**
 * Names, where there is room; the best connected choose first. What lies on the screen is named
 * within it, and not into the margin (mx, my) that is painted around it.
 */
function* paintLabels(ctx, at, w, h, scale, mx, my) {
  const lit = emphasis;
  const names = new Map(); // 64-pixel cells with the boxes of names in them
  const dots = new Map(); // and with those of nodes
  const cells = ([x0, y0, x1, y1], each) => {
    for (let cx = x0 >> 6; cx <= x1 >> 6; cx++) for (let cy = y0 >> 6; cy <= y1 >> 6; cy++) if (each(cx * 4096 + cy)) return true;
    return false;
  };
  const occupy = (room, box) => { cells(box, (key) => { if (!room.has(key)) room.set(key, []); room.get(key).push(box); return false; }); };
  const taken = (room, box) => cells(box, (key) => (room.get(key) || []).some((b) => b[4] !== box[4] && b[0] < box[2] && box[0] < b[2] && b[1] < box[3] && box[1] < b[3]));

  const inside = [];
  const first = [state.node, state.focus, state.lineage].filter((node) => node >= 0 && shown.nodes[node]);
  for (const node of first.length ? new Set([...first, ...labelOrder]) : labelOrder) {
    if (lit && !star && !lit.nodes.has(node)) continue;
    const x = posX[node] * at.k + at.x;
    const y = posY[node] * at.k + at.y;
    if (x < -20 || y < -20 || x > w + 20 || y > h + 20) continue;
    inside.push(node);
    if (inside.length >= 3000) break;
  }
  if (inside.length < 1600) {
    for (const node of inside) {
      const r = sizeOf(node, scale);
      if (r > 2.5) { const x = posX[node] * at.k + at.x; const y = posY[node] * at.k + at.y; occupy(dots, [x - r, y - r, x + r, y + r, node]); }
    }
  }
  const most = lit || isPart() ? 400 : Math.max(30, Math.min(200, (w * h) / 7600));
  const minimum = lit || isPart() ? 0 : at.k > 0.85 ? 0 : at.k > 0.5 ? 2.8 : 2.2;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'alphabetic';
  for (const region of lit || isPart() ? [] : regions.filter((one) => one.loose && shown.nodes[one.nodes[0]])) {
    const middle = region.x * at.k + at.x;
    const y = (region.y + region.r + 7) * at.k + at.y + 16;
    const text = `${plural(region.nodes.length, 'name')} without any link`;
    ctx.font = `italic 400 12px ${FONT}`;
    const half = ctx.measureText(text).width / 2;
    const r = region.r * at.k;
    const x = middle > mx && middle < w - mx ? Math.max(mx + half + 6, Math.min(w - mx - half - 6, middle)) : middle;
    occupy(dots, [middle - r * 0.9, y - 16 - r * 1.9, middle + r * 0.9, y - 16 - r * 0.1, -1]);
    occupy(names, [x - half, y - 11, x + half, y + 4, -1]);
    ctx.strokeStyle = palette.ground;
    ctx.lineWidth = 4;
    ctx.strokeText(text, x, y);
    ctx.fillStyle = palette.muted;
    ctx.fillText(text, x, y);
  }
  const leaders = Math.min(28, Math.ceil(inside.length / 12), Math.round((w - 2 * mx) * (h - 2 * my) / 24000));
  let placed = 0;
  let tried = 0;
  for (const node of inside) {
    if (placed >= most || tried++ > 1500) break;
    const r = sizeOf(node, scale);
    const chosen = node === state.node || node === state.focus || node === state.lineage;
    if (r < minimum && !chosen) continue;
    // The best connected read as headings of their surroundings, the others as small print.
    const leads = chosen || (!lit && !star && placed < leaders);
    const usual = leads ? 14 : r > 11 ? 14 : r > 7 ? 12.5 : 11.5;
    const size = isTree() ? Math.max(10, Math.min(13, 13 * at.k)) : star ? Math.max(9.5, Math.min(usual, star.room * at.k - 3)) : usual;
    ctx.font = `${r > 7 || leads || isTree() ? 600 : 400} ${size}px ${FONT}`;
    const x = posX[node] * at.k + at.x;
    const y = posY[node] * at.k + at.y;
    const [x0, y0, x1, y1] = x > mx && x < w - mx && y > my && y < h - my ? [mx, my, w - mx, h - my] : [0, 0, w, h];
    let text = '';
    let spot = null;
    for (const letters of isTree() ? [30, 22, 16, 12] : [SHOWN_NAME]) {
      text = shortName(nameOf(node), letters);
      if (star && node !== star.root) {
        // Beside the rim a name takes the room there is.
        const room = (posX[node] >= posX[star.root] ? w - mx - x : x - mx) - r - 12;
        for (let fewer = Math.min(letters, text.length); fewer > 9 && ctx.measureText(text).width > room;) text = shortName(nameOf(node), --fewer);
      }
      const half = ctx.measureText(text).width / 2 + 3;
      const below = [x, y + r + size + 1];
      const above = [x, y - r - 5];
      const right = [x + r + half + 3, y + size * 0.35];
      const left = [x - r - half - 3, y + size * 0.35];
      const aslant = r * 0.7 + half;
      const around_ = [below, above, right, left, [x + aslant, above[1] + 3], [x - aslant, above[1] + 3], [x + aslant, below[1] - 3], [x - aslant, below[1] - 3]];
      const outwards = star && node !== star.root ? (posX[node] >= posX[star.root] ? right : left) : below;
      const spots = !isTree() ? [outwards, ...around_.slice(0, lit || star ? 8 : 4)] : ends[node] === 3 ? [right, left, above, below] : ends[node] === 2 ? [above, right, left] : [below, above, right, left];
      for (const [lx, ly] of spots) {
        const box = [lx - half, ly - size * 0.95, lx + half, ly + size * 0.25, node];
        if (!chosen && (box[0] < x0 || box[2] > x1 || box[1] < y0 || box[3] > y1)) continue;
        // The best connected are named even where that covers a smaller node, if all are equal.
        if (!taken(names, box) && ((placed < leaders && !lit && !isPart()) || !taken(dots, box))) { spot = [lx, ly]; occupy(names, box); break; }
      }
      if (!spot && chosen) { spot = below; occupy(names, [x - half, below[1] - size, x + half, below[1] + 4, node]); }
      if (spot) break;
    }
    if (!spot) continue;
    placed++;
    ctx.strokeStyle = palette.ground;
    ctx.lineWidth = 4;
    ctx.globalAlpha = 0.9;
    ctx.strokeText(text, spot[0], spot[1]);
    ctx.globalAlpha = 1;
    ctx.fillStyle = star && lit ? (lit.nodes.has(node) ? palette.text : palette.muted) : leads || lit || isPart() || r > 7 ? palette.text : palette.muted;
    ctx.fillText(text, spot[0], spot[1]);
    if (placed % 40 === 0) yield 300;
  }
  unnamed = inside.length - placed;
  const spoken = [];
  if (isPart() || (lit && (lit.edges ? lit.edges.size : 0) <= 40)) {
    for (const run of buckets) for (const e of run.edges) if ((isPart() && !lit) || (lit && (lit.edges === null || lit.edges.has(e)))) spoken.push([e, run.group]);
  }
  if (spoken.length <= 120) {
    ctx.font = `500 11px ${FONT}`;
    for (const [e, group] of spoken) {
      if (lit && lit.edges === null) continue;
      const curve = course(e, at);
      if (!isTree() && Math.hypot(curve[6] - curve[0], curve[7] - curve[1]) < 60) continue;
      const text = relationStyle(relations[relationOf[e]]).words;
      const half = ctx.measureText(text).width / 2 + 2;
      // In a tree nearer to the end that lies further out, where the lines of a brood have parted.
      const out = Math.abs(posY[to[e]]) - Math.abs(posY[from[e]]);
      for (const t of !isTree() || !out ? [0.5] : out > 0 ? [0.68, 0.5, 0.8] : [0.32, 0.5, 0.2]) {
        const [wx, wy] = along(curve, t);
        const box = [wx - half, wy - 8, wx + half, wy + 6, -1 - e];
        if (taken(names, box) || taken(dots, box)) continue;
        occupy(names, box);
        ctx.strokeStyle = palette.ground;
        ctx.lineWidth = 4;
        ctx.strokeText(text, wx, wy + 4);
        ctx.fillStyle = palette.groups[group];
        ctx.fillText(text, wx, wy + 4);
        break;
      }
    }
  }
  yield 1;
}

const same = (a, b) => a.k === b.k && a.x === b.x && a.y === b.y;

/** Paint the whole at once, for exports. */
function paintAll(ctx, at, w, h) {
  for (const _ of paint(ctx, at, w, h)) void _;
}

function begin() {
  // A margin around the screen keeps its edge from running empty while a large graph is panned.
  const margin = shown.edgeTotal + shown.nodeTotal > 400 ? 0.3 : 0;
  const mx = Math.round(width * margin);
  const my = Math.round(height * margin);
  const w = width + 2 * mx;
  const h = height + 2 * my;
  if (!back) back = { canvas: document.createElement('canvas') };
  const pw = Math.round(w * density);
  const ph = Math.round(h * density);
  if (back.canvas.width !== pw || back.canvas.height !== ph) { back.canvas.width = pw; back.canvas.height = ph; }
  const ctx = back.canvas.getContext('2d', { alpha: false });
  ctx.setTransform(density, 0, 0, density, 0, 0);
  back.view = { ...view };
  back.mx = mx;
  back.my = my;
  stale = false;
  job = paint(ctx, { k: view.k, x: view.x + mx, y: view.y + my }, w, h, mx, my);
}

/** Whether a person moves the picture, so that frames must stay short. */
const moving = () => glide !== null || pointers.size > 0;

function frame(now) {
  raf = 0;
  if (glide) stepGlide(now);
  const took = now - lastFrame;
  lastFrame = now;
  if (job && took < 200) budget = Math.max(600, Math.min(60000, took > 30 ? budget * 0.7 : took < 20 ? budget * 1.25 : budget));
  if (stale || !front || !same(front.view, view)) {
    if (stale && job) job = null;
    if (!job) begin();
  }
  if (job) {
    const calmly = moving() ? 1 : 4;
    const end = performance.now() + 9 * calmly;
    let done = 0;
    let step = job.next();
    while (!step.done) {
      done += step.value;
      if (done > budget * calmly || performance.now() > end) break;
      step = job.next();
    }
    if (step.done) { job = null; [front, back] = [back, front]; }
  }
  // While the next picture is painted and nothing moves, the last one may stay as it is.
  if (!job || !front || moving() || !same(drawn, view)) blit();
  if (job || glide || stale || !same(front.view, view)) schedule();
  else { renderNotice(); stage.dataset.painted = String(Number(stage.dataset.painted || 0) + 1); }
}

/** The view that the screen shows. */
const drawn = { k: 0, x: 0, y: 0 };
function blit() {
  Object.assign(drawn, view);
  surface.setTransform(density, 0, 0, density, 0, 0);
  surface.globalAlpha = 1;
  surface.fillStyle = palette.ground;
  if (!front) { surface.fillRect(0, 0, width, height); return; }
  const zoom = view.k / front.view.k;
  const x = view.x - (front.view.x + front.mx) * zoom;
  const y = view.y - (front.view.y + front.my) * zoom;
  surface.imageSmoothingEnabled = zoom !== 1;
  if (zoom !== 1 || x > 0 || y > 0 || x + front.canvas.width / density < width || y + front.canvas.height / density < height) surface.fillRect(0, 0, width, height);
  surface.drawImage(front.canvas, x, y, (front.canvas.width / density) * zoom, (front.canvas.height / density) * zoom);
  const scale = nodeScale(view.k);
  for (const [node, colour, extra] of [[hovered, palette.muted, 4], [state.pathFrom, palette.accent, 6], [state.node, palette.accent, 5]]) {
    if (node < 0 || !shown.nodes[node]) continue;
    surface.beginPath();
    surface.arc(posX[node] * view.k + view.x, posY[node] * view.k + view.y, sizeOf(node, scale) * 1.15 + extra, 0, 6.2832);
    surface.lineWidth = 2.5;
    surface.strokeStyle = colour;
    surface.stroke();
  }
}

function schedule() { raf ||= requestAnimationFrame(frame); }
function redraw() { stale = true; schedule(); }

let glide = null;
function stepGlide(now) {
  // A frame may be stamped before the moment at which the glide was asked for.
  const t = Math.max(0, Math.min(1, (now - glide.start) / 260));
  const ease = 1 - (1 - t) ** 3;
  for (const key of ['k', 'x', 'y']) view[key] = glide.from[key] + (glide.to[key] - glide.from[key]) * ease;
  if (t >= 1) glide = null;
}
function moveTo(target, animate = true, moved = false) {
  notePlace(moved);
  if (animate && !calm.matches && front) glide = { from: { ...view }, to: target, start: performance.now() };
  else { glide = null; Object.assign(view, target); }
  schedule();
}

/** The part of the stage that neither bars nor panels cover: where it begins, how wide and high it is. */
function clear() {
  const sheet = narrow.matches && document.body.classList.contains('has-details') ? panel.offsetHeight : 0;
  const [bar, notice] = ['view-bar', 'notice'].map((id) => document.getElementById(id));
  const top = bar.offsetHeight && bar.offsetTop + bar.offsetHeight;
  const foot = Math.max(sheet, notice.offsetHeight && height - notice.offsetTop);
  return { top, w: width, h: Math.max(height - top - foot, 80) };
}

/** The view that holds these nodes. */
function viewOf(list, largest = isPart() ? 1.25 : 1.6) {
  let x0 = Infinity; let x1 = -Infinity; let y0 = Infinity; let y1 = -Infinity;
  for (const node of list) {
    x0 = Math.min(x0, posX[node]); x1 = Math.max(x1, posX[node]);
    y0 = Math.min(y0, posY[node]); y1 = Math.max(y1, posY[node]);
  }
  const area = clear();
  const middle = area.top + area.h / 2;
  if (x0 > x1) return { k: 1, x: area.w / 2, y: middle };
  const pad = Math.min(isTree() ? 120 : 48, area.w * (isTree() ? 0.16 : 0.06));
  const tall = Math.min(isTree() ? 96 : star ? 80 : 48, area.h * 0.12);
  if (star) {
    // Room for the longest name on either side, but not so much that the picture becomes small.
    const rim = (sign) => {
      const width_ = (node) => (nodes.label[node].length > 200 ? SHOWN_NAME * 7 : surface.measureText(shortName(nameOf(node))).width);
      surface.font = `600 12.5px ${FONT}`;
      const outer = list.filter((node) => sign * posX[node] > 0 && sign * posX[node] > 0.5 * (sign > 0 ? x1 : -x0));
      return Math.min(area.w * (star.rings.length > 1 ? 0.2 : 0.36), outer.slice(0, 200).reduce((longest, node) => Math.max(longest, width_(node)), 20) + 36);
    };
    const [left, right] = [rim(-1), rim(1)];
    const k = Math.max(0.004, Math.min(largest, (area.w - left - right) / Math.max(x1 - x0, 1), (area.h - 2 * tall) / Math.max(y1 - y0, 1)));
    return { k, x: left + (area.w - left - right) / 2 - ((x0 + x1) / 2) * k, y: middle - ((y0 + y1) / 2) * k };
  }
  const k = Math.max(0.004, Math.min(largest, (area.w - 2 * pad) / Math.max(x1 - x0, 1), (area.h - 2 * tall) / Math.max(y1 - y0, 1)));
  return { k, x: area.w / 2 - ((x0 + x1) / 2) * k, y: middle - ((y0 + y1) / 2) * k };
}
function* visibleNodes() { for (let node = 0; node < nodeCount; node++) if (shown.nodes[node]) yield node; }
/** Show what is visible; names without links and a tree too large to be read in full only where all is asked for. */
function fit(animate = true, all = false) {
  // Nodes without links lie aside; on opening they do not make the others small.
  const list = [...visibleNodes()];
  const tied = list.filter((node) => degree[node] > 0);
  const whole = viewOf(list);
  const main = tied.length ? viewOf(tied) : whole;
  const target = all || whole.k > main.k * 0.88 ? whole : main;
  if (isTree() && target.k < LEGIBLE && !all) {
    // A very large tree is shown from its top, but with its root, and can be moved.
    const area = clear();
    const ys = list.map((node) => posY[node] * LEGIBLE);
    const [lo, hi] = [Math.min(...ys), Math.max(...ys)];
    const y = hi - lo > area.h - 120 ? Math.min(area.top + 60 - lo, area.top + area.h - 60) : area.top + (area.h - lo - hi) / 2;
    moveTo({ k: LEGIBLE, x: area.w / 2, y }, animate);
  } else moveTo(target, animate);
}
function zoomBy(factor, cx = width / 2, cy = height / 2, animate = false) {
  const k = Math.max(0.004, Math.min(12, view.k * factor));
  const ratio = k / view.k;
  moveTo({ k, x: cx - (cx - view.x) * ratio, y: cy - (cy - view.y) * ratio }, animate, true);
}
function reveal(node) {
  const x = posX[node] * view.k + view.x;
  const y = posY[node] * view.k + view.y;
  const area = clear();
  if (x > 60 && y > area.top + 60 && x < area.w - 60 && y < area.top + area.h - 60 && view.k > 0.3) return;
  const k = Math.max(view.k, 0.7);
  moveTo({ k, x: area.w / 2 - posX[node] * k, y: area.top + area.h / 2 - posY[node] * k });
}

function resize() {
  const box = stage.getBoundingClientRect();
  const w = Math.max(1, Math.round(box.width));
  const h = Math.max(1, Math.round(box.height));
  density = Math.min(2, window.devicePixelRatio || 1);
  if (w === width && h === height && canvas.width === Math.round(w * density)) return;
  view.x += (w - width) / 2;
  view.y += (h - height) / 2;
  width = w;
  height = h;
  canvas.width = Math.round(w * density);
  canvas.height = Math.round(h * density);
  front = null;
  job = null;
  redraw();
}

/** The node at a point of the stage, or -1; small ones can be hit with a thumb. */
function nodeAt(x, y, slack = 8) {
  const scale = nodeScale(view.k);
  let best = -1;
  let nearestBy = Infinity;
  for (const node of labelOrder) {
    const d = Math.hypot(posX[node] * view.k + view.x - x, posY[node] * view.k + view.y - y);
    const r = sizeOf(node, scale);
    if (d <= Math.max(r * 1.2, r + Math.min(slack, 12 - Math.min(r, 8))) && d - r * 0.5 < nearestBy) { best = node; nearestBy = d - r * 0.5; }
  }
  return best;
}

/** The edge at a point of the stage, or -1. */
function edgeAt(x, y, slack = 6) {
  let best = -1;
  let nearestBy = slack;
  const scale = nodeScale(view.k);
  for (const run of buckets) {
    for (const e of run.edges) {
      if (emphasis && !star && !(emphasis.edges ? emphasis.edges.has(e) : emphasis.nodes.has(from[e]) && emphasis.nodes.has(to[e]))) continue;
      const d = distanceTo(e, x, y, scale, nearestBy);
      if (d < nearestBy) { nearestBy = d; best = e; }
    }
  }
  return best;
}

function distanceTo(e, x, y, scale, limit) {
  const curve = course(e, view);
  const [ax, ay, , , , , bx, by] = curve;
  if (from[e] === to[e]) {
    const r = sizeOf(from[e], scale);
    const loop = 7 + r * 0.6 + bend[e] * 5;
    return Math.abs(Math.hypot(x - ax, y - (ay - r - loop * 0.6)) - loop);
  }
  if (isStraight(e)) return segment(x, y, ax, ay, bx, by);
  const reach = Math.hypot(bx - ax, by - ay) * 0.6 + limit;
  if (Math.hypot(x - (ax + bx) / 2, y - (ay + by) / 2) > reach + 20) return Infinity;
  let least = Infinity;
  let last = [ax, ay];
  for (let i = 1; i <= 12; i++) {
    const next = along(curve, i / 12);
    least = Math.min(least, segment(x, y, ...last, ...next));
    last = next;
  }
  return least;
}

function segment(x, y, ax, ay, bx, by) {
  const dx = bx - ax;
  const dy = by - ay;
  const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - ax - dx * t, y - ay - dy * t);
}

/** Give a part that is wider than the stage the stage's height, so that its rows have room; `share` is what it has of the width. */
function stretch(list_, share) {
  const [xs, ys] = [posX, posY].map((pos) => list_.map((node) => pos[node]));
  const wide = Math.max(...xs) - Math.min(...xs);
  const high = Math.max(...ys) - Math.min(...ys);
  if (!high || !wide) return;
  const factor = Math.max(1, Math.min(2.4, (wide / high) * (height / width) * (0.8 / share)));
  for (const node of list_) posY[node] *= factor;
}

/** Give each node of the innermost ring its side, so that left and right hold as many with what hangs on them. */
function sidesOf(rings_) {
  const [inner = [], ...others] = rings_;
  const stem = new Map(inner.map(([node]) => [node, node]));
  const weight = new Map(inner.map(([node]) => [node, 1]));
  for (const ring of others) {
    for (const [node, parent] of ring) {
      stem.set(node, stem.get(parent));
      weight.set(stem.get(node), weight.get(stem.get(node)) + 1);
    }
  }
  // Around the clock: down the right side, then up the left one.
  const half = stem.size / 2;
  let passed = 0;
  const side = new Map();
  for (const [node] of inner) {
    side.set(node, passed + weight.get(node) / 2 <= half ? 1 : -1);
    passed += weight.get(node);
  }
  return new Map([...stem].map(([node, first]) => [node, side.get(first)]));
}

/**
 * Put a neighbourhood around its middle: one oval for each hop, its nodes on the left and the right
 * at heights of their own, so that neither they nor the names beside them meet; children on their
 * parent's side.
 */
function arrangeStar() {
  const sides = sidesOf(star.rings);
  posX[star.root] = 0;
  posY[star.root] = 0;
  const halves = star.rings.map((ring, level) => [1, -1].map((side) => {
    const nodes_ = ring.map(([node, parent], i) => [node, parent, i]).filter(([node]) => sides.get(node) === side);
    return level === 0 && side < 0 ? nodes_.reverse() : nodes_;
  }));
  const most = Math.max(...halves.flat().map((nodes_) => nodes_.length), 1);
  const row = Math.max(ROW, Math.min(64, 560 / most));
  const need = (node) => Math.max(row, 2 * radius[node] * STAR_SCALE + 8);
  const high = halves.map((two) => Math.max(...two.map((nodes_) => nodes_.reduce((sum, [node]) => sum + need(node), 0))) / 2);
  const outmost = Math.max(...high);
  halves.forEach((two, level) => {
    // Inner rings use the height that the outer ones need, too.
    const reach = Math.max(high[level], two.some((nodes_) => nodes_.length > 1) ? 90 : 0, (outmost * (level + 1)) / (halves.length + 1));
    const wide = 180 + 215 * level;
    two.forEach((nodes_, i) => {
      if (level > 0) nodes_.sort((a, b) => posY[a[1]] - posY[b[1]] || a[2] - b[2]);
      const total = nodes_.reduce((sum, [node]) => sum + need(node), 0);
      const stretch = nodes_.length > 1 ? Math.min(reach / (total / 2), 3) : 1;
      let y = (-total / 2) * stretch;
      for (const [node] of nodes_) {
        posY[node] = y + (need(node) / 2) * stretch;
        y += need(node) * stretch;
        posX[node] = (i === 0 ? 1 : -1) * wide * Math.sqrt(1 - 0.75 * Math.min(1, (posY[node] / reach) ** 2));
      }
    });
  });
  stretch([star.root, ...star.rings.flat().map(([node]) => node)], 0.5);
  star.room = Infinity;
  for (const nodes_ of halves.flat()) {
    for (let i = 1; i < nodes_.length; i++) star.room = Math.min(star.room, posY[nodes_[i][0]] - posY[nodes_[i - 1][0]]);
  }
}

/** Put nodes where they belong: in their community, around a focus, or in the tree of a lineage. */
function arrange() {
  posX.set(homeX);
  posY.set(homeY);
  if (star) arrangeStar();
  if (!tree) return;
  const side = (hops, sign) => {
    const children = new Map();
    for (const hop of hops) {
      if (!children.has(hop.parent)) children.set(hop.parent, []);
      children.get(hop.parent).push(hop);
    }
    const column = 200;
    const row = 132;
    const line = 62;
    // What is too wide for a screen is folded: leaves into lines, and broods into shelves.
    const most = Math.max(3, 1 + Math.floor((width * 0.68) / (column * LEGIBLE)));
    const measure = (node) => {
      const brood = children.get(node) || [];
      const leaves = brood.filter((hop) => !children.has(hop.node));
      const grown = brood.filter((hop) => children.has(hop.node)).map((hop) => measure(hop.node));
      const columns = leaves.length > 4 ? Math.min(most, Math.ceil(Math.sqrt(leaves.length * 1.1))) : Math.min(most, leaves.length);
      const block = columns ? [{ leaves, columns, width: columns, height: row + line * (Math.ceil(leaves.length / columns) - 1) }] : [];
      const half = grown.reduce((sum, box) => sum + box.width, columns) <= most ? Math.ceil(grown.length / 2) : 0;
      const shelves = [];
      for (const box of [...grown.slice(0, half), ...block, ...grown.slice(half)]) {
        let shelf = shelves.find((one) => one.width + box.width <= most);
        if (!shelf) { shelf = { boxes: [], width: 0, height: 0 }; shelves.push(shelf); }
        shelf.boxes.push(box);
        shelf.width += box.width;
        shelf.height = Math.max(shelf.height, box.height);
      }
      const [wide, high] = shelves.reduce(([w, h_], shelf) => [Math.max(w, shelf.width), h_ + shelf.height], [1, row]);
      return { node, shelves, width: wide, height: high };
    };
    const put = (box, left, top) => {
      if (box.leaves) {
        box.leaves.forEach((hop, i) => {
          const at = Math.floor(i / box.columns);
          posX[hop.node] = (left + (i % box.columns) + 0.5 + (at % 2 ? 0.25 : 0)) * column;
          posY[hop.node] = sign * (top + at * line);
        });
        return;
      }
      posX[box.node] = (left + box.width / 2) * column;
      posY[box.node] = sign * top;
      let y = top + row;
      for (const shelf of box.shelves) {
        let x = left + (box.width - shelf.width) / 2;
        for (const child of shelf.boxes) { put(child, x, y); x += child.width; }
        y += shelf.height;
      }
    };
    const whole = measure(tree.root);
    put(whole, -whole.width / 2, 0);
  };
  side(tree.up, -1);
  side(tree.down, 1);
  posX[tree.root] = 0;
  posY[tree.root] = 0;
  stretch([tree.root, ...tree.up.map((hop) => hop.node), ...tree.down.map((hop) => hop.node)], 1);
  ends = new Uint8Array(nodeCount);
  for (const hop of [...tree.up, ...tree.down]) {
    const [upper, lower] = posY[hop.node] < posY[hop.parent] ? [hop.node, hop.parent] : [hop.parent, hop.node];
    ends[upper] |= 2;
    ends[lower] |= 1;
  }
}
