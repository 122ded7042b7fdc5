curl -s \
  -H "Content-Type: application/json" \
  # Omit header if ANTHROPIC_API_KEY is set in the environment
  -H "X-API-Key: $ANTHROPIC_API_KEY" \
  -X POST http://localhost:8000/v1/chat/anthropic \
  -d '{
    "model":"claude-3-5-sonnet-20240620",
    "messages":[{"role":"system","content":"You are helpful"},{"role":"user","content":"Hello!"}],
    "max_tokens": 256,
    "stream": false
  }' | jq
