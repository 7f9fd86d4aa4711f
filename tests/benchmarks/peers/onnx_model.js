// The exported encoder and decoder in ONNX Runtime: median times in ms, for whoever asks (answers.h).
//
//   node onnx_model.js MODULE MODELS THREADS     MODULE: the directory of onnxruntime-node
const readline = require('readline');
const [module_path, models, threads] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const ort = require(module_path);
const now = () => Number(process.hrtime.bigint()) / 1e6;

async function medianOf(run, seconds) {
  const times = [];
  await run();  // does not count: others had the caches before it
  for (let spent = 0; times.length === 0 || spent < 1e3 * seconds; spent += times.at(-1)) {
    const start = now();
    await run();
    times.push(now() - start);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}

(async () => {
  const figures = {};
  for (const [name, width] of [['encoder', 784], ['decoder', 2]]) {
    const session = await ort.InferenceSession.create(`${models}/${name}.onnx`, {
      intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all'});
    for (const batch of [1, 128, 1024]) {
      const x = new ort.Tensor('float32', new Float32Array(batch * width).map(() => Math.random()), [batch, width]);
      figures[`${name}_ms_${batch}`] = () => session.run({x});
    }
  }
  console.log(JSON.stringify({version: require(`${module_path}/package.json`).version, figures: Object.keys(figures)}));
  for await (const line of readline.createInterface({input: process.stdin})) {
    const [seconds, name] = line.split(' ');
    console.log(await medianOf(figures[name], Number(seconds)));
  }
})();
