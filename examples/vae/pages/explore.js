// What people do, and what the page shows of it.
'use strict';

const kNeighbours = 8;
const element = id => document.getElementById(id);

function made(parent, tag, properties = {}) {
  const child = Object.assign(document.createElement(tag), properties);
  parent.append(child);
  return child;
}

// The two axes that carry most are the plane at first.
function mainAxes() {
  const order = data.axes.map((_, axis) => axis).sort((a, b) => data.axes[b].kl - data.axes[a].kl);
  return order.slice(0, 2).sort((a, b) => a - b);
}

const state = {
  z: new Float32Array(data.latent),
  axes: mainAxes(),
  scale: 'linear',
  hidden: new Set(),
  manifold: true,
  radius: images.count > 3000 ? 1.6 : 2.6,
  chosen: -1,
  neighbours: [],
};
const plane = new Plane(element('plane'), state);
const rows = [];  // one an axis

// ---- The point -------------------------------------------------------------------------------------------------------

// `z` is the new place; of the other latents it may change too, which the grid shows.
function moveTo(z) {
  const beside = state.z.some((value, axis) => value !== z[axis] && !state.axes.includes(axis));
  state.z = Float32Array.from(z);
  paint(element('decoded'), decodeRows(state.z, 1));
  showPlace();
  if (beside) plane.decodeGrid();
  else plane.marks();
}

function showPlace() {
  element('place').textContent = state.axes.map(axis => `z${axis} = ${textOf(state.z[axis])}`).join(', ');
  rows.forEach(({slider, value}, axis) => {
    slider.value = state.z[axis];
    value.textContent = textOf(state.z[axis]);
  });
}

function choose(i) {
  state.chosen = i;
  state.neighbours = i < 0 ? [] : nearestTo(i, kNeighbours);
  element('number').value = i < 0 ? '' : i;
  element('image').hidden = element('near').hidden = i < 0;
  element('no-image').hidden = i >= 0;
  if (i < 0) return plane.marks();
  showImage(i);
  moveTo(images.mean(i));
}

function showImage(i) {
  paint(element('original'), images.pixels(i));
  paint(element('reconstruction'), decodeRows(images.mean(i), 1));
  element('original-caption').textContent = `image ${i}, label ${images.labels[i]}`;
  const mean = images.mean(i), deviation = images.deviation(i);
  element('image-facts').textContent = `KL ${textOf(images.divergences[i])} nats; ` +
      state.axes.map(axis => `z${axis} = ${textOf(mean[axis])} ± ${textOf(deviation[axis], 3)}`).join(', ') +
      '. The ellipse is two standard deviations wide on each side.';
  const list = element('neighbours');
  list.replaceChildren();
  for (const {index, distance} of state.neighbours) {
    const button = made(list, 'button', {title: `image ${index}, label ${images.labels[index]}, distance ${textOf(distance, 3)}`});
    button.dataset.index = index;
    button.style.borderBottomColor = data.palette[images.labels[index]];
    paint(made(button, 'canvas'), images.pixels(index));
    button.append(textOf(distance));
    button.addEventListener('click', () => choose(index));
  }
}

// ---- Pointer and keys ------------------------------------------------------------------------------------------------

const surface = element('plane');
let pressed = null;

function placeOf(event) {
  const box = surface.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

surface.addEventListener('pointerdown', event => {
  if (!event.isPrimary || event.button !== 0) return;
  surface.setPointerCapture(event.pointerId);
  const [x, y] = placeOf(event);
  pressed = {x, y, image: plane.imageAt(x, y, event.pointerType === 'mouse' ? 6 : 14), moved: false};
  if (pressed.image < 0) moveTo(plane.at(x, y));
});
surface.addEventListener('pointermove', event => {
  const [x, y] = placeOf(event);
  if (pressed === null) {
    surface.style.cursor = plane.imageAt(x, y, 6) < 0 ? 'crosshair' : 'pointer';
    return;
  }
  pressed.moved ||= Math.hypot(x - pressed.x, y - pressed.y) > 4;
  if (pressed.moved) moveTo(plane.at(x, y));
});
surface.addEventListener('pointerup', () => {
  if (pressed !== null && !pressed.moved && pressed.image >= 0) choose(pressed.image);
  pressed = null;
});
surface.addEventListener('pointercancel', () => { pressed = null; });

const kDirections = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
surface.addEventListener('keydown', event => {
  const [x, y] = plane.placeOfPoint();
  if (event.key in kDirections) {
    const step = event.shiftKey ? 1 : plane.side / 40, [right, down] = kDirections[event.key];
    moveTo(plane.at(x + step * right, y + step * down));
  } else if (event.key === 'Enter') {
    choose(plane.imageAt(x, y, Infinity));
  } else if (event.key === 'Escape') {
    choose(-1);
  } else {
    return;
  }
  event.preventDefault();
});

element('number').max = images.count - 1;
element('number').addEventListener('change', event => {
  const i = event.target.valueAsNumber;
  choose(Number.isInteger(i) && i >= 0 && i < images.count ? i : -1);
});

// ---- What is shown ---------------------------------------------------------------------------------------------------

function press(button, pressed) {
  button.setAttribute('aria-pressed', pressed);
}

const scales = document.querySelectorAll('[data-scale]');
function setScale(scale) {
  state.scale = scale;
  scales.forEach(button => press(button, button.dataset.scale === scale));
  plane.decodeGrid();
}
scales.forEach(button => button.addEventListener('click', () => setScale(button.dataset.scale)));

element('show-manifold').addEventListener('click', event => {
  state.manifold = !state.manifold;
  press(event.target, state.manifold);
  plane.decodeGrid();
});

for (const label of [...new Set(images.labels)].sort((a, b) => a - b)) {
  const button = made(element('legend'), 'button', {title: `Show or hide label ${label}`});
  made(button, 'i').style.background = data.palette[label];
  button.append(String(label));
  press(button, true);
  button.addEventListener('click', () => {
    if (!state.hidden.delete(label)) state.hidden.add(label);
    press(button, !state.hidden.has(label));
    plane.ground();
  });
}

// ---- Axes ------------------------------------------------------------------------------------------------------------

// `direction` 0 is to the right, 1 upwards. An axis that was the other direction trades places.
function setAxis(direction, axis) {
  const [other, was] = [1 - direction, state.axes[direction]];
  if (state.axes[other] === axis) state.axes[other] = was;
  state.axes[direction] = axis;
  showAxes();
  if (state.chosen >= 0) showImage(state.chosen);
  plane.decodeGrid();
}

function showAxes() {
  rows.forEach(({directions}, axis) => directions.forEach((button, i) => press(button, state.axes[i] === axis)));
  showPlace();
}

const furthest = images.allMeans.reduce((most, mean) => Math.max(most, Math.abs(mean)), 4);

function addAxis(axis) {
  const {kl, variance, active} = data.axes[axis], most = Math.max(...data.axes.map(each => each.kl));
  const row = made(element('axes'), 'div', {className: active ? 'axis' : 'axis inactive'});
  const arrows = data.latent === 1 ? [] : [['→', 'to the right'], ['↑', 'upwards']], group = made(row, 'span');
  const directions = arrows.map(([arrow, meaning], direction) => {
    const button = made(group, 'button', {textContent: arrow, title: `Axis ${axis} ${meaning}`});
    button.addEventListener('click', () => setAxis(direction, axis));
    return button;
  });
  made(row, 'span', {textContent: `z${axis}`});
  const slider = made(row, 'input', {type: 'range', min: -furthest, max: furthest, step: 'any', ariaLabel: `z${axis}`});
  slider.addEventListener('input', () => moveTo(state.z.with(axis, slider.valueAsNumber)));
  const value = made(row, 'span', {className: 'value'});
  const bar = made(row, 'span', {className: 'kl', title: `KL ${kl.toFixed(4)} nats an image, variance of the mean ` +
      `${variance.toFixed(4)}: ${active ? 'active' : 'not active (at most 0.01)'}`});
  made(bar, 'i').style.width = `${100 * kl / most}%`;
  bar.append(`KL ${textOf(kl)}`);
  rows.push({slider, value, directions});
}

data.axes.forEach((_, axis) => addAxis(axis));
const activeCount = data.axes.filter(axis => axis.active).length;
element('axes-title').textContent = `Latent axes: ${activeCount} of ${data.latent} active`;
element('facts').textContent = `${data.checkpoint} · the first ${images.count} of ${data.total} ${data.split} images · ` +
    `KL ${textOf(data.axes.reduce((sum, axis) => sum + axis.kl, 0))} nats an image`;
showAxes();
moveTo(state.z);
setScale('linear');
