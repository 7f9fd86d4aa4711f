// What the tool computed, unpacked, and what follows from it. `decode` is the decoder of the model as a script.
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);

function bytesOf(text) {
  return Uint8Array.from(atob(text), character => character.charCodeAt(0));
}
function floatsOf(text) {
  return new Float32Array(bytesOf(text).buffer);
}

// Of each image: label, pixels (u8), mean and standard deviation of its posterior, and KL to the prior in nats.
const images = {
  count: data.count,
  labels: bytesOf(data.labels),
  allPixels: bytesOf(data.pixels),
  allMeans: floatsOf(data.means),
  allDeviations: floatsOf(data.deviations),
  divergences: floatsOf(data.divergences),
  pixels(i) { return rowOf(this.allPixels, i, data.rows * data.columns); },
  mean(i) { return rowOf(this.allMeans, i, data.latent); },
  deviation(i) { return rowOf(this.allDeviations, i, data.latent); },
};

function rowOf(array, i, width) {
  return array.subarray(i * width, (i + 1) * width);
}

// n rows of z → n pictures of probabilities, both Float32Array.
function decodeRows(z, n) {
  return decode({[data.input]: z}, n)[data.output];
}

// The `count` images whose means are nearest to that of image i, the nearest first: [{index, distance}].
function nearestTo(i, count) {
  const at = images.mean(i);
  const all = [];
  for (let index = 0; index < images.count; ++index) {
    if (index !== i) all.push({index, distance: distanceBetween(at, images.mean(index))});
  }
  return all.sort((a, b) => a.distance - b.distance).slice(0, count);
}

function distanceBetween(a, b) {
  let sum = 0;
  for (let axis = 0; axis < a.length; ++axis) sum += (a[axis] - b[axis]) ** 2;
  return Math.sqrt(sum);
}

// P(N(0, 1) ≤ x) to 10⁻⁷ (Abramowitz and Stegun 7.1.26), and its inverse within ±6.
function normalProbability(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x) / Math.SQRT2);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = series * Math.exp(-x * x / 2) / 2;
  return x < 0 ? tail : 1 - tail;
}
function normalQuantile(p) {
  let low = -6, high = 6;
  for (let halving = 0; halving < 40; ++halving) {
    const middle = (low + high) / 2;
    if (normalProbability(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

// Probabilities, or bytes, as grey pixels of a canvas of that size.
function paint(canvas, values) {
  canvas.width = data.columns;
  canvas.height = data.rows;
  const picture = new ImageData(data.columns, data.rows);
  const scale = values instanceof Uint8Array ? 1 : 255;
  for (let i = 0; i < values.length; ++i) {
    picture.data.fill(Math.round(scale * values[i]), 4 * i, 4 * i + 3);
    picture.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d').putImageData(picture, 0, 0);
}

function textOf(number, digits = 2) {
  return number.toFixed(digits).replace('-', '−');
}
