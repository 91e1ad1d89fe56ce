export default {
  files: ['dist/test/**/*.test.js'],
  // Native code belongs in processes: a crash costs one file, and koffi does not survive the end of a worker thread.
  workerThreads: false,
  nodeArguments: ['--enable-source-maps'],
  timeout: '60s',
};
