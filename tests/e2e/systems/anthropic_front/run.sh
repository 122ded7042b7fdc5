# Using the CLI entry point
LLM_PROXY_CONFIG=config.yaml llm-proxy

# Or with Python module
LLM_PROXY_CONFIG=config.yaml python -m llm_proxy.main

# Or with uvicorn directly
LLM_PROXY_CONFIG=config.yaml uvicorn llm_proxy.main:app --host 0.0.0.0 --port 8081
