// A model that `vae train` made and `vae export` wrote, run by others. Arguments: vae, the directory of the idx files.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import ort from 'onnxruntime-node';

const [tool, data] = process.argv.slice(2);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-model-'));
test.after(() => fs.rmSync(folder, {recursive: true}));
const inFolder = (name) => path.join(folder, name);
const vae = (...options) => execFileSync(tool, options, {stdio: ['ignore', 'ignore', 'pipe']});

const images = 200, pixels = 784, latent = 3;
vae('train', '--data', data, '--epochs', '1', '--hidden', '32', '--latent', `${latent}`, '--batch', '500', '--out', inFolder('run'));
vae('encode', '--from', inFolder('run'), '--data', data, '--out', inFolder('latent.npy'));

// Means and log-variances of each test image, as weft computes them.
const npy = fs.readFileSync(inFolder('latent.npy'));
const table = new Float32Array(npy.buffer.slice(npy.byteOffset + 10 + npy.readUInt16LE(8)));
const idx = zlib.gunzipSync(fs.readFileSync(path.join(data, 't10k-images-idx3-ubyte.gz'))).subarray(16);
const x = Float32Array.from(idx.subarray(0, images * pixels), (byte) => byte / 255);

function largestDistance(got, expected) {
  assert.equal(got.length, expected.length);
  return got.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i])), 0);
}

async function exported(part, format, batchNorm) {
  const file = inFolder(`${part}-${batchNorm}.${format}`);
  vae('export', '--from', inFolder('run'), '--part', part, '--format', format, '--batch-norm', batchNorm, '--out', file);
  if (format === 'js') return new Function(`${fs.readFileSync(file, 'utf8')}; return ${part};`)();
  const session = await ort.InferenceSession.create(file, {intraOpNumThreads: 1});
  return async (inputs, n) => {
    const feeds = Object.entries(inputs).map(([name, values]) => [name, new ort.Tensor(values, [n, values.length / n])]);
    const results = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data]));
  };
}

for (const [format, bound] of [['onnx', 1e-5], ['js', 1e-4]]) {
  for (const batchNorm of ['keep', 'fold']) {
    test(`${format}, batch normalisation: ${batchNorm}`, async () => {
      const encode = await exported('encoder', format, batchNorm);
      const {'Encoder/Mean': means, 'Encoder/LogVariance': logVariances} = await encode({'InputData/X': x}, images);
      const expected = (offset) =>
        Float32Array.from({length: images * latent}, (_, i) => table[Math.floor(i / latent) * 2 * latent + offset + i % latent]);
      assert.ok(largestDistance(means, expected(0)) <= bound);
      assert.ok(largestDistance(logVariances, expected(latent)) <= bound);

      const decode = await exported('decoder', format, batchNorm), reconstruct = await exported('reconstruction', format, batchNorm);
      const {'Decoder/Mean': decoded} = await decode({Z: means}, images);
      const {'Decoder/Mean': reconstructed} = await reconstruct({'InputData/X': x}, images);
      assert.ok(largestDistance(reconstructed, decoded) <= bound);
      assert.ok(decoded.some((grey) => grey > 0.1), 'the pictures are black');
    });
  }
}
