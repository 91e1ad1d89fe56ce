/** The contract as buf compiles it: descriptors, and the comments in them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFileRegistry, type DescFile, fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { root } from '../conformance/library.js';

/** The files of the contract with their comments; not those of google.rpc. */
export async function ownFiles(): Promise<DescFile[]> {
  const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [buf, 'build', '--as-file-descriptor-set', '--output', '-'],
    { cwd: root, encoding: 'buffer', maxBuffer: 2 ** 26 },
  );
  const { files } = createFileRegistry(fromBinary(FileDescriptorSetSchema, stdout));
  return [...files].filter(({ name }) => name.startsWith('wifidirect/'));
}

export interface Comment {
  readonly text: string;
  /** Of the element, in its file. */
  readonly line: number;
}

/**
 * Leading comments by the path of the element in its FileDescriptorProto, as descriptor.proto
 * explains at SourceCodeInfo.
 */
export function commentsOf({ sourceCodeInfo }: FileDescriptorProto): Map<string, Comment> {
  const locations = sourceCodeInfo?.location ?? [];
  return new Map(
    locations.map(({ path, span, leadingComments }) => [
      path.join(),
      { text: leadingComments.replace(/^ /gm, '').trim(), line: span[0] ?? 0 },
    ]),
  );
}
