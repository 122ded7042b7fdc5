llm-proxy --config config/config.yaml
