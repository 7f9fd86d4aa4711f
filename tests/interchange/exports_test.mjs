// Every exported graph, run by ONNX Runtime and as JavaScript, gives what weft gives. Arguments: weft_export_cases.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import ort from 'onnxruntime-node';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-exports-'));
test.after(() => fs.rmSync(folder, {recursive: true}));
execFileSync(process.argv[2], [folder], {stdio: 'inherit'});
const cases = JSON.parse(fs.readFileSync(path.join(folder, 'cases.json'), 'utf8'));

const types = {
  f32: {array: Float32Array, onnx: 'float32'},
  f64: {array: Float64Array, onnx: 'float64'},
  i64: {array: BigInt64Array, onnx: 'int64'},
  bool: {array: Uint8Array, onnx: 'bool'},
};

const arrayOf = ({dtype, values}) => types[dtype].array.from(values, dtype === 'i64' ? BigInt : Number);
const objectOf = (list, valueOf) => Object.fromEntries(list.map((tensor) => [tensor.name, valueOf(tensor)]));

// The largest distance of the outputs from weft's: relative for numbers above 1.
function distance(one, outputs) {
  let largest = 0;
  for (const {name, dtype, values} of one.outputs) {
    assert.ok(Object.hasOwn(outputs, name), `no output ${name}`);
    assert.ok(outputs[name] instanceof types[dtype].array, `${name} is ${outputs[name].constructor.name}, not ${dtype}`);
    assert.equal(outputs[name].length, values.length, `length of ${name}`);
    values.map(Number).forEach((expected, i) => {
      const got = Number(outputs[name][i]);
      if (got === expected || Number.isNaN(got) && Number.isNaN(expected)) return;
      const error = Math.abs(got - expected) / Math.max(1, Math.abs(expected));
      largest = Math.max(largest, Number.isNaN(error) ? Infinity : error);
    });
  }
  return largest;
}

const scriptOf = (one) => new Function(`${fs.readFileSync(path.join(folder, `${one.file}.js`), 'utf8')}; return run;`)();
const runScript = (one) => scriptOf(one)(objectOf(one.inputs, arrayOf), one.n);

// Legal, but not implemented: operators that the runtime has in f32 only.
const onlyInF32 = ['Erf', 'LeakyRelu', 'Elu', 'Softplus', 'SigmoidCrossEntropy'];
const isImplemented = (one) => !onlyInF32.some((op) => one.name.startsWith(`${op} f64 `)) || one.outputs[0].values.length === 0;

async function runOnnx(one) {
  const file = path.join(folder, `${one.file}.onnx`);
  const session = await ort.InferenceSession.create(file, {logSeverityLevel: 3, intraOpNumThreads: 1, interOpNumThreads: 1});
  const tensorOf = (tensor) => new ort.Tensor(types[tensor.dtype].onnx, arrayOf(tensor), tensor.shape);
  const results = await session.run(objectOf(one.inputs, tensorOf));
  return objectOf(one.outputs, ({name}) => results[name].data);
}

async function compare(what, run, cases, bound) {
  let largest = 0;
  const failures = [];
  for (const one of cases) {
    try {
      const error = distance(one, await run(one));
      if (!(error <= bound)) failures.push(`${one.name}: ${error}`);
      largest = Math.max(largest, error);
    } catch (error) {
      failures.push(`${one.name}: ${error.message}`);
    }
  }
  console.log(`${what}: ${cases.length} graphs, largest error ${largest}`);
  assert.deepEqual(failures, []);
}

test('there are graphs of all kinds', () => {
  const count = (kind) => cases.filter((one) => one.kind === kind).length;
  assert.ok(count('op') > 400 && count('model') === 32 && count('special') > 20 && count('graph') >= 4, 'too few');
});
test('JavaScript gives what weft gives', () => compare('JavaScript', runScript, cases, 1e-4));
test('ONNX Runtime gives what weft gives', () => compare('ONNX Runtime', runOnnx, cases.filter(isImplemented), 1e-5));
test('ONNX Runtime lacks no other operator', async () => {
  const rest = cases.filter((one) => !isImplemented(one));
  assert.equal(rest.length, 28);
  for (const one of rest) await assert.rejects(runOnnx(one), /Could not find an implementation/, one.name);
});
// In time of the processor: other tests run beside this one.
test('JavaScript decodes more than 30 pictures a second', () => {
  const run = scriptOf(cases.find(({name}) => name === 'wide decoder'));
  const begin = process.cpuUsage(), count = 100;
  for (let i = 0; i < count; ++i) run({Z: Float32Array.of(i / count, -1)}, 1);
  const {user, system} = process.cpuUsage(begin);
  const rate = count / (user + system) * 1e6;
  console.log(`JavaScript: ${rate.toFixed(0)} pictures a second`);
  assert.ok(rate > 30);
});
