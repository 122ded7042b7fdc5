# `make install` and find_package(llmproxy COMPONENTS core|client|gateway).
# One set of exported targets a library, so that a user of the core needs
# neither curl nor yaml-cpp.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/llmproxy)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/llmproxy
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(component core client gateway)
  if(TARGET llmproxy_${component})
    install(TARGETS llmproxy_${component} EXPORT llmproxy-${component}
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT llmproxy-${component} NAMESPACE llmproxy::
      DESTINATION ${package_dir})
  endif()
endforeach()
write_basic_package_version_file(llmproxy-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES llmproxy-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/llmproxy-config-version.cmake
  DESTINATION ${package_dir})
