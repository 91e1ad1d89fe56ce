# Generates the code of the contract, from proto/ of the repository, into the build folder.

set(protos ${CMAKE_CURRENT_SOURCE_DIR}/../../proto)
set(generated ${CMAKE_CURRENT_BINARY_DIR}/gen)
file(MAKE_DIRECTORY ${generated})

# The messages of google.rpc are in a package of their own here. Many programs have them already, from googleapis, and
# protobuf ends a program in which two libraries define the same messages.
set(renamed ${CMAKE_CURRENT_BINARY_DIR}/proto)
foreach(name IN ITEMS error_details status)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${protos}/google/rpc/${name}.proto)
  file(READ ${protos}/google/rpc/${name}.proto text)
  string(REPLACE "package google.rpc;" "package wifidirect.google_rpc;" text "${text}")
  file(CONFIGURE OUTPUT ${renamed}/wifidirect/google_rpc/${name}.proto CONTENT "${text}" @ONLY)
  list(APPEND messages wifidirect/google_rpc/${name})
endforeach()

set(services
  wifidirect/simulator/v1/simulator_service
  wifidirect/v1/device_service
  wifidirect/v1/host_service
  wifidirect/v1/session_service)
list(APPEND messages wifidirect/v1/device wifidirect/v1/error wifidirect/v1/session ${services})

list(TRANSFORM messages REPLACE "(.+)" "${generated}/\\1.pb.cc;${generated}/\\1.pb.h" OUTPUT_VARIABLE outputs)
list(TRANSFORM services REPLACE "(.+)" "${generated}/\\1.grpc.pb.cc;${generated}/\\1.grpc.pb.h" OUTPUT_VARIABLE stubs)
list(TRANSFORM messages APPEND .proto OUTPUT_VARIABLE message_files)
list(TRANSFORM services APPEND .proto OUTPUT_VARIABLE service_files)
file(GLOB_RECURSE sources_of_protos CONFIGURE_DEPENDS ${protos}/*.proto)
add_custom_command(
  OUTPUT ${outputs} ${stubs}
  COMMAND protobuf::protoc -I ${protos} -I ${renamed} --cpp_out=${generated} ${message_files}
  COMMAND protobuf::protoc -I ${protos} -I ${renamed} --grpc_out=${generated}
    --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} ${service_files}
  DEPENDS ${sources_of_protos}
  COMMENT "Generating the code of the contract"
  VERBATIM)
target_sources(wifi_direct_gateway PRIVATE ${outputs} ${stubs})
