# `cmake --install` of the libraries: find_package(llmproxy COMPONENTS
# core|client|gateway) and pkg-config llmproxy-core|client|gateway.
#
# One set of exported targets for each library and kind: a user of the core
# needs neither curl nor yaml-cpp, and static and shared libraries may lie in
# the same prefix.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/llmproxy)
set(kind static)
if(BUILD_SHARED_LIBS)
  set(kind shared)
endif()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/llmproxy
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT llmproxy_dev)
foreach(component core client gateway)
  install(TARGETS llmproxy_${component} EXPORT llmproxy-${component}-${kind}
    ARCHIVE COMPONENT llmproxy_dev
    LIBRARY COMPONENT llmproxy_runtime NAMELINK_COMPONENT llmproxy_dev)
  install(EXPORT llmproxy-${component}-${kind} NAMESPACE llmproxy::
    DESTINATION ${package_dir} COMPONENT llmproxy_dev)
endforeach()

set(compatibility SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
endif()
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/llmproxy-config-version.cmake
  COMPATIBILITY ${compatibility})
install(FILES llmproxy-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/llmproxy-config-version.cmake
  DESTINATION ${package_dir} COMPONENT llmproxy_dev)

# pkg-config: found from where the file lies, so that a prefix can be moved;
# a system's own place is said as it is, for pkg-config leaves that one out.
set(pc_prefix ${CMAKE_INSTALL_PREFIX})
if(NOT pc_prefix STREQUAL "/usr")
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  set(pc_prefix "\${pcfiledir}/${up}")
  string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
endif()
# pc_file(NAME DESCRIPTION REQUIRES REQUIRES_PRIVATE LIBS_PRIVATE)
function(pc_file name description requires requires_private libs_private)
  configure_file(llmproxy.pc.in llmproxy-${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/llmproxy-${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT llmproxy_dev)
endfunction()
pc_file(core "LLM chat APIs, translated into each other; no I/O"
  "" "simdjson fmt" "")
# Not `Requires.private: libcurl`: that would ask for the static closure of
# curl as well, a dozen development packages, where curl itself is shared.
pc_file(client "LLM chat APIs, asked over HTTP"
  llmproxy-core "libcrypto zlib libbrotlidec libzstd fmt" "-lcurl -pthread")
pc_file(gateway "LLM proxy behind an HTTP server of your own"
  llmproxy-client "yaml-cpp fmt" "")
