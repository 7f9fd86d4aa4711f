// Times of the exported encoder and decoder in ONNX Runtime, as one JSON line of medians in ms.
//
//   node onnx_model.js MODULE MODELS THREADS     MODULE: the directory of onnxruntime-node
const [module_path, models, threads] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const ort = require(module_path);
const now = () => Number(process.hrtime.bigint()) / 1e6;

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

async function timesFor(milliseconds, run) {
  const times = [];
  for (const end = now() + milliseconds; times.length < 20 || now() < end;) {
    const start = now();
    await run();
    times.push(now() - start);
  }
  return times;
}

(async () => {
  const result = {version: require(`${module_path}/package.json`).version};
  for (const [name, width] of [['encoder', 784], ['decoder', 2]]) {
    const session = await ort.InferenceSession.create(`${models}/${name}.onnx`, {
      intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all'});
    for (const batch of [1, 128, 1024]) {
      const x = new ort.Tensor('float32', new Float32Array(batch * width).map(() => Math.random()), [batch, width]);
      const run = () => session.run({x});
      await timesFor(120, run);
      result[`${name}_ms_${batch}`] = Number(median(await timesFor(600, run)).toFixed(4));
    }
  }
  console.log(JSON.stringify(result));
})();
