cp config/config.example.yaml config/config.yaml
