"""The generator of grpcio-tools as a plugin, which buf can call.

grpcio-tools has it inside its own protoc only, so this hands on what a plugin is given, a CodeGeneratorRequest, as the
set of descriptors that protoc takes, and answers with the files that it wrote.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def generate(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
    with TemporaryDirectory() as folder:
        out = Path(folder, "out")
        out.mkdir()
        descriptors = Path(folder, "descriptors.binpb")
        descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        arguments = [f"--descriptor_set_in={descriptors}", f"--grpc_python_out={out}", *request.file_to_generate]
        if protoc.main(["protoc", *arguments]) != 0:
            response.error = "grpcio-tools has failed; what it says stands above."
        for path in sorted(out.rglob("*.py")):
            name = path.relative_to(out).as_posix()
            response.file.append(CodeGeneratorResponse.File(name=name, content=path.read_text("utf-8")))
    return response


if __name__ == "__main__":
    sys.stdout.buffer.write(generate(CodeGeneratorRequest.FromString(sys.stdin.buffer.read())).SerializeToString())
