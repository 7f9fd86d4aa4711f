// The page at work: what is unfolded and selected, and what keys and clicks do about it.
'use strict';

const kMostBoxes = 500;  // Graphviz needs seconds for so many
const byId = id => document.getElementById(id);
const state = {graph: data.graphs[0], unfolded: new Set(), training: data.training, selected: null, zoom: 1, tab: 'graph', anyway: false};
let layout = null;     // Graphviz
let drawn = null;      // {ids, clusters, part} of the picture

// ---- Drawing ----

async function loadLayout() {
  const source = new Blob([byId('graphviz').textContent], {type: 'text/javascript'});
  const {Graphviz} = await import(URL.createObjectURL(source));
  layout = await Graphviz.load();
}

// The picture as an element; what stands in its place, if there are too many boxes or Graphviz gives up on them.
function layOut(part) {
  const explain = (text, ...more) => element('p', {}, `${text} `, ...more, element('button', {onclick: foldAll}, 'Fold all'));
  if (part.boxes.size > kMostBoxes && !state.anyway) {
    return explain(`That would be ${part.boxes.size} boxes.`,
                   element('button', {onclick: () => { state.anyway = true; draw(); }}, 'Draw them all the same'), ' ');
  }
  const {dot, ids, clusters} = toDot(part);
  try {
    const text = layout.dot(dot);
    const picture = document.importNode(new DOMParser().parseFromString(text, 'image/svg+xml').documentElement, true);
    drawn = {ids, clusters, part, width: parseFloat(picture.getAttribute('width')), height: parseFloat(picture.getAttribute('height'))};
    return picture;
  } catch (error) {
    return explain(`Graphviz cannot lay this out (${error.message}); with other scopes unfolded it may.`);
  }
}

function draw(focus) {
  const part = visiblePart(state.graph, state.unfolded, state.training);
  for (const box of part.boxes.values()) addMeasure(box);
  const picture = layOut(part);
  for (const title of picture.querySelectorAll('title')) title.remove();
  for (const group of picture.querySelectorAll('.node, .cluster')) dress(group);
  byId('graph').replaceChildren(picture);
  resize();
  select(state.selected);
  if (focus !== undefined) groupOf(focus)?.focus({preventScroll: true});
  groupOf(focus ?? state.selected)?.scrollIntoView({block: 'center', inline: 'center'});
}

function addMeasure(box) {
  if (!isMeasured) return;
  box.measure = measureOf(box.nodes);
  if (box.measure) box.lines = [...box.lines, measureText(box.measure)];
}

// What a group of the picture stands for: a box, or a scope that is unfolded.
function subjectOf(group) {
  const number = Number(group.id.slice(1));
  return group.id[0] === 'c' ? {path: drawn.clusters[number]} : drawn.part.boxes.get(drawn.ids[number]);
}
const nameOf = ({path, node}) => path ?? node.name;
const groupOf = name => [...document.querySelectorAll('#graph .node, #graph .cluster')].find(group => nameOf(subjectOf(group)) === name);

function dress(group) {
  const subject = subjectOf(group);
  group.setAttribute('tabindex', '0');
  group.setAttribute('role', 'button');
  group.setAttribute('aria-label', nameOf(subject));
  if (subject.path) group.setAttribute('aria-expanded', group.id[0] === 'c');
  const most = Math.max(...[...drawn.part.boxes.values()].map(box => box.measure?.seconds ?? 0));
  const by = byId('colour').value;
  if (by === 'kind' || !subject.measure) return;
  const hue = by === 'time' ? 50 - 50 * subject.measure.seconds / most : 120 * Math.min(subject.measure.share, 1);
  for (const outline of group.querySelectorAll('path, polygon, ellipse')) outline.style.fill = `hsl(${hue} 70% 50% / 0.55)`;
}

function resize() {
  const picture = byId('graph').querySelector('svg');
  if (picture === null) return;
  const fit = Math.min((byId('graph').clientWidth - 24) / drawn.width, 1.3);
  picture.setAttribute('width', `${drawn.width * Math.max(fit, 0.7) * state.zoom}`);
  picture.setAttribute('height', `${drawn.height * Math.max(fit, 0.7) * state.zoom}`);
}

// ---- What is selected ----

const detailsOf = subject => subject.node ? nodeDetails(state.graph, subject.node) : scopeDetails(state.graph, subject.path);
const showDetails = details => byId('details').replaceChildren(...details);

function select(name) {
  state.selected = name;
  for (const group of document.querySelectorAll('#graph .selected')) group.classList.remove('selected');
  if (name !== null) groupOf(name)?.classList.add('selected');
  const node = state.graph.byName.get(name);
  if (node && !state.graph.scopes.has(name)) showDetails(nodeDetails(state.graph, node));
  else if (state.graph.scopes.has(name)) showDetails([...scopeDetails(state.graph, name), ...(node ? nodeDetails(state.graph, node) : [])]);
  else showDetails(welcome(state.graph));
}

// Goes to a node wherever it is: in the graph that has it, unfolding what it lies in.
function reveal(name) {
  if (!state.graph.byName.has(name)) setPass(data.graphs.findIndex(graph => graph.byName.has(name)));
  const found = state.graph.byName.get(name);
  const node = found.box === undefined ? found : state.graph.nodes[found.box];
  for (const scope of [...scopesAbove(node.name), ...(state.graph.scopes.has(node.name) ? [node.name] : [])]) state.unfolded.add(scope);
  if (node.isTraining) state.training = true;
  state.selected = found.name;
  showTab('graph');
  draw(node.name);
  select(found.name);
}

// A scope that has but one scope in it is unfolded with it.
function unfold(path) {
  state.unfolded.add(path);
  const inner = new Set((state.graph.scopes.get(path) ?? []).map(node => scopesAbove(`${node.place}/`).find(scope => scope.length > path.length)));
  const [only] = inner;
  if (inner.size === 1 && only !== undefined) unfold(only);
}

function activate(group) {
  const subject = subjectOf(group);
  if (group.id[0] === 'c') state.unfolded.delete(subject.path);
  else if (subject.path) unfold(subject.path);
  state.selected = nameOf(subject);
  if (subject.path) draw(state.selected);
  else select(state.selected);
}

function foldAll() {
  state.unfolded.clear();
  state.anyway = false;
  draw();
}

// ---- Controls ----

const kTabs = {graph: () => draw(), memory: () => drawMemory(byId('memory')), schedule: () => drawSchedule(byId('schedule'))};

function showTab(name) {
  state.tab = name;
  for (const tab of Object.keys(kTabs)) {
    byId(tab).hidden = tab !== name;
    byId(`tab-${tab}`).setAttribute('aria-selected', tab === name);
  }
  byId('training').setAttribute('aria-pressed', state.training);
}

function setPass(index) {
  state.graph = data.graphs[index];
  byId('pass').value = index;
}

function search(text) {
  const wanted = text.trim().toLowerCase();
  const found = wanted === '' ? [] : state.graph.nodes.filter(node => node.name.toLowerCase().includes(wanted) || node.op.toLowerCase() === wanted);
  byId('results').hidden = wanted === '';
  byId('results').replaceChildren(
      element('li', {class: 'faint'}, `${found.length} node${found.length === 1 ? '' : 's'}`),
      ...found.slice(0, 50).map(node => element('li', {}, element('button', {onclick: () => reveal(node.name)}, node.name))));
}

function toggleTraining() {
  state.training = !state.training;
  showTab('graph');
  draw();
}

function zoom(factor) {
  state.zoom *= factor;
  resize();
}

// ↑ and ↓: to a box that this one reads, or that reads it.
function step(group, key) {
  const id = drawn.ids[Number(group.id.slice(1))];
  const [own, other] = key === 'ArrowUp' ? ['to', 'from'] : ['from', 'to'];
  const arrow = drawn.part.arrows.find(each => each[own] === id && !each.isUpdate);
  if (group.id[0] === 'b' && arrow) groupOf(nameOf(drawn.part.boxes.get(arrow[other])))?.focus();
}

const kKeys = {
  '/': () => byId('search').focus(), g: toggleTraining, f: foldAll, '+': () => zoom(1.2), '-': () => zoom(1 / 1.2),
  Escape: () => select(null),
};

document.addEventListener('keydown', event => {
  if (event.target.matches('input, select') || event.ctrlKey || event.metaKey || event.altKey) return;
  const group = event.target.closest('#graph .node, #graph .cluster');
  if (group && (event.key === 'Enter' || event.key === ' ')) activate(group);
  else if (group && event.key.startsWith('Arrow')) step(group, event.key);
  else if (kKeys[event.key]) kKeys[event.key]();
  else return;
  event.preventDefault();
});
byId('search').addEventListener('input', event => search(event.target.value));
byId('search').addEventListener('keydown', event => {
  if (event.key === 'Enter') byId('results').querySelector('button')?.click();
  if (event.key === 'Escape') search(event.target.value = '');
});
byId('graph').addEventListener('click', event => {
  const group = event.target.closest('.node, .cluster');
  if (group) activate(group);
  else select(null);
});
for (const event of ['mouseover', 'focusin']) {
  byId('graph').addEventListener(event, ({target}) => {
    const group = target.closest('.node, .cluster');
    if (group) showDetails(detailsOf(subjectOf(group)));
  });
}
byId('graph').addEventListener('mouseleave', () => select(state.selected));
byId('graph').addEventListener('wheel', event => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
}, {passive: false});
byId('pass').addEventListener('change', event => { setPass(event.target.value); showTab('graph'); draw(); });
byId('colour').addEventListener('change', () => draw());
byId('training').addEventListener('click', toggleTraining);
byId('fold').addEventListener('click', foldAll);
byId('smaller').addEventListener('click', () => zoom(1 / 1.2));
byId('larger').addEventListener('click', () => zoom(1.2));
for (const tab of Object.keys(kTabs)) byId(`tab-${tab}`).addEventListener('click', () => { showTab(tab); kTabs[tab](); });
window.addEventListener('resize', resize);

byId('pass').append(...data.graphs.map((graph, index) =>
  element('option', {value: index}, `${index > 0 ? 'after ' : ''}${graph.name}: ${graph.nodes.length} nodes`)));
byId('colours').hidden = !isMeasured;
showTab('graph');
loadLayout().then(() => draw()).then(() => { document.body.dataset.ready = 'yes'; });
