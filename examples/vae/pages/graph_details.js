// The panel: what is known of a node, a scope, a step or a buffer. Text is put in as text, whatever it says.
'use strict';

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made[name] = value;
    else if (value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== undefined));
  return made;
}

// 12345678 → "12.3 M"
function withUnit(number, unit) {
  const at = number > 0 ? Math.min(Math.max(Math.floor(Math.log10(number) / 3), -3), 4) : 0;
  const prefix = ['n', 'µ', 'm', '', 'k', 'M', 'G', 'T'][at + 3];
  const scaled = number / 1000 ** at;
  return `${Number.isInteger(scaled) ? scaled : scaled.toPrecision(3)} ${prefix}${unit}`;
}
const rateText = ({rate}) => `${withUnit(rate.per_second, rate.unit)}, ${(100 * rate.share).toFixed(0)} % of ${rate.limit}`;

const measureText = ({seconds, rate, share}) => `${withUnit(seconds, 's')}, ${rate}, ${(100 * share).toFixed(0)} %`;

function list(rows) {
  return element('dl', {}, ...rows.filter(([, value]) => value !== undefined && value.length > 0).flatMap(([name, value]) => [
    element('dt', {}, name), element('dd', {}, ...[value].flat())]));
}

const link = (text, go) => element('button', {class: 'link', onclick: go}, text);
const links = nodes => nodes.slice(0, 30).map(node => link(node.name, () => reveal(node.name)))
    .concat(nodes.length > 30 ? [`and ${nodes.length - 30} more`] : []);

function attributeText(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value);
  const values = value.values === undefined ? '…' : value.values.length === 1 ? value.values[0] : `{${value.values.join(', ')}}`;
  return `${value.dtype}[${value.shape.join(', ')}] ${values}`;
}

function stepRows(steps) {
  return steps.flatMap(step => [
    ['step', [link(`${step.id}`, () => showTab('schedule')), ` ${step.kind}, ${step.nodes.length} node${step.nodes.length > 1 ? 's' : ''}`]],
    ['time', step.seconds === undefined ? undefined : `${withUnit(step.seconds, 's')}: ${rateText(step)}`],
  ]);
}

function nodeDetails(graph, node) {
  const named = pairs => pairs.map(id => graph.nodes[id]);
  const buffers = program.buffers.filter(buffer => buffer.node !== null && planned.nodes[buffer.node].name === node.name);
  return [
    element('div', {class: 'name'}, node.name),
    element('div', {}, data.formulas[node.op] ?? node.op),
    list([
      ['type', node.type],
      ['bytes', `${withUnit(node.bytes, 'B')} (${node.bytes})`],
      ['FLOP', withUnit(node.flops, '')],
      ...Object.entries(node.attributes).map(([key, value]) => [key, attributeText(value)]),
      ['operands', links(named(node.operands))],
      ['read by', links(named([...new Set(node.users)]))],
      ['next value', links(named(graph.updates.filter(({variable}) => variable === node.id).map(({value}) => value)))],
      ['next of', links(named(graph.updates.filter(({value}) => value === node.id).map(({variable}) => variable)))],
      ['also', Object.entries(graph.aliases).filter(([, id]) => id === node.id).map(([alias]) => alias).join(', ')],
      ['in', Object.entries(graph.collections).filter(([, ids]) => ids.includes(node.id)).map(([key]) => key).join(', ')],
      ['drawn', node.box === undefined ? 'not: it sets a first value, or stands in its users' : undefined],
      ['gone after', node.isGone ? data.graphs[data.graphs.indexOf(graph) + 1].name : undefined],
      ...stepRows(stepsOf.get(node.name) ?? []),
      ...buffers.map(buffer => ['buffer', bufferText(buffer)]),
    ]),
  ];
}

function scopeDetails(graph, path) {
  const nodes = graph.scopes.get(path) ?? [];
  const sum = (key, of = nodes) => of.reduce((total, node) => total + node[key], 0);
  const variables = nodes.filter(node => node.op === 'Variable');
  return [
    element('div', {class: 'name'}, `${path}/`),
    list([
      ['nodes', `${nodes.length}`],
      ['variables', variables.length > 0 ? `${variables.length}, ${withUnit(sum('bytes', variables), 'B')}` : undefined],
      ['FLOP', withUnit(sum('flops'), '')],
      ['time', isMeasured && measureOf(nodes) ? measureText(measureOf(nodes)) : undefined],
    ]),
    element('div', {class: 'faint'}, 'Enter or a click unfolds and folds it.'),
  ];
}

function bufferText(buffer) {
  const where = {arena: `at ${buffer.offset} of the arena`, store: 'in the store', program: 'in the program', strip: 'in a strip'};
  const life = buffer.first === undefined ? 'touched by no step' : `steps ${buffer.first} to ${buffer.last}`;
  return `${buffer.id}: ${withUnit(buffer.bytes, 'B')} ${where[buffer.kind]}, ${life}${buffer.pinned ? ', fed or fetched' : ''}`;
}

function bufferDetails(buffer) {
  return [
    element('div', {class: 'name'}, `Buffer ${buffer.id}`),
    list([
      ['holds', buffer.node === null ? 'scratch' : links([planned.nodes[buffer.node]])],
      ['bytes', `${withUnit(buffer.bytes, 'B')} (${buffer.bytes})`],
      ['where', bufferText(buffer)],
    ]),
  ];
}

function stepDetails(step) {
  return [
    element('div', {class: 'name'}, `Step ${step.id}: ${step.kind}`),
    list([
      ['nodes', links(step.nodes.map(id => planned.nodes[id]))],
      ['tasks', `${step.tasks}`],
      ['FLOP', withUnit(step.flops, '')],
      ['bytes', withUnit(step.bytes, 'B')],
      ['time', step.seconds === undefined ? `${withUnit(step.cycles, 'cycles')}, estimated` : `${withUnit(step.seconds, 's')}: ${rateText(step)}`],
      ['reads', step.reads.join(', ')],
      ['writes', step.writes.join(', ')],
      ['before', step.successors.join(', ')],
    ]),
  ];
}

function welcome(graph) {
  const kinds = ['placeholder', 'variable', 'constant', 'random', 'op', 'gradient', 'update', 'scope'];
  return [
    element('p', {}, `${graph.nodes.length} nodes. Click a scope, or press Enter on it, to unfold it; hover over a node to see what it is.`),
    element('p', {class: 'legend'}, ...kinds.map(kind => element('span', {class: `kind-${kind}`}, kind))),
    element('p', {class: 'faint'}, 'Keys: / search, g gradients, f fold all, + and − size, Tab from box to box, ↑ and ↓ to operand and user. ' +
        'Dashed: gone after the next pass.'),
    element('p', {class: 'faint'}, 'Laid out by Graphviz (EPL), compiled for browsers by @hpcc-js/wasm-graphviz (Apache-2.0).'),
  ];
}
