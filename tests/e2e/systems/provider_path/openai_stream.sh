curl -N \
  -H "Content-Type: application/json" \
  # Omit header if OPENAI_API_KEY is set in the environment
  -H "X-API-Key: $OPENAI_API_KEY" \
  -X POST http://localhost:8000/v1/chat/openai \
  -d '{
    "model":"gpt-4o-mini",
    "messages":[{"role":"user","content":"Stream please"}],
    "stream": true
  }'
