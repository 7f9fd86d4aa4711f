// What is shown, apart from how: graphs, scopes, and the boxes that stand for nodes while scopes are folded.
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const program = data.program;
const planned = data.graphs[data.graphs.length - 1];  // the graph that steps and buffers speak of

const parentOf = path => path.slice(0, Math.max(path.lastIndexOf('/'), 0));
const leafOf = path => path.slice(path.lastIndexOf('/') + 1);

// All scopes that `path` lies in, the outermost first.
function scopesAbove(path) {
  const scopes = [];
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) scopes.push(path.slice(0, at));
  return scopes;
}

// Adds to a graph what is asked for often: users, scopes with their nodes, what only training needs.
function prepare(graph, next) {
  graph.byName = new Map(graph.nodes.map(node => [node.name, node]));
  for (const [alias, id] of Object.entries(graph.aliases)) graph.byName.set(alias, graph.nodes[id]);
  graph.scopes = new Map();
  for (const node of graph.nodes) {
    node.users = [];
    node.isTraining = /^(Gradients|Training)(\/|$)/.test(node.name);
    for (const id of node.operands) {
      graph.nodes[id].users.push(node.id);
      node.isTraining ||= graph.nodes[id].isTraining;
    }
    node.isGone = next !== undefined && !next.byName.has(node.name);
    if (node.drawn === undefined) continue;
    for (const scope of scopesAbove(node.name)) {
      if (!graph.scopes.has(scope)) graph.scopes.set(scope, []);
      graph.scopes.get(scope).push(node);
    }
  }
  // A node may have the name of a scope, and then lies within.
  for (const node of graph.nodes) {
    const own = graph.scopes.get(node.name);
    node.place = own ? node.name : parentOf(node.name);
    if (own && node.drawn !== undefined) own.push(node);
  }
}
for (let i = data.graphs.length; i-- > 0;) prepare(data.graphs[i], data.graphs[i + 1]);

// ---- Steps of the plan, by the names of nodes, which stay through all passes ----

const stepsOf = new Map();
program.steps.forEach((step, id) => {
  step.id = id;
  for (const node of step.nodes) {
    const {name} = planned.nodes[node];
    if (!stepsOf.has(name)) stepsOf.set(name, []);
    stepsOf.get(name).push(step);
  }
});
const isMeasured = program.steps.some(step => step.seconds !== undefined);

// Of a box: seconds, rate, share of the limit. Counted are the steps that its nodes give their names to; for a node that
// gives its name to none, those that it takes part in.
function measureOf(nodes) {
  const names = new Set(nodes.map(node => node.name));
  const steps = new Set(nodes.flatMap(node => stepsOf.get(node.name) ?? []));
  const own = [...steps].filter(step => names.has(planned.nodes[step.node].name));
  const counted = own.length > 0 || nodes.length > 1 ? own : [...steps];
  const seconds = counted.reduce((sum, step) => sum + step.seconds, 0);
  if (seconds === 0) return undefined;
  const sum = of => counted.reduce((total, step) => total + of(step), 0);
  const flops = sum(step => step.flops);
  return {
    seconds,
    share: sum(step => step.seconds * step.rate.share) / seconds,
    rate: flops > 0 ? withUnit(flops / seconds, 'FLOP/s') : withUnit(sum(step => step.bytes) / seconds, 'B/s'),
  };
}

// ---- Boxes ----

// {boxes: id → box, arrows}: a box is a node, or a whole scope while it is folded.
function visiblePart(graph, unfolded, withTraining) {
  const boxes = new Map(), boxOf = new Map();
  for (const node of graph.nodes) {
    if (node.drawn === undefined || (node.isTraining && !withTraining)) continue;
    const folded = [...scopesAbove(node.name), ...(node.place === node.name ? [node.name] : [])]
        .find(scope => !unfolded.has(scope) && graph.scopes.get(scope).length > 1);
    const id = folded === undefined ? `n${node.id}` : `s${folded}`;
    if (!boxes.has(id)) {
      boxes.set(id, folded === undefined
          ? {id, node, nodes: [], scope: node.place, kind: node.drawn, lines: node.lines}
          : {id, path: folded, nodes: [], scope: parentOf(folded), kind: 'scope'});
    }
    boxes.get(id).nodes.push(node);
    boxOf.set(node.id, id);
  }
  for (const box of boxes.values()) {
    box.lines ??= [leafOf(box.path), `${box.nodes.length} nodes`];
  }
  return {boxes, arrows: arrowsBetween(graph, boxOf)};
}

function arrowsBetween(graph, boxOf) {
  const arrows = new Map();
  const add = (from, to, value, label, isUpdate) => {
    if (from === undefined || to === undefined || from === to) return;
    const key = JSON.stringify([from, to, isUpdate]);
    if (!arrows.has(key)) arrows.set(key, {from, to, values: new Map(), isUpdate});
    arrows.get(key).values.set(value, label);
  };
  for (const node of graph.nodes) {
    for (const id of node.operands) {
      const {box} = graph.nodes[id];
      add(boxOf.get(box), boxOf.get(node.box), box, graph.nodes[id].type, false);
    }
  }
  // A next value mostly depends on its variable: declared from there and painted backwards, the arrow closes no cycle.
  for (const {variable, value} of graph.updates) add(boxOf.get(variable), boxOf.get(value), value, 'update', true);
  return [...arrows.values()];
}

// ---- DOT ----

// Within quotes of DOT; Graphviz reads \N and &amp; in labels.
const quoted = text => `"${text.replace(/[\\"]/g, '\\$&').replace(/&/g, '&amp;').replace(/\n/g, '\\n')}"`;
const labelOf = lines => `"${lines.map(line => quoted(line).slice(1, -1)).join('\\n')}"`;

// Graphviz takes time for labels, which are nodes to it, then for curves; the panel says what the labels would.
const kMostLabels = 80, kMostCurves = 400;

const kShapes = {placeholder: 'invhouse', variable: 'cylinder', constant: 'note', random: 'hexagon'};

// Colours are left to the page's style; ids are numbers, so that no name can be anything but a label.
function toDot({boxes, arrows}) {
  const numbers = new Map([...boxes.keys()].map((id, number) => [id, number]));
  const clusters = new Map([['', []]]);
  for (const box of boxes.values()) {
    for (const scope of [...scopesAbove(box.scope), box.scope]) if (!clusters.has(scope)) clusters.set(scope, []);
    const shape = kShapes[box.kind] ?? 'box';
    clusters.get(box.scope).push(`${numbers.get(box.id)} [id="b${numbers.get(box.id)}", class="kind-${box.kind}${box.node?.isGone ? ' gone' : ''}", ` +
        `label=${labelOf(box.lines)}, shape=${shape}, style="filled${shape === 'box' ? ',rounded' : ''}"${box.path ? ', peripheries=2' : ''}];`);
  }
  const inner = new Map([...clusters.keys()].map(scope => [scope, []]));
  for (const scope of clusters.keys()) if (scope !== '') inner.get(parentOf(scope)).push(scope);
  const names = [];  // of clusters, by number
  const write = scope => [
    ...clusters.get(scope),
    ...inner.get(scope).flatMap(child => [
      `subgraph cluster_${names.push(child) - 1} { id="c${names.length - 1}"; label=${quoted(leafOf(child))}; style="rounded,filled";`,
      ...write(child), '}']),
  ];
  const lines = write('');
  for (const {from, to, values, isUpdate} of arrows) {
    const text = arrows.length > kMostLabels ? '' : values.size > 1 ? `${values.size} ${isUpdate ? 'updates' : 'values'}` : [...values.values()][0];
    lines.push(`${numbers.get(from)} -> ${numbers.get(to)} [${text === '' ? '' : `label=${quoted(` ${text}`)}, `}` +
        `${isUpdate ? 'class=updates, dir=back, style=dashed' : ''}];`);
  }
  return {
    ids: [...boxes.keys()],
    clusters: names,
    dot: `digraph {
graph [rankdir=TB, nodesep=0.25, ranksep=0.3, fontname="Helvetica", fontsize=12, labeljust=l, bgcolor=transparent${arrows.length > kMostCurves ? ', splines=line, nslimit=3, nslimit1=3, mclimit=0.1' : ''}];
node [fontname="Helvetica", fontsize=10, height=0.3, margin="0.2,0.06"];
edge [fontname="Helvetica", fontsize=8, arrowsize=0.6];
${lines.join('\n')}
}`,
  };
}
