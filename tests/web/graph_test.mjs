// vae graph, read by those who read it: Graphviz and its build for browsers, a parser of JSON, a browser.
//   graph_test.mjs VAE
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {Graphviz} from '@hpcc-js/wasm-graphviz';
import {withPage} from './page.mjs';

const vae = process.argv[2];
const size = ['--hidden', '16', '--layers', '1', '--batch', '8'];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-graph-'));
test.after(() => fs.rmSync(folder, {recursive: true}));

const run = (...words) => execFileSync(vae, words, {encoding: 'utf8', maxBuffer: 1 << 28});
const graphText = () => run('graph', '--format', 'text', '--training', ...size);
function fileOf(name, text) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

async function withGraph(words, look) {
  const file = path.join(folder, 'graph.html');
  run('graph', '--format', 'html', '--out', file, '--force', ...words);
  await withPage(file, async page => {
    page.setDefaultTimeout(120000);
    await page.waitForSelector('body[data-ready]');
    await look(page);
  });
}
const boxes = page => page.$$eval('#graph .node', groups => groups.map(group => group.getAttribute('aria-label')));
const labelled = name => `#graph [aria-label=${JSON.stringify(name)}]`;
const details = page => page.textContent('#details');

// Names that would be something else than a name, were they not escaped.
const kHostile = ['quo"te', "apo's", 'back\\slash\\N', '</script><script>alert(1)</script>', '<img src=x onerror=alert(1)>',
                  '&amp; &lt;', '${alert(1)}', '<!-- comment', 'ünïcode 名', '--> ]]>', '{a|b}'];
const nameText = name => `"${name.replace(/[\\"]/g, '\\$&')}"`;
const hostileGraph = () => fileOf('hostile.txt', ['weft graph 1',
  ...kHostile.map((name, i) => i === 0 ? `${nameText(name)} = Placeholder() {dtype=f32 shape=[N]} : f32[N]`
      : `${nameText(name)} = Exp(${nameText(kHostile[i - 1])}) : f32[N]`)].join('\n') + '\n');

test('JSON has every node, operand and update of the text form', () => {
  const json = JSON.parse(run('graph', '--format', 'json', '--training', ...size));
  const lines = graphText().split('\n');
  const nodes = lines.filter(line => / = \w+\(/.test(line) && !line.startsWith('alias'));
  assert.deepEqual(json.nodes.map(node => node.name), nodes.map(line => line.split(' = ')[0]));
  assert.deepEqual(json.nodes.map(node => node.operands.map(id => json.nodes[id].name).join(', ')),
                   nodes.map(line => line.match(/ = \w+\((.*?)\)/)[1]));
  assert.equal(json.edges.length, json.nodes.reduce((sum, node) => sum + node.operands.length, 0));
  assert.equal(json.updates.length, lines.filter(line => line.startsWith('update ')).length);
  assert.ok(json.nodes.every(node => node.bytes > 0 && node.type.startsWith(node.dtype)));
});

test('JSON keeps hostile names', () => {
  const json = JSON.parse(run('graph', '--format', 'json', '--text', hostileGraph()));
  assert.deepEqual(json.nodes.map(node => node.name), kHostile);
});

test('DOT is laid out alike by Graphviz and by its build for browsers', async () => {
  const graphviz = await Graphviz.load();
  for (const words of [[], ['--training', '--depth', '1'], ['--text', hostileGraph()]]) {
    const dot = run('graph', ...words, ...(words[0] === '--text' ? [] : size));
    const count = svg => [...svg.matchAll(/<g id="[^"]*" class="(node|edge|cluster)"/g)].map(match => match[1]).sort();
    const here = count(graphviz.dot(dot));
    assert.ok(here.length > 5);
    assert.deepEqual(here, count(execFileSync('dot', ['-Tsvg'], {input: dot, encoding: 'utf8'})));
  }
});

test('SVG is a picture that a browser shows', async () => {
  const file = path.join(folder, 'graph.svg');
  run('graph', '--format', 'svg', '--out', file, ...size);
  await withPage(file, async page => assert.match(await page.textContent('svg'), /Encoder/));
});

test('scopes unfold and fold by click and by key', () => withGraph(size, async page => {
  assert.deepEqual((await boxes(page)).sort(), ['Decoder', 'Encoder', 'InputData/X', 'Loss']);
  await page.click(labelled('Encoder'));
  const unfolded = await boxes(page);
  assert.ok(unfolded.includes('Encoder/Mean') && unfolded.length > 6);
  await page.focus(labelled('Encoder'));
  await page.keyboard.press('Enter');
  assert.equal((await boxes(page)).length, 4);
  await page.keyboard.press('g');
  assert.ok((await boxes(page)).includes('Gradients'));
  await page.keyboard.press('g');
  await page.focus(labelled('Encoder'));
  await page.keyboard.press('ArrowUp');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'InputData/X');
}));

test('the search goes to a node in a folded scope', () => withGraph(size, async page => {
  await page.keyboard.press('/');
  await page.keyboard.type('epsilon');
  assert.match(await page.textContent('#results'), /Encoder\/Epsilon/);
  await page.keyboard.press('Enter');
  assert.equal(await page.getAttribute('#graph .selected', 'aria-label'), 'Encoder/Epsilon');
  assert.match(await details(page), /RandomNormal: N\(0, 1\)/);
  await page.fill('#search', 'no such node');
  assert.match(await page.textContent('#results'), /^0 nodes/);
}));

test('the panel tells of what is pointed at', () => withGraph(size, async page => {
  await page.click(labelled('Decoder'));
  await page.hover(labelled('Decoder/Mean'));
  const json = JSON.parse(run('graph', '--format', 'json', ...size));
  const mean = json.nodes.find(node => node.name === 'Decoder/Mean');
  const text = await details(page);
  for (const part of [mean.name, mean.type, `(${mean.bytes})`, 'Sigmoid(x) = σ(x)', 'Decoder/Logits']) assert.ok(text.includes(part), `${part} in ${text}`);
}));

test('each pass has its graph, and the plan its buffers and steps', () => withGraph(size, async page => {
  const [, , steps, buffers, bytes] = run('plan', ...size).split('\n')[1].trim().split(/\s+/);  // of the training program
  const counts = await page.$$eval('#pass option', options => options.map(option => Number(option.textContent.match(/(\d+) nodes/)[1])));
  assert.equal(counts.length, 5);
  assert.equal(counts[0], JSON.parse(run('graph', '--format', 'json', '--training', ...size)).nodes.length);
  assert.ok(counts[4] < counts[1]);
  await page.selectOption('#pass', '4');
  await page.click(labelled('Loss'));
  assert.ok(!(await boxes(page)).includes('Loss'));

  await page.click('#tab-memory');
  const text = await page.textContent('#memory-text');
  assert.ok(text.startsWith(`${buffers} buffers: `), text);
  assert.ok(text.includes(`arena of ${bytes.replaceAll(',', '')} bytes`), text);
  const drawn = await page.$$('rect.buffer');
  assert.ok(drawn.length > 10 && drawn.length <= Number(text.match(/: (\d+) in an arena/)[1]));
  await drawn[0].focus();
  assert.match(await details(page), /^Buffer \d+/);

  await page.click('#tab-schedule');
  assert.match(await page.textContent('#schedule-text'), new RegExp(`^${steps} steps`));
  const shown = () => page.$$eval('rect.step', bars => new Set(bars.map(bar => bar.getAttribute('aria-label'))).size);
  assert.equal(await shown(), Number(steps));
  await page.selectOption('#threads', '1');
  assert.equal(await shown(), Number(steps));
}));

test('measured times are on the nodes', () => withGraph([...size, '--measure'], async page => {
  assert.match(await page.textContent(labelled('Encoder')), /\d [mµn]?s, .*(FLOP|B)\/s, \d+ %/);
  const fill = () => page.$eval(`${labelled('Encoder')} path`, outline => getComputedStyle(outline).fill);
  const plain = await fill();
  await page.selectOption('#colour', 'time');
  const byTime = await fill();
  await page.selectOption('#colour', 'share');
  assert.equal(new Set([plain, byTime, await fill()]).size, 3);
}));

test('hostile names are shown as they are', () => withGraph(['--text', hostileGraph()], async page => {
  for (let folded; (folded = await page.$('#graph .node[aria-expanded]')) !== null;) await folded.click();
  const shown = await boxes(page);
  assert.deepEqual(shown.sort(), [...kHostile].sort());
  const leaves = await page.$$eval('#graph .node text', texts => texts.map(text => text.textContent.replaceAll('\u00a0', ' ')));
  for (const name of kHostile) assert.ok(leaves.includes(name.slice(name.lastIndexOf('/') + 1)), `${name} in ${leaves}`);
  await page.fill('#search', 'onerror');
  assert.match(await page.textContent('#results'), /<img src=x onerror=alert\(1\)>/);
  assert.equal(await page.$('img'), null);
}));

test('ten thousand nodes open folded', async () => {
  const lines = ['weft graph 1', 'X = Placeholder() {dtype=f32 shape=[N]} : f32[N]'];
  let last = 'X';
  for (let block = 0; block < 10; ++block) {
    for (let layer = 0; layer < 20; ++layer) {
      for (let i = 0; i < 50; ++i) {
        const name = `Block${block}/Layer${layer}/Y${i}`;
        lines.push(`${name} = Tanh(${last}) : f32[N]`);
        last = name;
      }
    }
  }
  await withGraph(['--text', fileOf('large.txt', lines.join('\n') + '\n')], async page => {
    assert.equal((await boxes(page)).length, 11);
    await page.fill('#search', 'Block7/Layer19/Y49');
    await page.press('#search', 'Enter');
    assert.equal((await boxes(page)).length, 1 + 9 + 19 + 50);
    assert.equal(await page.getAttribute('#graph .selected', 'aria-label'), 'Block7/Layer19/Y49');
  });
});
