// The plan as pictures: which buffer lies where and when, and which thread does what and when.
'use strict';

function shape(tag, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A rectangle that says what it is when it is pointed at, or reached by Tab.
function bar(attributes, name, details, go) {
  const made = shape('rect', {tabindex: 0, role: 'img', 'aria-label': name, ...attributes});
  for (const event of ['mouseenter', 'focus']) made.addEventListener(event, () => showDetails(details()));
  made.addEventListener('click', go);
  made.addEventListener('keydown', event => event.key === 'Enter' && go());
  return made;
}

// ---- Memory ----

program.buffers.forEach((buffer, id) => { buffer.id = id; });
for (const step of program.steps) {
  for (const id of [...step.reads, ...step.writes]) {
    program.buffers[id].first ??= step.id;
    program.buffers[id].last = step.id;
  }
}
const kindOfNode = id => id === null ? 'constant' : planned.nodes[id].drawn ?? 'op';

function drawMemory(section) {
  const width = Math.max(section.clientWidth - 40, 600), height = Math.max(section.clientHeight - 110, 300), left = 90;
  const steps = Math.max(program.steps.length, 1), bytes = Math.max(program.arena_bytes, 1);
  const x = step => left + (width - left) * step / steps, y = offset => height - height * offset / bytes;
  const picture = shape('svg', {class: 'plan', width, height: height + 24});
  for (let i = 0; i <= 4; ++i) {
    picture.append(shape('line', {class: 'axis', x1: left, x2: width, y1: y(bytes * i / 4), y2: y(bytes * i / 4)}),
                   shape('text', {x: 4, y: Math.max(y(bytes * i / 4), 10)}, withUnit(bytes * i / 4, 'B')),
                   shape('text', {x: Math.min(x(steps * i / 4), width - 50), y: height + 16}, `step ${Math.round(steps * i / 4)}`));
  }
  for (const buffer of program.buffers) {
    if (buffer.kind !== 'arena' || buffer.first === undefined) continue;
    const first = buffer.pinned ? 0 : buffer.first, last = buffer.pinned ? steps - 1 : buffer.last;
    picture.append(bar(
        {class: `buffer kind-${kindOfNode(buffer.node)}`, x: x(first), y: y(buffer.offset + buffer.bytes), width: x(last + 1) - x(first),
         height: Math.max(y(buffer.offset) - y(buffer.offset + buffer.bytes), 0.5)},
        bufferText(buffer), () => bufferDetails(buffer), () => buffer.node !== null && reveal(planned.nodes[buffer.node].name)));
  }
  const count = kind => program.buffers.filter(buffer => buffer.kind === kind).length;
  section.replaceChildren(
      element('p', {id: 'memory-text'}, `${program.buffers.length} buffers: ${count('arena')} in an arena of ${program.arena_bytes} bytes, ` +
          `${count('store')} in the store, ${count('program')} in the program, ${count('strip')} in strips. ` +
          'To the right the steps, upwards the arena: two buffers share bytes where one is dead before the other is written.'),
      picture);
}

// ---- Schedule ----

const costOf = step => step.seconds ?? step.cycles;

// Greedy: whoever is free takes a piece of the ready step that most depends on. [{step, thread, begin, end}]
function simulate(threads) {
  const steps = program.steps, urgency = new Array(steps.length), waits = new Array(steps.length).fill(0);
  for (const step of [...steps].reverse()) urgency[step.id] = costOf(step) + Math.max(0, ...step.successors.map(id => urgency[id]));
  for (const step of steps) for (const id of step.successors) ++waits[id];
  const entry = (id, at) => ({id, at, left: Math.min(steps[id].tasks, threads), end: at});
  const ready = steps.filter(step => waits[step.id] === 0).map(step => entry(step.id, 0));
  const free = new Array(threads).fill(0), since = new Array(steps.length).fill(0), bars = [];
  while (ready.length > 0) {
    const thread = free.indexOf(Math.min(...free));
    const soon = Math.max(free[thread], Math.min(...ready.map(each => each.at)));
    const next = ready.filter(each => each.at <= soon).reduce((a, b) => urgency[a.id] >= urgency[b.id] ? a : b);
    const step = steps[next.id], end = soon + costOf(step) / Math.min(step.tasks, threads);
    bars.push({step, thread, begin: soon, end});
    free[thread] = end;
    next.end = Math.max(next.end, end);
    if (--next.left > 0) continue;
    ready.splice(ready.indexOf(next), 1);
    for (const id of step.successors) {
      since[id] = Math.max(since[id], next.end);
      if (--waits[id] === 0) ready.push(entry(id, since[id]));
    }
  }
  return bars;
}

function drawSchedule(section, threads = 4) {
  const used = program.sequential ? 1 : threads;
  const bars = simulate(used), end = Math.max(...bars.map(each => each.end), 0);
  const work = program.steps.reduce((sum, step) => sum + costOf(step), 0);
  const row = 34, left = 70, width = Math.max(section.clientWidth - 40, 600), x = time => left + (width - left) * time / (end || 1);
  const picture = shape('svg', {class: 'plan', width, height: used * row + 24});
  const unit = isMeasured ? 's' : 'cycles';
  for (let i = 0; i <= 4; ++i) {
    picture.append(shape('line', {class: 'axis', x1: x(end * i / 4), x2: x(end * i / 4), y1: 0, y2: used * row}),
                   shape('text', {x: Math.min(x(end * i / 4), width - 70), y: used * row + 16}, withUnit(end * i / 4, unit)));
  }
  for (let i = 0; i < used; ++i) picture.append(shape('text', {x: 4, y: i * row + row / 2 + 4}, `thread ${i + 1}`));
  for (const {step, thread, begin, end: until} of bars) {
    picture.append(bar({class: `step kind-${kindOfNode(step.node)}`, x: x(begin), y: thread * row + 2, width: Math.max(x(until) - x(begin), 0.5), height: row - 4},
                       `step ${step.id}: ${step.kind}`, () => stepDetails(step), () => reveal(planned.nodes[step.node].name)));
  }
  const choice = element('select', {id: 'threads', onchange: event => drawSchedule(section, Number(event.target.value))},
                         ...[1, 2, 4, 8, 16, 32].map(count => element('option', {value: count, selected: count === threads}, `${count}`)));
  section.replaceChildren(
      element('p', {}, element('label', {}, 'Threads ', choice), ' ', element('span', {id: 'schedule-text'},
          program.sequential ? `${program.steps.length} steps one after the other: the plan expects nothing from more threads.`
              : `${program.steps.length} steps, ${(work / (end || 1)).toFixed(1)} times as fast as one thread.`),
          ` ${isMeasured ? 'Measured on one thread' : 'Estimated by the plan'}; who takes which step is simulated.`),
      picture);
}
