// The plane of two latent axes: the decoded grid and the images on the ground, the point and the chosen image above it.
'use strict';

const kMargin = 26;  // for the ticks
const kGridSize = data.quantiles.length;

class Plane {
  // `state`: {z, axes, scale, hidden, manifold, chosen, neighbours}; who changes it calls ground() or marks().
  constructor(element, state) {
    this.element = element;
    this.state = state;
    this.layers = ['ground', 'marks'].map(name => element.querySelector(`#${name}`).getContext('2d'));
    this.grid = document.createElement('canvas');
    this.size = 0;
    new ResizeObserver(() => this.resize()).observe(element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.decodeGrid());
  }

  // ---- Places --------------------------------------------------------------------------------------------------------

  // Far enough for all but the outermost means, and for the prior.
  get reach() {
    const sizes = [];
    for (let i = 0; i < images.count; ++i) {
      for (const axis of this.state.axes) sizes.push(Math.abs(images.mean(i)[axis] ?? 0));
    }
    sizes.sort((a, b) => a - b);
    return Math.max(3.2, 1.08 * sizes[Math.floor(0.998 * (sizes.length - 1))]);
  }

  // A number along an axis as a share of it, 0 … 1, and back.
  shareOf(value) {
    return this.state.scale === 'linear' ? (value / this.extent + 1) / 2 : normalProbability(value);
  }
  valueOf(share) {
    return this.state.scale === 'linear' ? (2 * share - 1) * this.extent : normalQuantile(share);
  }

  x(value) { return kMargin + this.side * this.shareOf(value); }
  y(value) { return this.side * (1 - this.shareOf(value)); }

  // Where the image is, in pixels. A model of one axis has nothing to say of the other direction: images are spread by number.
  placeOf(i) {
    const mean = images.mean(i), [right, up] = this.state.axes;
    return [this.x(mean[right]), up === undefined ? this.side * (0.1 + 0.8 * ((i * 0.618034) % 1)) : this.y(mean[up])];
  }
  placeOfPoint() {
    const {z, axes: [right, up]} = this.state;
    return [this.x(z[right]), up === undefined ? this.side / 2 : this.y(z[up])];
  }

  // The latent variable below a place in pixels.
  at(x, y) {
    const z = this.state.z.slice(), [right, up] = this.state.axes;
    const inside = share => Math.min(Math.max(share, 0.0005), 0.9995);
    z[right] = this.valueOf(inside((x - kMargin) / this.side));
    if (up !== undefined) z[up] = this.valueOf(inside(1 - y / this.side));
    return z;
  }

  // The image drawn within `radius` pixels of the place and nearest to it, or −1.
  imageAt(x, y, radius) {
    let found = -1, least = radius;
    for (let i = 0; i < images.count; ++i) {
      if (this.state.hidden.has(images.labels[i])) continue;
      const [left, top] = this.placeOf(i), distance = Math.hypot(left - x, top - y);
      if (distance < least) [found, least] = [i, distance];
    }
    return found;
  }

  // ---- Drawing -------------------------------------------------------------------------------------------------------

  resize() {
    this.size = this.element.clientWidth;
    this.side = this.size - kMargin;
    for (const layer of this.layers) {
      layer.canvas.width = layer.canvas.height = Math.round(this.size * devicePixelRatio);
    }
    this.extent = this.reach;
    this.ground();
    this.marks();
  }

  begin(layer) {
    const ink = this.layers[layer];
    ink.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    ink.clearRect(0, 0, this.size, this.size);
    return ink;
  }

  colour(name) { return getComputedStyle(this.element).getPropertyValue(name); }

  // Axes, scale, or latents beside the plane have changed: what is decoded between them follows a row a frame.
  decodeGrid() {
    this.extent = this.reach;
    this.ground();
    this.marks();
    const rows = this.state.axes[1] === undefined ? 1 : kGridSize;
    this.grid.width = kGridSize * data.columns;
    this.grid.height = rows * data.rows;
    const steps = this.state.scale === 'linear' ?
        Array.from({length: kGridSize}, (_, i) => this.valueOf((i + 0.5) / kGridSize)) : data.quantiles;
    const turn = this.turn = {};
    this.decoded = false;
    const next = row => {
      if (turn !== this.turn) return;
      this.decoded = row === rows || !this.state.manifold;
      if (this.decoded) return;
      this.decodeRow(row, rows, steps);
      this.ground();
      requestAnimationFrame(() => next(row + 1));
    };
    next(0);
  }

  decodeRow(row, rows, steps) {
    const {z, axes: [right, up]} = this.state;
    const places = new Float32Array(kGridSize * data.latent);
    for (let column = 0; column < kGridSize; ++column) {
      const place = rowOf(places, column, data.latent);
      place.set(z);
      place[right] = steps[column];
      if (up !== undefined) place[up] = steps[rows - 1 - row];
    }
    const values = decodeRows(places, kGridSize), ink = this.grid.getContext('2d');
    const [red, green, blue] = this.colour('--grid').split(' ').map(Number);
    for (let column = 0; column < kGridSize; ++column) {
      const picture = new ImageData(data.columns, data.rows);
      rowOf(values, column, data.rows * data.columns).forEach((value, i) => {
        picture.data.set([red, green, blue, Math.round(255 * value)], 4 * i);
      });
      ink.putImageData(picture, column * data.columns, row * data.rows);
    }
  }

  ground() {
    if (this.size === 0) return;
    const ink = this.begin(0);
    if (this.state.manifold) this.drawGrid(ink);
    this.drawTicks(ink);
    ink.save();
    ink.beginPath();
    ink.rect(kMargin, 0, this.side, this.side);
    ink.clip();
    for (let i = 0; i < images.count; ++i) {
      if (this.state.hidden.has(images.labels[i])) continue;
      const [x, y] = this.placeOf(i);
      ink.fillStyle = data.palette[images.labels[i]];
      ink.beginPath();
      ink.arc(x, y, this.state.radius, 0, 2 * Math.PI);
      ink.fill();
    }
    ink.restore();
  }

  drawGrid(ink) {
    const height = this.side * this.grid.height / data.rows / kGridSize;
    ink.imageSmoothingQuality = 'high';
    ink.globalAlpha = 0.6;  // the images come first
    ink.drawImage(this.grid, kMargin, (this.side - height) / 2, this.side, height);
    ink.globalAlpha = 1;
  }

  drawTicks(ink) {
    ink.font = '12px system-ui, sans-serif';
    ink.lineWidth = 1;
    ink.strokeStyle = this.colour('--line');
    ink.strokeRect(kMargin + 0.5, 0.5, this.side - 1, this.side - 1);
    const step = this.extent > 8 ? 5 : this.extent > 4 ? 2 : 1, most = this.state.scale === 'linear' ? this.extent : 2;
    ink.fillStyle = this.colour('--faint');
    for (let value = -Math.floor(most / step) * step; value <= most; value += step) {
      const x = this.x(value), y = this.y(value), text = textOf(value, 0);
      ink.beginPath();
      ink.moveTo(x, this.side);
      ink.lineTo(x, this.side + 4);
      ink.moveTo(kMargin - 4, y);
      if (this.state.axes[1] !== undefined) ink.lineTo(kMargin, y);
      ink.stroke();
      ink.textAlign = 'center';
      ink.textBaseline = 'top';
      ink.fillText(text, x, this.side + 7);
      if (this.state.axes[1] === undefined) continue;
      ink.textAlign = 'right';
      ink.textBaseline = 'middle';
      ink.fillText(text, kMargin - 7, y);
    }
  }

  marks() {
    if (this.size === 0) return;
    const ink = this.begin(1), {chosen, neighbours} = this.state;
    ink.strokeStyle = ink.fillStyle = this.colour('--accent');
    if (chosen >= 0) {
      ink.lineWidth = 1;
      for (const {index} of neighbours) {
        ink.beginPath();
        ink.moveTo(...this.placeOf(chosen));
        ink.lineTo(...this.placeOf(index));
        ink.stroke();
        this.drawRing(ink, this.placeOf(index), 5);
      }
      this.drawEllipse(ink, chosen);
      ink.lineWidth = 2;
      this.drawRing(ink, this.placeOf(chosen), 7);
    }
    this.drawPoint(ink);
  }

  drawRing(ink, [x, y], radius) {
    ink.beginPath();
    ink.arc(x, y, radius, 0, 2 * Math.PI);
    ink.stroke();
  }

  // Two standard deviations around the mean: whatever the scale makes of an ellipse.
  drawEllipse(ink, i) {
    const mean = images.mean(i), deviation = images.deviation(i), [right, up] = this.state.axes;
    ink.beginPath();
    for (let corner = 0; corner <= 72; ++corner) {
      const angle = corner * Math.PI / 36;
      const x = this.x(mean[right] + 2 * deviation[right] * Math.cos(angle));
      ink.lineTo(x, up === undefined ? this.placeOf(i)[1] : this.y(mean[up] + 2 * deviation[up] * Math.sin(angle)));
    }
    ink.lineWidth = 2;
    ink.stroke();
    ink.globalAlpha = 0.15;
    ink.fill();
    ink.globalAlpha = 1;
  }

  drawPoint(ink) {
    const [x, y] = this.placeOfPoint();
    for (const [width, colour] of [[5, '--paper'], [2, '--ink']]) {
      ink.lineWidth = width;
      ink.strokeStyle = this.colour(colour);
      ink.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        ink.moveTo(x + 5 * dx, y + 5 * dy);
        ink.lineTo(x + 14 * dx, y + 14 * dy);
      }
      ink.stroke();
    }
  }
}
