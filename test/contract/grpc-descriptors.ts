/**
 * The descriptors of health and reflection, which the daemon serves beside the contract and tells
 * of by reflection. Run on its own it adds them to the descriptors of the contract: a
 * FileDescriptorSet behind another is one with the files of both.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { descriptors, root } from '../../service/root.js';

/** Where each lies in packages of gRPC, and by its own name. */
const FILES = {
  'grpc/health/v1/health.proto': 'grpc-health-check/proto/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto': '@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto': '@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto',
};

/** As a FileDescriptorSet. */
export function grpcDescriptors(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'wfd-grpc-protos-'));
  try {
    for (const [name, source] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      cpSync(new URL(`node_modules/${source}`, root), join(folder, name));
    }
    const buf = fileURLToPath(new URL('node_modules/.bin/buf', root));
    return execFileSync(buf, [
      'build',
      folder,
      '--as-file-descriptor-set',
      '--exclude-source-info',
      '--output',
      '-#format=binpb',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  appendFileSync(descriptors, grpcDescriptors());
  console.log(`added to ${fileURLToPath(descriptors)}`);
}
