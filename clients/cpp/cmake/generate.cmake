# Generates the code of the contract, from proto/ of the repository, into the build folder.

set(protos ${CMAKE_CURRENT_SOURCE_DIR}/../../proto)
file(GLOB_RECURSE sources_of_protos CONFIGURE_DEPENDS ${protos}/*.proto)

# The messages of google.rpc are in a package of their own here. Many programs have them already,
# from googleapis, and protobuf ends a program in which two libraries define the same messages.
set(renamed ${CMAKE_CURRENT_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${renamed})
foreach(name IN ITEMS error_details status)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${protos}/google/rpc/${name}.proto)
  file(READ ${protos}/google/rpc/${name}.proto text)
  string(REPLACE "package google.rpc;" "package wifidirect.google_rpc;" text "${text}")
  file(CONFIGURE OUTPUT ${renamed}/wifidirect/google_rpc/${name}.proto CONTENT "${text}" @ONLY)
endforeach()

# add_generated(<target> <folder> MESSAGES <file>... SERVICES <file>...)
#
# Generates the code of these .proto files, which are named without their ending, into the folder,
# and compiles it into the target. SERVICES are the files that define a service.
function(add_generated target folder)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "MESSAGES;SERVICES")
  set(messages ${arg_MESSAGES} ${arg_SERVICES})
  list(TRANSFORM messages REPLACE "(.+)" "${folder}/\\1.pb.cc;${folder}/\\1.pb.h" OUTPUT_VARIABLE outputs)
  list(TRANSFORM arg_SERVICES REPLACE "(.+)" "${folder}/\\1.grpc.pb.cc;${folder}/\\1.grpc.pb.h" OUTPUT_VARIABLE stubs)
  list(TRANSFORM messages APPEND .proto)
  list(TRANSFORM arg_SERVICES APPEND .proto)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(
    OUTPUT ${outputs} ${stubs}
    COMMAND protobuf::protoc -I ${protos} -I ${renamed} --cpp_out=${folder} ${messages}
    COMMAND protobuf::protoc -I ${protos} -I ${renamed} --grpc_out=${folder}
      --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} ${arg_SERVICES}
    DEPENDS ${sources_of_protos}
    COMMENT "Generating the code of the contract for ${target}"
    VERBATIM)
  target_sources(${target} PRIVATE ${outputs} ${stubs})
  # As SYSTEM: nobody's warnings are about generated code.
  target_include_directories(${target} SYSTEM PUBLIC $<BUILD_INTERFACE:${folder}>)
endfunction()
