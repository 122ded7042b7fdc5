LOG_LEVEL=DEBUG llm-proxy
