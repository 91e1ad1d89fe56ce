import { availableParallelism } from 'node:os';

export default {
  files: ['dist/test/**/*.test.js'],
  // Native code belongs in processes: a crash costs one file, and koffi does not survive the end of a worker thread.
  workerThreads: false,
  // Most files wait half of their time for a daemon, so two for each processor keep it at work.
  concurrency: 2 * availableParallelism(),
  nodeArguments: ['--enable-source-maps'],
  timeout: '60s',
};
