# Writes OUT, the facts of server/build_info.h. Run at every build; the file
# only changes when the commit does, so that nothing is compiled for nothing.
#
#   cmake -DOUT=... -DSOURCE=... -DCOMPILER=... -DTYPE=... -DLIBRARIES=...
#         -P build_info.cmake
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  # Outside a checkout, say in a container, the builder may tell.
  set(commit "$ENV{LLMPROXY_COMMIT}")
endif()
if(NOT commit)
  set(commit "unknown")
endif()
set(facts "commit ${commit}, ${TYPE}, ${COMPILER}, ${LIBRARIES}")
set(stamp ${OUT}.facts)
if(EXISTS ${stamp} AND EXISTS ${OUT})
  file(READ ${stamp} before)
  if(before STREQUAL facts)
    return()
  endif()
endif()
# SOURCE_DATE_EPOCH, where it is set, is what this prints.
string(TIMESTAMP time "%Y-%m-%dT%H:%M:%SZ" UTC)
file(WRITE ${OUT} "// Written by server/build_info.cmake.
#include \"server/build_info.h\"

namespace llmproxy {

std::span<const BuildFact> build_facts() {
  static constexpr BuildFact facts[] = {
      {\"commit\", \"${commit}\"},
      {\"built\", \"${time}, ${TYPE}\"},
      {\"compiler\", \"${COMPILER}\"},
      {\"libraries\", \"${LIBRARIES}\"},
  };
  return facts;
}

}  // namespace llmproxy
")
file(WRITE ${stamp} "${facts}")
