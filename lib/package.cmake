# `make deb`: libllmproxy-dev (headers, static libraries, CMake and pkg-config
# files), libllmproxyN (shared libraries) and llm-proxy, which links ours
# statically and so installs alone.
#
# Two build trees, of the presets deb and deb-shared; the former packs both.
include(GNUInstallDirs)
set(dev libllmproxy-dev)
set(runtime libllmproxy${llmproxy_abi})
set(server llm-proxy)
set(trees "${PROJECT_BINARY_DIR}-shared" "${PROJECT_BINARY_DIR}")
if(BUILD_SHARED_LIBS)
  set(components runtime)
else()
  set(components dev server)
endif()
foreach(component IN LISTS components)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${${component}}
    COMPONENT llmproxy_${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_INSTALL_CMAKE_PROJECTS)
foreach(tree IN LISTS trees)
  list(APPEND CPACK_INSTALL_CMAKE_PROJECTS "${tree};llmproxy;ALL;/")
endforeach()
set(CPACK_COMPONENTS_ALL llmproxy_dev llmproxy_runtime llmproxy_server)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_VENDOR llmproxy)
set(CPACK_PACKAGE_CONTACT "llmproxy authors <dev@llmproxy.invalid>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)

set(summary "LLM chat APIs, translated into each other")
set(CPACK_DEBIAN_LLMPROXY_DEV_PACKAGE_NAME ${dev})
set(CPACK_DEBIAN_LLMPROXY_DEV_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_LLMPROXY_DEV_DESCRIPTION "${summary} (development files)
Headers, static libraries, and what CMake and pkg-config need to find them.")
# Debian's names of what the static libraries link.
string(JOIN ", " CPACK_DEBIAN_LLMPROXY_DEV_PACKAGE_DEPENDS
  "${runtime} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})"
  libsimdjson-dev libfmt-dev "libcurl4-openssl-dev | libcurl-dev" libssl-dev
  libyaml-cpp-dev zlib1g-dev libbrotli-dev libzstd-dev)

set(CPACK_DEBIAN_LLMPROXY_RUNTIME_PACKAGE_NAME ${runtime})
set(CPACK_DEBIAN_LLMPROXY_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LLMPROXY_RUNTIME_PACKAGE_SHLIBDEPS ON)
# The three libraries need each other, and no package for that.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}-shared/lib)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_COMPONENT_LLMPROXY_RUNTIME_DESCRIPTION "${summary} (shared libraries)
llmproxy-core translates between chat APIs without doing I/O, llmproxy-client
asks providers, llmproxy-gateway is a whole proxy without an HTTP server.")

set(CPACK_DEBIAN_LLMPROXY_SERVER_PACKAGE_NAME ${server})
set(CPACK_DEBIAN_LLMPROXY_SERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_LLMPROXY_SERVER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LLMPROXY_SERVER_PACKAGE_DEPENDS ca-certificates)
set(CPACK_COMPONENT_LLMPROXY_SERVER_DESCRIPTION "Proxy between LLM chat APIs
Lets a client of one LLM chat API use the models behind another.")
include(CPack)
