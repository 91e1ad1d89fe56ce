# The stubs of the simulator: a library and an install component of their own, for tests. Whatever
# links wifi_direct_gateway alone has none of it.

add_package_library(wifi_direct_gateway_simulator simulator)
set(generated_simulator ${CMAKE_CURRENT_BINARY_DIR}/gen-simulator)
add_generated(wifi_direct_gateway_simulator ${generated_simulator}
  SERVICES wifidirect/simulator/v1/simulator_service)

install(TARGETS wifi_direct_gateway_simulator EXPORT simulator-targets
  COMPONENT simulator
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${generated_simulator}/wifidirect/simulator
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wifidirect
  COMPONENT simulator
  FILES_MATCHING PATTERN "*.h")
install(EXPORT simulator-targets NAMESPACE wifi_direct_gateway::
  FILE wifi_direct_gateway-simulator-targets.cmake
  DESTINATION ${package}
  COMPONENT simulator)
