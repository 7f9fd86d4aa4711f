// The event files of a training, read by protobufjs with the published numbers of the fields, every checksum computed anew.
//   events_test.mjs VAE
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import protobuf from 'protobufjs';

const vae = process.argv[2];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-events-'));
test.after(() => fs.rmSync(folder, {recursive: true}));
const run = (...words) => execFileSync(vae, words, {encoding: 'utf8', maxBuffer: 1 << 28});

const {root} = protobuf.parse(`syntax = "proto3";
  message Event { double wall_time = 1; int64 step = 2;
    oneof what { string file_version = 3; bytes graph_def = 4; Summary summary = 5; } }
  message Summary { message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
    message Value { string tag = 1; oneof value { float simple_value = 2; Image image = 4; Histogram histo = 5; } }
    repeated Value value = 1; }
  message Histogram { double min = 1; double max = 2; double num = 3; double sum = 4; double sum_squares = 5;
    repeated double bucket_limit = 6; repeated double bucket = 7; }
  message GraphDef { message Node { string name = 1; string op = 2; repeated string input = 3; } repeated Node node = 1; }`,
  {keepCase: true});

// CRC-32C, and TensorFlow's mask of it.
function maskedChecksum(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; ++bit) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function eventsOf(file) {
  const bytes = fs.readFileSync(file), events = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at)), data = bytes.subarray(at + 12, at + 12 + length);
    assert.equal(bytes.readUInt32LE(at + 8), maskedChecksum(bytes.subarray(at, at + 8)));
    assert.equal(bytes.readUInt32LE(at + 12 + length), maskedChecksum(data));
    events.push(root.lookupType('Event').decode(data));
    at += 16 + length;
  }
  assert.equal(events[0].file_version, 'brain.Event:2');
  return events;
}

const filesBelow = directory => fs.readdirSync(directory, {recursive: true}).filter(name => /tfevents/.test(name))
  .map(name => path.join(directory, name));

const logs = path.join(folder, 'logs'), out = path.join(folder, 'run');
run('train', '--epochs', '1', '--validation', '58000', '--hidden', '16', '--layers', '1', '--out', out, '--tensorboard', logs,
  '--tensorboard-verbose', '3');
const events = filesBelow(logs).map(file => [path.basename(path.dirname(file)), eventsOf(file)]);
const valuesOf = name => events.filter(([run]) => run === name).flatMap(([, list]) => list)
  .flatMap(event => event.summary?.value ?? []);

test('the loss of an epoch is that of the history', () => {
  const [head, ...rows] = fs.readFileSync(path.join(out, 'history.csv'), 'utf8').trim().split('\n').map(line => line.split(','));
  const loss = valuesOf('training').find(value => value.tag === 'Loss/Total').simple_value;
  const column = head.findIndex(name => /train.*elbo/.test(name));
  assert.ok(column >= 0, head.join());
  assert.equal(loss, Math.fround(Number(rows[0][column])));
});

test('the buckets of a histogram hold all weights of a variable', () => {
  const histogram = valuesOf('steps').find(value => value.tag === 'Encoder/Mean/W' && value.histo).histo;
  assert.equal(histogram.num, 16 * 2);
  assert.equal(histogram.bucket.reduce((sum, count) => sum + count), histogram.num);
  assert.equal(histogram.bucket.length, histogram.bucket_limit.length);
  assert.ok(histogram.min < histogram.max && histogram.sum_squares > 0);
});

test('pictures are PNG files of the size that is said', () => {
  const {image} = valuesOf('steps').concat(valuesOf('training'), valuesOf('validation')).find(value => value.image);
  const png = Buffer.from(image.encoded_image_string);
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [image.width, image.height]);
});

test('the graph has every node, and no input that is none', () => {
  const directory = path.join(folder, 'graph');
  run('graph', '--format', 'tensorboard', '--training', '--hidden', '16', '--layers', '1', '--out', directory);
  const [bytes] = filesBelow(directory).flatMap(eventsOf).map(event => event.graph_def).filter(graph => graph?.length);
  const {node: nodes} = root.lookupType('GraphDef').decode(bytes);
  const names = new Set(nodes.map(node => node.name));
  const {nodes: all} = JSON.parse(run('graph', '--format', 'json', '--training', '--hidden', '16', '--layers', '1'));
  for (const {name} of all) assert.ok(names.has(name), name);
  for (const {input} of nodes) for (const name of input) assert.ok(names.has(name.replace(/^\^/, '')), name);
});
