from llm_proxy import main

main()
