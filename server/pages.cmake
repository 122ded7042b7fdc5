# The manual page and the completions, as the program itself prints them.
#   cmake -DPROGRAM=FILE -DOUT=FOLDER -P pages.cmake
file(MAKE_DIRECTORY ${OUT})
foreach(page "llm-proxy.1|man" "llm-proxy.bash|completions;bash"
    "_llm-proxy|completions;zsh" "llm-proxy.fish|completions;fish")
  string(REPLACE "|" ";" words "${page}")
  list(POP_FRONT words name)
  execute_process(COMMAND ${PROGRAM} ${words} OUTPUT_FILE ${OUT}/${name}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
