// The page of `vae explore` as people use it. Arguments: weft_explore_pages.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {withPage} from './page.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-explore-'));
test.after(() => fs.rmSync(folder, {recursive: true}));
execFileSync(process.argv[2], [folder], {stdio: ['ignore', 'ignore', 'inherit']});

const fileOf = name => path.join(folder, `${name}.html`);
const weft = name => JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8'));

// What the page holds, read without the page's own script.
function dataOf(name) {
  const data = JSON.parse(/id="data">(.*?)<\/script>/s.exec(fs.readFileSync(fileOf(name), 'utf8'))[1]);
  const floats = text => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
  const means = floats(data.means), deviations = floats(data.deviations);
  const row = (array, i) => array.slice(i * data.latent, (i + 1) * data.latent);
  return {...data, labels: Buffer.from(data.labels, 'base64'), mean: i => row(means, i), deviation: i => row(deviations, i)};
}

// The page of that model, once the grid is decoded.
const withModel = (name, use, options) => withPage(fileOf(name), async page => {
  await page.evaluate(() => {
    // RGBA of a part of a canvas, all of it by default; of a copy, since Chromium warns of canvases that are read often.
    globalThis.rgba = (canvas, x = 0, y = 0, width = canvas.width, height = canvas.height) => {
      const copy = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
      copy.drawImage(canvas, -x, -y);
      return Array.from(copy.getImageData(0, 0, width, height).data);
    };
  });
  await gridDecoded(page);
  await use(page);
}, options);

const gridDecoded = page => page.waitForFunction(() => plane.decoded);
const point = page => page.evaluate(() => Array.from(state.z));
const pixelsOf = (page, id) => page.evaluate(id => rgba(document.getElementById(id)).filter((_, i) => i % 4 === 0), id);

// Where `x`, `y` of the plane is in the window, from 0, 0 at the bottom left to 1, 1.
async function placeIn(page, x, y) {
  const box = await page.locator('#plane').boundingBox();
  const margin = await page.evaluate(() => kMargin), side = box.width - margin;
  return [box.x + margin + x * side, box.y + (1 - y) * side];
}
async function drag(page, places) {
  const [first, ...others] = await Promise.all(places.map(place => placeIn(page, ...place)));
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const place of others) await page.mouse.move(...place, {steps: 5});
  await page.mouse.up();
}

// An image whose dot no other touches, and where it is in the window.
async function loneImage(page) {
  const {i, x, y} = await page.evaluate(() => {
    const places = Array.from({length: images.count}, (_, i) => plane.placeOf(i));
    const room = ([x, y], i) => Math.min(...places.map(([u, v], j) => i === j ? Infinity : Math.hypot(u - x, v - y)));
    const inside = ([x, y]) => Math.min(x - kMargin, y, plane.size - x, plane.side - y) > 20;
    const i = places.map((place, i) => inside(place) ? room(place, i) : 0).reduce((best, r, i, all) => r > all[best] ? i : best, 0);
    return {i, x: places[i][0], y: places[i][1]};
  });
  const box = await page.locator('#plane').boundingBox();
  return {i, place: [box.x + x, box.y + y]};
}

function assertNear(actual, expected, most, what) {
  assert.equal(actual.length, expected.length, what);
  expected.forEach((value, i) => {
    assert.ok(Math.abs(value - actual[i]) <= most, `${what}: number ${i} is ${actual[i]}, not ${value}`);
  });
}

for (const name of ['latent1', 'latent2', 'latent3', 'full']) {
  test(`${name}: the page decodes as weft does`, () => withModel(name, async page => {
    for (const [where, {z, pictures}] of Object.entries(weft(name))) {
      const decoded = await page.evaluate(z => Array.from(decodeRows(Float32Array.from(z.flat()), z.length)), z);
      assertNear(decoded, pictures.flat(), 1e-4, where);
    }
  }));
}

test('a page of 1,000 images and the default model is below 12 MB', () => {
  assert.equal(dataOf('full').count, 1000);
  assert.equal(dataOf('full').total, 1100);
  assert.ok(fs.statSync(fileOf('full')).size < 12e6);
});

test('dragging decodes where the pointer is', () => withModel('latent2', async page => {
  const seen = [];
  for (const to of [[0.2, 0.5], [0.5, 0.9], [0.8, 0.3]]) {
    await drag(page, [[0.5, 0.5], to]);
    const z = await point(page), extent = await page.evaluate(() => plane.extent);
    assertNear(z, to.map(share => (2 * share - 1) * extent), 0.03, 'the point');
    const decoded = await page.evaluate(z => Array.from(decodeRows(Float32Array.from(z), 1)), z);
    seen.push(await pixelsOf(page, 'decoded'));
    assertNear(seen.at(-1), decoded.map(p => 255 * p), 0.5, 'the picture');
  }
  assert.notDeepEqual(seen[0], seen[1]);
  assert.notDeepEqual(seen[1], seen[2]);
}));

test('the grid at prior quantiles is that of vae_z.png', () => withModel('latent2', async page => {
  await page.click('text=prior quantiles');
  await gridDecoded(page);
  const {pictures} = weft('latent2').grid;
  const shown = await page.evaluate(() => rgba(plane.grid).filter((_, i) => i % 4 === 3));
  const tile = (row, column) => Array.from({length: 784}, (_, i) =>
    shown[(row * 28 + Math.floor(i / 28)) * 15 * 28 + column * 28 + i % 28]);
  for (const [row, column] of [[0, 0], [0, 14], [3, 8], [7, 7], [14, 1]]) {
    assertNear(tile(row, column), pictures[row * 15 + column].map(p => 255 * p), 0.5 + 255e-4, `${row}, ${column}`);
  }
  await drag(page, [[0.5, 0.5], [0.975, 0.5]]);
  assertNear(await point(page), [1.96, 0], 0.05, 'a place by its probability');
}));

test('a click on a point shows its image, ellipse and neighbours', () => withModel('latent2', async page => {
  const data = dataOf('latent2'), {i, place} = await loneImage(page);
  await page.mouse.click(...place);
  assertNear(await point(page), Array.from(data.mean(i)), 1e-6, 'the point is the mean');
  assert.match(await page.textContent('#original-caption'), new RegExp(`image ${i}, label ${data.labels[i]}`));
  const pixels = Buffer.from(data.pixels, 'base64').subarray(i * 784, (i + 1) * 784);
  assert.deepEqual(await pixelsOf(page, 'original'), Array.from(pixels));
  assert.deepEqual(await pixelsOf(page, 'reconstruction'), await pixelsOf(page, 'decoded'));

  const distances = Array.from({length: data.count}, (_, k) => [k, Math.hypot(...data.mean(k).map((m, a) => m - data.mean(i)[a]))]);
  const nearest = distances.filter(([k]) => k !== i).sort((a, b) => a[1] - b[1]).slice(0, 8);
  const shown = await page.$$eval('#neighbours button', buttons => buttons.map(button => Number(button.dataset.index)));
  assert.equal(shown.length, 8);
  assertNear(shown.map(k => distances[k][1]), nearest.map(([, distance]) => distance), 1e-6, 'the neighbours');

  // Two standard deviations away from the mean there is the line of the ellipse.
  const drawn = await page.evaluate(([mean, deviation]) => [0, 1, 2, 3].map(side => {
    const value = axis => mean[axis] + (side % 2 === axis ? 2 * (side < 2 ? 1 : -1) * deviation[axis] : 0);
    const at = [plane.x(value(0)), plane.y(value(1))].map(pixel => Math.round(pixel * devicePixelRatio));
    return rgba(plane.layers[1].canvas, at[0] - 1, at[1] - 1, 3, 3).some((byte, k) => k % 4 === 3 && byte > 200);
  }), [Array.from(data.mean(i)), Array.from(data.deviation(i))]);
  assert.deepEqual(drawn, [true, true, true, true]);

  await page.click(`#neighbours button >> nth=2`);
  assertNear(await point(page), Array.from(data.mean(shown[2])), 1e-6, 'a click on a neighbour goes there');
}));

test('a label that is hidden is neither drawn nor found', () => withModel('latent2', async page => {
  const {i, place} = await loneImage(page), label = dataOf('latent2').labels[i];
  const alphaThere = () => page.evaluate(i => {
    const [x, y] = plane.placeOf(i).map(pixel => Math.round(pixel * devicePixelRatio));
    return rgba(plane.layers[0].canvas, x, y, 1, 1)[3];
  }, i);
  await page.click('#show-manifold');
  assert.equal(await alphaThere(), 255);
  const button = page.locator(`#legend button:text-is("${label}")`);
  await button.click();
  assert.equal(await button.getAttribute('aria-pressed'), 'false');
  assert.equal(await alphaThere(), 0);
  await page.mouse.click(...place);
  assert.ok(await page.isHidden('#image'));
  await button.click();
  assert.equal(await alphaThere(), 255);
  await page.mouse.click(...place);
  assert.ok(await page.isVisible('#image'));
}));

test('keys move the point, take an image and let go of it', () => withModel('latent2', async page => {
  await page.focus('#plane');
  const moves = {ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
  for (const [key, direction] of Object.entries(moves)) {
    const before = await point(page), picture = await pixelsOf(page, 'decoded');
    await page.keyboard.press(key);
    const after = await point(page);
    assert.deepEqual(after.map((value, axis) => Math.abs(value - before[axis]) < 1e-5 ? 0 : Math.sign(value - before[axis])), direction);
    assert.notDeepEqual(await pixelsOf(page, 'decoded'), picture);
  }
  await page.keyboard.press('Enter');
  const i = await page.inputValue('#number');
  assertNear(await point(page), Array.from(dataOf('latent2').mean(Number(i))), 1e-6, 'the image');
  await page.keyboard.press('Escape');
  assert.ok(await page.isHidden('#image'));
}));

test('three latents: sliders move beside the plane, and any two axes are the plane', () => withModel('latent3', async page => {
  const sliders = page.locator('#axes input[type=range]');
  assert.equal(await sliders.count(), 3);
  const axes = await page.evaluate(() => state.axes), beside = [0, 1, 2].find(axis => !axes.includes(axis));
  const grid = () => page.evaluate(() => rgba(plane.grid).join());
  const before = {picture: await pixelsOf(page, 'decoded'), grid: await grid()};
  await sliders.nth(beside).fill('2.5');
  await gridDecoded(page);
  assert.equal((await point(page))[beside], 2.5);
  assert.notDeepEqual(await pixelsOf(page, 'decoded'), before.picture);
  assert.notEqual(await grid(), before.grid);

  await page.click(`.axis >> nth=${beside} >> button >> nth=0`);
  assert.deepEqual(await page.evaluate(() => state.axes), [beside, axes[1]]);
  await drag(page, [[0.5, 0.5], [0.9, 0.5]]);
  const z = await point(page);
  assert.ok(z[beside] > 2 && Math.abs(z[axes[0]]) < 1e-6, `${z}`);
}));

test('the bars show how many of the axes are active', () => withModel('latent3', async page => {
  const {axes} = dataOf('latent3');
  assert.match(await page.textContent('#axes-title'), new RegExp(`${axes.filter(axis => axis.active).length} of 3 active`));
  const bars = await page.$$eval('.kl', bars => bars.map(bar => bar.textContent));
  assert.deepEqual(bars, axes.map(axis => `KL ${axis.kl.toFixed(2)}`));
}));

test('a finger drags, and a tap takes an image', () => withModel('latent2', async page => {
  const session = await page.context().newCDPSession(page);
  const touch = async (type, places) => session.send('Input.dispatchTouchEvent', {type, touchPoints: places});
  const [from, to] = [await placeIn(page, 0.5, 0.5), await placeIn(page, 0.3, 0.8)];
  await touch('touchStart', [{x: from[0], y: from[1]}]);
  await touch('touchMove', [{x: to[0], y: to[1]}]);
  await touch('touchEnd', []);
  const extent = await page.evaluate(() => plane.extent);
  assertNear(await point(page), [-0.4 * extent, 0.6 * extent], 0.03, 'the point');
  const {i, place} = await loneImage(page);
  await page.touchscreen.tap(...place);
  assert.equal(await page.inputValue('#number'), String(i));
}, {hasTouch: true, viewport: {width: 390, height: 844}}));

test('it is legible by night', () => withModel('latent2', async page => {
  const [paper, ink] = await page.evaluate(() => ['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name]));
  const light = colour => colour.match(/\d+/g).slice(0, 3).reduce((sum, channel) => sum + Number(channel) / 765, 0);
  assert.ok(light(paper) < 0.2 && light(ink) > 0.8, `${ink} on ${paper}`);
}, {colorScheme: 'dark'}));
