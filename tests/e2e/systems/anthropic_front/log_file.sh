LOG_FILE=/path/to/proxy.log llm-proxy
